"""The lean route: the API's addresses, served where the web server has read a request's head.

A page is an ASGI task with a scope, a router and middleware around it, which cost more than a small call to an office
itself. A request to the API becomes an `Exchange` instead, which is the sink of its own answer. Everything else goes
uvicorn's way, also on the same connection, and answers leave in the order of their requests.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from econnector.base.deadlines import Deadlines
from econnector.hq.doors import Doors
from econnector.hq.http import BoundedHttp
from econnector.hq.lean_exchange import Asked, Exchange, json_head
from econnector.hq.metrics import Metrics

__all__ = ["Lean", "LeanHttp"]

_API, _OFFICES = b"/api/v1/", b"/o/"
_AHEAD = 16
"""Requests that may come before the one before them is answered."""


class Lean:
    """What all exchanges of one HQ process share."""

    def __init__(self, doors: Doors, metrics: Metrics, draining: Callable[[], bool]) -> None:
        """`draining` says whether this node is going to stop: answers then close their connection."""
        self.doors, self.metrics, self.draining = doors, metrics, draining
        self.deadlines = Deadlines(asyncio.get_running_loop())
        self._head, self._head_with = b"", list[tuple[bytes, bytes]]()
        self._tasks: set[asyncio.Task[None]] = set()

    def json_head(self, usual: list[tuple[bytes, bytes]]) -> bytes:
        """Return an answer's first lines; `usual` are the server's own headers, which it makes anew every second."""
        if usual is not self._head_with:
            self._head, self._head_with = json_head(usual), usual
        return self._head

    def go(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what cannot be done at once; `work` raises nothing."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class LeanHttp(BoundedHttp):
    """uvicorn's protocol, which knows the API's addresses."""

    def __init__(self, *parts: Any, lean: Lean, **more: Any) -> None:
        """Serve one connection; `lean` is of the whole process."""
        super().__init__(*parts, **more)
        self._lean = lean
        self._asked = Asked(b"", b"", "", "", "")
        self._running: Exchange | None = None
        self._held: Exchange | None = None
        self._idle_since = 0.0
        self._idle: asyncio.TimerHandle | None = None

    # -- what the server tells ---------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Begin a request; what only pages need is made when it turns out to be one."""
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self.begin_head()

    def on_headers_complete(self) -> None:
        """Serve the request here if it is one to the API."""
        if (self.url != self._asked.url and not _is_api(self.url)) or self._should_upgrade():
            url, headers, expects = self.url, self.headers, self.expect_100_continue
            super().on_message_begin()
            self.url, self.expect_100_continue = url, expects
            self.headers.extend(headers)
            super().on_headers_complete()
            return
        self.head_is_whole()
        before: Any = self.cycle
        exchange: Any = self._exchange()  # uvicorn's own cycles stand in the same places
        self.cycle = exchange
        if before is None or before.response_complete:
            self._begin(exchange)
        else:
            self.pipeline.appendleft((exchange, self.app))
            if len(self.pipeline) >= _AHEAD:
                self.flow.pause_reading()  # not before: who is not read from cannot be seen to go away

    def on_body(self, body: bytes) -> None:
        """Drop the body of a request to the API, which takes none."""
        if isinstance(self.cycle, Exchange):
            self._tail = 0
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Nobody waits for the end of such a body."""
        if not isinstance(self.cycle, Exchange):
            super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the office's work for somebody who is gone."""
        self._held = None
        if self._idle is not None:
            self._idle.cancel()
        if self._running is not None:
            self._running.abandon()
            self._running = None
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        """Go on: what was written before has left."""
        super().resume_writing()
        if self._held is not None:
            exchange, self._held = self._held, None
            self._begin(exchange)
        elif self._running is not None:
            self._running.resume()

    # -- exchanges ---------------------------------------------------------------------------------------------

    def _exchange(self) -> Exchange:
        # Some clients ask for HTTP/2 by the way; what comes after such a request cannot be read, said or not.
        keep = self.parser.should_keep_alive() and not self.parser.should_upgrade()
        key = host = b""
        for name, value in self.headers:
            if name == b"authorization":
                key = value
            elif name == b"host":
                host = value
            elif name == b"connection":
                keep = keep and self.parser.get_http_version() != "1.0"
            elif name == b"expect":
                keep = False  # a body that was never asked for may come or not: nothing after it can be read
        asked = self._asked
        if asked.url != self.url or asked.authorization != key:
            # A program asks the same again and again: what that means is found out once.
            asked = self._asked = _asked(self.url, key)
        return Exchange(self, self._lean, asked, self.parser.get_method(), host, keep_alive=keep)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        if isinstance(cycle, Exchange):
            # Not from within the answer before it: a thousand of them in one breath would be a thousand deep.
            self.loop.call_soon(self._begin, cycle)
        else:
            super()._start_asgi_task(cycle, app)

    def _begin(self, exchange: Exchange) -> None:
        if self.transport.is_closing():
            return
        if self.flow.write_paused:
            self._held = exchange  # somebody who does not read gets no more answers
            return
        self._running = exchange
        exchange.start()

    def done(self, exchange: Exchange) -> None:
        """Go on to the next request; `exchange` has been answered."""
        self._running = None
        exchange.response_complete = True
        if not exchange.keep_alive:
            self.transport.close()
        if self.pipeline or self.transport.is_closing():
            self.on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        # One timer that looks when it rings, not one that is set and cancelled with every request.
        self._idle_since = self.loop.time()
        if self._idle is None:
            self._idle = self.loop.call_later(self.timeout_keep_alive, self._look_idle)

    def _look_idle(self) -> None:
        self._idle = None
        if self.transport.is_closing():
            return
        busy = self._in_head or not self.cycle.response_complete or self.timeout_keep_alive_task is not None
        left = self.timeout_keep_alive - (0.0 if busy else self.loop.time() - self._idle_since)
        if left <= 0:
            self.transport.close()
        else:
            self._idle = self.loop.call_later(left, self._look_idle)


def _is_api(url: bytes) -> bool:
    """Say whether an address is one of the API's: below an office's pages, or on its own host name."""
    if url.startswith(_OFFICES):
        ends = url.find(b"/", len(_OFFICES))
        return ends > 0 and url.startswith(_API, ends)
    return url.startswith(_API)


def _asked(url: bytes, key: bytes) -> Asked:
    place, _, rest = url.partition(_API)
    path, _, query = rest.partition(b"#")[0].partition(b"?")
    office, *parts = (part.decode("latin-1") for part in (place[len(_OFFICES) :], path, query))
    return Asked(url, key, office, *parts)

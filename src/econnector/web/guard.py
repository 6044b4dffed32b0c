"""The outermost layer of every site: a reference, safety headers, a size limit, and no exception ever shown."""

import asyncio
import traceback
from collections.abc import Callable
from pathlib import PurePath

import structlog
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from econnector.base.errors import Failure, FormExpired, OfficeBusy, PageMissing, RequestTooLarge, Unexpected
from econnector.base.ids import new_reference
from econnector.web.door import FindDoor
from econnector.web.failing import answer
from econnector.web.headers import protect
from econnector.web.kit import Kit

__all__ = ["FORM_LIMIT", "UPLOAD_LIMIT", "Guard", "Uploads", "reference_of"]

log = structlog.get_logger(__name__)

FORM_LIMIT = 64 * 1024
"""Bytes a form may have: far more than any page asks for."""
UPLOAD_LIMIT = 21 * 1024 * 1024
"""Bytes a form with files may have."""
Uploads = Callable[[Request], bool]
"""Says whether a request is to a page that takes files; such a page reads its body piece by piece."""

_BODY_SECONDS, _UPLOAD_SECONDS = 30.0, 900.0
"""For a whole form, and for one with files: a sender that drips would hold its connection for ever."""
_DRAIN_BYTES = 32 * 1024 * 1024
_DRAIN_SECONDS = 10.0
_FOREIGN = frozenset({"cross-site", "same-site"})


def reference_of(request: Request) -> str:
    """Return the request's correlation id, made by the guard around it."""
    return str(request.scope.setdefault("state", {}).setdefault("reference", new_reference()))


class Guard:
    """ASGI middleware around a site's routes.

    Guards may be nested: the inner one does the work, the outer repeats nothing.
    """

    def __init__(
        self,
        app: ASGIApp,
        kit: Kit,
        find: FindDoor | None = None,
        limit: int = FORM_LIMIT,
        uploads: Uploads | None = None,
    ) -> None:
        """`find` names the office on failure pages of requests that no page got to see."""
        self._app, self._kit, self._find, self._limit, self._uploads = app, kit, find, limit, uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        sending = _Sending(send, reference_of(request), https=request.url.scheme == "https")
        upload = self._uploads is not None and request.method == "POST" and self._uploads(request)
        limit, seconds = (UPLOAD_LIMIT, _UPLOAD_SECONDS) if upload else (self._limit, _BODY_SECONDS)
        reading = _Reading(receive, limit, seconds, _declared(request), reference_of(request))
        try:
            _refuse_foreign(request)
            reading.check_declared()
            await self._app(scope, reading.receive, sending.send)
        except ClientDisconnect:
            log.debug("went away while sending", reference=reference_of(request))
        except Exception as error:  # noqa: BLE001 - here every exception becomes a page
            await self._fail(request, error, reading, sending)

    async def _fail(self, request: Request, error: Exception, reading: "_Reading", sending: "_Sending") -> None:
        failure, status, headers = _as_failure(error, reference_of(request))
        route = getattr(request.scope.get("route"), "path", "")
        if isinstance(failure, Unexpected):
            log.error("unexpected", kind=type(error).__name__, where=_where(error), reference=failure.reference)
        else:
            # A crowd that is refused is counted; a line for each would cost more than their pages.
            tell = log.debug if isinstance(failure, OfficeBusy) else log.info
            tell("failure shown", code=failure.code, route=route, reference=failure.reference)
        if sending.started:
            return  # ends without the last bytes: the server breaks the connection, so nobody takes half for whole
        response = await self._answer(request, failure, status, headers)
        await reading.finish(response, request.scope, sending)

    async def _answer(self, request: Request, failure: Failure, status: int, headers: dict[str, str]) -> Response:
        state = request.scope["state"]
        if "door" not in state and self._find:
            state["door"] = None
            try:
                state["door"] = await self._find(request)
            except Exception as error:  # noqa: BLE001 - a failure page never fails
                log.debug("no office for the failure page", kind=type(error).__name__)
        visit = self._kit.visit(request, reference_of(request), state.get("door"))
        return answer(failure, visit, status, headers)


class _Sending:
    """Adds the headers on the way out and knows whether an answer has begun."""

    def __init__(self, send: Send, reference: str, *, https: bool) -> None:
        self._send, self._reference, self._https = send, reference, https
        self.started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            protect(headers, https=self._https)
            headers.setdefault("x-reference", self._reference)
        await self._send(message)


class _Reading:
    """Counts what comes in and refuses more than the limit, before it is kept anywhere."""

    def __init__(self, receive: Receive, limit: int, seconds: float, declared: int, reference: str) -> None:
        self._receive, self._limit, self._declared, self._reference = receive, limit, declared, reference
        self._seconds = seconds
        self._seen = 0
        self._more = True
        self._until = 0.0
        self._late = False

    def check_declared(self) -> None:
        if self._declared > self._limit:
            raise self._too_large()

    async def receive(self) -> Message:
        message = await self._next() if self._more else await self._receive()
        if message["type"] == "http.request":
            self._seen += len(message.get("body", b""))
            self._more = message.get("more_body", False)
            if self._seen > self._limit:
                raise self._too_large()
        return message

    async def _next(self) -> Message:
        self._until = self._until or asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(self._until):
                return await self._receive()
        except TimeoutError:
            self._late = True
            raise FormExpired(reference=self._reference) from None

    def _too_large(self) -> RequestTooLarge:
        return RequestTooLarge(reference=self._reference, limit=_size(self._limit))

    async def finish(self, response: Response, scope: Scope, sending: _Sending) -> None:
        """Send the answer at once, then read and forget what is still coming.

        A browser that is interrupted while it sends shows its own error instead of our page.
        """

        async def send(message: Message) -> None:
            last = message["type"] == "http.response.body" and not message.get("more_body", False)
            if not last or not self._too_much_is_coming():
                await sending.send(message)
                return
            await sending.send({**message, "more_body": True})
            await self._drain()
            await sending.send({"type": "http.response.body", "body": b"", "more_body": False})

        if self._late or self._too_much_is_coming():
            response.headers["connection"] = "close"
        await response(scope, self._receive, send)

    def _too_much_is_coming(self) -> bool:
        return self._more and max(self._declared, self._seen) > self._limit

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while self._more and self._seen < _DRAIN_BYTES:
                    message = await self._receive()
                    self._seen += len(message.get("body", b""))
                    self._more = message["type"] == "http.request" and message.get("more_body", False)
        except TimeoutError:
            log.debug("sender too slow, not drained")


def _size(limit: int) -> str:
    return f"{limit // 1024} kB" if limit < 1024 * 1024 else f"{limit // (1024 * 1024) - 1} MB"


def _declared(request: Request) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0


def _refuse_foreign(request: Request) -> None:
    """Refuse a write that another site's page sent: browsers say so (Fetch Metadata), whatever the cookies are."""
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    if request.headers.get("sec-fetch-site", "") in _FOREIGN:
        raise FormExpired(reference=reference_of(request))


def _as_failure(error: Exception, reference: str) -> tuple[Failure, int, dict[str, str]]:
    if isinstance(error, Failure):
        return error, 0, {}
    if isinstance(error, HTTPException):
        return PageMissing(reference=reference), error.status_code, dict(error.headers or {})
    return Unexpected(reference=reference, kind=type(error).__name__), 0, {}


def _where(error: Exception) -> list[str]:
    """Return the frames of a fault without its message or values, which may hold a patient's data."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    return [f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]

"""One request to the API and its answer: the sink of the office's packets, written to the socket as they come."""

import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from econnector.base.errors import Failure, OfficeBusy, OfficeTooSlow, OfficeUnreachable, ProtocolBroken
from econnector.base.ids import new_reference
from econnector.eservices.api.calls import DocumentHead
from econnector.eservices.api.web import openapi, resources
from econnector.hq.lean_file import Pour, file_head
from econnector.link.asking import UNREADABLE, encode_request
from econnector.link.failing import heard, link_fault, unexpected
from econnector.link.line import Handle
from econnector.wire.messages import Fault

if TYPE_CHECKING:
    from econnector.hq.lean import Lean, LeanHttp

__all__ = ["Asked", "Exchange", "json_head"]

log = structlog.get_logger(__name__)

_STATUS = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
_SAFE = b"cache-control: no-store\r\nx-content-type-options: nosniff\r\n"
_JSON = _STATUS[200] + _SAFE + b"content-type: application/json\r\n"
_READS = frozenset({b"GET", b"HEAD"})
_CLOSE = b"connection: close\r\n"
_AGAIN = "5"
"""Seconds after which an office that cannot be asked now is worth another try, where nobody knows better."""
_UNAVAILABLE = 503


class _Nobody:
    """Stands for the event by which uvicorn wakes an ASGI task."""

    def set(self) -> None:
        """Nobody waits."""


def json_head(usual: list[tuple[bytes, bytes]]) -> bytes:
    """Return what stands before the reference in an answer that is well."""
    return _STATUS[200] + _SAFE + b"content-type: application/json\r\n" + _lines(usual)


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"%b: %b\r\n" % each for each in headers)


def _name_of(method: bytes) -> str:
    return "GET" if method in _READS else method.decode("latin-1")


class Asked:
    """What an address and a key ask for."""

    __slots__ = ("_params", "_wanted", "authorization", "office", "path", "query", "url")

    def __init__(self, url: bytes, authorization: bytes, office: str, path: str, query: str) -> None:
        """`office`: by its name; empty when its own host name says it. `path`: below `/api/v1/`."""
        self.url, self.authorization = url, authorization
        self.office, self.path, self.query = office, path, query
        self._wanted: resources.Wanted | None = None
        self._params = msgspec.Raw()

    def described(self, method: bytes) -> bytes | None:
        """Return the API's own description if that is what is asked for: everybody may have it."""
        return openapi.served(_name_of(method), self.path) if self._wanted is None else None

    def find(self, method: bytes) -> tuple[resources.AnyCall, msgspec.Raw]:
        """Return the call, and its params as a line takes them. Raises as `resources.find` does."""
        if self._wanted is None or method not in _READS:
            key = resources.key_of(self.authorization.decode("latin-1"))
            self._wanted = resources.find(_name_of(method), self.path, self.query, key)
            self._params = msgspec.Raw(self._wanted.call.encode(self._wanted.params))
        return self._wanted.call, self._params


class Exchange:
    """In place of uvicorn's request-response cycle, whose names the first four are."""

    __slots__ = (
        "_asked",
        "_began",
        "_call",
        "_handle",
        "_host",
        "_http",
        "_lean",
        "_method",
        "_office",
        "_pour",
        "disconnected",
        "keep_alive",
        "reference",
        "response_complete",
    )
    message_event = _Nobody()

    def __init__(  # noqa: PLR0913 - a request's head
        self, http: "LeanHttp", lean: "Lean", asked: Asked, method: bytes, host: bytes, *, keep_alive: bool
    ) -> None:
        """Take a request over; nothing is done before `start`."""
        self._began = time.perf_counter()
        self._http, self._lean, self._asked, self._method, self._host = http, lean, asked, method, host
        self.keep_alive, self.response_complete, self.disconnected = keep_alive, False, False
        self.reference = new_reference()
        self._office = ""
        self._call: Any = None
        self._handle: Handle | None = None
        self._pour: Pour | None = None

    # -- asking ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Ask the office, or refuse. Raises nothing."""
        try:
            if described := self._asked.described(self._method):
                self._write(_JSON, described, len(described))
                self._done(200)
                return
            call, params = self._asked.find(self._method)
            office = self._lean.doors.peek(self._asked.office, self._name())
            if office is None:
                self._lean.go(self._enter(call, params))
            else:
                self._ask(office, call, params)
        except Failure as failure:
            self._refuse(failure)
        except Exception as error:  # noqa: BLE001 - a fault here must cost this request only
            self._refuse(unexpected(error, "api", self.reference))

    def _name(self) -> str:
        return "" if self._asked.office else self._host.decode("latin-1").partition(":")[0].lower().rstrip(".")

    async def _enter(self, call: resources.AnyCall, params: msgspec.Raw) -> None:
        """Ask the registry first: nothing is known of the office, or not for sure any more."""
        try:
            office = await self._lean.doors.admit(self._asked.office, self._name())
            if not self._over:
                self._ask(office, call, params)
        except Failure as failure:
            self._refuse(failure)
        except Exception as error:  # noqa: BLE001
            self._refuse(unexpected(error, "api", self.reference))

    def _ask(self, office: str, call: resources.AnyCall, params: msgspec.Raw) -> None:
        self._office, self._call = office, call
        request = encode_request(call, params, call.limit, self.reference)
        self._handle = self._lean.doors.line(office).start(request, self)
        self._lean.deadlines.set(self, call.limit)

    @property
    def _over(self) -> bool:
        return self.response_complete or self.disconnected

    # -- the sink ----------------------------------------------------------------------------------------------

    def answered(self, body: bytes, more: bool) -> None:
        """Write the answer, or the head of the file that follows."""
        if self._over:
            return
        call = self._call
        try:
            result = call.decode_result(body)
        except UNREADABLE:
            self._broken("it cannot be read")
            return
        if more != call.streams:
            self._broken("it streams, or does not, against its declaration")
        elif more:
            self._pour_out(result)
        else:
            self._write_well(resources.body(call, result))
            self._done(200)

    def chunk(self, data: bytes) -> None:
        """Pass a file's bytes on."""
        if self._pour is not None and not self._over:
            if self._pour.chunk(data):
                return
            self._cancel()
            self._break_off("more bytes than were announced")

    def ended(self) -> None:
        """Note that the file is whole."""
        if self._pour is not None and not self._over:
            if self._pour.left:
                self._break_off("fewer bytes than were announced")
            else:
                self._done(200)

    def failed(self, fault: Fault) -> None:
        """Write the failure, or break off amid a file: nobody may take half of it for the whole."""
        if self._over:
            return
        if self._pour is not None:
            self._break_off(fault.code)
        else:
            name = self._call.name
            self._refuse(heard(fault, name, self.reference, repeatable=not self._call.changes))

    # -- the world ---------------------------------------------------------------------------------------------

    def late(self) -> None:
        """Give the office up; bytes that go on coming, or that nobody takes yet, are not late."""
        if self._over:
            return
        if self._pour is not None and not self._pour.stands_still(self._call.limit):
            self._lean.deadlines.set(self, self._call.limit)
            return
        self._cancel()
        self.failed(link_fault(OfficeTooSlow, limit=f"{self._call.limit:g}"))

    def resume(self) -> None:
        """Let more bytes come: the socket takes them again."""
        if self._pour is not None:
            self._pour.resume()

    def abandon(self) -> None:
        """Stop: the connection is gone."""
        self.disconnected = True
        self._settle()
        self._cancel()

    # -- answering ---------------------------------------------------------------------------------------------

    def _pour_out(self, head: DocumentHead) -> None:
        handle = self._handle
        if handle is None or head.size < 0:
            self._broken("its size cannot be")
            return
        self._write(_STATUS[200] + _SAFE + file_head(head), b"", head.size)
        if self._method == b"HEAD":
            self._cancel()
            self._done(200)
        else:
            self._pour = Pour(self._http.transport, self._http.flow, handle, head.size)

    def _write_well(self, text: bytes) -> None:
        if self._method != b"GET" or not self.keep_alive or self._lean.draining():
            self._write(_JSON, text, len(text))
            return
        http = self._http
        head, reference = self._lean.json_head(http.server_state.default_headers), self.reference.encode("ascii")
        http.transport.write(b"%bx-reference: %b\r\ncontent-length: %d\r\n\r\n%b" % (head, reference, len(text), text))

    def _write(self, head: bytes, body: bytes, size: int) -> None:
        if self.keep_alive and self._lean.draining():
            self.keep_alive = False
        parts = [head, _lines(self._http.server_state.default_headers)]
        if not self.keep_alive:
            parts.append(_CLOSE)
        parts.append(b"x-reference: %b\r\ncontent-length: %d\r\n\r\n" % (self.reference.encode("ascii"), size))
        if self._method != b"HEAD":
            parts.append(body)
        self._http.transport.write(b"".join(parts))

    def _refuse(self, failure: Failure) -> None:
        if self._over:
            return
        if self._office and isinstance(failure, OfficeUnreachable):
            self._lean.go(self._tell(failure))
        else:
            self._say(failure)

    async def _tell(self, failure: OfficeUnreachable) -> None:
        """Say since when the office cannot be reached, and whom to call."""
        try:
            failure = await self._lean.doors.told(self._office, failure, self.reference)
        finally:
            if not self._over:
                self._say(failure)

    def _say(self, failure: Failure) -> None:
        if self._call is None:
            failure.reference = self.reference  # made here, not by the office
        self.reference = failure.reference
        tell = log.debug if isinstance(failure, OfficeBusy) else log.info  # as pages do
        tell("failure shown", code=failure.code, route="api", reference=failure.reference)
        status, headers, text = resources.problem(failure)
        if status == _UNAVAILABLE:
            headers.setdefault("retry-after", _AGAIN)
        headers.pop("x-reference", None)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._write(_STATUS[status] + _SAFE + lines.encode("latin-1"), text, len(text))
        self._done(status)

    def _broken(self, why: str) -> None:
        self._cancel()
        self._refuse(ProtocolBroken(reference=self.reference, reason=f"the answer to {self._call.name}: {why}"))

    def _break_off(self, why: str) -> None:
        log.warning("file broke off", reference=self.reference, why=why)
        self.keep_alive = False
        self._http.transport.abort()
        self._done(500)

    def _done(self, status: int) -> None:
        self._settle()
        self._lean.metrics.api.observe(status, time.perf_counter() - self._began)
        self._http.done(self)

    def _settle(self) -> None:
        if self._call is not None:
            self._lean.deadlines.drop(self, self._call.limit)

    def _cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

"""One request to the API and its answer: the sink of the office's packets, written to the socket as they come."""

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from econnector.base.errors import Failure, OfficeTooSlow, OfficeUnreachable, ProtocolBroken
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

__all__ = ["Exchange", "Place"]

log = structlog.get_logger(__name__)

_STATUS = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
_SAFE = b"cache-control: no-store\r\nx-content-type-options: nosniff\r\n"
_JSON = _STATUS[200] + _SAFE + b"content-type: application/json\r\n"
_CLOSE = b"connection: close\r\n"
_AGAIN = "5"
"""Seconds after which an office that cannot be asked now is worth another try, where nobody knows better."""
_UNAVAILABLE = 503


class _Nobody:
    """Stands for the event by which uvicorn wakes an ASGI task."""

    def set(self) -> None:
        """Nobody waits."""


class Place(NamedTuple):
    """What an address of the API names."""

    office: str
    """By its name; empty when its own host name says it."""
    path: str
    """Below `/api/v1/`."""
    query: str


class Exchange:
    """In place of uvicorn's request-response cycle, whose names the first four are."""

    __slots__ = (
        "_authorization",
        "_began",
        "_call",
        "_handle",
        "_host",
        "_http",
        "_lean",
        "_method",
        "_office",
        "_place",
        "_pour",
        "disconnected",
        "keep_alive",
        "reference",
        "response_complete",
    )
    message_event = _Nobody()

    def __init__(  # noqa: PLR0913, PLR0917 - a request's head
        self,
        http: "LeanHttp",
        lean: "Lean",
        place: Place,
        method: bytes,
        authorization: bytes,
        host: bytes,
        *,
        keep_alive: bool,
    ) -> None:
        """Take a request over; nothing is done before `start`."""
        self._http, self._lean, self._place, self._method = http, lean, place, method
        self._authorization, self._host = authorization, host
        self.keep_alive, self.response_complete, self.disconnected = keep_alive, False, False
        self.reference = new_reference()
        self._began = time.perf_counter()
        self._office = ""
        self._call: Any = None
        self._handle: Handle | None = None
        self._pour: Pour | None = None

    # -- asking ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Ask the office, or refuse. Raises nothing."""
        try:
            place = self._place
            method = "GET" if self._method == b"HEAD" else self._method.decode("latin-1")
            if described := openapi.served(method, place.path):
                self._write(_JSON, described, len(described))
                self._done(200)
                return
            key = resources.key_of(self._authorization.decode("latin-1"))
            wanted = resources.find(method, place.path, place.query, key)
            office = self._lean.doors.peek(place.office, self._name())
            if office is None:
                self._lean.go(self._enter(wanted))
            else:
                self._ask(office, wanted)
        except Failure as failure:
            self._refuse(failure)
        except Exception as error:  # noqa: BLE001 - a fault here must cost this request only
            self._refuse(unexpected(error, "api", self.reference))

    def _name(self) -> str:
        return "" if self._place.office else self._host.decode("latin-1").partition(":")[0].lower().rstrip(".")

    async def _enter(self, wanted: resources.Wanted) -> None:
        """Ask the registry first: nothing is known of the office, or not for sure any more."""
        try:
            office = await self._lean.doors.admit(self._place.office, self._name())
            if not self._over:
                self._ask(office, wanted)
        except Failure as failure:
            self._refuse(failure)
        except Exception as error:  # noqa: BLE001
            self._refuse(unexpected(error, "api", self.reference))

    def _ask(self, office: str, wanted: resources.Wanted) -> None:
        self._office, self._call = office, wanted.call
        request = encode_request(wanted.call, wanted.params, wanted.call.limit, self.reference)
        self._handle = self._lean.doors.line(office).start(request, self)
        self._lean.deadlines.set(self, wanted.call.limit)

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
            text = resources.body(call, result)
            self._write(_JSON, text, len(text))
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

    def _write(self, head: bytes, body: bytes, size: int) -> None:
        if self.keep_alive and self._lean.draining():
            self.keep_alive = False
        parts = [head]
        for name, value in self._http.server_state.default_headers:
            parts += (name, b": ", value, b"\r\n")
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

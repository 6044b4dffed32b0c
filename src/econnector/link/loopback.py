"""Asking without a network: in process, or over two links joined in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, Self, TypeVar

import msgspec

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import Failure, OfficeTooSlow
from econnector.base.ids import new_id, new_reference
from econnector.base.version import version
from econnector.link.answering import Answered, Answering
from econnector.link.asking import LineAsker
from econnector.link.carrier import MemoryCarrier, memory_carriers
from econnector.link.failing import fault_of, heard, unexpected
from econnector.link.handshake import Credentials, Limits, dial, greet
from econnector.link.identity import Identity, Install
from econnector.link.link import Link
from econnector.link.once import Memory
from econnector.wire.call import Answers, Call, Download
from econnector.wire.messages import NEWEST, Request, Welcome

__all__ = ["DirectAsker", "Pair", "pair"]

P = TypeVar("P", bound=msgspec.Struct)
R = TypeVar("R", bound=msgspec.Struct)


class DirectAsker:
    """Asks answers in the same process: same time limits, same failures, same encoding, no link."""

    __slots__ = ("_answering",)

    def __init__(self, answers: Answers, memory: Memory | None = None) -> None:
        """`memory` is where answers to changing calls are kept."""
        self._answering = Answering(answers, None, memory)

    async def ask(
        self,
        call: Call[P, R],
        params: P,
        *,
        within: float | None = None,
        key: str | None = None,
        reference: str | None = None,
    ) -> R:
        """Return the answer to `call`; see `Asker.ask`."""
        request = _request(call, params, within, key, reference)
        body, _ = await self._answer(call, request, repeatable=key is not None or not call.changes)
        return call.decode_result(body)

    async def download(
        self, call: Call[P, R], params: P, *, within: float | None = None, reference: str | None = None
    ) -> Download[R]:
        """Return the answer to a call that streams; see `Asker.download`."""
        request = _request(call, params, within, None, reference)
        body, chunks = await self._answer(call, request, repeatable=True)
        return _DirectDownload(call.decode_result(body), chunks, request)

    async def _answer(
        self, call: Call[P, R], request: Request, *, repeatable: bool
    ) -> tuple[bytes, AsyncIterator[bytes] | None]:
        try:
            answered = await self._limited(request)
        except Failure as failure:
            # What is not public stays behind, as if a link lay between: pages behave the same in both places.
            raise heard(fault_of(failure), call.name, request.reference, repeatable=repeatable) from None
        return answered.body, answered.chunks

    async def _limited(self, request: Request) -> Answered:
        limit = self._answering.limit(request) or None  # without a limit the answer is refused for that reason
        try:
            async with asyncio.timeout(limit):
                return await self._answering.answer(request, NEWEST)
        except TimeoutError:
            raise OfficeTooSlow(reference=request.reference, limit=f"{limit:g}") from None


def _request(
    call: Call[Any, Any], params: msgspec.Struct, within: float | None, key: str | None, reference: str | None
) -> Request:
    limit = call.limit if within is None else min(call.limit, within)
    key = (key or new_id()) if call.changes else ""
    return Request(call.name, limit, reference or new_reference(), msgspec.Raw(call.encode(params)), key)


class _DirectDownload:
    """A streamed answer read straight from its source."""

    __slots__ = ("_chunks", "_request", "_result")

    def __init__(self, result: Any, chunks: AsyncIterator[bytes] | None, request: Request) -> None:
        self._result, self._chunks, self._request = result, chunks, request

    @property
    def result(self) -> Any:
        return self._result

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._chunks is None:
            raise StopAsyncIteration
        request = self._request
        try:
            async with asyncio.timeout(request.remaining):
                return await anext(self._chunks)
        except (Failure, StopAsyncIteration):
            raise
        except TimeoutError:
            limit = f"{request.remaining:g}"
            raise OfficeTooSlow(reference=request.reference, call=request.call, limit=limit) from None
        except Exception as error:  # noqa: BLE001 - whatever a source may raise, the asker gets a failure
            raise unexpected(error, request.call, request.reference) from None

    async def aclose(self) -> None:
        chunks, self._chunks = self._chunks, None
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()


class Pair(NamedTuple):
    """Two ends of a link in memory, both running."""

    office: Link
    hq: Link
    office_carrier: MemoryCarrier
    hq_carrier: MemoryCarrier

    def ask_office(self) -> LineAsker:
        """Return whom HQ asks."""
        return LineAsker(lambda: self.hq)

    def ask_hq(self) -> LineAsker:
        """Return whom the office asks."""
        return LineAsker(lambda: self.office)


@asynccontextmanager
async def pair(  # noqa: PLR0913 - both ends in one place
    office_answers: Answers,
    hq_answers: Answers | None = None,
    *,
    limits: Limits | None = None,
    hq_limits: Limits | None = None,
    memory: Memory | None = None,
    clock: Clock = SYSTEM,
) -> AsyncIterator[Pair]:
    """Join an office and HQ in memory, handshake and all; both links are closed at the end."""
    limits = limits or Limits()
    hq_limits = hq_limits or limits
    office_carrier, hq_carrier = memory_carriers()
    install = Install(new_id(), "loopback", version())
    credentials = Credentials(Identity.make(), install, "loopback")
    greeting = asyncio.create_task(greet(hq_carrier, "loopback", hq_limits, clock))
    dialling = asyncio.create_task(dial(office_carrier, credentials, limits, clock))
    hq_session, arrived = await greeting
    hq = Link(hq_carrier, hq_session, Answering(hq_answers or Answers()), clock=clock)
    hq_session.welcome(
        Welcome(arrived.protocol, "loopback", "Loopback", 1, version(), hq_limits.streams, hq_limits.window),
        clock.monotonic(),
    )
    serving = asyncio.create_task(hq.run())
    dialled = await dialling
    office = Link(office_carrier, dialled.session, Answering(office_answers, install, memory), clock=clock)
    answering = asyncio.create_task(office.run(dialled.rest))
    try:
        yield Pair(office, hq, office_carrier, hq_carrier)
    finally:
        await asyncio.gather(office.close("closed"), hq.close("closed"))
        await asyncio.gather(serving, answering)

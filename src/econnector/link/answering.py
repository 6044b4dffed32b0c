"""The answering side of calls: from an encoded request to an encoded result, with time limit and translation."""

from collections.abc import AsyncIterator
from typing import NamedTuple, cast

import msgspec

from econnector.base.errors import Failure, OfficeTooSlow, ProtocolBroken, ReportsTooOften, UnknownCall
from econnector.link.failing import fault_of, unexpected
from econnector.link.identity import Install
from econnector.link.line import LARGEST_BODY
from econnector.link.once import Memory, Once
from econnector.wire.allowance import Allowance
from econnector.wire.call import Answers, Asked, Call, Streamed
from econnector.wire.messages import Fault, Request

__all__ = ["Answered", "Answering"]

_TOO_OFTEN_PAUSE = 10.0
"""Seconds that whoever asks too often is asked to wait."""
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Answered(NamedTuple):
    """What leaves: the encoded result, and the bytes that follow if the call streams."""

    body: bytes
    chunks: AsyncIterator[bytes] | None = None


class Answering:
    """Answers requests from a registry of answers; one for the life of the process, whatever links come and go."""

    def __init__(
        self,
        answers: Answers,
        here: Install | None = None,
        memory: Memory | None = None,
        allowance: Allowance | None = None,
        asker: str = "",
    ) -> None:
        """`here` is named when a call is unknown: which machine needs which version.

        `allowance`: how often the other side, `asker`, may ask; without it, as often as it likes.
        """
        self._answers, self._allowance, self._asker = answers, allowance, asker
        self._machine = here.machine if here else ""
        self._version = here.version if here else ""
        self._once = Once(memory)

    def limit(self, request: Request) -> float:
        """Return how long answering `request` may take, in seconds; whoever calls `answer` keeps it."""
        found = self._answers.find(request.call)
        longest = 0.0 if found is None else found[0].limit
        # Written so that "not a number" is too late as well.
        return min(request.remaining, longest) if request.remaining > 0 else 0.0

    def refusal(self, reference: str, now: float) -> Fault | None:
        """Return what a call is refused with before anything is done for it, None to go on; it counts as asked."""
        if self._allowance is None or self._allowance.takes(now):
            return None
        fault = fault_of(ReportsTooOften(reference=reference, office=self._asker))
        fault.retry_after = _TOO_OFTEN_PAUSE
        return fault

    async def answer(self, request: Request, protocol: int) -> Answered:
        """Return the answer to `request`. Raises a `Failure` and nothing else, but for cancellation."""
        try:
            return await self._dispatch(request, protocol)
        except Failure as failure:
            failure.reference = request.reference or failure.reference
            raise
        except Exception as error:  # noqa: BLE001 - whatever an answer may raise, the asker gets a failure
            raise unexpected(error, request.call, request.reference) from None

    async def _dispatch(self, request: Request, protocol: int) -> Answered:
        found = self._answers.find(request.call)
        if found is None:
            raise UnknownCall(call=request.call, version=self._version, machine=self._machine)
        call, function = found
        limit = self.limit(request)
        if not limit:
            raise OfficeTooSlow(call=call.name, limit=0)
        raw = bytes(request.params)
        try:
            params = call.decode_params(raw)
        except _UNREADABLE:
            raise ProtocolBroken(reason=f"the params of {call.name} cannot be read") from None
        asked = Asked(call.name, request.reference, limit, protocol, request.key)
        if call.streams:
            streamed = cast("Streamed[msgspec.Struct]", await function(asked, params))
            return Answered(_sized(call, streamed.result), streamed.chunks)
        if not (call.changes and request.key):
            return Answered(_sized(call, cast("msgspec.Struct", await function(asked, params))))

        async def work() -> bytes:
            return _sized(call, cast("msgspec.Struct", await function(asked, params)))

        return Answered(await self._once.answer(call.name, request.key, raw, work))


def _sized(call: Call[msgspec.Struct, msgspec.Struct], result: msgspec.Struct) -> bytes:
    body = call.encode(result)
    if len(body) > LARGEST_BODY:
        raise ValueError(f"the answer to {call.name} is longer than a link carries")
    return body

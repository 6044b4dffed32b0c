"""What was said on real links, kept in `corpus/*.link`: reading it, saying it again at both ends, and recording more.

`python -m tests.wire.capture FOLDER` records the scenes anew, into another folder. What stands in the corpus stays as
it is: it is what older versions said, and newer ones must go on understanding it. See corpus/README.md.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import msgspec

from econnector.base.errors import Failure
from econnector.link import loopback
from econnector.link.calls import HEARTBEAT, Heard, Heartbeat
from econnector.link.carrier import MemoryCarrier
from econnector.link.handshake import Limits
from econnector.wire.call import Answers, Asked
from econnector.wire.codec import HEADER_SIZE, Packet, body_of, pack
from econnector.wire.messages import MORE, Challenge, Close, Credit, Fault, Goaway, Hello, Kind, Proof, Welcome
from econnector.wire.session import Session
from tests.link.practice import AWAY, DOUBLE, FILE, NEVER_ANSWERED, SLEEP, Number, Practice, Size
from tests.wire.way import packets

__all__ = ["CORPUS", "Line", "both_ends", "read", "say"]

CORPUS = Path(__file__).parent / "corpus"


class Line(NamedTuple):
    """One packet, and which end said it."""

    dialler: bool
    packet: Packet

    @property
    def raw(self) -> bytes:
        packet = self.packet
        return pack(packet.kind, packet.stream, packet.body, packet.flags)


def read(file: Path) -> list[Line]:
    """Return what was said on one link, in order."""
    lines = (line.split() for line in file.read_text().splitlines() if line and not line.startswith("#"))
    return [
        Line(
            end == ">",
            Packet(int(kind) if kind.isdigit() else Kind[kind], int(flags), int(stream), bytes.fromhex("".join(body))),
        )
        for end, kind, stream, flags, *body in lines
    ]


def written(said: list[tuple[bool, bytes]]) -> str:
    """Return messages as the text of a capture."""
    lines = []
    for dialler, message in said:
        for raw in packets(message):
            stream = int.from_bytes(raw[8:HEADER_SIZE], "big")
            body = raw[HEADER_SIZE:].hex()
            lines.append(f"{'>' if dialler else '<'} {Kind(raw[4]).name} {stream} {raw[5]} {body}".rstrip())
    return "\n".join(lines) + "\n"


def both_ends(lines: list[Line]) -> tuple[Session, Session]:
    """Return the dialler and the acceptor of a capture, as they were before the first word."""
    by_kind = {line.packet.kind: line.packet for line in reversed(lines)}
    hello = body_of(Hello, by_kind[Kind.HELLO])
    challenge = Challenge(2, 2, "0.1.0", b"n" * 32)
    if Kind.CHALLENGE in by_kind:
        challenge = body_of(Challenge, by_kind[Kind.CHALLENGE])
    welcome = body_of(Welcome, by_kind[Kind.WELCOME]) if Kind.WELCOME in by_kind else Welcome(1, "", "", 1, "")
    return Session(hello, 0.0), Session(challenge, 0.0, streams=welcome.streams, window=welcome.window)


def say(session: Session, packet: Packet) -> None:
    """Make the session's owner say what somebody said then. What a session says of itself (PONG, …) needs no owner."""
    stream, body, call = packet.stream, packet.body, packet.kind
    words: dict[int, Callable[[], object]] = {
        Kind.PROOF: lambda: session.prove(*msgspec.structs.astuple(body_of(Proof, packet))),
        Kind.WELCOME: lambda: session.welcome(body_of(Welcome, packet), 0.0),
        Kind.REFUSE: lambda: session.refuse(body_of(Fault, packet)),
        Kind.REQUEST: lambda: session.open(body, 0.0),
        Kind.RESPONSE: lambda: session.respond(stream, body, more=packet.flags == MORE),
        Kind.DATA: lambda: session.data(stream, body),
        Kind.END: lambda: session.end(stream),
        Kind.FAIL: lambda: session.fail(stream, body_of(Fault, packet)),
        Kind.CREDIT: lambda: session.credit(stream, body_of(Credit, packet).size),
        Kind.CANCEL: lambda: session.cancel(stream),
        Kind.PING: lambda: session.tick(session.next_deadline() or 0.0),
        Kind.GOAWAY: lambda: session.goaway(*msgspec.structs.astuple(body_of(Goaway, packet)), asking=True),
        Kind.CLOSE: lambda: session.close(*msgspec.structs.astuple(body_of(Close, packet))),
    }
    words[call]()


# -- recording -----------------------------------------------------------------------------------------------------


class _Noted(MemoryCarrier):
    """A carrier whose words are noted."""

    __slots__ = ("_dialler", "_said")

    def __init__(self, said: list[tuple[bool, bytes]], *, dialler: bool) -> None:
        super().__init__()
        self._said, self._dialler = said, dialler

    async def send(self, data: bytes) -> None:
        self._said.append((self._dialler, data))
        await super().send(data)


@asynccontextmanager
async def _link(said: list[tuple[bool, bytes]]) -> AsyncIterator[loopback.Pair]:
    """A link of the product's own two ends, whose words are noted."""

    def carriers() -> tuple[MemoryCarrier, MemoryCarrier]:
        one, two = _Noted(said, dialler=True), _Noted(said, dialler=False)
        one.other, two.other = two, one
        return one, two

    hq = Answers()

    @hq.to(HEARTBEAT)
    async def heartbeat(_: Asked, __: Heartbeat) -> Heard:
        return Heard("0.1.0", "2026-11-24T12:00:00.000Z")

    with patch.object(loopback, "memory_carriers", carriers):
        async with loopback.pair(Practice().answers, hq, limits=Limits(window=1 << 16)) as both:
            yield both


async def _calls_both_ways(both: loopback.Pair) -> None:
    await both.ask_hq().ask(HEARTBEAT, Heartbeat("0.1.0"))
    await asyncio.gather(*(both.ask_office().ask(DOUBLE, Number(n)) for n in range(5)))
    await both.ask_hq().ask(HEARTBEAT, Heartbeat("0.1.0", failure="database-away"))


async def _a_file(both: loopback.Pair) -> None:
    download = await both.ask_office().download(FILE, Size(90_000, 30_000))
    async for _ in download:
        await both.ask_hq().ask(HEARTBEAT, Heartbeat("0.1.0"))


async def _failures(both: loopback.Pair) -> None:
    for call in (AWAY, NEVER_ANSWERED):
        with suppress(Failure):
            await both.ask_office().ask(call, Number(1))
    asking = asyncio.create_task(both.ask_office().ask(SLEEP, Number(1)))
    await asyncio.sleep(0.1)
    asking.cancel()
    await asyncio.sleep(0.1)
    download = await both.ask_office().download(FILE, Size(400_000, 30_000))
    await anext(aiter(download))
    await download.aclose()
    await both.ask_office().ask(DOUBLE, Number(1))


async def _leaving(both: loopback.Pair) -> None:
    asking = asyncio.create_task(both.ask_office().ask(SLEEP, Number(1)))
    await asyncio.sleep(0.1)
    both.hq.ask_to_leave("drain", 2000)
    await asyncio.sleep(0.1)
    asking.cancel()
    await asyncio.sleep(0.1)


_SCENES: dict[str, tuple[str, Callable[[loopback.Pair], Awaitable[None]]]] = {
    "calls-both-ways": ("The connector beats, HQ asks five things at once.", _calls_both_ways),
    "a-file": ("HQ fetches a file of 90 kB under 64 KiB of credit; the connector beats between the pieces.", _a_file),
    "failures": ("A call that fails, an unknown one, one given up, a download given up.", _failures),
    "leaving": ("HQ drains while a call waits, and hangs up.", _leaving),
}


async def record(folder: Path) -> None:
    """Write every scene to `folder`."""
    for name, (about, scene) in _SCENES.items():
        said: list[tuple[bool, bytes]] = []
        async with _link(said) as both:
            await scene(both)
        (folder / f"{name}.link").write_text(f"# {about} Protocol 1, eConnector 0.1.0.\n{written(said)}")


if __name__ == "__main__":
    asyncio.run(record(Path(sys.argv[1])))

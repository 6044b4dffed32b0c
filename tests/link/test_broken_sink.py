"""Somebody who hears an answer and falls over costs nobody else anything."""

import asyncio
from typing import Any

import msgspec

from econnector.link.asking import encode_request
from econnector.link.calls import ECHO, Echo
from econnector.link.loopback import pair
from econnector.wire.call import Answers, Asked, Call, Streamed

FILE = Call("test.file", Echo, Echo, limit=60, streams=True)
RAW = msgspec.Raw(ECHO.encode(Echo(b"x")))


class Broken:
    """Raises at the first word, or at the first bytes."""

    def __init__(self, at: str) -> None:
        self.at, self.heard = at, list[str]()

    def __getattr__(self, name: str) -> Any:
        def hear(*_: object) -> None:
            self.heard.append(name)
            if name == self.at:
                raise RuntimeError("closed socket")

        return hear


def answers() -> Answers:
    known = Answers()

    @known.to(ECHO)
    async def echo(_: Asked, params: Echo) -> Echo:
        return params

    @known.streaming(FILE)
    async def file(_: Asked, params: Echo) -> Streamed[Echo]:
        async def chunks() -> Any:
            while True:
                yield bytes(10_000)

        return Streamed(params, chunks())

    return known


async def test_a_sink_that_raises_hurts_no_other_call() -> None:
    async with pair(answers()) as ends:
        small, large = Broken("answered"), Broken("chunk")
        ends.hq.start(encode_request(ECHO, RAW, 60, "A"), small)
        ends.hq.start(encode_request(FILE, RAW, 60, "B"), large)
        asker = ends.ask_office()
        got = await asyncio.gather(*(asker.ask(ECHO, Echo(b"%d" % number)) for number in range(20)))
        assert [one.payload for one in got] == [b"%d" % number for number in range(20)]
        assert small.heard == ["answered"]
        async with asyncio.timeout(60):
            while ends.hq.in_flight or ends.office.in_flight:  # noqa: ASYNC110 - the broken download is given up
                await asyncio.sleep(0.01)
        assert large.heard == ["answered", "chunk"]
        assert ends.hq.ended is None


async def test_the_end_of_a_link_is_told_to_everybody() -> None:
    async with pair(answers()) as ends:
        ends.office_carrier.freeze()
        one, other = Broken("failed"), Broken("")
        for sink in (one, other):
            ends.hq.start(encode_request(ECHO, RAW, 60, "A"), sink)
        ends.hq_carrier.cut()
        await ends.hq.over()
        assert one.heard == other.heard == ["failed"]

"""Whatever a stranger says to HQ's listener: answers in order, none with a fault of ours, and nobody else is hurt."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hq.lean import KEY, Client, Lean, lean

API = "/o/smile/api/v1"
_ANSWER = re.compile(rb"HTTP/1\.1 (\d{3}) .*?\r\n\r\n", re.DOTALL)


class Site:
    """HQ and one office, which hypothesis does not print."""

    def __init__(self, lean: Lean) -> None:
        self.client = lean.client

    def __repr__(self) -> str:
        return "site"


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with lean(tmp_path_factory.mktemp("lean")) as found:
        found.desk.pieces = 1
        yield Site(found)


class Ask(NamedTuple):
    """A request, and what its answer must be."""

    raw: bytes
    status: int
    says: bytes = b""
    """What the body has."""
    bodiless: bool = False


def ask(path: str, status: int, *lines: str, method: str = "GET", body: bytes = b"", says: bytes = b"") -> Ask:
    head = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", f"authorization: Bearer {KEY}", *lines, "", ""]
    return Ask("\r\n".join(head).encode() + body, status, says, method == "HEAD")


def a_day(day: int) -> Ask:
    """A question that the office's answer repeats."""
    date = f"2026-{day // 28 + 1:02}-{day % 28 + 1:02}"
    return ask(f"{API}/appointments?date={date}", 200, says=date.encode())


DAYS = st.builds(a_day, st.integers(0, 335))
OTHERS = st.sampled_from(
    [
        ask(f"{API}/status", 200, says=b"Bright Smile"),
        ask(f"{API}/status", 200, method="HEAD"),
        ask(f"{API}/status", 405, "content-length: 5", method="POST", body=b"abcde"),
        ask(f"{API}/status", 405, "transfer-encoding: chunked", method="PUT", body=b"3\r\nabc\r\n0\r\n\r\n"),
        ask(f"{API}/status", 200, "content-length: 40", body=b"GET /o/smile/api/v1/nothing HTTP/1.1\r\n\r\n"[:40]),
        ask(f"{API}/nothing", 404),
        ask(f"{API}/appointments?date=soon", 422, says=b"parameter"),
        ask(f"{API}/documents/7", 200),
        ask("/o/nobody/api/v1/status", 404),
        ask("/health", 200, says=b'{"status":"ok"}'),
        ask("/nothing", 404, "accept: application/json"),
    ]
)
ASKS = st.lists(st.one_of(DAYS, DAYS, OTHERS), min_size=1, max_size=8)
CUTS = st.lists(st.integers(1, 200), max_size=12)


async def say(client: Client, raw: bytes, cuts: list[int]) -> None:
    """Send the bytes in pieces, each of which HQ takes before the next."""
    for cut in cuts:
        client.writer.write(raw[:cut])
        raw = raw[cut:]
        await client.writer.drain()
        await asyncio.sleep(0)
    client.writer.write(raw)
    await client.writer.drain()


@settings(max_examples=max(40, settings().max_examples // 4))
@given(asks=ASKS, cuts=CUTS)
async def test_requests_in_one_breath_or_in_crumbs_are_answered_in_order(
    site: Site, asks: list[Ask], cuts: list[int]
) -> None:
    async with site.client() as client:
        await say(client, b"".join(one.raw for one in asks), cuts)
        for one in asks:
            got = await client.hear(bodiless=one.bodiless)
            assert got.status == one.status
            assert one.says in got.body


LINES = (
    b"content-length: 99", b"content-length: -1", b"transfer-encoding: chunked", b"connection: close",
    b"upgrade: websocket\r\nconnection: upgrade", b"expect: 100-continue", b"authorization: Bearer eck_other",
    b"host: smile.example.com", b"host: \xff", b"GET / HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n", b"FFFFFFFF", b"",
)  # fmt: skip
BITS = (b"\r", b"\n", b"\0", b"%00", b"%2f..", b"?", b"#", b" HTTP/1.0", b" HTTP/9.9")
WHAT = st.one_of(st.binary(min_size=1, max_size=12), st.sampled_from([*(line + b"\r\n" for line in LINES), *BITS]))
BENDS = st.lists(st.tuples(st.sampled_from(["over", "in", "out"]), st.integers(0, 4000), WHAT), min_size=1, max_size=4)


def bent(raw: bytes, bends: list[tuple[str, int, bytes]]) -> bytes:
    for how, at, what in bends:
        place = at % (len(raw) + 1)
        after = raw[place:] if how == "in" else raw[place + len(what) :]
        raw = raw[:place] + (b"" if how == "out" else what) + after
    return raw


@settings(max_examples=max(60, settings().max_examples // 2))
@given(asks=ASKS, bends=BENDS, cuts=CUTS)
async def test_bent_requests_get_no_fault_and_hurt_nobody(
    site: Site, asks: list[Ask], bends: list[tuple[str, int, bytes]], cuts: list[int]
) -> None:
    async with site.client() as bad, site.client() as good:
        try:
            await say(bad, bent(b"".join(one.raw for one in asks), bends), cuts)
            assert (await good.ask(f"{API}/status")).status == 200
            bad.writer.write_eof()
        except ConnectionError:
            return  # HQ has hung up on it
        said = await bad.ended()
    assert all(int(status) < 500 for status in _ANSWER.findall(said)), said
    for one, (status, body) in zip(intact(asks, bends), answers(said, asks), strict=False):
        assert status == one.status, "an answer to another request"
        assert one.says in body


def intact(asks: list[Ask], bends: list[tuple[str, int, bytes]]) -> list[Ask]:
    """Return the requests that come as they were, before anything that was bent."""
    raw = b"".join(one.raw for one in asks)
    same = sum(
        1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(raw, bent(raw, bends), strict=False))
    )
    ends = itertools.accumulate(len(one.raw) for one in asks)
    return [one for one, end in zip(asks, ends, strict=True) if end <= same]


def answers(said: bytes, asks: list[Ask]) -> Iterator[tuple[int, bytes]]:
    """Yield the whole answers, as somebody reads them who asked these."""
    for one in asks:
        head, found, said = said.partition(b"\r\n\r\n")
        if not found:
            return
        assert head.startswith(b"HTTP/1.1 "), head
        size = 0 if one.bodiless else int(re.search(rb"content-length: (\d+)", head)[1])  # type: ignore[index]
        if size > len(said):
            return
        yield int(head[9:12]), said[:size]
        said = said[size:]


UPGRADE = (
    b"GET /link HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)


@pytest.mark.parametrize("first", ["status", "documents/7"])
@pytest.mark.parametrize(
    "then",
    [
        b"\0 is no HTTP\r\n\r\n",
        b"GET /" + b"x" * 70_000,
        UPGRADE,
    ],
    ids=["no HTTP", "no end", "another protocol"],
)
async def test_what_follows_a_request_is_never_taken_for_its_answer(site: Site, first: str, then: bytes) -> None:
    """HQ may hang up on it; what it says to the second is no part of what it says to the first."""
    async with site.client() as client:
        asked = ask(f"{API}/{first}", 200)
        await say(client, asked.raw + then, [])
        said = await client.ended()
    assert re.fullmatch(rb"HTTP/1.1 200 .*|", said[:40].partition(b"\r")[0])
    assert said.count(b"HTTP/1.1 ") <= 1

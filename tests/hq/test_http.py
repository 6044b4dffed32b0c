"""A stranger on a socket: heads that never end are cut off, ordinary ones are not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from econnector.hq import http


async def length(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[int]:
    app = Starlette(routes=[Route("/", length, methods=["GET", "POST"])])
    config = uvicorn.Config(app, port=0, http=http.BoundedHttp, lifespan="off", log_config=None)
    socket = config.bind_socket()
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[socket]))
    try:
        while not server.started:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        yield socket.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        socket.close()


async def say(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
    got = b""
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(60):
            got = await reader.read(1000)
    writer.close()
    return got


async def test_a_head_without_end_is_cut_off() -> None:
    async with serving() as port:
        got = await say(port, b"GET / HTTP/1.1\r\nx: ", *[b"a" * 65536] * 8)
        assert got.startswith(b"HTTP/1.1 431") or got == b""
        assert got.count(b"HTTP/1.1 200") == 0


async def test_fields_after_a_body_are_cut_off_when_they_do_not_end() -> None:
    head = b"POST / HTTP/1.1\r\nhost: hq\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"
    async with serving() as port:
        for field in (b"x: " + b"a" * 997, b"a" * 1000, b"x: " + b"a" * 996 + b"\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.suppress(ConnectionError):
                writer.write(head + b"0\r\nx: ")
                for _ in range(16):
                    writer.write(field * 64)
                    await writer.drain()
                    await asyncio.sleep(0.01)
                async with asyncio.timeout(60):  # that it ends is what is looked at
                    assert not (await reader.read()).startswith(b"HTTP/1.1 200")
            writer.close()
        assert (await say(port, head + b"0\r\nx: y\r\n\r\n")).endswith(b"3")
        # A body of many chunks is none of it, however they are cut.
        chunks = b"1000\r\n" + b"b" * 4096 + b"\r\n"
        assert (await say(port, head, *[chunks[:6], chunks[6:] + chunks * 40] * 6, b"0\r\n\r\n")).endswith(b"1007619")


async def test_half_a_head_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "HEAD_SECONDS", 0.2)
    async with serving() as port:
        assert (await say(port, b"GET / HTTP/1.1\r\nhost: ")).startswith(b"HTTP/1.1 408")
        assert (await say(port)).startswith(b"HTTP/1.1 408")


async def test_a_long_body_in_the_same_breath_is_no_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "HEAD_SECONDS", 60.0)
    body = b"b" * 300_000
    request = b"POST / HTTP/1.1\r\nhost: hq\r\ncontent-length: 300000\r\n\r\n" + body
    async with serving() as port:
        assert (await say(port, request)).endswith(b"300000")
        assert (await say(port, request[:20], request[20:], pause=0.05)).endswith(b"300000")


async def test_every_request_of_a_connection_is_counted_anew() -> None:
    request = b"GET / HTTP/1.1\r\nhost: hq\r\nx: " + b"a" * 40_000 + b"\r\n\r\n"
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(5):
            writer.write(request)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            await reader.readexactly(1)
        writer.close()

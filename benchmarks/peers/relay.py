"""An office whose answers come from the HTTP server behind the tunnels, over connections that it keeps.

As a process: python -m benchmarks.peers.relay URL KEY PARTNER CA PORT
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import structlog

from benchmarks.native import key_check, run_office
from econnector.base.loops import loop_factory
from econnector.eservices.api import calls
from econnector.wire.call import Answers, Asked, Streamed

_HOST = "127.0.0.1"
_BLOCK = 256 * 1024
_END, _LENGTH = b"\r\n\r\n", b"content-length:"


def _length(head: bytes) -> int:
    """Return the length of the body that an answer's head announces; raises ConnectionError for any but a good one."""
    at = head.lower().find(_LENGTH)
    if head[9:12] != b"200" or at < 0:
        raise ConnectionError(f"the HTTP server answered {head[:12]!r}")
    return int(head[at + len(_LENGTH) : head.find(b"\r\n", at)])


def _request(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {_HOST}\r\n\r\n".encode()


class _Connection(asyncio.Protocol):
    """One kept connection, one request at a time."""

    def __init__(self) -> None:
        self._got = b""
        self._ends = 0
        self._body: asyncio.Future[bytes] | None = None
        self.transport: Any

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def ask(self, request: bytes) -> asyncio.Future[bytes]:
        """Return the body to come."""
        self._got, self._ends = b"", 0
        self._body = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._body

    def data_received(self, data: bytes) -> None:
        self._got += data
        if self._body is None or self._body.done():
            return
        if not self._ends:
            head = self._got.find(_END)
            if head < 0:
                return
            try:
                self._ends = head + len(_END) + _length(self._got[:head])
            except ConnectionError as failure:
                self._body.set_exception(failure)
                return
            self._got = self._got[head + len(_END) :]
            self._ends -= head + len(_END)
        if len(self._got) >= self._ends:
            self._body.set_result(self._got)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._body is not None and not self._body.done():
            self._body.set_exception(exc or ConnectionError("the HTTP server closed"))


class _Origin:
    """The HTTP server, with the connections that nobody uses now."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[_Connection] = []
        self._small = _request("/small")

    async def small(self) -> bytes:
        """Return the body of the small answer."""
        while self._idle and self._idle[-1].transport.is_closing():
            self._idle.pop()
        if self._idle:
            connection = self._idle.pop()
        else:
            _, connection = await asyncio.get_running_loop().create_connection(_Connection, _HOST, self._port)
        try:
            body = await connection.ask(self._small)
        except BaseException:
            connection.transport.abort()
            raise
        self._idle.append(connection)
        return body

    async def file(self) -> tuple[int, AsyncIterator[bytes]]:
        """Return the file's length, and its parts as they come."""
        reader, writer = await asyncio.open_connection(_HOST, self._port, limit=_BLOCK)
        writer.write(_request("/file"))
        size = _length(await reader.readuntil(_END))

        async def parts() -> AsyncIterator[bytes]:
            with contextlib.closing(writer):
                left = size
                while left and (part := await reader.read(_BLOCK)):
                    left -= len(part)
                    yield part

        return size, parts()


def _answers(partner: str, origin: _Origin) -> Answers:
    answers = Answers()
    check = key_check(partner)
    decode = msgspec.json.Decoder(calls.Appointments).decode

    @answers.to(calls.APPOINTMENTS)
    async def appointments(_: Asked, params: calls.AppointmentsAsked) -> calls.Appointments:
        check(params.key)
        return decode(await origin.small())

    @answers.streaming(calls.DOCUMENT)
    async def document(_: Asked, params: calls.DocumentAsked) -> Streamed[calls.DocumentHead]:
        check(params.key)
        size, parts = await origin.file()
        return Streamed(calls.DocumentHead("scan.pdf", "application/pdf", size), parts)

    return answers


def main() -> None:
    """Run the office."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    url, *files, port = sys.argv[1:]
    registration, partner, ca = map(Path, files)
    answers = _answers(partner.read_text(), _Origin(int(port)))
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(run_office(url, registration.read_text(), answers, ca))


if __name__ == "__main__":
    main()

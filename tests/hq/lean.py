"""A small office that answers the API, HQ before it, and a client that says bytes as they are."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from econnector.base.errors import RecordMissing
from econnector.eservices.api import calls
from econnector.wire.call import Answers, Asked, Streamed
from tests.hq.running import Connector, RunningHq, running_hq

KEY = "eck_test"
STATUS = calls.Status("Bright Smile Dental", "0.1.0", "24.3", "2026-11-24T14:00:00Z", ["schedule"])
PIECE = bytes(range(256)) * 256


@dataclass
class Desk:
    """What the office does, and what it saw."""

    pieces: int = 4
    """Of 64 KiB, in the file."""
    announced: int | None = None
    """The file's size as its head tells it; None: the true one."""
    given: int = 0
    """Pieces that were read from the file."""
    stopped: bool = False
    """Whether the file's source was closed."""
    waits: asyncio.Event | None = None
    """What answers to `appointments` wait for."""
    asked: list[str] = field(default_factory=list)

    def answers(self) -> Answers:
        answers = Answers()

        @answers.to(calls.STATUS)
        async def status(_: Asked, params: calls.StatusAsked) -> calls.Status:
            self.asked.append(params.key)
            return STATUS

        @answers.to(calls.APPOINTMENTS)
        async def appointments(_: Asked, params: calls.AppointmentsAsked) -> calls.Appointments:
            self.asked.append(params.date)
            if self.waits is not None:
                await self.waits.wait()
            return calls.Appointments(params.date, params.offset, params.limit, False, [])

        @answers.to(calls.DOCUMENTS)
        async def documents(_: Asked, __: calls.DocumentsAsked) -> calls.Documents:
            raise RecordMissing

        @answers.streaming(calls.DOCUMENT)
        async def document(_: Asked, __: calls.DocumentAsked) -> Streamed[calls.DocumentHead]:
            size = self.pieces * len(PIECE) if self.announced is None else self.announced
            return Streamed(calls.DocumentHead("Röntgen\r\n.pdf", "application/pdf", size), self._file())

        return answers

    async def _file(self) -> AsyncIterator[bytes]:
        try:
            for _ in range(self.pieces):
                self.given += 1
                yield PIECE
        finally:
            self.stopped = True


class Answer(NamedTuple):
    """One answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """One connection to HQ."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def say(self, path: str, *lines: str, method: str = "GET", version: str = "1.1", body: bytes = b"") -> None:
        """Send a request; with the key unless `lines` has an authorization."""
        head = [f"{method} {path} HTTP/{version}", "host: 127.0.0.1", *lines]
        if not any(line.startswith("authorization:") for line in lines):
            head.append(f"authorization: Bearer {KEY}")
        self.writer.write("\r\n".join([*head, "", ""]).encode() + body)

    async def head(self) -> tuple[int, dict[str, str]]:
        async with asyncio.timeout(60):
            first, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
        headers = dict(line.split(": ", 1) for line in lines)
        assert len(headers) == len(lines), lines
        return int(first.split(" ")[1]), headers

    async def hear(self, *, bodiless: bool = False) -> Answer:
        """Return the next answer."""
        status, headers = await self.head()
        size = 0 if bodiless else int(headers["content-length"])
        async with asyncio.timeout(60):
            return Answer(status, headers, await self.reader.readexactly(size))

    async def ask(self, path: str, *lines: str, **how: Any) -> Answer:
        self.say(path, *lines, **how)
        return await self.hear(bodiless=how.get("method") == "HEAD")

    async def ended(self) -> bytes:
        """Return what comes until HQ closes."""
        async with asyncio.timeout(60):
            with contextlib.suppress(ConnectionError):
                return await self.reader.read()
        return b""


@dataclass
class Lean:
    """HQ, one office, and its desk."""

    hq: RunningHq
    connector: Connector
    desk: Desk

    @contextlib.asynccontextmanager
    async def client(self, url: str = "") -> AsyncIterator[Client]:
        port = int((url or self.hq.url).rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        try:
            yield Client(reader, writer)
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def lean(folder: Path, **settings: Any) -> AsyncIterator[Lean]:
    """Serve one office, `smile`, that answers the API."""
    async with running_hq(folder, **settings) as hq:
        _, key = await hq.add("smile", hosts=["smile.example.com"])
        connector, desk = Connector(hq.link, key), Desk()
        connector.start(desk.answers())
        try:
            await connector.online()
            await connector.say()
            yield Lean(hq, connector, desk)
        finally:
            await connector.stop()

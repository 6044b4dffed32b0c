"""A real web server with one file, which breaks off, moves, refuses or changes as a test wants."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass
class FileServer:
    """What it has and how it behaves; change its fields to cause things."""

    content: bytes
    etag: str = '"one"'
    status: str = ""
    """Answered instead of the file."""
    headers: list[str] = field(default_factory=list)
    """Further lines of every answer."""
    breaks: list[int] = field(default_factory=list)
    """Of the next answers: bytes of the body after which the connection is closed."""
    holds: int | None = None
    """Bytes of a body after which it waits until `go`."""
    go: asyncio.Event = field(default_factory=asyncio.Event)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[dict[str, str]] = field(default_factory=list)
    """Every request: its headers in lower case, and its target as `:target`."""
    address: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            request = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            request[":target"] = head[0].split(" ")[1]
            self.asked.append(request)
            await self._answer(writer, request)
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, request: dict[str, str]) -> None:
        status, body, more = self.status or "200 OK", self.content, list(self.headers)
        start = int(request.get("range", "bytes=0-")[6:-1])
        same = request.get("if-range", self.etag) == self.etag
        if not self.status and start and same:
            if start >= len(body):
                status, more, body = "416 No", [f"Content-Range: bytes */{len(body)}"], b""
            else:
                status = "206 Partial Content"
                more.append(f"Content-Range: bytes {start}-{len(body) - 1}/{len(body)}")
                body = body[start:]
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", f"ETag: {self.etag}", "Connection: close"]
        writer.write("\r\n".join([*lines, *more, "", ""]).encode())
        most = self.breaks.pop(0) if self.breaks else len(body)
        if (holds := self.holds) is not None:
            writer.write(body[:holds])
            await writer.drain()
            self.held.set()
            await self.go.wait()
            body, most = body[holds:], max(0, most - holds)
        writer.write(body[:most])
        await writer.drain()


@contextlib.asynccontextmanager
async def serving(content: bytes, context: ssl.SSLContext | None = None) -> AsyncIterator[FileServer]:
    """Serve `content` at `address` until the block ends."""
    running = FileServer(content)
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0, ssl=context)
    scheme = "https" if context else "http"
    running.address = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/codes.txt"
    try:
        yield running
    finally:
        running.go.set()
        server.close()

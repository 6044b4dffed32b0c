"""A small real HTTP proxy that knows CONNECT and nothing else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class ConnectProxy:
    """Tunnels to `target` whatever name is asked for, as an office's own proxy would resolve it."""

    def __init__(self, target: tuple[str, int], *, status: str = "200 Connection established") -> None:
        self.asked: list[str] = []
        self.address = ""
        self._target, self._status = target, status

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.asked.append(head.split(b"\r\n", 1)[0].decode())
            writer.write(f"HTTP/1.1 {self._status}\r\n\r\n".encode())
            if self._status.startswith("2"):
                there, back = await asyncio.open_connection(*self._target)
                await asyncio.gather(_pump(reader, back), _pump(there, writer))
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def proxy(target: tuple[str, int], **settings: str) -> AsyncIterator[ConnectProxy]:
    running = ConnectProxy(target, **settings)
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield running
    finally:
        server.close()

"""What ends TLS for HQ, as a proxy in front of it does."""

import asyncio
import contextlib
import ssl
import threading

__all__ = ["Front"]

SECONDS = 60.0


class Front:
    """HQ's TLS as the office sees it: the certificate that is shown here can be changed, and the port closed."""

    def __init__(self, host: str, port: int, behind: int) -> None:
        self.host, self.port, self._behind = host, port, behind
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def show(self, context: ssl.SSLContext | None) -> None:
        """Show this certificate to whoever connects from now on; None: the port is closed."""
        asyncio.run_coroutine_threadsafe(self._show(context), self._loop).result(SECONDS)

    async def _show(self, context: ssl.SSLContext | None) -> None:
        if self._server is not None:
            self._server.close()
        self._server = None
        if context is not None:
            self._server = await asyncio.start_server(self._carry, self.host, self.port, ssl=context)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            inner, outer = await asyncio.open_connection("127.0.0.1", self._behind)
            await asyncio.gather(_pump(reader, outer), _pump(inner, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, ssl.SSLError):
        while block := await reader.read(65536):
            writer.write(block)
            await writer.drain()
    writer.close()

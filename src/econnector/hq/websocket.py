"""The web server's WebSocket protocol, fitted for links that stand idle for weeks."""

import asyncio
import contextlib
import logging

from econnector.link.connect import tune
from econnector.link.guard import GuardedProtocol

__all__ = ["LinkProtocol"]

_FALSE = "ASGI callable returned without completing handshake."


def _no_false_alarm(record: logging.LogRecord) -> bool:
    """Drop what uvicorn takes for a fault: a link that was turned away with 503, or gave up first."""
    return record.msg != _FALSE


logging.getLogger("uvicorn.error").addFilter(_no_false_alarm)


class LinkProtocol(GuardedProtocol):
    """The gateway's, with a link's TCP options and without the handshake once that is over."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; browsers' connections, which may be slow or sleep a while, never come here."""
        super().connection_made(transport)
        with contextlib.suppress(OSError):  # it may be gone already; reading then says so
            tune(transport.get_extra_info("socket"))

    def start_keepalive(self) -> None:
        """Forget what was said to get here: uvicorn calls this once the handshake is answered, and never looks back.

        The WebSocket library's parser holds on to both heads; emptied they cost an office 3 KiB less.
        """
        super().start_keepalive()
        self.request.headers.clear()
        self.response.headers.clear()

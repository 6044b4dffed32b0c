"""Ports for servers of our own."""

import contextlib
import random
import socket

__all__ = ["free_port"]


def free_port() -> int:
    """Return a free port below the range that the kernel uses for outgoing connections.

    So a server that is killed and started again finds its port free.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port

"""A private nats-server: on a free port, can be killed and started again at the same address."""

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from econnector.link import switchboard_nats
from tests.support.freezing import freeze
from tests.support.ports import free_port

_START_SECONDS = 60.0
_SETTINGS = Path(__file__).resolve().parents[2] / "deploy" / "nats-server.conf"


class NatsServer:
    """One server process of our own."""

    def __init__(self) -> None:
        """Choose a port; `start` starts the server."""
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and return once it listens."""
        program = shutil.which("nats-server") or "/usr/sbin/nats-server"
        self._process = subprocess.Popen(
            [program, "-c", str(_SETTINGS), "-a", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        ends = time.monotonic() + _START_SECONDS
        while time.monotonic() < ends:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                if connection.recv(4) == b"INFO":
                    return
            time.sleep(0.01)
        raise RuntimeError("nats-server did not start")

    def kill(self) -> None:
        """Kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Suspend the process."""
        if self._process is not None:
            freeze(self._process.pid)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(how)
            if how is not signal.SIGKILL:
                process.send_signal(signal.SIGCONT)
            process.wait(60)


@pytest.fixture
def patient_bus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes in this process that wait for the bus as long as a busy machine may need."""
    for name in ("_START_SECONDS", "_CLAIM_SECONDS"):
        monkeypatch.setattr(switchboard_nats, name, 60.0)


@pytest.fixture
def nats_server() -> Iterator[NatsServer]:
    """A running server that only this test has."""
    server = NatsServer()
    server.start()
    try:
        yield server
    finally:
        server.kill()

"""The sandbox processor as a process of its own: started, killed and started again on the same port and file."""

import contextlib
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.support.ports import free_port

__all__ = ["Gateway", "gateway_process"]


class Gateway:
    """One sandbox. `pay` and `leave` do what a patient's browser does on its page."""

    def __init__(self, folder: Path, *, notify: str = "", page_seconds: float = 600.0) -> None:
        self.folder, self.notify, self.page_seconds = folder, notify, page_seconds
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, and return when it listens."""
        words = ["--listen", f"127.0.0.1:{self.port}", "--folder", str(self.folder)]
        words += ["--page-seconds", str(self.page_seconds), *(["--notify", self.notify] if self.notify else [])]
        command = [sys.executable, "-m", "econnector", "demo", "gateway", *words]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == self.url

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it: in order, or with SIGKILL."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(60)
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def pay(self, url: str, card: str = "4242 4242 4242 4242", expires: str = "08/29") -> str:
        """Pay on its page; return where the browser is sent."""
        return self._post(url, {"card": card, "expires": expires, "do": "pay"})

    def leave(self, url: str) -> str:
        """Cancel on its page; return where the browser is sent."""
        return self._post(url, {"do": "cancel"})

    def ledger(self) -> dict[str, Any]:
        """Return what it charged (`charges`) and what became of each order (`orders`)."""
        with urllib.request.urlopen(f"{self.url}/ledger", timeout=60) as answer:
            said: dict[str, Any] = json.load(answer)
        return said

    def charged(self) -> dict[str, int]:
        """Return the cents charged by order number; fails where one was charged twice."""
        charges = self.ledger()["charges"]
        by_number = {each["number"]: each["cents"] for each in charges}
        assert len(by_number) == len(charges)
        return by_number

    @staticmethod
    def _post(url: str, values: dict[str, str]) -> str:
        opener = urllib.request.build_opener(_Stay)
        try:
            with opener.open(url, urlencode(values).encode(), timeout=60) as answer:
                return str(answer.headers.get("location") or "")
        except urllib.error.HTTPError as error:
            with error:
                return str(error.headers.get("location") or f"HTTP {error.code}")


class _Stay(urllib.request.HTTPRedirectHandler):
    """Goes nowhere by itself."""

    def redirect_request(self, *_: Any) -> None:
        return None


@contextlib.contextmanager
def gateway_process(folder: Path, **more: Any) -> Iterator[Gateway]:
    """Run one while the block lasts."""
    gateway = Gateway(folder, **more)
    gateway.start()
    try:
        yield gateway
    finally:
        gateway.stop(signal.SIGKILL)

"""A mail server in a process of its own, which can be killed: `python -m tests.soak.postoffice PORT FILE`.

A mail stands in the file, one JSON line each, before the server says that it has it.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from tests.support.mailserver import MailServer, Received, start

__all__ = ["PostOffice"]


class PostOffice:
    """The process, on one port and one file through all its lives."""

    def __init__(self, port: int, file: Path) -> None:
        """Nothing runs yet."""
        self.port, self.file = port, file
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, and return when it listens."""
        command = [sys.executable, "-m", "tests.soak.postoffice", str(self.port), str(self.file)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def send(self, number: int) -> None:
        """Send it a signal."""
        if self.process is not None:
            self.process.send_signal(number)

    def end(self, how: int = signal.SIGKILL) -> None:
        """End it, and return when it has."""
        process, self.process = self.process, None
        if process is not None:
            process.send_signal(how)
            process.wait(60)
            assert process.stdout is not None
            process.stdout.close()

    def mails(self) -> list[dict[str, Any]]:
        """Return every mail that was accepted: `id`, `to`."""
        if not self.file.exists():
            return []
        return [json.loads(line) for line in self.file.read_bytes().splitlines()]


def main(port: int, file: Path) -> None:
    """Take mail until SIGTERM."""
    kept = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def keep(mail: Received) -> None:
        os.write(kept, json.dumps({"id": mail.message_id, "to": mail.recipients}).encode() + b"\n")

    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    server = MailServer(port=port, on_received=keep)
    start(server)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    over.wait()
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))

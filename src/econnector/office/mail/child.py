"""The process that sends mail and does nothing else: `python -m econnector.office.mail.child`.

It gets account and letter over its standard input and answers over its standard output. It has no way to any database:
neither settings nor addresses nor passwords reach it but the one account's, and it is ended by the end of its input,
also in the middle of a mail.
"""

import os
import queue
import signal
import sys
import threading
from typing import BinaryIO

from econnector.base.errors import Failure, Unexpected
from econnector.mail.smtp import deliver
from econnector.office.mail.frames import Answer, Request, encode, read

__all__ = ["main"]


def main() -> None:
    """Answer requests until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the connector; it ends us in order
    given, said = _pipes()
    requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(given, requests), daemon=True).start()
    while True:
        answer = _answer(requests.get())
        said.write(encode(answer))
        said.flush()


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return our two ends; whatever else this process prints must not get between the answers."""
    said = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return sys.stdin.buffer, said


def _listen(given: BinaryIO, requests: "queue.SimpleQueue[Request]") -> None:
    """Hand requests on; when whoever asks has gone, so do we: nobody would learn what became of the mail."""
    try:
        while (request := read(given, Request)) is not None:
            requests.put(request)
    finally:
        os._exit(0)


def _answer(request: Request) -> Answer:
    try:
        deliver(request.account, request.letter, request.seconds)
    except Failure as failure:
        return Answer(request.number, failure.code, failure.reference, failure.facts)
    except Exception as error:  # noqa: BLE001 - the next mail may do better
        fault = Unexpected(kind=type(error).__name__)
        return Answer(request.number, fault.code, fault.reference, fault.facts)
    return Answer(request.number)


if __name__ == "__main__":
    main()

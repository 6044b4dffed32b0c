"""The sandbox as a process: `econnector demo gateway`."""

import asyncio
import contextlib
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn

from econnector.base.errors import PortTaken, SettingInvalid
from econnector.demo.gateway.app import Sandbox
from econnector.demo.gateway.books import BOOKS, Books
from econnector.hq.settings import Address, parse_address

__all__ = ["run"]


def run(  # noqa: PLR0913 - what a sandbox is made of
    listen: str,
    folder: Path,
    told: Callable[[str], None],
    *,
    notify: str = "",
    page_seconds: float = 600.0,
    with_parent: bool = False,
) -> None:
    """Serve until SIGTERM, SIGINT or Ctrl-C; `told` hears the address. Raises `PortTaken`, `SettingInvalid`.

    `with_parent`: also until the standard input ends.
    """
    address = _address(listen)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        books = Books(folder / BOOKS)
    except OSError as error:
        raise SettingInvalid(name="folder", place="the command line", why=error.strerror or "unusable") from None
    sandbox = Sandbox(books, notify=notify, page_seconds=page_seconds)
    with contextlib.closing(books):
        asyncio.run(_serve(sandbox, address, told, with_parent=with_parent))


async def _serve(sandbox: Sandbox, address: Address, told: Callable[[str], None], *, with_parent: bool) -> None:
    config = uvicorn.Config(
        sandbox.app,
        host=address.host,
        port=address.port,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    taken = _bind(config, address)
    taken.listen(128)  # whoever is told the address may come at once
    server = _Server(config)
    notices = asyncio.create_task(sandbox.stripe.send_notices())
    if with_parent:
        threading.Thread(target=_wait_for_the_end, args=(server,), daemon=True).start()
    with _on_signals(server):
        told(f"http://{Address(address.host, taken.getsockname()[1])}")
        await server.serve(sockets=[taken])
    notices.cancel()


class _Server(uvicorn.Server):
    """Leaves the signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _wait_for_the_end(server: uvicorn.Server) -> None:
    """Stop when nobody holds the other end of the standard input any more: the parent is gone."""
    with contextlib.suppress(OSError, ValueError):
        while os.read(0, 1024):
            pass
    server.should_exit = True


@contextlib.contextmanager
def _on_signals(server: uvicorn.Server) -> Iterator[None]:
    def stop(*_: object) -> None:
        server.should_exit = True

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _address(listen: str) -> Address:
    try:
        address = parse_address(listen)
    except ValueError as error:
        raise SettingInvalid(name="listen", place="the command line", why=str(error)) from None
    if not address.inside:
        why = "the sandbox is for this machine alone: 127.0.0.1:PORT"
        raise SettingInvalid(name="listen", place="the command line", why=why)
    return address


def _bind(config: uvicorn.Config, address: Address) -> Any:
    # uvicorn logs the error and exits; a person gets the failure instead.
    logger = logging.getLogger("uvicorn.error")
    logger.disabled = True
    try:
        return config.bind_socket()
    except SystemExit:
        raise PortTaken(address=address) from None
    finally:
        logger.disabled = False

"""The two ends of SniTun. Runs in the Python environment where SniTun is, so it imports nothing of the project.

snitun_ends.py SECRET serve PORT
snitun_ends.py SECRET dial PORT HTTPS-PORT
"""

import asyncio
import datetime as dt
import json
import os
import pathlib
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop
from cryptography.fernet import Fernet
from snitun.client.client_peer import ClientPeer  # type: ignore[import-not-found]
from snitun.client.connector import Connector  # type: ignore[import-not-found]
from snitun.server.run import SniTunServerSingle  # type: ignore[import-not-found]
from snitun.utils.server import generate_client_token  # type: ignore[import-not-found]

_HOST = "127.0.0.1"
_NAME = "localhost"
"""What visitors name in TLS, by which the server finds the client."""


def _secret(file: pathlib.Path) -> dict[str, str]:
    if not file.exists():  # the server comes first
        told = {"fernet": Fernet.generate_key().decode(), "key": os.urandom(32).hex(), "iv": os.urandom(16).hex()}
        file.write_text(json.dumps(told))
    return dict(json.loads(file.read_text()))


async def _serve(secret: dict[str, str], port: int) -> None:
    server = SniTunServerSingle([secret["fernet"]], host=_HOST, port=port)
    await server.start()
    await asyncio.Event().wait()


async def _dial(secret: dict[str, str], port: int, https_port: int) -> None:
    key, iv = bytes.fromhex(secret["key"]), bytes.fromhex(secret["iv"])
    token = generate_client_token([secret["fernet"]], dt.timedelta(days=1), _NAME, key, iv)
    client = ClientPeer(_HOST, port)
    await client.start(Connector(_HOST, https_port), token, key, iv)
    await client.wait()


def main() -> None:
    """Be the end that is asked for, until killed or, as the client, until the link is gone."""
    secret = _secret(pathlib.Path(sys.argv[1]))
    ports = [int(word) for word in sys.argv[3:]]
    ends: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {"serve": _serve, "dial": _dial}
    uvloop.run(ends[sys.argv[2]](secret, *ports))


if __name__ == "__main__":
    main()

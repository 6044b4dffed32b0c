"""Under which address the window may be asked: this machine's own loopback, by name and port, and nothing else.

A web page out there can have its own name point at 127.0.0.1 (DNS rebinding); its requests then carry that name.
"""

import ipaddress

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from econnector.base.errors import HostForeign, SettingInvalid
from econnector.base.settings import Loaded
from econnector.office.settings import Settings
from econnector.web.guard import reference_of

__all__ = ["OwnHost", "address", "authority", "loopback"]

_NAMES = ("127.0.0.1", "localhost", "[::1]")
_HTTP = 80


def loopback(loaded: Loaded[Settings]) -> str:
    """Return the address to serve the window at. Raises `SettingInvalid` unless it is a loopback address."""
    text = loaded.value.window.address
    if text == "localhost":
        return "127.0.0.1"
    try:
        parsed = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        why = "it must be an address of this machine's loopback, such as 127.0.0.1 or ::1"
    else:
        if parsed.is_loopback:
            return str(parsed)
        why = "the window is for this machine alone, so it must be a loopback address: 127.0.0.1 or ::1"
    raise SettingInvalid(name="window.address", place=loaded.places["window.address"], why=why)


def authority(address: str, port: int) -> str:
    """Return address and port as they stand in a URL: `127.0.0.1:30790`, `[::1]:30790`."""
    host = f"[{address}]" if ":" in address else address
    return host if port == _HTTP else f"{host}:{port}"


def address(host: str, port: int) -> str:
    """Return where a browser finds the window."""
    return f"http://{authority(host, port)}/"


class OwnHost:
    """ASGI middleware that answers under the window's own names only."""

    def __init__(self, app: ASGIApp, address: str, port: int) -> None:
        """`address` and `port` are where the window is served."""
        self._app = app
        self._own = {authority(name.strip("[]"), port) for name in (*_NAMES, address)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises `HostForeign`."""
        if scope["type"] == "http":
            hosts = [value for name, value in scope["headers"] if name == b"host"]
            if len(hosts) != 1 or hosts[0].decode("latin-1").lower() not in self._own:
                raise HostForeign(reference=reference_of(Request(scope)))
        await self._app(scope, receive, send)

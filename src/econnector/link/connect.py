"""Opening a WebSocket to HQ, and telling apart the many ways in which that fails."""

import asyncio
import errno
import ipaddress
import re
import socket
import ssl
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import (
    InvalidHandshake,
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    ProxyError,
    WebSocketException,
)
from websockets.proxy import get_proxy
from websockets.uri import parse_uri

from econnector.base.errors import Failure, HqAway, HqUntrusted, SettingInvalid
from econnector.base.version import version
from econnector.link.carrier import LARGEST_MESSAGE
from econnector.link.connection import LinkConnection
from econnector.link.handshake import RefusedError

__all__ = ["check_url", "dialled_name", "open_websocket", "tls_context", "tune"]

_OPEN_SECONDS = 10.0
_CLOSE_SECONDS = 2.0
_UNSENT = 128 * 1024
"""Bytes that the kernel may hold unsent: more would stand in line before every small message."""
_SILENT_MS = 20_000
_REFUSED = frozenset({errno.ECONNREFUSED, 10061})  # 10061: what Windows says
_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, 10051, 10065})
_UNAVAILABLE = 503


def check_url(url: str, place: str = "the settings") -> str:
    """Return `url` if it can be dialled.

    Raises `SettingInvalid`: what crosses a link is patient data, so anything but this machine itself needs `wss://`.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("ws", "wss") and parts.hostname and parts.port != 0
    except ValueError:  # of a port that is none, or half an IPv6 address
        usable = False
    if not usable:
        raise SettingInvalid(name="hq.url", place=place, why="it must look like wss://hq.example.com/link")
    if parts.scheme == "ws" and not _is_loopback(parts.hostname or ""):
        raise SettingInvalid(name="hq.url", place=place, why="it must begin with wss:// (encrypted)")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def tls_context(ca: Path | None, place: str = "the settings") -> ssl.SSLContext:
    """Return a verifying TLS context that trusts the system's authorities and those in the PEM file `ca`.

    Raises `SettingInvalid` if `ca` cannot be read.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca is not None:
        try:
            context.load_verify_locations(cafile=ca)
        except (OSError, ValueError) as error:
            raise SettingInvalid(name="hq.ca", place=place, why=f"{ca} is not a readable PEM file ({error})") from None
    return context


async def open_websocket(url: str, context: ssl.SSLContext | None, proxy: str | bool) -> LinkConnection:
    """Return an open connection.

    `proxy`: true for the system's own, false for none, or an address. Raises `HqUntrusted` or `HqAway`, whose `step`
    is one of dns, tcp, proxy, tls, http; in a `RefusedError` when HQ has no room and says when it may have some.
    """
    try:
        connection = await connect(
            url,
            compression=None,
            proxy=_proxy(url, proxy),
            open_timeout=_OPEN_SECONDS,
            close_timeout=_CLOSE_SECONDS,
            ping_interval=None,  # the link has its own, which also sees through balancers
            max_size=LARGEST_MESSAGE,
            user_agent_header=f"eConnector/{version()}",
            ssl=context,
            create_connection=LinkConnection,
        )
    except (OSError, WebSocketException, TimeoutError, EOFError, ImportError, ValueError) as error:
        failure, seconds = _told(error, url, _proxy_in_use(url, proxy)), _asks_to_wait(error)
        raise failure if seconds is None else RefusedError(failure, seconds) from None
    tune(connection.transport.get_extra_info("socket"))
    return cast("LinkConnection", connection)


def _proxy(url: str, proxy: str | bool) -> str | Literal[True] | None:
    if isinstance(proxy, str):
        return proxy or None
    # A system's proxy settings often forget to leave this machine out.
    return True if proxy and not _is_loopback(urlsplit(url).hostname or "") else None


def _proxy_in_use(url: str, proxy: str | bool) -> str:
    """Return host and port of the proxy, without a password that may stand in its address; empty when none is used."""
    chosen = _proxy(url, proxy)
    address = get_proxy(parse_uri(url)) if chosen is True else chosen
    return urlsplit(address).netloc.rpartition("@")[2] if address else ""


def dialled_name(connection: LinkConnection) -> str:
    """Return HQ's name as it was asked for, in the form of a Host header."""
    request = connection.request
    return request.headers["Host"].lower() if request is not None else ""


def tune(sock: socket.socket | None) -> None:
    """Set a link's TCP options, each where the system has it.

    On a listening socket of Linux they hold for everything accepted from it.
    """
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    _option(sock, "TCP_NODELAY", 1)
    _option(sock, "TCP_NOTSENT_LOWAT", _UNSENT)
    _option(sock, "TCP_USER_TIMEOUT", _SILENT_MS)


def _option(sock: socket.socket, name: str, value: int) -> None:
    option = getattr(socket, name, None)
    if option is not None:
        sock.setsockopt(socket.IPPROTO_TCP, option, value)


def _told(error: Exception, url: str, proxy: str) -> Failure:
    if isinstance(error, ssl.SSLCertVerificationError):
        return HqUntrusted(url=url, reason=error.verify_message or str(error))
    step, reason = _step(error, urlsplit(url).hostname or url)
    if proxy and step in ("dns", "tcp"):
        step, reason = "proxy", f"the proxy {proxy} or what lies behind it does not answer ({reason})"
    return HqAway(url=url, step=step, reason=reason)


def _asks_to_wait(error: Exception) -> float | None:
    """Return the seconds that a full HQ, or whatever stands before it, asks to wait; None when nobody does."""
    if not isinstance(error, InvalidStatus) or error.response.status_code != _UNAVAILABLE:
        return None
    asked = error.response.headers.get("Retry-After", "")
    return float(asked) if re.fullmatch(r"\d{1,5}", asked, re.ASCII) else None


def _step(error: Exception, host: str) -> tuple[str, str]:  # noqa: C901 - one line per cause
    match error:
        case InvalidProxyStatus():
            return "proxy", f"the proxy refused with HTTP status {error.response.status_code}"
        case ProxyError() | InvalidProxy() | ImportError():
            return "proxy", f"the proxy does not work ({error})"
        case InvalidStatus() if error.response.status_code == _UNAVAILABLE:
            return "http", "HQ is there but takes in no connector at the moment (HTTP status 503)"
        case InvalidStatus():
            return "http", f"what answers there is not HQ's link (HTTP status {error.response.status_code})"
        case InvalidHandshake() | WebSocketException() | EOFError():
            return "http", "what answers there does not speak WebSocket"
        case socket.gaierror():
            return "dns", f"the name {host} is not found (DNS)"
        case ssl.SSLError():
            return "tls", f"no encrypted connection could be made ({error.reason or 'TLS failed'})"
        case TimeoutError() | asyncio.TimeoutError():
            return "tcp", f"nothing answered within {_OPEN_SECONDS:g} seconds"
        case OSError() if error.errno in _REFUSED or "refused" in str(error).lower() or "Errno 111" in str(error):
            return "tcp", "nothing listens there (connection refused)"
        case OSError() if error.errno in _UNREACHABLE:
            return "tcp", "there is no way to that network: is this machine online?"
    return "tcp", f"the connection could not be made ({type(error).__name__})"

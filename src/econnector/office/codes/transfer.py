"""Bytes from an address into a file, in one try: blocking, in bounded memory, gone on with where the file ends.

Only `https://`, unless the server is this machine itself: what stands between could change codes that doctors read.
"""

import base64
import contextlib
import errno
import http.client
import ipaddress
import os
import shutil
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from econnector.base.errors import (
    CodeAddressRefused,
    CodeAddressSilent,
    CodeAddressUnusable,
    CodeDiskFull,
    CodeNotAFile,
)
from econnector.base.version import version
from econnector.link.connect import tls_context

__all__ = ["LARGEST", "Transfer", "WayOut", "shown", "usable"]

LARGEST = 1_000_000_000
"""Bytes that a file of codes may have: SNOMED CT's has an eighth of that."""
_CHUNK = 64 * 1024
_SYNC_BYTES, _SYNC_SECONDS = 4 << 20, 1.0
_SECONDS = 20.0
"""How long a server may say nothing."""
_REDIRECTS = 5
_MOVED = frozenset({301, 302, 303, 307, 308})
_SIGN_IN, _GONE, _LATER = frozenset({401, 403}), frozenset({404, 410}), frozenset({408, 425, 429})
_SPARE = 64_000_000
"""Bytes that stay free on the disk: Open Dental may have its database there."""
_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})


@dataclass(frozen=True, slots=True)
class WayOut:
    """How this office reaches the internet: the settings `hq.ca` and `hq.proxy`."""

    ca: Path | None = None
    """A file with authorities that are trusted beside the system's own."""
    proxy: str | bool = True
    """True for the system's own, false for none, or an address."""


def shown(url: str) -> str:
    """Return an address without what may be secret in it: user, password, and what stands behind a question mark."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:300]
    except ValueError:
        return "the address"


def usable(url: str, *, inner: bool = True) -> SplitResult:
    """Return an address's parts. Raises `CodeAddressUnusable`.

    `inner`: whether plain http to this machine itself is good enough.
    """
    try:
        parts = urlsplit(url)
        good = bool(parts.hostname) and parts.port != 0 and url.isascii() and url.isprintable() and " " not in url
    except ValueError:  # of a port that is none, or half an IPv6 address
        good, parts = False, SplitResult("", "", "", "", "")
    if not good or parts.scheme not in {"http", "https"}:
        raise CodeAddressUnusable(address=shown(url), reason="it must look like https://server/file.zip")
    if parts.username or parts.password:
        raise CodeAddressUnusable(address=shown(url), reason="a user and a password never stand in an address")
    if parts.scheme == "http" and not (inner and _is_loopback(parts.hostname or "")):
        reason = "it is not encrypted (https), and anybody between could change what arrives"
        raise CodeAddressUnusable(address=shown(url), reason=reason)
    return parts


class Transfer:
    """One try to bring one file. `stop` may be called from another thread."""

    def __init__(self, url: str, file: Path, way: WayOut, *, done: int, validator: str) -> None:
        """Go on behind `done` bytes of `file` if the content is still the one that `validator` names."""
        self.url, self._file, self._way = url, file, way
        self.done, self.validator, self.total = done, validator, 0
        """`done` are bytes that are on the disk for sure."""
        self._stopped = threading.Event()
        self._socket: socket.socket | None = None

    def stop(self) -> None:
        """End soon, also while the server says nothing."""
        self._stopped.set()
        if self._socket is not None:
            with contextlib.suppress(OSError, ValueError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def run(self) -> bool:
        """Bring what is missing; return whether all of it is there, false when it was stopped.

        Raises `CodeAddressUnusable`, `CodeAddressSilent`, `CodeAddressRefused`, `CodeNotAFile`, `CodeDiskFull`, and
        `SettingInvalid` for an authority's file that cannot be read.
        """
        try:
            return self._run()
        except (OSError, http.client.HTTPException, ValueError) as error:
            if self._stopped.is_set():
                return False
            if isinstance(error, OSError) and error.errno in _FULL:
                raise self._full(0) from None
            raise CodeAddressSilent(address=shown(self.url), reason=_reason(error)) from None

    def _run(self) -> bool:
        with self._answer() as answer:
            if answer is None:  # the file has everything
                self.total = self.done
                return True
            self._begin(answer)
            self._write(answer)
        if self._stopped.is_set():
            return False
        if self.total and self.done < self.total:
            raise CodeAddressSilent(address=shown(self.url), reason="it broke off")
        return True

    # -- asking ------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _answer(self) -> Iterator[http.client.HTTPResponse | None]:
        url, inner = self.url, True
        for _ in range(_REDIRECTS):
            parts = usable(url, inner=inner)
            connection = self._connection(parts)
            try:
                connection.connect()
                self._socket = connection.sock
                if self._stopped.is_set():
                    raise ConnectionAbortedError
                connection.request("GET", _target(parts), headers=self._headers())
                answer = connection.getresponse()
                if answer.status == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and self.done:
                    if answer.headers.get("Content-Range", "").strip() == f"bytes */{self.done}":
                        yield None  # nothing is missing
                        return
                    self.done, self.validator = 0, ""  # it is another file meanwhile
                    continue
                if answer.status not in _MOVED:
                    yield self._checked(answer)
                    return
                # What is public must not send us to something inside that only this machine reaches.
                url, inner = urljoin(url, answer.headers.get("Location", "")), parts.scheme == "http"
            finally:
                connection.close()
        raise CodeAddressRefused(address=shown(self.url), status=302, reason="it leads from address to address")

    def _headers(self) -> dict[str, str]:
        headers = {"User-Agent": f"eConnector/{version()}", "Accept": "*/*", "Accept-Encoding": "identity"}
        if self.done and self.validator:
            headers |= {"Range": f"bytes={self.done}-", "If-Range": self.validator}
        return headers

    def _connection(self, parts: SplitResult) -> http.client.HTTPConnection:
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=_SECONDS)
        context = tls_context(self._way.ca)
        proxy = _proxy(self._way.proxy, host)
        if proxy is None:
            return http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=context)
        through = http.client.HTTPSConnection(proxy.hostname or "", proxy.port or 80, timeout=_SECONDS, context=context)
        through.set_tunnel(host, port or 443, _proxy_headers(proxy))
        return through

    def _checked(self, answer: http.client.HTTPResponse) -> http.client.HTTPResponse:
        """Return an answer whose content is wanted."""
        status = answer.status
        if status in {http.HTTPStatus.OK, http.HTTPStatus.PARTIAL_CONTENT}:
            return answer
        if status in _LATER or status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
            raise CodeAddressSilent(address=shown(self.url), reason=f"it answers with status {status}, as if busy")
        why = "it wants a sign-in" if status in _SIGN_IN else "it has no such file" if status in _GONE else "it refuses"
        raise CodeAddressRefused(address=shown(self.url), status=status, reason=why)

    # -- writing -----------------------------------------------------------------------------------------------

    def _begin(self, answer: http.client.HTTPResponse) -> None:
        """Find out where the bytes belong, how many there are, and whether they can be what is wanted."""
        headers = answer.headers
        if answer.status == http.HTTPStatus.PARTIAL_CONTENT:
            start, total = _range(headers.get("Content-Range", ""))
            if start != self.done:
                raise CodeAddressSilent(address=shown(self.url), reason="it sends another part than was asked for")
        else:
            self.done, total = 0, answer.length or 0
        self.total = total
        self.validator = _validator(headers)
        if headers.get("Content-Encoding", "identity") != "identity":
            raise self._not_a_file("it is packed for browsers")
        if headers.get_content_type() in {"text/html", "application/xhtml+xml"}:
            raise self._not_a_file("it is a page, such as one that asks for a sign-in")
        if total > LARGEST:
            raise self._not_a_file(f"it is larger than {_size(LARGEST)}")
        free = shutil.disk_usage(self._file.parent).free
        if total - self.done > free - _SPARE:
            raise self._full(total - self.done)

    def _write(self, answer: http.client.HTTPResponse) -> None:
        with _opened(self._file) as file:
            file.truncate(self.done)
            file.seek(self.done)
            written, synced = self.done, float("-inf")
            try:
                while not self._stopped.is_set() and (chunk := answer.read1(_CHUNK)):
                    if not written:
                        self._look(chunk)
                    file.write(chunk)
                    written += len(chunk)
                    if written > LARGEST:
                        raise self._not_a_file(f"it is larger than {_size(LARGEST)}")
                    if written - self.done >= _SYNC_BYTES or time.monotonic() - synced >= _SYNC_SECONDS:
                        self.done, synced = _on_disk(file, written), time.monotonic()
            finally:
                # Also what came before it broke off is gone on with.
                self.done = _on_disk(file, written)

    def _look(self, chunk: bytes) -> None:
        begins = chunk[:64].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
        for sign, what in ((b"<", "a page"), (b"{", "a message for programs"), (b"%pdf", "a PDF")):
            if begins.startswith(sign):
                raise self._not_a_file(f"it is {what} and not a text with codes or a zip")

    def _not_a_file(self, reason: str) -> CodeNotAFile:
        return CodeNotAFile(address=shown(self.url), reason=reason)

    def _full(self, needed: int) -> CodeDiskFull:
        folder = self._file.parent
        free = shutil.disk_usage(folder).free
        return CodeDiskFull(folder=folder, needed=_size(needed + _SPARE), free=_size(free))


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600), "r+b") as opened:
        yield opened


def _on_disk(file: BinaryIO, size: int) -> int:
    file.flush()
    os.fsync(file.fileno())
    return size


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _proxy(setting: str | bool, host: str) -> SplitResult | None:
    if isinstance(setting, str):
        return urlsplit(setting)
    # A system's proxy settings often forget to leave this machine out.
    if not setting or _is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    found = urllib.request.getproxies()
    address = found.get("https") or found.get("all")
    return urlsplit(address if "//" in address else f"http://{address}") if address else None


def _proxy_headers(proxy: SplitResult) -> dict[str, str]:
    if not proxy.username:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _validator(headers: http.client.HTTPMessage) -> str:
    """Return what names this content for If-Range: a weak ETag may stand for other bytes."""
    tag = headers.get("ETag", "").strip()
    return tag if tag.startswith('"') else headers.get("Last-Modified", "").strip()


def _range(text: str) -> tuple[int, int]:
    """Return where a part begins, and how large the whole is (0: nobody says)."""
    unit, _, rest = text.strip().partition(" ")
    part, _, total = rest.partition("/")
    start = part.partition("-")[0]
    if unit != "bytes" or not start.isdecimal():
        return -1, 0
    return int(start), int(total) if total.isdecimal() else 0


def _size(number: int) -> str:
    return f"{number / 1e6:,.0f} MB"


def _reason(error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted ({error.verify_message})"
        case ssl.SSLError():
            return f"no encrypted connection could be made ({error.reason or 'TLS failed'})"
        case TimeoutError():
            return f"it said nothing for {_SECONDS:g} seconds"
        case socket.gaierror():
            return "its name is not found (DNS)"
        case ConnectionRefusedError():
            return "nothing listens there (connection refused)"
        case OSError() if "Tunnel connection failed" in str(error):
            return f"the proxy refuses ({str(error).partition(': ')[2]})"
        case OSError():
            return error.strerror or "the connection was lost"
    return "it does not speak HTTP as it should, or broke off"

"""The way to HQ, one step after the other, so that the step that fails can be named: what the doctor asks.

Nothing is said to HQ but the WebSocket's opening request; no key leaves the machine.
"""

import asyncio
import base64
import contextlib
import datetime as dt
import os
import socket
import ssl
import time
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from cryptography import x509

__all__ = ["Step", "Way", "probe"]

STEP_SECONDS = 4.0
_SWITCHING = 101
_LARGEST_ANSWER = 16 * 1024


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way."""

    name: str
    """`dns`, `proxy`, `tcp`, `tls`, `upgrade`."""
    ok: bool
    text: str
    """What was found, for people; no secret."""
    seconds: float
    untrusted: bool = False
    """The certificate is the reason."""


@dataclass(slots=True)
class Way:
    """The steps that were tried, up to the first that failed."""

    url: str
    through: str = ""
    """The proxy that it leads through, as `host:port`; empty where it is direct."""
    issuer: str = ""
    """Who issued the certificate that was shown, as a distinguished name (RFC 4514)."""
    verify_code: int = 0
    """OpenSSL's number for why it is not trusted; 0 when it is, or nobody came so far."""
    steps: list[Step] = field(default_factory=list)
    hq_clock: dt.datetime | None = None
    """HQ's time when it answered (to the second), and ours at that moment."""
    our_clock: dt.datetime | None = None

    @property
    def failed(self) -> Step | None:
        """The step that failed, or None when the way is clear."""
        return next((step for step in self.steps if not step.ok), None)


class _StepFailedError(Exception):
    def __init__(self, text: str, *, untrusted: bool = False) -> None:
        super().__init__(text)
        self.untrusted = untrusted


async def probe(url: str, *, ca: Path | None = None, proxy: str = "system", alone: bool = False) -> Way:
    """Walk to `url` (`wss://host[:port]/path` or `ws://…`) and return how far it went; never raises.

    `alone`: no certificate authority counts but those of `ca`.
    `proxy` is `system`, `none` or `http://host:port`, as in the setting `hq.proxy`.
    """
    way = Way(url)
    try:
        parts = urlsplit(url)
        secure, host = parts.scheme == "wss", parts.hostname or ""
        port = parts.port or (443 if secure else 80)
    except ValueError as error:
        way.steps.append(Step("dns", ok=False, text=f"the address cannot be used: {error}", seconds=0.0))
        return way
    try:
        through = _proxy(proxy, secure=secure, host=host)
        first = (through.hostname or "", through.port or 80) if through else (host, port)
    except ValueError as error:
        way.steps.append(Step("proxy", ok=False, text=f"the proxy's address cannot be used: {error}", seconds=0.0))
        return way
    way.through = f"{first[0]}:{first[1]}" if through else ""
    writer: asyncio.StreamWriter | None = None
    try:
        async with _step(way, "dns") as said:
            addresses = await _addresses(*first)
            said.append(f"{first[0]} is {', '.join(addresses[:4])}")
        async with _step(way, "tcp") as said:
            reader, writer = await _connect(first[0], first[1])
            said.append(f"port {first[1]} of {first[0]} answers")
        if through:
            async with _step(way, "proxy") as said:
                await _tunnel(reader, writer, host, port, through)
                said.append(f"the proxy {first[0]}:{first[1]} lets us through to {host}:{port}")
        if secure:
            async with _step(way, "tls") as said:
                said.append(await _secure(writer, host, _trusting(ca, alone=alone), way))
        async with _step(way, "upgrade") as said:
            said.append(await _upgrade(reader, writer, way))
    except _StepFailedError:
        pass
    finally:
        if writer is not None:
            writer.transport.abort()
    return way


@contextlib.asynccontextmanager
async def _step(way: Way, name: str) -> AsyncIterator[list[str]]:
    """Do one step within its time; note how it went; end the walk when it failed."""
    began, said = time.monotonic(), list[str]()
    untrusted = False
    try:
        async with asyncio.timeout(STEP_SECONDS):
            yield said
    except TimeoutError:
        failed = f"no answer within {STEP_SECONDS:g} seconds"
    except ssl.SSLError as error:
        untrusted = isinstance(error, ssl.SSLCertVerificationError)
        failed = getattr(error, "verify_message", "") or error.reason or "the handshake failed"
    except _StepFailedError as error:
        failed, untrusted = str(error), error.untrusted
    except socket.gaierror as error:
        failed = f"the name is not found ({error.strerror})"
    except (OSError, EOFError, ValueError) as error:
        failed = getattr(error, "strerror", None) or "the connection was closed"
    else:
        way.steps.append(Step(name, ok=True, text=said[-1], seconds=time.monotonic() - began))
        return
    way.steps.append(Step(name, ok=False, text=failed, seconds=time.monotonic() - began, untrusted=untrusted))
    raise _StepFailedError(failed)


def _proxy(setting: str, *, secure: bool, host: str) -> SplitResult | None:
    if setting == "none":
        return None
    if setting != "system":
        return urlsplit(setting if "//" in setting else f"http://{setting}")
    found = urllib.request.getproxies()
    if urllib.request.proxy_bypass(host):
        return None
    address = found.get("https" if secure else "http") or found.get("all")
    return urlsplit(address if "//" in address else f"http://{address}") if address else None


async def _addresses(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def _connect(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    # uvloop tries one address after the other, and does not know that two could be tried at once.
    plain = type(asyncio.get_running_loop()).__module__.startswith("uvloop")
    race: dict[str, Any] = {} if plain else {"happy_eyeballs_delay": 0.25}
    try:
        return await asyncio.open_connection(host, port, **race)
    except ConnectionRefusedError:
        raise _StepFailedError(f"port {port} refuses connections") from None
    except OSError as error:
        # asyncio joins the errors of several addresses into one without number
        raise _StepFailedError(error.strerror or str(error)) from None


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise _StepFailedError("something that does not speak HTTP answered") from None
    lines = head[:_LARGEST_ANSWER].decode("latin-1").split("\r\n")
    words = lines[0].split(" ", 2)
    if not words[0].startswith("HTTP/") or not words[1:] or not words[1].isdigit():
        raise _StepFailedError("something that does not speak HTTP answered")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return int(words[1]), headers


async def _tunnel(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int, through: SplitResult
) -> None:
    lines = [f"CONNECT {host}:{port} HTTP/1.1", f"Host: {host}:{port}"]
    if through.username:
        pair = base64.b64encode(f"{unquote(through.username)}:{unquote(through.password or '')}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {pair}")
    writer.write("\r\n".join([*lines, "", ""]).encode())
    status, _ = await _answer(reader)
    if status != 200:  # noqa: PLR2004 - HTTP's "OK"
        wants = " (it wants a user name and password)" if status == 407 else ""  # noqa: PLR2004 - as above
        raise _StepFailedError(f"the proxy refuses with status {status}{wants}")


def _trusting(ca: Path | None, *, alone: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if alone else ssl.create_default_context()
    if ca is not None:
        try:
            context.load_verify_locations(ca)
        except OSError as error:
            raise _StepFailedError(
                f"the file {ca} (hq.ca) cannot be used: {error.strerror or error.args[-1]}"
            ) from None
    return context


async def _secure(writer: asyncio.StreamWriter, host: str, context: ssl.SSLContext, way: Way) -> str:
    try:
        await writer.start_tls(context, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        way.verify_code = error.verify_code
        way.issuer = issuer = "" if way.through else await _issuer(host, writer.get_extra_info("peername"))
        text = f"{error.verify_message}; it was issued by {issuer}" if issuer else error.verify_message
        raise _StepFailedError(text, untrusted=True) from None
    session: ssl.SSLObject = writer.get_extra_info("ssl_object")
    way.issuer = _issuer_of(session)
    until = (session.getpeercert() or {}).get("notAfter", "?")
    return f"{session.version()}, the certificate is trusted and valid until {until}"


async def _issuer(host: str, peer: tuple[str, int] | None) -> str:
    """Return who issued the certificate that is not trusted: a firewall that inspects TLS gives itself away."""
    if peer is None:
        return ""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        _, writer = await asyncio.open_connection(peer[0], peer[1], ssl=context, server_hostname=host)
    except OSError:
        return ""
    try:
        return _issuer_of(writer.get_extra_info("ssl_object"))
    finally:
        writer.transport.abort()


def _issuer_of(session: ssl.SSLObject) -> str:
    try:
        return x509.load_der_x509_certificate(session.getpeercert(binary_form=True) or b"").issuer.rfc4514_string()
    except ValueError:
        return ""


async def _upgrade(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> str:
    parts = urlsplit(way.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"GET {target} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}", "Upgrade: websocket"]
    lines += ["Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    lines.append("Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode())
    writer.write("\r\n".join([*lines, "", ""]).encode())
    status, headers = await _answer(reader)
    way.our_clock = dt.datetime.now(dt.UTC)
    with contextlib.suppress(ValueError, TypeError, KeyError):
        way.hq_clock = parsedate_to_datetime(headers["date"])
    if status != _SWITCHING:
        server = f" from {headers['server'][:60]}" if headers.get("server") else ""
        raise _StepFailedError(f"status {status} instead of a WebSocket{server}: is the address right?")
    return "HQ opened a WebSocket"

"""One question to a processor over HTTPS, and its answer: bounded in time and size, sent once, never redirected.

What a failure means is told apart by whether it may have been done: `PaymentGatewaySilent` whenever the question may
have arrived and no answer to it can be read, `PaymentGatewayRefused` where a server said that it was not done.
"""

import asyncio
import functools
import logging
import ssl
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import httpx2
import msgspec

from econnector.base.errors import PaymentGatewayRefused, PaymentGatewaySilent, SettingInvalid
from econnector.base.version import version
from econnector.payments.way import Way, is_loopback

__all__ = ["LARGEST", "Answered", "Exchange"]

LARGEST: Final = 64 * 1024
"""Bytes that an answer may have: real ones have a few hundred."""
for _name in ("httpx2", "httpcore2"):
    # They log addresses, and in Stripe's stands what opens a payment.
    logging.getLogger(_name).setLevel(logging.WARNING)

_LATER = frozenset({408, 409, 423, 425, 429})
_REFUSED = 400
_BROKEN = 500
_MOVED = 300


class Answered(msgspec.Struct, frozen=True):
    """An answer as it came."""

    status: int
    body: bytes

    def __repr__(self) -> str:
        return f"Answered({self.status})"


class Exchange:
    """Questions to one processor."""

    def __init__(self, processor: str, way: Way) -> None:
        """`processor`: its name for people. Raises `SettingInvalid` where the file of authorities cannot be read."""
        self._processor, self._way = processor, way
        self._context = _trusting(way) if way.ca else _usual()

    async def ask(
        self,
        url: str,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "POST",
        reads: frozenset[int] = frozenset({200}),
    ) -> Answered:
        """Send once and return the answer, if its status is one of `reads`.

        Raises `PaymentGatewaySilent` and `PaymentGatewayRefused` as the module says.
        """
        try:
            async with asyncio.timeout(self._way.seconds), self._client(url) as client:
                answered = await _once(client, method, url, content, headers or {})
        except TimeoutError:
            raise self.silent(url, f"no answer within {self._way.seconds:g} seconds") from None
        except httpx2.ProxyError:
            raise self.silent(url, "the proxy refuses") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError, OSError, ValueError) as error:
            raise self.silent(url, _reason(error)) from None
        if answered.status not in reads:
            self._refuse(url, answered.status)
        return answered

    def silent(self, url: str, why: str) -> PaymentGatewaySilent:
        """Return the failure that nobody knows whether it was done."""
        return PaymentGatewaySilent(processor=self._processor, address=urlsplit(url).netloc, why=why)

    def _refuse(self, url: str, status: int) -> None:
        if status >= _BROKEN or status in _LATER or status < _MOVED:
            raise self.silent(url, f"it answers with HTTP {status}")
        words = "the address has moved" if status < _REFUSED else "there is no such service at the address"
        raise PaymentGatewayRefused(processor=self._processor, words=words, number=f"HTTP {status}")

    def _client(self, url: str) -> httpx2.AsyncClient:
        proxy, own = self._way.proxy, is_loopback(url)
        return httpx2.AsyncClient(
            verify=self._context,
            # A system's proxy settings often forget to leave this machine out.
            proxy=proxy if isinstance(proxy, str) and proxy and not own else None,
            trust_env=proxy is True and not own,
            follow_redirects=False,
            timeout=self._way.seconds,
            headers={"User-Agent": f"eConnector/{version()}"},
        )


async def _once(
    client: httpx2.AsyncClient, method: str, url: str, content: bytes, headers: Mapping[str, str]
) -> Answered:
    async with client.stream(method, url, content=content or None, headers=dict(headers)) as response:
        body = bytearray()
        async for piece in response.aiter_bytes(8192):
            body += piece
            if len(body) > LARGEST:
                raise ValueError("its answer is far too long")
        return Answered(response.status_code, bytes(body))


@functools.cache
def _usual() -> ssl.SSLContext:
    """Return the trust of this machine. Made once: it takes longer than asking."""
    return httpx2.create_ssl_context()


def _trusting(way: Way) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cafile=way.ca)
    except (OSError, ValueError) as error:
        why = f"{way.ca} is not a readable PEM file ({type(error).__name__})"
        raise SettingInvalid(name="payments.ca", place=way.place, why=why) from None
    return context


def _reason(error: BaseException) -> str:
    """Return why in words; nothing of what was sent or received is in them."""
    text = str(error).lower()
    if "certificate" in text:
        return "its certificate is not trusted here"
    if isinstance(error, httpx2.TimeoutException):
        return "no answer in time"
    if "name or service" in text or "getaddrinfo" in text or "nodename" in text or "name resolution" in text:
        return "its name cannot be looked up (DNS)"
    if isinstance(error, httpx2.ConnectError):
        return "nothing accepts connections there"
    if isinstance(error, ValueError) and not isinstance(error, httpx2.InvalidURL | UnicodeError):
        return "its answer is far too long"
    if isinstance(error, httpx2.NetworkError | httpx2.RemoteProtocolError | OSError):
        return "the connection was cut off"
    return "it says something that is not HTTP"

"""How this office reaches a processor."""

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from econnector.base.errors import SettingInvalid

__all__ = ["Way", "encrypted", "is_loopback"]


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """The addresses, whom to trust, and how long to wait."""

    gateway: str = ""
    """Address of another server that speaks as the processor does (the sandbox); empty: the processor's own."""
    ca: Path | None = None
    """A file with authorities that are trusted beside the system's own."""
    proxy: str | bool = True
    """True for the system's own, false for none, or an address."""
    seconds: float = 10.0
    """How long one question may take, all in all."""
    place: str = "the settings"
    """Where `gateway` and `ca` stand, for a failure's text."""

    def validate(self) -> None:
        """Raise `SettingInvalid` where the address cannot be used: secrets leave this machine encrypted or not."""
        if self.gateway and not encrypted(self.gateway):
            why = "it must be an address that begins with https:// (http:// only for this machine itself)"
            raise SettingInvalid(name="payments.gateway", place=self.place, why=why)

    @property
    def base(self) -> str:
        """`gateway` without a slash at its end."""
        return self.gateway.rstrip("/")


def encrypted(url: str) -> bool:
    """Return whether what is sent to `url` is read by nobody on the way: `https://`, or this machine itself."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or any(each.isspace() or not each.isprintable() for each in url):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url))


def is_loopback(url: str) -> bool:
    """Return whether `url` is a place on this machine itself."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")

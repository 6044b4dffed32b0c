"""HQ's settings: `[…]` in `hq.toml`, ECONNECTOR_HQ_… in the environment, flags of `econnector hq`."""

import ipaddress
import os
import platform
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from econnector.base.errors import SenderMissing, SettingInvalid
from econnector.base.logs import Level
from econnector.base.places import data_folder, settings_folder
from econnector.base.settings import NONE, Loaded, described, load
from econnector.link.admission import PART, Bounds
from econnector.link.calls import CODE_SYSTEMS, CodeOffer
from econnector.mail.compose import address_of

__all__ = [
    "FILE_VARIABLE",
    "PREFIX",
    "Address",
    "CodeFile",
    "Contacts",
    "HqSettings",
    "Limits",
    "Log",
    "Smtp",
    "Tls",
    "find_file",
    "parse_address",
    "read",
]

PREFIX = "ECONNECTOR_HQ"
FILE_VARIABLE = "ECONNECTOR_HQ_SETTINGS"
_PORTS = 65535


class Tls(msgspec.Struct, frozen=True):
    """TLS in HQ itself; leave it out behind a proxy that terminates TLS."""

    certificate: Annotated[Path | None, described("PEM file with HQ's certificate and its chain.")] = None
    key: Annotated[Path | None, described("PEM file with the certificate's private key.")] = None


class Log(msgspec.Struct, frozen=True):
    """Where the log goes besides the console."""

    folder: Annotated[Path | None, described("Folder for a log file per day; none: console only.")] = None
    days: Annotated[int, described("Days that log files are kept; 0 keeps them for ever.", ge=0)] = 30
    level: Annotated[Level, described("How much is logged: error, warning, info or debug.")] = "info"
    json: Annotated[bool, described("Write JSON objects to the console instead of lines for people.")] = False


class Smtp(msgspec.Struct, frozen=True):
    """The mail server through which HQ tells contacts that their office is unreachable."""

    host: Annotated[str, described("The mail server; empty: HQ keeps contacts and sends no mail.")] = ""
    port: Annotated[int, described("Its port.", ge=1, le=_PORTS)] = 587
    security: Annotated[
        Literal["starttls", "tls", "none"], described("How the connection is encrypted: starttls, tls or none.")
    ] = "starttls"
    user: Annotated[str, described("The account to log in with; empty: without log-in.")] = ""
    password_file: Annotated[
        Path | None, described("File whose first line is the account's password, readable by its owner only.")
    ] = None
    sender: Annotated[str, described("Who the mails are from: `a@example.com` or `Name <a@example.com>`.")] = ""
    ca: Annotated[Path | None, described("PEM file of the mail server's certificate authority, if it is private.")] = (
        None
    )


class Contacts(msgspec.Struct, frozen=True):
    """When an office's contacts are told that it is unreachable."""

    after_seconds: Annotated[
        int, described("Seconds that an office is unreachable before its contacts get a mail.", ge=5, le=86400)
    ] = 300


_MIB = 1024 * 1024


class Limits(msgspec.Struct, frozen=True):
    """What one office may take of a node, so that a crowd before it does not hurt the others."""

    calls: Annotated[int, described("Calls of one office that are under way at a time on this node.", ge=1)] = 64
    queue: Annotated[
        int, described("Calls of one office that wait behind them, at most two seconds; more are refused.", ge=0)
    ] = 256
    rate: Annotated[
        int, described("Calls of one office per second, on average over two seconds; 0: no bound.", ge=0)
    ] = 200
    megabytes: Annotated[
        int, described("MiB of one office's documents that are under way or unread on this node.", ge=1)
    ] = 32
    all_calls: Annotated[
        int, described("Calls of all offices that are under way at a time on this node; as many may wait.", ge=PART)
    ] = 4096
    all_megabytes: Annotated[
        int, described("MiB of all offices' documents that are under way or unread on this node.", ge=PART)
    ] = 256

    def bounds(self) -> Bounds:
        """Return them as the switchboard keeps them."""
        return Bounds(
            calls=self.calls,
            queue=self.queue,
            rate=self.rate,
            bytes=self.megabytes * _MIB,
            all_calls=self.all_calls,
            all_bytes=self.all_megabytes * _MIB,
        )


class CodeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version of one code system that offices may download."""

    version: str
    url: str
    checksum: str


_CODES = (
    "Versions of code systems that connectors offer to their offices: a table for each system ("
    f"{', '.join(CODE_SYSTEMS)}), such as `[codes.CVX]`, with `version` (its name, as it is shown), `url` (the file, "
    "https://) and `checksum` (the file's SHA-256). HQ does not touch the files; offices accept the publisher's terms "
    "themselves. Only in the settings file."
)


class HqSettings(msgspec.Struct, frozen=True):
    """Everything that can be set about HQ."""

    listen: Annotated[str, described("Address and port for browsers and connectors; port 0 takes a free one.")] = (
        "127.0.0.1:8440"
    )
    url: Annotated[str, described("HQ's public address, such as https://hq.example.com; default: from `listen`.")] = ""
    admin: Annotated[
        str,
        described(
            "Address and port, on loopback or an inner network, for /metrics and the fleet pages (/admin); empty: "
            "neither. Other than on loopback it uses `tls`, if that is set."
        ),
    ] = ""
    folder: Annotated[Path | None, described("Folder for HQ's own files; default: this machine's data folder.")] = None
    database: Annotated[
        str,
        described(
            "The registry: sqlite:///file, postgresql://…, mysql://…, mariadb://…; default: a SQLite file in `folder`.",
            secret=True,
        ),
    ] = ""
    switchboard: Annotated[
        str,
        described(
            "How nodes of HQ reach each other's offices: `local` for one node, else nats://server:4222.", secret=True
        ),
    ] = "local"
    node: Annotated[str, described("This node's name in the registry; default: the machine's name.")] = ""
    trusted_proxies: Annotated[
        list[str], described("Addresses or networks of proxies whose X-Forwarded-For and -Proto are believed.")
    ] = []
    tls: Tls = Tls()
    log: Log = Log()
    smtp: Smtp = Smtp()
    contacts: Contacts = Contacts()
    limits: Limits = Limits()
    codes: Annotated[dict[str, CodeFile], described(_CODES)] = {}

    def database_url(self) -> str:
        """Return the registry's URL."""
        return self.database or f"sqlite:///{self.data_folder() / 'registry.db'}"

    def data_folder(self) -> Path:
        """Return the folder for HQ's own files; it is not made here."""
        return self.folder or data_folder() / "hq"

    def public_url(self) -> str:
        """Return HQ's address without trailing slash."""
        scheme = "https" if self.tls.certificate else "http"
        return (self.url or f"{scheme}://{self.listen}").rstrip("/")

    def code_offers(self) -> list[CodeOffer]:
        """Return the versions of code systems as offices are told of them."""
        return [CodeOffer(name, each.version, each.url, each.checksum) for name, each in sorted(self.codes.items())]

    def node_name(self) -> str:
        """Return this node's name."""
        return self.node or platform.node() or "hq"


class Address(msgspec.Struct, frozen=True):
    """Where to listen."""

    host: str
    port: int

    @property
    def inside(self) -> bool:
        """Whether only this machine reaches it."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Return the parts of `host:port` or `[v6]:port`. Raises ValueError with a sentence for people."""
    parts = urlsplit(f"//{text}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or port is None or parts.path or parts.username:
        raise ValueError(f"it must be an address and a port up to {_PORTS}, such as 127.0.0.1:8440 or [::]:443")
    return Address(host, port)


def find_file(named: Path | None) -> Path | None:
    """Return the settings file: the one named, else `ECONNECTOR_HQ_SETTINGS`, else `hq.toml` where it exists."""
    if named is not None or os.environ.get(FILE_VARIABLE):
        return named or Path(os.environ[FILE_VARIABLE])
    usual = settings_folder() / "hq.toml"
    return usual if usual.is_file() else None


def read(
    file: Path | None, flags: Mapping[str, object] = NONE, environment: Mapping[str, str] | None = None
) -> Loaded[HqSettings]:
    """Return HQ's settings and where each came from. Raises `SettingMissing` or `SettingInvalid`."""
    loaded = load(HqSettings, file=file, prefix=PREFIX, flags=flags, environment=environment)
    for name, check in _CHECKS.items():
        try:
            check(loaded.value)
        except ValueError as error:
            raise SettingInvalid(name=name, place=loaded.places.get(name, "default"), why=error) from None
    return loaded


def _admin(settings: HqSettings) -> None:
    if not settings.admin:
        return
    address = parse_address(settings.admin)
    if address.host == "localhost":
        return
    try:
        inner = ipaddress.ip_address(address.host).is_private
    except ValueError:
        inner = False
    if not inner or ipaddress.ip_address(address.host).is_unspecified:
        raise ValueError(
            "it must be a loopback address or one of an inner network: metrics and fleet pages are not for the internet"
        )


def _url(settings: HqSettings) -> None:
    parts = urlsplit(settings.url)
    if settings.url and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/")):
        raise ValueError("it must be like https://hq.example.com, without a path")


def _switchboard(settings: HqSettings) -> None:
    parts = urlsplit(settings.switchboard)
    if settings.switchboard != "local" and (parts.scheme not in {"nats", "tls"} or not parts.hostname):
        raise ValueError("it must be `local` or like nats://server:4222")


def _proxies(settings: HqSettings) -> None:
    for each in settings.trusted_proxies:
        try:
            ipaddress.ip_network(each)
        except ValueError:
            raise ValueError(f"{each} is neither an address nor a network such as 10.0.0.0/8") from None


def _certificate(settings: HqSettings) -> None:
    if settings.tls.certificate is None:
        return
    if settings.tls.key is None:
        raise ValueError("tls.key is needed with it")
    for file in (settings.tls.certificate, settings.tls.key):
        if not file.is_file():
            raise ValueError(f"there is no file {file}")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls.certificate, settings.tls.key)
    except (ssl.SSLError, OSError) as error:
        raise ValueError(f"certificate and key cannot be used together ({getattr(error, 'reason', error)})") from None


def _key(settings: HqSettings) -> None:
    if settings.tls.key is not None and settings.tls.certificate is None:
        raise ValueError("tls.certificate is needed with it")


def _sender(settings: HqSettings) -> None:
    if settings.smtp.host:
        try:
            address_of(settings.smtp.sender)
        except SenderMissing:
            raise ValueError("it must be a mail address, such as eConnector <noreply@hq.example.com>") from None


def _all_calls(settings: HqSettings) -> None:
    limits = settings.limits
    if limits.all_calls < PART * limits.calls:
        raise ValueError(f"it must be at least {PART} times limits.calls: no office gets more than that part of it")


def _all_megabytes(settings: HqSettings) -> None:
    limits = settings.limits
    if limits.all_megabytes < PART * limits.megabytes:
        raise ValueError(f"it must be at least {PART} times limits.megabytes: no office gets more than that part of it")


def _codes(settings: HqSettings) -> None:
    for name, each in settings.codes.items():
        if name not in CODE_SYSTEMS:
            raise ValueError(f"{name} is not one of {', '.join(CODE_SYSTEMS)}")
        if not re.fullmatch(r"https://[^/\s@]+/\S*", each.url) and not _on_this_machine(each.url):
            raise ValueError(f"{name}.url must be like https://files.example.com/{name}.zip")
        if not re.fullmatch(r"[0-9a-fA-F]{64}", each.checksum):
            raise ValueError(f"{name}.checksum must be the file's SHA-256: 64 hexadecimal digits")
        if not each.version.strip():
            raise ValueError(f"{name}.version must name the version, such as 2026-09")


def _on_this_machine(url: str) -> bool:
    return re.match(r"http://(?:127\.0\.0\.1|localhost)[:/]", url) is not None


_CHECKS = {
    "listen": lambda settings: parse_address(settings.listen),
    "admin": _admin,
    "url": _url,
    "switchboard": _switchboard,
    "trusted_proxies": _proxies,
    "tls.certificate": _certificate,
    "tls.key": _key,
    "smtp.sender": _sender,
    "limits.all_calls": _all_calls,
    "limits.all_megabytes": _all_megabytes,
    "codes": _codes,
}

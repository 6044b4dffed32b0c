"""HQ as a process of its own, killed and started again, with the offices of the simulation in its registry."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from econnector.base.clock import SYSTEM
from econnector.base.errors import NameTaken, Unexpected
from econnector.hq import settings as hq_settings
from econnector.hq.registry import migrate, offices
from econnector.hq.registry.database import Registry

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Vendor", "enter", "free_port", "name_of"]

_UP_SECONDS = 60.0
_MEGABYTE = 1024.0 * 1024.0
_LOOPBACK = "127.0.0.1"


def name_of(number: int) -> str:
    """Return what an office of the simulation is called at HQ."""
    return f"sim-{number:05}"


async def enter(database: str, many: int) -> list[str]:
    """Write so many offices into the registry, and return a registration key for each.

    An office of an earlier simulation gets a new key, and may be taken over. Raises what the registry raises.
    """
    registry = Registry(database)
    try:
        await asyncio.to_thread(migrate.upgrade, registry)
        return [
            key for first in range(0, many, 500) for key in await registry.run(_enter, first, min(500, many - first))
        ]
    finally:
        await registry.close()


def _enter(connection: "Connection", first: int, many: int) -> list[str]:
    now = SYSTEM.now()
    keys = []
    for number in range(first, first + many):
        name = name_of(number)
        try:
            keys.append(offices.add(connection, name, now, title=f"Simulated office {number}")[1])
        except NameTaken:
            offices.open_move(connection, name, now + dt.timedelta(minutes=10), now)
            keys.append(offices.new_registration_key(connection, name, now))
    return keys


class Vendor:
    """One HQ, here: `url` for browsers, `link` for offices, `ca` where it has a certificate of its own."""

    def __init__(self, folder: Path, port: int, *, tls: bool, registry: str = "") -> None:
        """Nothing is started yet. `folder` holds everything."""
        self._folder, self.port = folder, port
        self.ca = _certificate(folder) if tls else None
        self.url = f"http{'s' if tls else ''}://{_LOOPBACK}:{self.port}"
        self.database = registry or f"sqlite:///{folder / 'registry.sqlite'}"
        self._child: asyncio.subprocess.Process | None = None
        self._cpu_before = 0.0

    async def start(self) -> None:
        """Start it; return when it listens. Raises `Unexpected` where it does not."""
        with (self._folder / "hq.log").open("ab") as said:
            self._child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "econnector", "hq", "run"), env=self._environment(), stdout=said, stderr=said
            )
        loop = asyncio.get_running_loop()
        ends = loop.time() + _UP_SECONDS
        while loop.time() < ends and self._child.returncode is None:
            with contextlib.suppress(OSError):
                _reader, writer = await asyncio.open_connection(_LOOPBACK, self.port)
                writer.close()
                return
            await asyncio.sleep(0.05)
        raise Unexpected(kind=f"HQ did not start: see {self._folder / 'hq.log'}")

    async def kill(self) -> None:
        """End it as a power cut does."""
        if self._child is not None:
            self._cpu_before = self.cpu_seconds
            with contextlib.suppress(ProcessLookupError):
                self._child.kill()
            await self._child.wait()
            self._child = None

    @property
    def memory_mb(self) -> float:
        """Resident memory now; 0 while it is down."""
        with self._process() as process:
            return process.memory_info().rss / _MEGABYTE if process else 0.0
        return 0.0

    @property
    def cpu_seconds(self) -> float:
        """User and system time of all that were started."""
        with self._process() as process:
            times = process.cpu_times() if process else None
            return self._cpu_before + (times.user + times.system if times else 0.0)
        return self._cpu_before

    @contextlib.contextmanager
    def _process(self) -> Iterator[psutil.Process | None]:
        with contextlib.suppress(psutil.Error):
            yield psutil.Process(self._child.pid) if self._child is not None else None

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(hq_settings.PREFIX)}
        own = {
            "LISTEN": f"{_LOOPBACK}:{self.port}",
            "URL": self.url,
            "FOLDER": str(self._folder),
            "DATABASE": self.database,
            "LOG_LEVEL": "warning",
        }
        if self.ca is not None:
            own |= {"TLS_CERTIFICATE": str(self.ca), "TLS_KEY": str(self.ca.with_suffix(".key"))}
        return kept | {f"{hq_settings.PREFIX}_{name}": value for name, value in own.items()}


async def free_port() -> int:
    """Return a port of this machine on which nobody listens now: HQ comes back on the same one."""
    probe = await asyncio.start_server(lambda _reader, writer: writer.close(), _LOOPBACK, 0)
    async with probe:
        return int(probe.sockets[0].getsockname()[1])


def _certificate(folder: Path) -> Path:
    """Write a certificate for this machine's own address, good for a day; return its file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "eConnector simulation")])
    now = SYSTEM.now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(_LOOPBACK))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "hq.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.with_suffix(".key").write_bytes(secret)
    file.with_suffix(".key").chmod(0o600)
    return file

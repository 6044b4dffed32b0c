"""An office that answers the API itself, and HQ before it: real processes, TLS on the link.

The link's TLS ends where `tls` says: in a balancer before HQ, as `deploy/` has it, whose pages' side is plain; or in HQ
itself, which then speaks TLS to everybody. As a process: python -m benchmarks.native URL KEY CA FILE
"""

import asyncio
import contextlib
import hashlib
import hmac
import logging
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from benchmarks.processes import Process, free_port, wait_until
from econnector.base.clock import SYSTEM
from econnector.base.errors import ApiKeyRefused
from econnector.base.ids import new_token
from econnector.base.loops import loop_factory
from econnector.eservices.api import calls
from econnector.eservices.api.web import resources
from econnector.hq.registry import migrate, offices
from econnector.hq.registry.database import Registry
from econnector.link.calls import HEARTBEAT, Heartbeat
from econnector.link.dial import Dialler
from econnector.link.identity import Identity, Install
from econnector.link.state import Status
from econnector.wire.call import Answers, Asked, Streamed
from tests.support.certificates import Authority

__all__ = [
    "BALANCER",
    "DOCUMENT",
    "OFFICE",
    "SMALL",
    "NativeSite",
    "add_office",
    "hq_settings",
    "key_check",
    "native_site",
    "run_office",
    "small_body",
]

OFFICE = "juniper-hill"
SMALL = f"/o/{OFFICE}/api/v1/appointments"
DOCUMENT = f"/o/{OFFICE}/api/v1/documents/1"
_BLOCK = 256 * 1024
_PATH = "/usr/sbin:/usr/bin:/bin"
BALANCER = """\
worker_processes 1; daemon off; pid {folder}/balancer.pid; error_log {folder}/balancer.err;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};
    proxy_http_version 1.1; proxy_set_header Host $http_host; proxy_buffering off; proxy_read_timeout 1h;
    proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; tcp_nodelay on;
    location /link {{ proxy_pass http://127.0.0.1:{hq}; }}
  }}
}}
"""


@dataclass
class NativeSite:
    """What is measured."""

    folder: Path
    hq: Process
    office: Process
    balancer: Process | None
    port: int
    """HQ's door; plain, unless HQ has the TLS itself."""
    tls: bool
    """Whether the door speaks TLS."""
    ca: Path
    """PEM file of who signed HQ's certificate."""
    authorization: str
    """The partner's, as the value of an Authorization header."""
    small: str = SMALL
    """Path of the answer of 1 kB."""
    document: str = DOCUMENT
    """Path of the file."""

    @property
    def url(self) -> str:
        """HQ's address without a path."""
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    @property
    def processes(self) -> tuple[Process, ...]:
        """Everything that carries an answer."""
        return (self.hq, self.office, *([self.balancer] if self.balancer else []))


def _appointments(date: str) -> calls.Appointments:
    when = ("09:00:00", "10:30:00", "11:15:00", "13:00:00", "14:30:00", "15:45:00")
    rows = [
        calls.Appointment(
            1000 + number, 7, f"2026-11-24 {time}", "Scheduled", 30 + number, "DOC1", f"Op {number}", "Yes"
        )
        for number, time in enumerate(when)
    ]
    return calls.Appointments(date or "2026-11-24", 0, 100, False, rows)


def small_body() -> bytes:
    """Return the answer of 1 kB, so that another server can give the very same."""
    return resources.body(calls.APPOINTMENTS, _appointments(""))


@contextlib.contextmanager
def native_site(folder: Path, file: Path, *, tls: Literal["balancer", "hq"] = "balancer") -> Iterator[NativeSite]:
    """Start HQ and an office that answers `SMALL`, and streams `file` as `DOCUMENT`; end them with the block."""
    authority = Authority(folder)
    issued = authority.issue()
    port = free_port()
    settings = hq_settings(folder / "hq", port)
    if tls == "hq":
        settings |= {"ECONNECTOR_HQ_TLS_CERTIFICATE": str(issued.certificate), "ECONNECTOR_HQ_TLS_KEY": str(issued.key)}
    (folder / "hq").mkdir()
    registration = folder / "registration"
    registration.write_text(add_office(folder / "hq"))
    partner = folder / "partner"
    partner.write_text(f"eck_{new_token()}")
    with contextlib.ExitStack() as stack:
        run = [sys.executable, "-m", "econnector", "hq", "run"]
        hq = stack.enter_context(Process(*run, log=folder / "hq.out", **settings))
        wait_until(lambda: "HQ is up at" in (folder / "hq.out").read_text())
        link, balancer = port, None
        if tls == "balancer":
            link = free_port()
            conf = folder / "balancer.conf"
            conf.write_text(
                BALANCER.format(folder=folder, port=link, hq=port, certificate=issued.certificate, key=issued.key)
            )
            nginx = shutil.which("nginx", path=_PATH)
            if nginx is None:
                raise RuntimeError("nginx is missing: `python3 scripts/setup.py --peers` installs it")
            balancer = stack.enter_context(Process(nginx, "-c", str(conf), log=folder / "balancer.out"))
        files = (registration, partner, authority.file, file)
        command = [sys.executable, "-m", "benchmarks.native", f"wss://127.0.0.1:{link}/link", *map(str, files)]
        office = stack.enter_context(Process(*command, log=folder / "office.out"))
        wait_until(lambda: "ready" in (folder / "office.out").read_text())
        authorization = f"Bearer {partner.read_text()}"
        yield NativeSite(folder, hq, office, balancer, port, tls == "hq", authority.file, authorization)


def hq_settings(folder: Path, port: int) -> dict[str, str]:
    """Return the environment of an HQ without TLS."""
    settings = {"ECONNECTOR_HQ_FOLDER": str(folder), "ECONNECTOR_HQ_LISTEN": f"127.0.0.1:{port}"}
    settings["ECONNECTOR_HQ_LIMITS_RATE"] = "0"  # everything that HQ can do is asked of one office
    return settings


def add_office(folder: Path) -> str:
    """Make HQ's registry in `folder` with the one office; return its registration key."""
    registry = Registry(f"sqlite:///{folder / 'registry.db'}")
    migrate.upgrade(registry)
    return registry.run_now(offices.add, OFFICE, now=SYSTEM.now())[1]


# -- the office's process ----------------------------------------------------------------------------------------


def key_check(partner: str) -> Callable[[str], None]:
    """Return what refuses every key but this one."""
    good = hashlib.sha256(partner.encode()).digest()

    def check(key: str) -> None:
        if not hmac.compare_digest(hashlib.sha256(key.encode()).digest(), good):
            raise ApiKeyRefused

    return check


def _answers(partner: str, file: Path) -> Answers:
    answers = Answers()
    size = file.stat().st_size
    check = key_check(partner)

    @answers.to(calls.APPOINTMENTS)
    async def appointments(_: Asked, params: calls.AppointmentsAsked) -> calls.Appointments:
        check(params.key)
        return _appointments(params.date)

    @answers.streaming(calls.DOCUMENT)
    async def document(_: Asked, params: calls.DocumentAsked) -> Streamed[calls.DocumentHead]:
        check(params.key)
        head = calls.DocumentHead("scan.pdf", "application/pdf", size)
        return Streamed(head, _chunks(file))

    return answers


async def _chunks(file: Path) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    with file.open("rb", buffering=0) as source:
        while block := await loop.run_in_executor(None, source.read, _BLOCK):
            yield block


async def run_office(url: str, key: str, answers: Answers, ca: Path) -> None:
    """Enrol with the registration key, print "ready" once HQ has the office, and answer until killed."""
    install = Install("0" * 32, "FRONT-DESK", "0.1.0")
    dialler = Dialler(url, Identity.make(), install, answers, registration_key=key, proxy=False, ca=ca)
    running = asyncio.create_task(dialler.run())
    while dialler.state.status is not Status.ONLINE:  # noqa: ASYNC110 - it tells nobody else
        await asyncio.sleep(0.02)
    await dialler.hq.ask(HEARTBEAT, Heartbeat("0.1.0", machine="FRONT-DESK"))
    print("ready", flush=True)
    await running


def main() -> None:
    """Run the office."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    url, *files = sys.argv[1:]
    registration, partner, ca, file = map(Path, files)
    answers = _answers(partner.read_text(), file)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(run_office(url, registration.read_text(), answers, ca))


if __name__ == "__main__":
    main()

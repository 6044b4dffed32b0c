"""The way to HQ: each step that can fail is the one that is named."""

import asyncio
import contextlib
import datetime as dt
import socket
from collections.abc import AsyncIterator
from email.utils import format_datetime
from pathlib import Path

import pytest

from econnector.base.loops import loop_factory
from econnector.link import probe as probing
from econnector.link.probe import Step, Way, probe
from tests.hq.running import RunningHq
from tests.link.proxy import proxy
from tests.support.certificates import Authority, ServerCertificate

DAY = dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC)
SWITCHING = "101 Switching Protocols"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "STEP_SECONDS", 60.0)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@contextlib.asynccontextmanager
async def server(answer: str | None, certificate: ServerCertificate | None = None) -> AsyncIterator[int]:
    """Answer every request with this status line (None: never); yield the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            if answer is not None:
                writer.write(f"HTTP/1.1 {answer}\r\nDate: {format_datetime(DAY)}\r\n\r\n".encode())
            await reader.read()
        writer.close()

    context = certificate.context() if certificate else None
    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    yield listening.sockets[0].getsockname()[1]
    listening.close()


def failed(way: Way) -> Step:
    assert way.failed is not None
    assert way.steps[-1] is way.failed, "what comes after a failed step is not tried"
    return way.failed


async def test_a_clear_way_is_walked_to_the_end_and_tells_hqs_clock(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with server(SWITCHING, authority.issue()) as port:
        way = await probe(f"wss://localhost:{port}/link", ca=authority.file, proxy="none")
    assert [step.name for step in way.steps] == ["dns", "tcp", "tls", "upgrade"]
    assert way.failed is None
    assert way.hq_clock == DAY
    assert way.our_clock is not None


def test_the_way_is_walked_on_the_loop_that_the_connector_runs_on(tmp_path: Path) -> None:
    authority = Authority(tmp_path)

    async def walk() -> Way:
        async with server(SWITCHING, authority.issue()) as port:
            return await probe(f"wss://localhost:{port}/link", ca=authority.file, proxy="none")

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        way = runner.run(walk())
    assert way.failed is None, way.failed
    assert [step.name for step in way.steps] == ["dns", "tcp", "tls", "upgrade"]


async def test_a_real_hq_is_reached(hq: RunningHq) -> None:
    way = await probe(hq.link, proxy="none")
    assert way.failed is None, way.failed


async def test_a_name_that_is_not_found_is_a_matter_of_dns() -> None:
    assert failed(await probe("wss://hq.invalid/link", proxy="none")).name == "dns"


async def test_a_port_where_nothing_listens_is_a_matter_of_tcp() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    step = failed(await probe(f"wss://localhost:{port}/link", proxy="none"))
    assert step.name == "tcp"


async def test_a_certificate_of_an_unknown_authority_is_told_with_its_issuer(tmp_path: Path) -> None:
    async with server(SWITCHING, Authority(tmp_path, "Inspecting Firewall").issue()) as port:
        step = failed(await probe(f"wss://localhost:{port}/link", proxy="none"))
    assert (step.name, step.untrusted) == ("tls", True)
    assert "CN=Inspecting Firewall" in step.text


async def test_an_expired_certificate_and_one_for_another_name_are_told(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    for certificate, why in ((authority.issue(days=-1), "expired"), (authority.issue("other.example"), "mismatch")):
        async with server(SWITCHING, certificate) as port:
            step = failed(await probe(f"wss://localhost:{port}/link", ca=authority.file, proxy="none"))
        assert (step.name, step.untrusted) == ("tls", True)
        assert why in step.text


async def test_a_file_of_authorities_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    for name in ("missing.pem", "empty.pem"):
        async with server(SWITCHING, Authority(tmp_path).issue()) as port:
            step = failed(await probe(f"wss://localhost:{port}/link", ca=tmp_path / name, proxy="none"))
        assert step.name == "tls"
        assert "hq.ca" in step.text


@pytest.mark.parametrize(
    ("answer", "why"), [("404 Not Found", "status 404"), ("WHO ARE YOU", "status"), (None, "no answer within")]
)
async def test_what_is_no_hq_is_a_matter_of_the_upgrade(
    answer: str | None, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if answer is None:
        monkeypatch.setattr(probing, "STEP_SECONDS", 3.0)
    async with server(answer) as port:
        step = failed(await probe(f"ws://localhost:{port}/link", proxy="none"))
    assert step.name == "upgrade"
    if answer != "WHO ARE YOU":
        assert why in step.text


async def test_the_proxy_of_the_settings_or_of_the_system_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with server(SWITCHING) as port, proxy(("127.0.0.1", port)) as way_out:
        way = await probe("ws://hq.invalid/link", proxy=way_out.address)
        assert [step.name for step in way.steps] == ["dns", "tcp", "proxy", "upgrade"]
        assert way.failed is None
        monkeypatch.setenv("http_proxy", way_out.address)
        assert (await probe("ws://hq.invalid/link")).failed is None
        assert way_out.asked == ["CONNECT hq.invalid:80 HTTP/1.1"] * 2


async def test_a_proxy_that_refuses_is_named() -> None:
    async with proxy(("127.0.0.1", 1), status="407 Proxy Authentication Required") as way_out:
        step = failed(await probe("ws://hq.invalid/link", proxy=way_out.address))
    assert step.name == "proxy"
    assert "user name and password" in step.text

"""HQ cannot be reached, for each reason: the doctor names the step that fails, and all is well once it is mended."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from econnector.link import probe
from tests.failures.world import examined
from tests.link.proxy import proxy
from tests.office.connector import Connector
from tests.office.test_probe import SWITCHING, server
from tests.support.certificates import Authority
from tests.support.ports import free_port


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


async def said(connector: Connector, hq: str, *, way_out: str = "none", ca: Path | None = None) -> tuple[str, str, str]:
    """Return state, code and words of the doctor's check of the way to HQ."""
    connector.write(hq, f"sqlite:///{connector.folder / 'practice.db'}")
    text = connector.file.read_text().replace(
        'proxy = "none"', f'proxy = "{way_out}"' + (f'\nca = "{ca}"' if ca else "")
    )
    connector.file.write_text(text)
    finding = (await examined(connector, "hq"))["hq"]
    assert finding.state == "ok" or finding.remedy
    return finding.state, finding.code, " ".join([finding.text, *finding.details])


@contextlib.asynccontextmanager
async def wall() -> AsyncIterator[int]:
    """Yield a port whose packets are dropped: a listener whose queue is full answers nobody who knocks."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(2):
            knocking = stack.enter_context(socket.socket())
            knocking.setblocking(False)
            knocking.connect_ex(full.getsockname())
        await asyncio.sleep(0)
        yield full.getsockname()[1]


@pytest.mark.causes("hq-away", row="hq-away: DNS", sees="doctor, again")
async def test_a_name_that_is_not_found(connector: Connector) -> None:
    state, code, words = await said(connector, "wss://hq.invalid/link")
    assert (state, code, "DNS" in words) == ("problem", "hq-away", True)
    async with server(SWITCHING) as port:
        assert (await said(connector, f"ws://localhost:{port}/link"))[0] == "ok"


@pytest.mark.causes("hq-away", row="hq-away: HQ down", sees="doctor, again")
async def test_nobody_there(connector: Connector) -> None:
    port = free_port()
    state, code, words = await said(connector, f"ws://127.0.0.1:{port}/link")
    assert (state, code, "refuse" in words) == ("problem", "hq-away", True)
    async with server(SWITCHING) as port:
        assert (await said(connector, f"ws://127.0.0.1:{port}/link"))[0] == "ok"


@pytest.mark.causes("hq-away", row="hq-away: firewall", sees="doctor, again")
async def test_a_wall_that_drops_what_comes(connector: Connector, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as hurry:
        hurry.setattr(probe, "STEP_SECONDS", 0.5)
        async with wall() as port:
            state, code, words = await said(connector, f"ws://127.0.0.1:{port}/link")
    assert (state, code, "TCP" in words) == ("problem", "hq-away", True)
    assert "refuse" not in words
    async with server(SWITCHING) as port:
        assert (await said(connector, f"ws://127.0.0.1:{port}/link"))[0] == "ok"


@pytest.mark.causes("hq-away", row="hq-away: proxy", sees="doctor, again")
async def test_a_proxy_that_refuses(connector: Connector) -> None:
    async with server(SWITCHING) as port:
        hq = f"ws://127.0.0.1:{port}/link"
        async with proxy(("127.0.0.1", port), status="407 Proxy Authentication Required") as refusing:
            state, code, words = await said(connector, hq, way_out=refusing.address)
        assert (state, code, "407" in words) == ("problem", "hq-away", True)
        assert "proxy" in words
        async with proxy(("127.0.0.1", port)) as way_out:
            assert (await said(connector, hq, way_out=way_out.address))[0] == "ok"


@pytest.mark.causes("hq-untrusted", row="hq-away: TLS inspection", sees="doctor, again")
async def test_a_wall_that_opens_what_is_sealed(connector: Connector, tmp_path: Path) -> None:
    ours, inspecting = Authority(tmp_path), Authority(tmp_path, "Inspecting Firewall")
    async with server(SWITCHING, inspecting.issue()) as port:
        state, code, words = await said(connector, f"wss://localhost:{port}/link", ca=ours.file)
    assert (state, code, "Inspecting Firewall" in words) == ("problem", "hq-untrusted", True)
    async with server(SWITCHING, ours.issue()) as port:
        assert (await said(connector, f"wss://localhost:{port}/link", ca=ours.file))[0] == "ok"


@pytest.mark.causes("hq-untrusted")
async def test_a_certificate_that_expired(connector: Connector, tmp_path: Path) -> None:
    ours = Authority(tmp_path)
    async with server(SWITCHING, ours.issue(days=-1)) as port:
        state, code, words = await said(connector, f"wss://localhost:{port}/link", ca=ours.file)
    assert (state, code, "expired" in words) == ("problem", "hq-untrusted", True)

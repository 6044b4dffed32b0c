"""What stands between an office and HQ, and how each way to fail is told apart."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from websockets.frames import Frame
from websockets.protocol import Protocol

from econnector.base.errors import HqAway, HqUntrusted, SettingInvalid
from econnector.link import connect
from econnector.link.probe import probe as walk
from econnector.link.state import Status
from tests.link.practice import DOUBLE, Number
from tests.link.proxy import proxy
from tests.link.vendor import Office, Registry, hq, office
from tests.support.certificates import Authority
from tests.support.ports import free_port


@pytest.fixture
def registry() -> Registry:
    return Registry("smile")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def test_a_link_over_tls_with_a_private_authority(registry: Registry, authority: Authority) -> None:
    async with (
        hq(registry, certificate=authority.issue()) as node,
        office(node.url, registry.offices["smile"].key, ca=authority.file) as smile,
    ):
        await smile.reaches(Status.ONLINE)
        assert await node.switchboard.office("smile").ask(DOUBLE, Number(2)) == Number(4)


@pytest.mark.parametrize("encrypted", [False, True])
async def test_messages_go_past_both_libraries(
    registry: Registry, authority: Authority, monkeypatch: pytest.MonkeyPatch, *, encrypted: bool
) -> None:
    """What the short way knows of the libraries' insides still holds: they would carry everything, but slowly."""
    certificate, ca = (authority.issue(), authority.file) if encrypted else (None, None)
    async with (
        hq(registry, certificate=certificate) as node,
        office(node.url, registry.offices["smile"].key, ca=ca) as smile,
    ):
        await smile.reaches(Status.ONLINE)
        by_library: list[Frame] = []
        for way in (Protocol.recv_frame, Protocol.send_frame):

            def carry(self: Protocol, one: Frame, way: Callable[[Protocol, Frame], None] = way) -> None:
                by_library.append(one)
                way(self, one)

            monkeypatch.setattr(Protocol, way.__name__, carry)
        for number in range(20):
            assert await node.switchboard.office("smile").ask(DOUBLE, Number(number)) == Number(2 * number)
        assert by_library == []


@pytest.mark.causes("hq-untrusted")
@pytest.mark.parametrize("fault", ["unknown authority", "another host", "expired"])
async def test_a_certificate_that_is_not_trusted_is_named_and_nothing_is_sent(
    registry: Registry, authority: Authority, tmp_path: Path, fault: str
) -> None:
    certificate = authority.issue(
        "hq.example.com" if fault == "another host" else "localhost", days=-1 if fault == "expired" else 30
    )
    ca = Authority(tmp_path, "Other CA").file if fault == "unknown authority" else authority.file
    async with (
        hq(registry, certificate=certificate) as node,
        office(node.url, registry.offices["smile"].key, ca=ca) as smile,
    ):
        await smile.fails(HqUntrusted.code)
        assert smile.dialler.state.failure
        reason = smile.dialler.state.failure.facts["reason"]
        expected = {"unknown authority": "unable to get local issuer", "another host": "mismatch", "expired": "expired"}
        assert expected[fault] in reason
    assert registry.arrivals == []


async def test_a_ca_file_that_is_none_is_a_failure_of_the_settings(tmp_path: Path) -> None:
    for content in (None, b"no PEM"):
        file = tmp_path / f"ca-{content is None}.pem"
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(SettingInvalid):
            connect.tls_context(file)


async def test_a_link_through_an_http_proxy(registry: Registry, authority: Authority) -> None:
    async with (
        hq(registry, certificate=authority.issue("hq.example.com")) as node,
        proxy(("127.0.0.1", node.port)) as way,
    ):
        key = registry.offices["smile"].key
        async with office("wss://hq.example.com/link", key, ca=authority.file, proxy=way.address) as smile:
            await smile.reaches(Status.ONLINE)
            assert await node.switchboard.office("smile").ask(DOUBLE, Number(2)) == Number(4)
        assert way.asked == ["CONNECT hq.example.com:443 HTTP/1.1"]


async def test_the_systems_proxy_is_honoured(
    registry: Registry, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        hq(registry, certificate=authority.issue("hq.example.com")) as node,
        proxy(("127.0.0.1", node.port)) as way,
    ):
        monkeypatch.setenv("https_proxy", way.address)
        async with office("wss://hq.example.com/link", registry.offices["smile"].key, ca=authority.file) as smile:
            await smile.reaches(Status.ONLINE)
        assert len(way.asked) == 1


async def test_a_proxy_that_refuses_is_blamed_and_not_hq(registry: Registry) -> None:
    async with (
        proxy(("127.0.0.1", 1), status="407 Proxy Authentication Required") as way,
        office("wss://hq.example.com/link", None, proxy=way.address) as smile,
    ):
        await _fails_at(smile, "proxy", "407")
    assert registry.arrivals == []


async def test_a_proxy_that_is_not_there_is_told() -> None:
    port = free_port()
    async with office("wss://hq.example.com/link", None, proxy=f"http://user:secret@127.0.0.1:{port}") as smile:
        await _fails_at(smile, "proxy", f"127.0.0.1:{port}")
        assert "secret" not in str(smile.dialler.state.failure)


async def test_a_name_that_is_not_found() -> None:
    async with office("wss://no-such-hq.invalid/link", None, proxy=False) as smile:
        await _fails_at(smile, "dns", "no-such-hq.invalid")


async def test_a_port_on_which_nothing_listens() -> None:
    async with office(f"ws://127.0.0.1:{free_port()}/link", None) as smile:
        await _fails_at(smile, "tcp", "refused")


async def test_an_address_at_which_there_is_another_page(registry: Registry) -> None:
    async with hq(registry) as node, office(node.url + "s", None) as smile:
        await _fails_at(smile, "http", "HTTP status 403")


@pytest.mark.parametrize("words", [b"220 mail ready\r\n", b"HTTP/1.1 200 OK\r\n\r\nhello", b""])
async def test_a_server_that_speaks_something_else(words: bytes) -> None:
    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with office(f"ws://127.0.0.1:{port}/link", None) as smile:
        await _fails_at(smile, "http", "")
    server.close()


async def test_a_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "_OPEN_SECONDS", 0.2)

    async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(stay_silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with office(f"ws://127.0.0.1:{port}/link", None) as smile:
        await _fails_at(smile, "tcp", "nothing answered")
    server.close()


async def _fails_at(smile: Office, step: str, reason: str) -> None:
    await smile.fails(HqAway.code)
    failure = smile.dialler.state.failure
    assert failure is not None
    assert failure.facts["step"] == step, failure.facts
    assert reason in failure.facts["reason"]


@pytest.mark.parametrize(
    ("url", "proxy", "step"),
    [
        ("wss://hq:99999/link", "none", "dns"),
        ("wss://[::1/link", "none", "dns"),
        ("ws://127.0.0.1:1/link", "http://proxy:none", "proxy"),
        ("ws://127.0.0.1:1/link", "http://[proxy", "proxy"),
    ],
)
async def test_the_probe_tells_of_an_address_that_is_none(url: str, proxy: str, step: str) -> None:
    failed = (await walk(url, proxy=proxy)).failed
    assert failed
    assert failed.name == step


async def test_the_probe_tells_of_a_server_that_never_ends_its_answer() -> None:
    async def chatter(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n" + b"x" * 200_000)
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(chatter, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        failed = (await walk(f"ws://127.0.0.1:{port}/link", proxy="none")).failed
    assert failed
    assert failed.name == "upgrade"

"""Downloading a file of codes: what becomes of it when the server, the line, the disk or we ourselves fail."""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from econnector.base.errors import (
    CodeAddressRefused,
    CodeAddressSilent,
    CodeAddressUnusable,
    CodeDiskFull,
    CodeNotAFile,
    Failure,
)
from econnector.office.codes import fetching, transfer
from econnector.office.codes.fetching import Fetch
from econnector.office.codes.transfer import WayOut
from econnector.storage.database import Database
from econnector.storage.state import code_downloads
from econnector.storage.state.base import open_state
from econnector.storage.state.code_downloads import Download
from tests.link.proxy import proxy
from tests.support.certificates import Authority
from tests.support.fileserver import FileServer, serving

CONTENT = b"".join(b"%d\ttext number %d\n" % (number, number) for number in range(20_000))


class Desk:
    """Where downloads are kept."""

    def __init__(self, state: Database, folder: Path) -> None:
        self.state, self.file = state, folder / "codes.part"

    def fetch(self, url: str, way: WayOut = WayOut()) -> Fetch:  # noqa: B008 - frozen
        return Fetch(self.state, "SNOMEDCT", url, self.file, way)

    async def kept(self) -> Download:
        found = await self.state.run(code_downloads.find, "SNOMEDCT")
        assert found
        return found


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(fetching, "PAUSE_SECONDS", 0.0)
    state = await open_state(tmp_path / "state.db")
    yield Desk(state, tmp_path)
    await state.close()


@pytest.fixture
async def server() -> AsyncIterator[FileServer]:
    async with serving(CONTENT) as running:
        yield running


async def test_what_breaks_off_again_and_again_goes_on_where_it_was(desk: Desk, server: FileServer) -> None:
    server.breaks = [100_000, 0, 50_000]
    seen: list[tuple[int, int]] = []
    path = await desk.fetch(server.address).run(lambda load: seen.append((load.done, load.total)))
    assert path is not None
    assert path.read_bytes() == CONTENT
    ranges = [request.get("range", "") for request in server.asked]
    assert ranges == ["", "bytes=100000-", "bytes=100000-", "bytes=150000-"]
    assert [request.get("if-range", "") for request in server.asked] == ["", *['"one"'] * 3]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert (await desk.kept()).brought == len(CONTENT)


async def test_one_that_was_cancelled_goes_on_in_another_process_from_what_is_surely_on_the_disk(
    desk: Desk, server: FileServer
) -> None:
    server.holds = 100_000
    first = desk.fetch(server.address)
    running = asyncio.create_task(first.run())
    await server.held.wait()
    first.cancel()
    assert await asyncio.wait_for(running, 60) is None
    done = (await desk.kept()).done
    assert (await desk.kept()).status == code_downloads.CANCELLED
    with desk.file.open("ab") as file:  # what a power cut leaves behind
        file.truncate(done)
        file.write(b"\0" * 500)
    server.holds = None
    path = await desk.fetch(server.address).run()
    assert path is not None
    assert path.read_bytes() == CONTENT
    assert server.asked[1].get("range", "bytes=0-") == f"bytes={done}-"


async def test_another_content_and_another_address_begin_anew(desk: Desk, server: FileServer) -> None:
    server.breaks = [100_000, *[0] * 9]
    with pytest.raises(CodeAddressSilent, match="broke off"):
        await desk.fetch(server.address).run()
    server.breaks, server.content = [], CONTENT[:5000]  # and still called the same
    path = await desk.fetch(server.address).run()
    assert path is not None
    assert path.read_bytes() == CONTENT[:5000]
    server.content, server.breaks = CONTENT, [100_000, *[0] * 9]
    with pytest.raises(CodeAddressSilent, match="broke off"):
        await desk.fetch(server.address + "?").run()
    server.breaks, server.content, server.etag = [], CONTENT[::-1], '"two"'
    path = await desk.fetch(server.address + "?").run()
    assert path is not None
    assert path.read_bytes() == CONTENT[::-1]
    server.asked.clear()
    assert await desk.fetch(server.address + "?").run() == path
    assert server.asked == []  # it is there
    await desk.fetch(server.address + "?other=1").run()
    assert "range" not in server.asked[0]


@pytest.mark.causes("code-address-refused")
async def test_the_address_may_move_and_never_to_what_is_not_encrypted(desk: Desk, server: FileServer) -> None:
    async with serving(b"") as first:
        first.status, first.headers = "302 Found", [f"Location: {server.address}"]
        assert await desk.fetch(first.address).run() is not None
        first.headers = ["Location: http://codes.example.com/file"]
        with pytest.raises(CodeAddressUnusable, match="not encrypted"):
            await desk.fetch(first.address + "?2").run()
        first.headers = [f"Location: {first.address}"]
        with pytest.raises(CodeAddressRefused, match="from address to address"):
            await desk.fetch(first.address + "?3").run()


@pytest.mark.parametrize(
    ("changes", "failure", "words"),
    [
        ({"status": "404 Not Found"}, CodeAddressRefused, "status 404: it has no such file"),
        ({"status": "401 Unauthorized"}, CodeAddressRefused, "wants a sign-in"),
        ({"status": "503 Busy"}, CodeAddressSilent, "as if busy"),
        ({"content": b"\n <!DOCTYPE html><title>Sign in</title>"}, CodeNotAFile, "a page"),
        ({"content": b'{"error": "no"}'}, CodeNotAFile, "for programs"),
        ({"headers": ["Content-Type: text/html; charset=utf-8"]}, CodeNotAFile, "sign-in"),
        ({"headers": ["Content-Encoding: gzip"]}, CodeNotAFile, "packed"),
    ],
)
async def test_what_is_not_the_file_is_said_with_its_cause_and_never_with_what_may_be_secret(
    desk: Desk, server: FileServer, changes: dict[str, Any], failure: type[Failure], words: str
) -> None:
    for name, value in changes.items():
        setattr(server, name, value)
    with pytest.raises(failure, match=words) as raised:
        await desk.fetch(server.address + "?apiKey=s3cret").run()
    kept = await desk.kept()
    assert (kept.status, words in kept.failure) == (code_downloads.FAILED, True)
    said = [str(raised.value), str(raised.value.facts), *raised.value.remedy_steps(), str(kept)]
    assert not any("s3cret" in text for text in said)
    assert server.asked[0][":target"] == "/codes.txt?apiKey=s3cret"


@pytest.mark.causes("code-disk-full", "code-not-a-file")
async def test_a_file_that_is_too_large_or_has_no_room_is_not_begun(
    desk: Desk, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(CodeDiskFull, match="64 MB are needed and 0 MB are free"):
        await desk.fetch(server.address).run()
    assert not desk.file.exists()
    monkeypatch.undo()
    monkeypatch.setattr(transfer, "LARGEST", 1000)
    with pytest.raises(CodeNotAFile, match="larger"):
        await desk.fetch(server.address).run()
    assert not desk.file.exists()


async def test_a_disk_that_fills_meanwhile_keeps_what_is_there(
    desk: Desk, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = transfer._on_disk

    def full(file: Any, size: int) -> int:
        synced(file, size)
        if size > 100_000:
            raise OSError(28, "No space left on device")
        return size

    monkeypatch.setattr(transfer, "_SYNC_BYTES", 64 * 1024)
    monkeypatch.setattr(transfer, "_on_disk", full)
    with pytest.raises(CodeDiskFull):
        await desk.fetch(server.address).run()
    done = (await desk.kept()).done
    assert 0 < done <= 100_000
    monkeypatch.setattr(transfer, "_on_disk", synced)
    path = await desk.fetch(server.address).run()
    assert path is not None
    assert path.read_bytes() == CONTENT
    assert server.asked[1]["range"] == f"bytes={done}-"


@pytest.mark.causes("code-address")
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://codes.example.com/file", "must look like"),
        ("codes.example.com/file", "must look like"),
        ("https://codes.example.com:x/file", "must look like"),
        ("https://codes.example.com/a file", "must look like"),
        ("http://codes.example.com/file?key=s3cret", "not encrypted"),
        ("http://127.example.com/file", "not encrypted"),
        ("https://ada:s3cret@codes.example.com/file", "never stand in an address"),
    ],
)
async def test_an_address_that_cannot_be_used_is_refused_at_once(desk: Desk, url: str, words: str) -> None:
    with pytest.raises(CodeAddressUnusable, match=words) as raised:
        desk.fetch(url)
    assert "s3cret" not in str(raised.value)


async def test_it_goes_through_the_offices_proxy_and_trusts_the_offices_authority(desk: Desk, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    issued = authority.issue("codes.example.com")
    async with serving(CONTENT, issued.context()) as server:
        host, port = server.address.removeprefix("https://").partition("/")[0].split(":")
        async with proxy((host, int(port))) as through:
            url = "https://codes.example.com/codes.txt"
            with pytest.raises(CodeAddressSilent, match="certificate is not trusted"):
                await desk.fetch(url, WayOut(None, through.address)).run()
            path = await desk.fetch(url, WayOut(authority.file, through.address)).run()
        assert through.asked[-1].startswith("CONNECT codes.example.com:443 ")
        async with proxy((host, int(port)), status="407 Who are you") as through:
            with pytest.raises(CodeAddressSilent, match="the proxy refuses"):
                await desk.fetch(url + "?", WayOut(authority.file, through.address)).run()
    assert path is not None
    assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(CONTENT).digest()


@pytest.mark.causes("code-address-silent")
async def test_nobody_there_is_said_at_once(desk: Desk) -> None:
    with pytest.raises(CodeAddressSilent, match="nothing listens there"):
        await desk.fetch("http://127.0.0.1:1/file").run()

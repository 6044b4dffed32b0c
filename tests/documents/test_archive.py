"""Zips that are written while they are sent."""

import asyncio
import datetime as dt
import io
import shutil
import subprocess
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from econnector.documents.archive import MOST_BYTES, Entry, size_of, stream, unique_names

WHEN = dt.datetime.fromisoformat("2025-11-03 09:30:20")  # office time has no zone


class Source:
    """A file that notes whether it was closed."""

    def __init__(self, content: bytes, step: int = 10_000) -> None:
        self.content, self.step, self.closed, self.read = content, step, 0, 0

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            for start in range(0, len(self.content), self.step):
                self.read += 1
                yield self.content[start : start + self.step]
        finally:
            self.closed += 1

    def entry(self, name: str, size: int | None = None) -> Entry:
        return Entry(name, WHEN, len(self.content) if size is None else size, self.chunks)


async def whole(entries: list[Entry]) -> bytes:
    return b"".join([part async for part in stream(entries)])


FILES = {
    "empty.pdf": b"",
    "Año ½ 2025.pdf": b"%PDF" + bytes(range(256)) * 700,
    "one block.png": b"x" * 32768,
    "one more.png": b"x" * 32769,
}


async def test_what_goes_in_comes_out_and_the_size_was_right() -> None:
    packed = await whole(entries := [Source(content).entry(name) for name, content in FILES.items()])
    assert len(packed) == size_of(entries)
    with zipfile.ZipFile(io.BytesIO(packed)) as read:
        assert read.testzip() is None
        assert {info.filename: read.read(info) for info in read.infolist()} == FILES
        assert {info.date_time for info in read.infolist()} == {(2025, 11, 3, 9, 30, 20)}


@pytest.mark.parametrize("step", [1, 32767, 32768, 65536, 10**6])
async def test_the_size_does_not_depend_on_how_a_file_is_read(step: int) -> None:
    entries = [Source(b"%PDF" * 9000, step).entry("a.pdf")] * 2
    assert len(await whole(entries)) == size_of(entries)


def test_a_program_that_unpacks_while_it_loads_reads_it() -> None:
    tool = shutil.which("bsdtar")
    if tool is None:
        pytest.skip("no bsdtar here")
    packed = asyncio.run(whole([Source(content).entry(name) for name, content in FILES.items()]))
    listed = subprocess.run([tool, "-xOf", "-"], input=packed, capture_output=True, check=True)
    assert listed.stdout == b"".join(FILES.values())


async def test_no_file_at_all_is_an_empty_archive() -> None:
    assert zipfile.ZipFile(io.BytesIO(await whole([]))).namelist() == []


async def test_stopping_in_the_middle_closes_the_file_and_opens_no_other() -> None:
    first, second = Source(b"x" * 900_000), Source(b"y")
    sent = stream([first.entry("a.pdf"), second.entry("b.pdf")])
    for _ in range(3):
        await anext(sent)
    await sent.aclose()
    assert (first.closed, first.read < 90, second.read) == (1, True, 0)


@pytest.mark.parametrize("said", [3, 5])
async def test_a_file_that_changed_meanwhile_never_looks_whole(said: int) -> None:
    source = Source(b"1234")
    with pytest.raises(ValueError, match="another size"):
        await whole([source.entry("a.pdf", said)])
    assert source.closed == 1


def test_more_than_the_format_can_say_is_refused() -> None:
    with pytest.raises(ValueError, match="too much"):
        size_of([Source(b"").entry("a.pdf", MOST_BYTES + 1)])


@pytest.mark.parametrize("when", [None, WHEN.replace(year=1), WHEN.replace(year=2200)])
async def test_a_date_that_the_format_does_not_know_is_its_first(when: dt.datetime | None) -> None:
    packed = await whole([Entry("a.pdf", when, 1, Source(b"x").chunks)])
    assert zipfile.ZipFile(io.BytesIO(packed)).infolist()[0].date_time[:3] == (1980, 1, 1)


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("2025-11-03 Statement", "2025-11-03 Statement.pdf"),
        ("../../etc/passwd", "etc passwd.pdf"),
        ("C:\\Windows\\x", "C Windows x.pdf"),
        ("a\0b\r\nc\u202efdp", "abcfdp.pdf"),
        (" .hidden. ", "hidden.pdf"),
        ("-rf", "rf.pdf"),
        ("con", "_con.pdf"),
        ("", "document.pdf"),
        ("...", "document.pdf"),
        ("José Año", "José Año.pdf"),
        ("x" * 300, "x" * 100 + ".pdf"),
    ],
)
def test_a_name_is_a_plain_name_on_every_system(stem: str, name: str) -> None:
    assert unique_names([(stem, "pdf")]) == [name]


def test_no_two_names_are_alike_on_any_system(tmp_path: Path) -> None:
    wanted = ["a", "A", "a", "a (2)", "é", "e\u0301", "a/", "a:"]
    names = unique_names((stem, "pdf") for stem in wanted)
    assert names == ["a.pdf", "A (2).pdf", "a (3).pdf", "a (2) (2).pdf", "é.pdf", "é (2).pdf", "a (4).pdf", "a (5).pdf"]
    for name in names:
        (tmp_path / name).touch(exist_ok=False)

"""Where a file of codes comes from: an address, HQ's offer, its publisher's own form, a package; and who stops it."""

import asyncio
import hashlib
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from econnector.base.clock import SYSTEM
from econnector.base.errors import (
    CodeChecksumDiffers,
    CodeFileNeeded,
    CodeFileUnreadable,
    CodeImportIdle,
    CodeNotAFile,
    CodePackageBroken,
    CodeTermsOpen,
    PermissionMissing,
)
from econnector.office.codes import batches, importer, job
from econnector.office.codes.importer import Codes, Row, Wanted
from econnector.office.codes.job import Job
from econnector.office.codes.open import Resting
from econnector.office.codes.words import said
from econnector.office.desk import Who
from econnector.opendental import codesystems, writes
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state import code_offers
from econnector.storage.state.base import join_state, open_state
from econnector.storage.state.code_imports import Progress
from econnector.storage.state.code_offers import Offer
from tests.office.codes.conftest import ADA, Practice
from tests.office.connector import sqlite_practice
from tests.support.fileserver import FileServer, serving

SNOMED = ("SnomedCode", "Description")
LINES = b"".join(b"%d\tfinding %d\n" % (number, number) for number in range(100, 400))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Practice]:
    """A practice in SQLite."""
    database = Database(await sqlite_practice(tmp_path / "practice.sqlite"), guard=writes.guard)
    state = await open_state(tmp_path / "state.db")
    yield Practice(database, state, tmp_path)
    await state.close()
    await database.close()


@pytest.fixture
async def server() -> AsyncIterator[FileServer]:
    async with serving(LINES) as running:
        yield running


async def done(desk: Practice, wanted: Wanted) -> Progress:
    async with await desk.codes.prepare(ADA, wanted) as work:
        return await work.run()


async def row_of(desk: Practice, name: str) -> Row:
    return next(row for row in await desk.codes.listed() if row.system.name == name)


def own_files(desk: Practice) -> list[str]:
    return sorted(file.name.rpartition(".")[2] for file in desk.folder.glob("codes-*") if file.suffix != ".lock")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# -- from an address ----------------------------------------------------------------------------------------------


async def test_a_file_is_downloaded_compared_imported_and_removed(desk: Practice, server: FileServer) -> None:
    wanted = Wanted("SNOMEDCT", url=server.address, checksum=digest(LINES).upper(), accept_terms=True, release="2030")
    ended = await done(desk, wanted)
    assert (ended.status, ended.added, ended.source) == ("complete", 300, server.address)
    assert len(await desk.rows("snomed", *SNOMED)) == 300
    row = await row_of(desk, "SNOMEDCT")
    assert (row.system.current, row.download, own_files(desk)) == ("2030", None, [])


@pytest.mark.causes("code-checksum")
async def test_a_download_that_is_not_the_one_that_was_published_changes_nothing(
    desk: Practice, server: FileServer
) -> None:
    wanted = Wanted("SNOMEDCT", url=server.address, checksum="0" * 64, accept_terms=True)
    with pytest.raises(CodeChecksumDiffers):
        await done(desk, wanted)
    row = await row_of(desk, "SNOMEDCT")
    assert await desk.rows("snomed", *SNOMED) == []
    assert (row.progress, own_files(desk)) == (None, [])
    how = said(row)
    assert how is not None
    assert (how.word.startswith("Error: "), how.state) == (True, "problem")
    server.content = b"<html>"
    with pytest.raises(CodeNotAFile):
        await done(desk, wanted)
    with pytest.raises(CodeTermsOpen):
        await desk.codes.prepare(ADA, Wanted("LOINC", url=server.address))


async def test_what_fails_between_download_and_import_does_not_cost_the_download(
    desk: Practice, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_system: str, path: Path, _out: Path) -> Path:
        raise CodeFileUnreadable(file=path, reason="No space left on device")

    wanted = Wanted("SNOMEDCT", url=server.address, accept_terms=True)
    monkeypatch.setattr(importer, "as_tabs", full)
    with pytest.raises(CodeFileUnreadable):
        await done(desk, wanted)
    how = said(await row_of(desk, "SNOMEDCT"))
    assert how is not None
    assert "No space left" in how.word
    monkeypatch.undo()
    assert (await done(desk, wanted)).added == 300
    assert len(server.asked) == 1


async def test_an_import_that_is_cancelled_is_gone_on_with_and_not_downloaded_again(
    desk: Practice, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH", 10)
    wanted = Wanted("SNOMEDCT", url=server.address, accept_terms=True)
    async with await desk.codes.prepare(ADA, wanted) as work:
        stopped = await work.run(lambda progress: work.cancel() if progress.line == 50 else None)
    assert (stopped.status, stopped.line) == ("cancelled", 50)
    assert own_files(desk) == ["part"]
    how = said(await row_of(desk, "SNOMEDCT"))
    assert how is not None
    assert how.word == "Import cancelled"
    ended = await done(desk, wanted)
    assert (ended.status, ended.added, len(server.asked)) == ("complete", 300, 1)
    assert own_files(desk) == []


async def test_a_download_is_cancelled_at_once_and_shown_as_it_stands(desk: Practice, server: FileServer) -> None:
    server.holds = 1000
    wanted = Wanted("SNOMEDCT", url=server.address, accept_terms=True)
    async with await desk.codes.prepare(ADA, wanted) as work:
        running = asyncio.create_task(work.run())
        await server.held.wait()
        async with asyncio.timeout(60):
            while not ((row := await row_of(desk, "SNOMEDCT")).download and row.download.total):  # noqa: ASYNC110 - a file
                await asyncio.sleep(0.01)
        how = said(row)
        assert how is not None
        assert (how.word, how.loads, row.download.total) == ("Downloading", True, len(LINES))
        work.cancel()
        assert (await asyncio.wait_for(running, 60)).status == "cancelled"
    how = said(await row_of(desk, "SNOMEDCT"))
    assert how is not None
    assert how.word == "Import cancelled"
    server.holds = None
    assert (await done(desk, wanted)).added == 300


# -- what HQ offers -----------------------------------------------------------------------------------------------


async def test_what_hq_offers_is_shown_to_open_dental_and_is_what_an_import_takes(
    desk: Practice, server: FileServer
) -> None:
    server.content = b"9998\tan offered vaccine\n"
    offer = Offer("CVX", "2030-01", server.address, digest(server.content))
    await desk.state.run(code_offers.keep, [offer], SYSTEM.now())
    await desk.codes.check()
    row = await row_of(desk, "CVX")
    assert (row.system.available, row.available, row.is_newer) == ("2030-01", "2030-01", True)
    ended = await done(desk, Wanted("CVX"))
    assert (ended.version, ended.added) == ("2030-01", 1)
    assert await desk.version("CVX") == "2030-01"
    assert not (await row_of(desk, "CVX")).is_newer
    assert (await done(desk, Wanted("CVX", shipped=True))).added == 124
    assert len(server.asked) == 1
    other, same = desk.folder / "other.txt", desk.folder / "same.txt"
    other.write_bytes(b"9997\tanother vaccine\n")
    same.write_bytes(server.content)
    # Only what HQ offers has its name.
    assert (await done(desk, Wanted("CVX", other))).version != "2030-01"
    assert (await done(desk, Wanted("CVX", same))).version == "2030-01"
    await desk.state.run(code_offers.keep, [Offer("CVX", "2030-02", server.address, "0" * 64)], SYSTEM.now())
    with pytest.raises(CodeChecksumDiffers):
        await done(desk, Wanted("CVX"))


# -- publishers' own forms ----------------------------------------------------------------------------------------

ORDER = (
    f"00001 A00     0 {'Cholera':<60} Cholera\r\n"
    f"00002 A000    1 {'Cholera due to V. cholerae':<60} Cholera due to Vibrio cholerae 01\r\n"
    "not a line of it\r\n"
    f"00003 S0200XA 1 {'Fx of vault of skull':<60} Fracture of vault of skull\r\n"
)
CODES = [
    ("A00", "Cholera", "0"),
    ("A00.0", "Cholera due to Vibrio cholerae 01", "1"),
    ("S02.00XA", "Fracture of vault of skull", "1"),
]


@pytest.mark.parametrize("packed", [False, True])
async def test_the_cdcs_order_file_is_read_alone_and_in_its_zip(desk: Practice, *, packed: bool) -> None:
    file = desk.folder / ("2030 Code Descriptions.zip" if packed else "icd10cm_order_2030.txt")
    if packed:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("icd10cm-order-addenda-2030.txt", "nothing of this")
            archive.writestr("codes/icd10cm-order-2030.txt", ORDER)
            archive.writestr("icd10OrderFiles.pdf", "%PDF")
    else:
        file.write_bytes(ORDER.encode())
    ended = await done(desk, Wanted("ICD10CM", file, release="2030"))
    assert (ended.added, ended.bad, ended.source) == (3, 1, file.name)
    assert [bad.line for bad in await desk.codes.bad_lines("ICD10CM")] == [3]
    assert await desk.rows("icd10", "Icd10Code", "Description", "IsCode") == CODES
    assert own_files(desk) == []
    again = await done(desk, Wanted("ICD10CM", file))
    assert (again.added, again.same) == (0, 3)


@pytest.mark.causes("code-file-unreadable")
async def test_a_publishers_zip_that_is_damaged_is_refused_before_anything_is_written(desk: Practice) -> None:
    archive = desk.folder / "codes.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("icd10cm-order-2030.txt", ORDER)
        zipped.writestr("read me.txt", "read me")
    archive.write_bytes(archive.read_bytes().replace(b"vault of skull", b"wault of skull"))
    with pytest.raises(CodeFileUnreadable, match="damaged"):
        await desk.codes.prepare(ADA, Wanted("ICD10CM", archive))
    assert (await row_of(desk, "ICD10CM")).progress is None


async def test_icd10_in_the_tab_form_is_read_as_ever(desk: Practice) -> None:
    ended = await desk.run("ICD10CM", "A00.1\tCholera, another\t1\n")
    assert (ended.added, ended.bad) == (1, 0)


async def test_snomed_is_read_as_the_library_of_medicine_gives_it_out(desk: Practice) -> None:
    head = "id effectiveTime active moduleId conceptId languageCode typeId term caseSignificanceId"
    names = [
        ("1", "900000000000003001", "111", "A fake disorder (disorder)"),
        ("1", "900000000000013009", "111", "Another word for it"),
        ("0", "900000000000003001", "222", "No longer so called"),
        ("1", "900000000000003001", "333", "A fake procedure (procedure)"),
    ]
    lines = [f"9\t20300101\t{active}\t8\t{code}\ten\t{kind}\t{term}\t7" for active, kind, code, term in names]
    archive = desk.folder / "SnomedCT_US.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("Snapshot/Terminology/sct2_Concept_Snapshot_US.txt", "id\n")
        text = "\r\n".join(["\t".join(head.split()), *lines, ""])
        zipped.writestr("Snapshot/Terminology/sct2_Description_Snapshot-en_US_20300101.txt", text)
    ended = await done(desk, Wanted("SNOMEDCT", archive, accept_terms=True))
    assert (ended.status, ended.added, ended.bad) == ("complete", 2, 0)
    assert await desk.rows("snomed", *SNOMED) == [
        ("111", "A fake disorder (disorder)"),
        ("333", "A fake procedure (procedure)"),
    ]


# -- a package that somebody has installed ------------------------------------------------------------------------

PACKAGE = """
NAMES = {"1": "A chapter", "A00-A09": "A block", "A00": "Cholera", "A00.0": "Cholera,\\n classical form"}
NAMES["B99"] = "Other"
def get_all_codes(with_dots=True):
    assert with_dots
    return list(NAMES)
def get_description(code, prioritize_blocks=False):
    return NAMES[code]
def is_leaf(code, prioritize_blocks=False):
    return code != "A00"
"""


@pytest.mark.causes("code-package")
async def test_icd10_comes_from_the_package_where_it_is_installed(
    desk: Practice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CodeFileNeeded):
        await desk.codes.prepare(ADA, Wanted("ICD10CM"))
    folder = tmp_path / "site"
    (folder / "simple_icd_10_cm").mkdir(parents=True)
    module = folder / "simple_icd_10_cm" / "__init__.py"
    module.write_text(PACKAGE)
    about = folder / "simple_icd_10_cm-9.9.9.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: simple-icd-10-cm\nVersion: 9.9.9\n")
    monkeypatch.syspath_prepend(folder)
    await desk.codes.check()
    assert (await row_of(desk, "ICD10CM")).system.available == "simple-icd-10-cm 9.9.9"
    ended = await done(desk, Wanted("ICD10CM"))
    assert (ended.added, ended.bad, ended.version) == (3, 0, "simple-icd-10-cm 9.9.9")
    rows = await desk.rows("icd10", "Icd10Code", "Description", "IsCode")
    assert rows == [("A00", "Cholera", "0"), ("A00.0", "Cholera, classical form", "1"), ("B99", "Other", "1")]
    assert own_files(desk) == []
    module.write_text("raise RuntimeError('broken')")
    with pytest.raises(CodePackageBroken):
        await desk.codes.prepare(ADA, Wanted("ICD10CM"))
    assert not desk.codes.runs("ICD10CM")


# -- cancelled by others, and beside others -----------------------------------------------------------------------


async def test_another_process_cancels_an_import_and_a_wish_of_yesterday_cancels_nothing(
    desk: Practice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH", 1)
    monkeypatch.setattr(job, "LOOK_SECONDS", 0.01)
    other_state = await join_state(tmp_path / "state.db")
    other = Codes(desk.database, other_state, Schemas(), "SERVER", tmp_path)
    with pytest.raises(CodeImportIdle):
        await other.cancel(ADA, "SNOMEDCT")
    with pytest.raises(PermissionMissing):
        await other.cancel(Who(9, "Vera", may_setup=False, may_admin=False), "SNOMEDCT")
    file = desk.folder / "snomed.txt"
    file.write_bytes(LINES)
    wanted = Wanted("SNOMEDCT", file, accept_terms=True)
    begun = asyncio.Event()
    async with await desk.codes.prepare(ADA, wanted) as work:
        running = asyncio.create_task(work.run(lambda _progress: begun.set()))
        await begun.wait()
        await other.cancel(ADA, "snomedct")
        stopped = await asyncio.wait_for(running, 60)
    assert stopped.status == "cancelled"
    assert 0 < stopped.line < 300
    await other_state.close()
    ended = await done(desk, wanted)
    assert (ended.status, ended.added) == ("complete", 300)


async def test_pages_are_answered_between_the_batches_over_connections_of_their_own(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH", 30)
    file = practice.folder / "snomed.txt"
    file.write_bytes(LINES)
    schemas, answered, jobs = Schemas(), set[int](), list[Job]()

    class Asked(Resting):
        """After every batch a page asks, and the import goes on when it has its answer."""

        async def run(self, *asked: Any, **more: Any) -> Any:  # type: ignore[override]
            result = await super().run(*asked, **more)
            async with asyncio.timeout(120):
                assert len(await practice.database.run(lambda one: codesystems.standings(one, schemas(one)))) == 13
            answered.update(each.progress.line for each in jobs)
            return result

    own = Asked(practice.url, guard=writes.guard, workers=2)
    codes = Codes(own, practice.state, Schemas(), "FRONT-DESK", practice.folder)
    async with await codes.prepare(ADA, Wanted("SNOMEDCT", file, accept_terms=True)) as work:
        jobs.append(work)
        assert (await work.run()).added == 300
    assert answered >= set(range(30, 300, 30)), answered
    await own.close()

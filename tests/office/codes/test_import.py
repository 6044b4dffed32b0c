"""Importing code systems: what becomes of every line, and of an import that is cut off."""

import zipfile

import pytest

from econnector.base.errors import (
    CodeChecksumDiffers,
    CodeFileNeeded,
    CodeFileUnreadable,
    CodeImportRuns,
    CodesMiddleTier,
    CodeSystemUnknown,
    CodeTermsOpen,
    PermissionMissing,
)
from econnector.office.codes import batches
from econnector.office.codes.importer import Codes, Wanted
from econnector.office.desk import Who
from econnector.opendental.preferences import write
from econnector.opendental.schema import Schemas, inspect
from econnector.storage.state import code_imports
from tests.office.codes.conftest import ADA, Practice

SNOMED = ("SnomedCode", "Description")


async def test_what_comes_with_it_is_imported_and_the_second_time_changes_nothing(practice: Practice) -> None:
    first = await practice.run("CDCREC")
    assert (first.status, first.added, first.bad) == ("complete", 966, 0)
    again = await practice.run("cdcrec")
    assert (again.added, again.changed, again.same) == (0, 0, 966)
    rows = await practice.rows("cdcrec", "CdcrecCode", "HeirarchicalCode", "Description")
    assert ("2106-3", "R5", "White") in rows
    assert len(rows) == 966
    assert await practice.version("CDCREC") == first.version
    texts = [text for (text,) in await practice.rows("securitylog", "LogText")]
    assert sum("import of CDCREC" in text for text in texts) == 2
    assert len(await practice.rows("securityloghash", "LogHash")) == 2


async def test_old_descriptions_are_kept_or_taken_as_asked(practice: Practice) -> None:
    await practice.run("SNOMEDCT", "100\told words\n200\ttwo\n")
    kept = await practice.run("SNOMEDCT", "100\tnew words\n300\tthree\n")
    assert (kept.added, kept.changed, kept.same) == (1, 0, 1)
    assert await practice.rows("snomed", *SNOMED) == [("100", "old words"), ("200", "two"), ("300", "three")]
    taken = await practice.run("SNOMEDCT", "100\tnew words\n300\tthree\n", keep_old=False)
    assert (taken.added, taken.changed, taken.same) == (0, 1, 1)
    assert await practice.rows("snomed", *SNOMED) == [("100", "new words"), ("200", "two"), ("300", "three")]


async def test_bad_lines_are_counted_told_and_harm_nobody(practice: Practice) -> None:
    text = "100\tgood\n\nno tab here\n\tno code\n" + "9" * 300 + "\ttoo long\n200\t" + "x" * 300 + "\n100\tgood\n"
    done = await practice.run("SNOMEDCT", text)
    assert (done.status, done.added, done.same, done.bad, done.shortened) == ("complete", 2, 1, 3, 1)
    bad = await practice.codes.bad_lines("SNOMEDCT")
    assert [(one.line, one.reason) for one in bad] == [
        (3, "2 columns are expected, the line has 1"),
        (4, "there is no code"),
        (5, "the code is longer than 255 characters"),
    ]
    assert await practice.rows("snomed", *SNOMED) == [("100", "good"), ("200", "x" * 255)]


async def test_codes_that_differ_in_capitals_only_are_two(practice: Practice) -> None:
    await practice.run("UCUM", "m\tmeter\nM\tmega\nPa\tpascal\n")
    again = await practice.run("UCUM", "pa\tno unit at all\nM\tmega\n")
    assert (again.added, again.same) == (1, 1)
    codes = [code for (code,) in await practice.rows("ucum", "UcumCode")]
    assert sorted(codes) == ["M", "Pa", "m", "pa"]


async def test_a_medication_may_have_two_rows_and_numbers_become_numbers(practice: Practice) -> None:
    done = await practice.run("RXNORM", "1\t\tfirst\n1\tm2\tsecond\n1\t\tfirst\n")
    assert (done.added, done.same) == (2, 1)
    loinc = "\t".join(["1-8", *(f"c{n}" for n in range(9)), "Y", "o", "h", "n", "l", "u", "12", ""])
    wrong = loinc.replace("\tY\t", "\tperhaps\t")
    done = await practice.run("LOINC", f"{loinc}\n{wrong}\n")
    assert (done.added, done.bad) == (1, 1)
    ranks = await practice.rows("loinc", "LoincCode", "UnitsRequired", "RankCommonTests", "RankCommonOrders")
    assert ranks == [("1-8", 1, 12, 0)]


async def test_the_cdcs_own_list_and_the_amas_zip_are_read(practice: Practice) -> None:
    file = practice.folder / "cvx.txt"
    line = "{:<10}|short {}|full name|note|Active|1|False|2020/01/01\r\n"
    file.write_bytes("".join(line.format(code, code) for code in ("998", "999")).encode("utf-16"))
    async with await practice.codes.prepare(ADA, Wanted("CVX", file)) as work:
        assert (await work.run()).added == 2
    assert await practice.rows("cvx", "CvxCode", "Description") == [("998", "short 998"), ("999", "short 999")]
    archive = practice.folder / "cpt.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("README.txt", "read me")
        zipped.writestr("data/MEDU.txt", "COPYRIGHT\n00000 A fake procedure, for tests\n0000T Another\n")
    async with await practice.codes.prepare(ADA, Wanted("CPT", archive, release="2030", accept_terms=True)) as work:
        done = await work.run()
    assert (done.added, done.bad) == (2, 1)
    assert await practice.version("CPT") == "2030"


async def test_an_import_that_is_cancelled_goes_on_where_it_stopped(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH", 10)
    file = practice.folder / "many.txt"
    file.write_text("".join(f"{number}\ttext {number}\n" for number in range(95)))
    wanted = Wanted("SNOMEDCT", file, accept_terms=True, release="one")
    async with await practice.codes.prepare(ADA, wanted) as work:
        stopped = await work.run(lambda progress: work.cancel() if progress.line == 30 else None)
    assert (stopped.status, stopped.line, stopped.added) == ("cancelled", 30, 30)
    assert await practice.version("SNOMEDCT") == ""
    # As if it had died after writing a part of the next batch.
    later = await practice.codes.prepare(ADA, wanted)
    await practice.database.run(_add, "35")
    async with later as work:
        seen: list[int] = []
        done = await work.run(lambda progress: seen.append(progress.line))
    assert (seen[0], done.status, done.line, done.added, done.same) == (40, "complete", 95, 94, 1)
    assert len(await practice.rows("snomed", *SNOMED)) == 95
    assert await practice.version("SNOMEDCT") == "one"


def _add(connection: object, code: str) -> None:
    connection.exec_driver_sql(f"INSERT INTO snomed (SnomedCode, Description) VALUES ('{code}', 'text {code}')")  # type: ignore[attr-defined]


async def test_another_file_begins_anew(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH", 2)
    file = practice.folder / "SNOMEDCT.txt"
    file.write_text("1\ta\n2\tb\n3\tc\n4\td\n")
    async with await practice.codes.prepare(ADA, Wanted("SNOMEDCT", file, accept_terms=True)) as work:
        work.cancel()
        assert (await work.run()).line == 2
    done = await practice.run("SNOMEDCT", "1\ta\n9\tz\n")
    assert (done.added, done.same, done.line) == (1, 1, 2)
    assert [code for code, _ in await practice.rows("snomed", *SNOMED)] == ["1", "2", "9"]


async def test_random_keys_are_drawn_where_the_practice_wants_them(practice: Practice) -> None:
    await practice.database.run(lambda connection: write(connection, inspect(connection), "RandomPrimaryKeys", "1"))
    await practice.run("SNOMEDCT", "".join(f"{number}\tx\n" for number in range(50)))
    keys = [key for (key,) in await practice.rows("snomed", "SnomedNum")]
    assert len(set(keys)) == 50
    assert min(keys) >= 10_000
    assert max(keys) > 10**9


@pytest.mark.causes("code-import-runs", "code-system-unknown", "codes-middle-tier")
async def test_what_forbids_an_import_is_said_before_anything_is_written(practice: Practice) -> None:
    codes, file = practice.codes, practice.folder / "file.txt"
    file.write_text("1\tone\n")

    async def refused(failure: type[Exception], wanted: Wanted, who: Who = ADA, by: Codes = codes) -> None:
        with pytest.raises(failure):
            await by.prepare(who, wanted)

    await refused(CodeSystemUnknown, Wanted("ICD11"))
    await refused(CodeSystemUnknown, Wanted("CDT", file))
    await refused(CodeTermsOpen, Wanted("SNOMEDCT", file))
    await refused(CodeFileNeeded, Wanted("HCPCS"))
    await refused(CodeFileUnreadable, Wanted("HCPCS", practice.folder / "not there.txt"))
    await refused(CodeChecksumDiffers, Wanted("HCPCS", file, checksum="0" * 64))
    await refused(PermissionMissing, Wanted("CVX"), Who(9, "Vera", may_setup=False, may_admin=False))
    tiered = Codes(practice.database, practice.state, Schemas(), "PC", practice.folder, "C:/FreeDentalConfig.xml")
    await refused(CodesMiddleTier, Wanted("CVX"), by=tiered)
    async with await codes.prepare(ADA, Wanted("CVX")):
        assert [row.system.name for row in await codes.listed() if row.runs] == ["CVX"]
        await refused(CodeImportRuns, Wanted("CVX"))
    assert await practice.rows("snomed", *SNOMED) == []
    assert await practice.version("HCPCS") == ""
    await codes.accept(ADA, "SNOMEDCT")
    async with await codes.prepare(ADA, Wanted("SNOMEDCT", file)) as work:
        assert (await work.run()).added == 1


async def test_a_damaged_zip_fails_and_the_whole_one_goes_on(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH", 1000)
    archive = practice.folder / "snomed.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("s.txt", "".join(f"{number}\t{number**9}\n" for number in range(9000)))
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2] + bytes(64) + whole[len(whole) // 2 + 64 :])
    async with await practice.codes.prepare(ADA, Wanted("SNOMEDCT", archive, accept_terms=True)) as work:
        with pytest.raises(CodeFileUnreadable):
            await work.run()
    (row,) = [row for row in await practice.codes.listed() if row.system.name == "SNOMEDCT"]
    assert row.progress is not None
    assert row.progress.status == code_imports.FAILED
    assert "zip" in row.progress.failure
    assert row.system.current == ""

"""What an office tells a program: the rows that its rights cover, no note of the staff's, and a trace of each look."""

import datetime as dt
import shutil

import pytest

from econnector.base.errors import FileMissing, RecordMissing, ValueRejected, VersionsDiffer
from econnector.eservices.api import calls
from econnector.opendental import tables
from econnector.storage.files import StoredFile
from tests.api.conftest import ApiOffice
from tests.support.practice import PDF, Cast
from tests.support.practice_papers import PNG
from tests.support.practice_visits import day

SCHEDULE = "API: Bright Recall (key {}) read the schedule of {}: {} appointments from {} on."


async def schedule(office: ApiOffice, key: str, on: dt.date | str, offset: int = 0, limit: int = 100) -> list[int]:
    page = await office.ask(calls.APPOINTMENTS, calls.AppointmentsAsked(key, str(on), offset, limit))
    return [row.AptNum for row in page.appointments]


async def documents(office: ApiOffice, key: str, patient: int, offset: int = 0, limit: int = 100) -> list[int]:
    page = await office.ask(calls.DOCUMENTS, calls.DocumentsAsked(key, patient, offset, limit))
    return [row.DocNum for row in page.documents]


async def test_the_status_names_the_office_and_what_the_key_may_do_and_leaves_no_trace(office: ApiOffice) -> None:
    made = await office.key("documents", "schedule")
    status = await office.ask(calls.STATUS, calls.StatusAsked(made.key))
    assert (status.office, status.versionOpenDental) == ("Bright Smile Dental", "24.3.10.0")
    assert status.serverDateTime == "2026-01-02T12:00:00Z"
    assert status.rights == ["schedule", "documents"]
    assert await office.traces() == []


async def test_a_days_schedule_and_a_patients_documents_are_read_on_every_database(real_office: ApiOffice) -> None:
    office, made = real_office, await real_office.key("schedule", "documents")
    await office.behind.add(tables.operatory, OperatoryNum=970, OpName="Op 3", Abbrev="3")
    await office.behind.change(tables.appointment, {"Op": 970, "Note": "difficult"}, AptNum=1001)
    page = await office.ask(calls.APPOINTMENTS, calls.AppointmentsAsked(made.key, day(3).isoformat()))
    (row,) = page.appointments
    assert (row.AptNum, row.PatNum, row.AptStatus, row.minutes) == (1001, Cast.MARIA, "Scheduled", 50)
    assert row.AptDateTime == f"{day(3)} 14:30:00"
    assert (row.provAbbr, row.operatory) == ("DOC9", "Op 3")
    assert row.confirmed
    assert b"difficult" not in calls.APPOINTMENTS.encode(page)
    listed = await office.ask(calls.DOCUMENTS, calls.DocumentsAsked(made.key, Cast.MARIA))
    assert [(each.DocNum, each.extension, each.fileSize) for each in listed.documents] == [
        (107, ".pdf", len(PDF)),
        (820, ".png", len(PNG)),
    ]
    assert listed.documents[1].DateCreated == "2025-11-20 10:00:00"
    head, content = await office.download(calls.DOCUMENT, calls.DocumentAsked(made.key, 820))
    assert (head.name, head.media_type, head.size, content) == ("820.png", "image/png", len(PNG), PNG)
    who = f"API: Bright Recall (key {made.number}) "
    assert await office.traces() == [
        (0, SCHEDULE.format(made.number, day(3), 1, 0)),
        (Cast.MARIA, who + "read the list of documents: 2 from 0 on."),
        (Cast.MARIA, who + "opened document 820."),
    ]


async def test_what_stands_on_the_schedule_is_told_and_neither_plans_nor_notes(office: ApiOffice) -> None:
    made = await office.key("schedule")
    assert await schedule(office, made.key, day(1)) == [1004]  # broken: its time is free
    assert await schedule(office, made.key, day(2)) == []  # planned; a note
    assert await schedule(office, made.key, day(4)) == []  # on the unscheduled list
    assert await schedule(office, made.key, day(-10)) == [1017]
    assert await schedule(office, made.key, "0001-01-01") == []
    assert await schedule(office, made.key, "9999-12-31") == []
    await office.behind.change(tables.appointment, {"AptDateTime": dt.datetime.combine(day(0), dt.time())}, AptNum=1001)
    last = dt.datetime.combine(day(0), dt.time(23, 59, 59))
    await office.behind.change(tables.appointment, {"AptDateTime": last}, AptNum=1002)
    assert await schedule(office, made.key, "") == [1001, 1002]


async def test_a_long_day_comes_page_by_page_and_whole(office: ApiOffice) -> None:
    made = await office.key("schedule")
    whole = []
    for number in range(5001, 5008):
        at = dt.datetime.combine(day(100), dt.time(8 + (number % 3)))
        await office.behind.add(tables.appointment, AptNum=number, PatNum=11, AptStatus=1, AptDateTime=at, Pattern="/")
    for offset in range(0, 100, 3):
        asked = calls.AppointmentsAsked(made.key, day(100).isoformat(), offset, 3)
        page = await office.ask(calls.APPOINTMENTS, asked)
        whole += [(row.AptDateTime, row.AptNum) for row in page.appointments]
        if not page.more:
            break
    assert (len(whole), offset) == (7, 6)
    assert whole == sorted(whole)
    # What HQ should not have let through comes as the nearest page there is.
    page = await office.ask(calls.APPOINTMENTS, calls.AppointmentsAsked(made.key, str(day(100)), -5, 100_000))
    assert (page.offset, page.limit, len(page.appointments)) == (0, 100, 7)


@pytest.mark.causes("value-rejected")
async def test_a_day_that_is_none_is_refused_by_the_office_itself(office: ApiOffice) -> None:
    made = await office.key("schedule")
    with pytest.raises(ValueRejected) as refused:
        await schedule(office, made.key, "2026-02-30' OR 1=1")
    assert refused.value.facts["field"] == "date"
    assert await office.traces() == []


@pytest.mark.causes("record-missing")
async def test_only_what_the_office_shows_to_patients_leaves_it(office: ApiOffice) -> None:
    made = await office.key("documents")
    assert await documents(office, made.key, Cast.MARIA) == [107, 820]
    assert await documents(office, made.key, Cast.MARIA, 1, 1) == [820]
    shown = {
        number for person in Cast if person != Cast.DELETED for number in await documents(office, made.key, person)
    }
    # A statement, one in a hidden category, a file that is no PDF or picture, one in a mount's slot, none at all.
    for number in (100, 827, 821, 110, 999_999, 0, -1, 2**63):
        assert number not in shown
        with pytest.raises(RecordMissing):
            await office.ask(calls.DOCUMENT, calls.DocumentAsked(made.key, number))
    for patient in (Cast.DELETED, 999_999, 0, -1, 2**63):
        with pytest.raises(RecordMissing):
            await documents(office, made.key, patient)
    await office.behind.change(tables.patient, {"PatStatus": 4}, PatNum=Cast.LUIS)
    with pytest.raises(RecordMissing):
        await office.ask(calls.DOCUMENT, calls.DocumentAsked(made.key, 822))


async def test_a_file_is_read_from_its_patients_folder_and_nowhere_else(office: ApiOffice) -> None:
    made, folder = await office.key("documents"), office.behind.root / "M" / "Maria11"
    secret = office.behind.root.parent / "secret.pdf"
    secret.write_bytes(PDF)
    for name in ("..\\..\\..\\secret.pdf", "../../../secret.pdf", str(secret), "linked.pdf"):
        (folder / "linked.pdf").unlink(missing_ok=True)
        (folder / "linked.pdf").symlink_to(secret)
        await office.behind.change(tables.document, {"FileName": name}, DocNum=820)
        page = await office.ask(calls.DOCUMENTS, calls.DocumentsAsked(made.key, Cast.MARIA))
        assert [row.fileSize for row in page.documents if row.DocNum == 820] == [None]
        with pytest.raises(FileMissing) as missing:
            await office.ask(calls.DOCUMENT, calls.DocumentAsked(made.key, 820))
        assert "secret" not in missing.value.office_text()
    assert all("opened" not in text for _, text in await office.traces())


async def test_a_size_that_only_opening_would_tell_is_left_open(office: ApiOffice) -> None:
    made = await office.key("documents")
    folder = office.behind.root / "M" / "Maria11"
    (folder / "Maria820.png").rename(folder / "MARIA820.PNG")  # as on a Windows share: case is nobody's
    page = await office.ask(calls.DOCUMENTS, calls.DocumentsAsked(made.key, Cast.MARIA))
    assert [row.fileSize for row in page.documents] == [len(PDF), len(PNG)]
    shutil.rmtree(folder)
    page = await office.ask(calls.DOCUMENTS, calls.DocumentsAsked(made.key, Cast.MARIA))
    assert [row.fileSize for row in page.documents] == [None, None]
    await office.behind.prefer("AtoZfolderUsed", "0")
    page = await office.ask(calls.DOCUMENTS, calls.DocumentsAsked(made.key, Cast.MARIA))
    assert [row.fileSize for row in page.documents] == [None, None]


async def test_a_file_whose_look_cannot_be_noted_is_not_given_and_is_closed(
    office: ApiOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, closed = await office.key("documents"), []
    close = StoredFile.aclose

    async def closing(self: StoredFile) -> None:
        closed.append(self.name)
        await close(self)

    monkeypatch.setattr(StoredFile, "aclose", closing)
    await office.behind.front_desk.run(tables.securitylog.drop)
    with pytest.raises(VersionsDiffer):
        await office.ask(calls.DOCUMENT, calls.DocumentAsked(made.key, 820))
    assert closed == ["Maria820.png"]

"""What one page lacks: for each cause what the patient reads, what the office is told, and that it comes again."""

import shutil
from pathlib import Path

import pytest

from econnector.base.errors import CATALOGUE, UnknownCall
from econnector.eservices.portal.calls import Nothing
from econnector.office.status import find_failure
from econnector.wire.call import Call
from tests.failures.test_reaching import asked, until_ok
from tests.failures.world import World, examined
from tests.office.test_office import until
from tests.support.practice import Cast

LACKS = {
    "birth date": ("patient", "Birthdate", "PatNum = 13", "0001-01-01", "Birth date of the patient"),
    "address": ("patient", "City", "PatNum = 13", "", "City of the patient"),
    "practice": ("preference", "ValueString", "PrefName = 'PracticeCity'", "", "City of the practice"),
    "provider": ("provider", "NationalProvID", "ProvNum > 0", "", "NPI"),
}
TABLES = {"SNOMED CT table empty": ("snomed", "SNOMED CT"), "CVX table empty": ("cvx", "CVX")}
MESSAGES = "/o/smile/portal/messages"
SUMMARY = f"/o/smile/portal/health/summary?person={int(Cast.ANA)}"


async def told(world: World, code: str, *inside: str) -> None:
    """Assert that the patient is told kindly, without what only the office may know, and the office exactly."""
    page = await world.refused(code, SUMMARY)
    assert "call the office" in page.text
    met = await world.noted(page)
    assert met.code == code
    for each in inside:
        assert each in met.facts["what"]
        assert met.facts["what"] not in page.text
    finding = await world.finding("summaries")
    assert finding.state in {"attention", "problem"}
    assert any(each in " ".join([finding.text, *finding.details]) for each in inside)
    assert finding.remedy


@pytest.mark.causes(
    "care-summary-not-set-up", row="summary-details: birth date missing", sees="patient, history, doctor, again"
)
@pytest.mark.causes(row="summary-details: address missing", sees="patient, history, doctor, again")
@pytest.mark.causes(row="summary-details: provider data missing", sees="patient, history, doctor, again")
@pytest.mark.causes(row="summary-details: practice data missing", sees="patient, history, doctor, again")
async def test_a_summary_that_lacks_what_it_must_say(world: World) -> None:
    await world.enrol()
    async with world.working():
        await world.sign_in()
        await world.until_it_works(SUMMARY)
        for table, column, where, nothing, missing in LACKS.values():
            change = f"UPDATE {table} SET {column} = :value WHERE {where}"
            ((before,), *_) = await asked(world, f"SELECT {column} FROM {table} WHERE {where} ORDER BY {column} DESC")
            await asked(world, change, value=nothing)
            await told(world, "care-summary-not-set-up", missing)
            await asked(world, change, value=before)
            await world.until_it_works(SUMMARY)
        await until_ok(world, "summaries")


@pytest.mark.causes(
    "care-summary-not-loaded", row="summary-tables: SNOMED CT table empty", sees="patient, history, doctor, again"
)
@pytest.mark.causes(row="summary-tables: CVX table empty", sees="patient, history, doctor, again")
@pytest.mark.causes(row="summary-details: code systems missing", sees="patient, history, doctor, again")
async def test_a_code_table_that_is_empty(world: World) -> None:
    await world.enrol()
    async with world.working():
        await world.sign_in()
        await world.until_it_works(SUMMARY)
        for table, word in TABLES.values():
            await asked(world, f"CREATE TABLE kept AS SELECT * FROM {table}")
            await asked(world, f"DELETE FROM {table}")
            await told(world, "care-summary-not-loaded", word)
            await asked(world, f"INSERT INTO {table} SELECT * FROM kept")
            await asked(world, "DROP TABLE kept")
            await world.until_it_works(SUMMARY)
        await until_ok(world, "summaries")


@pytest.mark.causes(
    "unknown-call", row="unknown-call: HQ asked a call this connector version does not know", sees="history, doctor"
)
async def test_a_call_of_a_later_version(world: World) -> None:
    later = Call("portal.of-tomorrow", Nothing, Nothing, limit=10)
    await world.enrol()
    async with world.working():
        with pytest.raises(UnknownCall) as caught:
            await world.hq.hq.switchboard.office("smile").ask(later, Nothing(), reference="7F3K-22QX")
        assert caught.value.facts["machine"] == "FRONT-DESK"
        (met,) = await until(lambda: find_failure(world.connector.loaded(), "7F3K-22QX"))
        assert (met.code, met.call) == ("unknown-call", later.name)
        finding = await world.finding("versions")
        assert (finding.state, finding.code) == ("problem", "unknown-call")
        assert later.name in finding.text
        assert "FRONT-DESK" in " ".join(finding.remedy)


NEWER, OLDER = "24.4.30.0", "20.5.60.0"


async def put_version(world: World, version: str) -> str:
    """Let the database be of another version; return the one that it was of."""
    name = "WHERE PrefName = 'DataBaseVersion'"
    ((before,),) = await asked(world, f"SELECT ValueString FROM preference {name}")
    await asked(world, f"UPDATE preference SET ValueString = :version {name}", version=version)
    return str(before)


@pytest.mark.causes(
    "database-version", row="column: connector newer than the database", sees="patient, history, doctor, again"
)
async def test_a_database_that_is_too_old(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("econnector.opendental.schema._CHECK_SECONDS", 0.0)
    await world.enrol()
    async with world.working():
        await world.sign_in()
        await world.until_it_works(MESSAGES)
        before = await put_version(world, OLDER)
        met = await world.noted(await world.refused("database-version", MESSAGES))
        assert (met.code, met.facts["version"]) == ("database-version", OLDER)
        finding = await world.finding("schema")
        assert (finding.state, finding.code) == ("problem", "database-version")
        assert OLDER in finding.text
        assert "update Open Dental" in finding.remedy[0]
        await put_version(world, before)
        await world.until_it_works(MESSAGES)
        await until_ok(world, "schema")


@pytest.mark.causes(
    "database-version", row="column: connector older than the database", sees="patient, history, doctor, again"
)
async def test_a_database_that_renamed_a_column(world: World) -> None:
    await put_version(world, NEWER)
    await world.enrol()
    async with world.working():
        await world.sign_in()
        await world.until_it_works(MESSAGES)
        await asked(world, "ALTER TABLE emailmessage RENAME COLUMN ProvNumWebMail TO Elsewhere")
        page = await world.refused("database-version", MESSAGES)
        assert "different versions" in page.text
        assert "ProvNumWebMail" not in page.text
        met = await world.noted(page)
        assert met.code == "database-version"
        assert "ProvNumWebMail" in met.facts["missing"]
        assert met.facts["version"] == NEWER
        finding = await world.finding("schema")
        assert (finding.state, finding.code) == ("problem", "database-version")
        assert "emailmessage.ProvNumWebMail" in finding.text
        assert NEWER in finding.text
        await asked(world, "ALTER TABLE emailmessage RENAME COLUMN Elsewhere TO ProvNumWebMail")
        await world.until_it_works(MESSAGES)
        await until_ok(world, "schema")


@pytest.mark.causes(row="file: wrong path among several", sees="doctor")
@pytest.mark.causes(row="file: stored in the database instead", sees="doctor")
@pytest.mark.causes(row="file: name differs in case", sees="doctor")
async def test_what_the_doctor_says_of_the_images_folder(world: World, tmp_path: Path) -> None:
    images, other = tmp_path / "images", tmp_path / "old-copy"
    shutil.copytree(images, other, ignore=shutil.ignore_patterns("*.p??"))
    world.connector.write(world.hq.link, world.database)
    prefer = "UPDATE preference SET ValueString = :value WHERE PrefName = :name"
    await asked(world, prefer, name="DocPath", value=f"{other};{images}")
    found = await examined(world.connector, "images", "images-shared")
    assert found["images-shared"].state in {"attention", "problem"}
    assert str(images) in " ".join([*found["images"].details, *found["images-shared"].details])
    assert found["images-shared"].remedy
    await asked(world, prefer, name="DocPath", value=str(images))
    found = await examined(world.connector, "images", "images-shared")
    assert found["images"].state == "ok"
    assert "capital and small letters" in " ".join(found["images"].details)
    await asked(world, prefer, name="AtoZfolderUsed", value="0")
    assert "in the database" in (await examined(world.connector, "images"))["images"].text
    assert CATALOGUE["file-missing"].check == "images"

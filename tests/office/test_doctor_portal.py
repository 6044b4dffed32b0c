"""What the doctor finds about the portal: its address, and what care summaries cannot do without."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from econnector.office.doctor import portal, summaries
from econnector.office.doctor.check import Finding, examine
from econnector.office.doctor.scene import Scene
from tests.support.whole import built

HEAD = 1


@pytest.fixture
def practice(tmp_path: Path) -> Path:
    return Path(shutil.copytree(built(), tmp_path / "office"))


def sql(practice: Path, statement: str) -> None:
    with sqlite3.connect(practice / "practice.sqlite", timeout=60) as database:
        database.execute(statement)


async def found(practice: Path) -> dict[str, Finding]:
    scene = Scene(practice / "office.toml")
    try:
        return {each.check: each for each in await examine(scene, (*portal.CHECKS, *summaries.CHECKS))}
    finally:
        await scene.close()


async def test_charts_that_lack_something_are_counted_and_nobody_is_named(practice: Path) -> None:
    sql(practice, f"UPDATE patient SET City='' WHERE PatNum={HEAD}")
    finding = (await found(practice))["summaries"]
    assert finding.state == "attention"
    assert any("City of the patient" in line for line in finding.details)
    assert "Rivera" not in repr(finding)
    assert "econnector ccd check" in " ".join(finding.remedy)


async def test_an_empty_code_table_is_a_problem_with_the_way_to_fill_it(practice: Path) -> None:
    sql(practice, "DELETE FROM snomed")
    finding = (await found(practice))["summaries"]
    assert (finding.state, finding.code) == ("problem", "care-summary-not-loaded")
    assert "econnector codes" in " ".join(finding.remedy)


async def test_a_practice_without_a_phone_is_a_problem_of_its_own(practice: Path) -> None:
    sql(practice, "UPDATE preference SET ValueString='' WHERE PrefName='PracticePhone'")
    finding = (await found(practice))["summaries"]
    assert (finding.state, finding.code) == ("problem", "care-summary-not-set-up")
    assert "Phone number of the practice" in finding.text


async def test_where_nobody_has_access_nothing_is_missed_yet(practice: Path) -> None:
    sql(practice, "DELETE FROM userweb")
    sql(practice, "DELETE FROM snomed")
    assert (await found(practice))["summaries"].state == "ok"


async def test_the_portals_address_is_looked_at(practice: Path) -> None:
    set_to = "UPDATE preference SET ValueString='{}' WHERE PrefName='PatientPortalURL'"
    for url, state in (("", "ok"), ("http://portal.example.com/", "attention"), ("https://portal.example.com/", "ok")):
        sql(practice, set_to.format(url))
        assert (await found(practice))["portal"].state == state, url


async def test_without_a_database_neither_says_anything_of_its_own(practice: Path) -> None:
    (practice / "practice.sqlite").unlink()
    both = await found(practice)
    assert {name: each.state for name, each in both.items()} == {
        "portal": "unknown",
        "portal-people": "unknown",
        "summaries": "unknown",
    }

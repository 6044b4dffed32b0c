"""`econnector ccd …` as somebody in the office types it, over the demo's practice."""

import json
import shutil
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from lxml import etree

from econnector.cli.main import main
from tests.support.whole import built

HL7 = {"h": "urn:hl7-org:v3"}
HEAD = 1


@pytest.fixture
def practice(tmp_path: Path) -> Path:
    """A practice whose patients have access."""
    return Path(shutil.copytree(built(), tmp_path / "office"))


def sql(practice: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with sqlite3.connect(practice / "practice.sqlite", timeout=60) as database:
        return database.execute(statement, values).fetchall()


def say(practice: Path, *words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["ccd", *words, "--settings", str(practice / "office.toml")])
    return done.exit_code, done.stdout, done.stderr


def test_what_a_chart_lacks_is_named_and_nothing_once_it_is_entered(practice: Path) -> None:
    sql(practice, "UPDATE patient SET Birthdate='0001-01-01' WHERE PatNum=?", HEAD)
    status, out, _ = say(practice, "check", "--patient", str(HEAD))
    assert status == 1
    assert "Birth date" in out
    assert "1 patient was looked at; for 0 a care summary can be made." in out
    sql(practice, "UPDATE patient SET Birthdate='1980-02-03' WHERE PatNum=?", HEAD)
    status, out, _ = say(practice, "check", "--patient", str(HEAD))
    assert (status, out) == (0, "1 patient was looked at; for 1 a care summary can be made.\n")


def test_what_everybody_lacks_is_said_first_and_stops_an_export_before_it_writes(
    practice: Path, tmp_path: Path
) -> None:
    sql(practice, "DELETE FROM cvx")
    status, out, _ = say(practice, "check", "--all", "--json")
    found = json.loads(out)
    assert status == 1
    assert [one["area"] for one in found["everywhere"]] == ["codes"]
    status, _, err = say(practice, "export", "--all", "--out", str(tmp_path / "out"))
    assert status == 69
    assert "care-summary-not-loaded" in err
    assert "econnector codes for-summaries" in err
    assert list((tmp_path / "out").iterdir()) == []


def test_a_summary_is_a_file_that_only_its_writer_may_read_and_leaves_a_trace(practice: Path, tmp_path: Path) -> None:
    status, out, err = say(practice, "export", "--patient", str(HEAD), "--out", str(tmp_path / "out"))
    assert (status, err) == (0, "")
    file = tmp_path / "out" / f"care-summary-{HEAD}.xml"
    assert out == f"Written to {tmp_path / 'out'}: 1.\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    document = etree.parse(file)
    [(last, first)] = sql(practice, "SELECT LName, FName FROM patient WHERE PatNum=?", HEAD)
    assert document.xpath("//h:recordTarget//h:patient/h:name/h:family/text()", namespaces=HL7) == [last]
    assert document.xpath("//h:recordTarget//h:patient/h:name/h:given[1]/text()", namespaces=HL7) == [first]
    [(text, sealed)] = sql(
        practice,
        "SELECT LogText, LogHash FROM securitylog JOIN securityloghash USING (SecurityLogNum)"
        " WHERE PermType=68 AND PatNum=?",
        HEAD,
    )
    assert text.startswith("Patient portal: care summary exported")
    assert sealed


def test_all_are_written_but_those_whose_charts_lack_something(practice: Path, tmp_path: Path) -> None:
    _, out, _ = say(practice, "check", "--json")
    found = json.loads(out)
    short = {one["patient"]["number"] for one in found["short"]} | {HEAD}
    sql(practice, "UPDATE patient SET City='' WHERE PatNum=?", HEAD)
    status, out, _ = say(practice, "export", "--all", "--out", str(tmp_path / "out"), "--json")
    done = json.loads(out)
    assert status == 1
    assert {one["patient"] for one in done["left_out"]} == short
    assert len(done["written"]) == found["looked_at"] - len(short) > 0
    assert {Path(path).name for path in done["written"]} == {path.name for path in (tmp_path / "out").iterdir()}


def test_only_what_happened_within_the_days_asked_for_is_told(practice: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    say(practice, "export", "--patient", str(HEAD), "--out", str(out))
    whole = (out / f"care-summary-{HEAD}.xml").read_bytes()
    say(practice, "export", "--patient", str(HEAD), "--out", str(out), "--from", "2001-01-01", "--to", "2001-01-02")
    some = (out / f"care-summary-{HEAD}.xml").read_bytes()
    # What bears no date stays: nobody knows that it was not within them.
    assert dated_procedures(whole) > 1
    assert dated_procedures(some) == 0


def dated_procedures(document: bytes) -> float:
    dated = "count(//h:section[h:code/@code='47519-4']//h:procedure/h:effectiveTime[@value])"
    found = etree.fromstring(document).xpath(dated, namespaces=HL7)
    assert isinstance(found, float)
    return found


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("export", "--out", "x"), "Say whose"),
        (("export", "--patient", "1", "--all", "--out", "x"), "Say either"),
        (("export", "--patient", "1", "--out", "x", "--from", "2026-02-01", "--to", "2026-01-01"), "before --from"),
        (("export", "--patient", "0", "--out", "x"), "0 is not in the range"),
        (("export", "--patient", "1"), "--out"),
        (("check", "--patient", "1", "--all"), "Say either"),
    ],
)
def test_what_is_typed_wrong_is_said_and_nothing_is_written(
    practice: Path, words: tuple[str, ...], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(practice)
    status, _, err = say(practice, *words)
    assert status == 2
    assert why in err
    assert not (practice / "x").exists()


def test_a_chart_that_is_not_there_is_said(practice: Path, tmp_path: Path) -> None:
    for words in (("check",), ("export", "--out", str(tmp_path / "out"))):
        status, _, err = say(practice, *words, "--patient", "999999")
        assert status != 0
        assert "access-as-it-was" in err

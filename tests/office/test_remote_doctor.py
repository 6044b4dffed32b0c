"""What HQ hears of the office's doctor names no patient, with everything broken that can be."""

import asyncio
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from econnector.base.clock import SYSTEM
from econnector.link.calls import DOCTOR, DoctorWanted, Examined
from econnector.office.remote_doctor import RemoteDoctor
from econnector.office.settings import load_settings
from econnector.storage.state import failures
from econnector.storage.state.base import open_state
from econnector.wire.call import Answers, Asked
from tests.support.whole import built


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice with 200 patients of which much is broken."""
    folder = tmp_path_factory.mktemp("broken") / "office"
    shutil.copytree(built(), folder)
    for file in (folder / "images").rglob("*.*"):
        file.unlink()
    with sqlite3.connect(folder / "practice.sqlite") as practice:
        practice.execute("UPDATE patient SET Birthdate = '0001-01-01', Address = ''")
        practice.execute("UPDATE document SET FileName = '../' || FileName WHERE DocNum % 2 = 0")
    return folder


def personal(folder: Path) -> set[str]:
    """Return what tells of a patient: names, folders, mail addresses, phone numbers, user names, files."""
    with sqlite3.connect(folder / "practice.sqlite") as practice:
        rows: list[tuple[Any, ...]] = practice.execute(
            "SELECT FName || ' ' || LName, LName || ', ' || FName, ImageFolder, Email, WirelessPhone, HmPhone"
            " FROM patient"
        ).fetchall()
        rows += practice.execute("SELECT UserName FROM userweb").fetchall()
        rows += practice.execute("SELECT FileName FROM document").fetchall()
    return {text.strip() for row in rows for text in row if text and len(text.strip()) > 5}


async def examined(folder: Path) -> Examined:
    loaded = load_settings(folder / "office.toml", environment={})
    state = await open_state(folder / "other-state.sqlite")
    answers = Answers()
    RemoteDoctor(loaded, state, SYSTEM).answer_to(answers)
    facts = {"path": "/images/M/MariaGomez11/x.pdf", "patient": "Maria Gomez"}
    await state.run(
        failures.record, failures.Met("7F3K-22AB", "file-missing", "portal.x", facts, "2026-03-02T12:00:00")
    )
    found = answers.find(DOCTOR.name)
    assert found is not None
    try:
        asked = Asked(DOCTOR.name, "R", DOCTOR.limit, 1, "")
        both = [asyncio.ensure_future(found[1](asked, DoctorWanted())) for _ in range(2)]
        first, second = await asyncio.gather(*both)
        assert first is second, "who asks while it looks gets the same findings"
        return msgspec.convert(first, Examined)
    finally:
        await state.close()


async def test_findings_and_failures_that_hq_hears_of_name_no_patient(folder: Path) -> None:
    said = await examined(folder)
    assert {each.state for each in said.findings} >= {"ok", "problem"}, "something is broken here"
    assert [(each.code, each.reference) for each in said.failures] == [("file-missing", "7F3K-22AB")]
    whole = msgspec.json.encode(said).decode()
    assert "Gomez" not in whole
    secret = personal(folder)
    assert len(secret) > 500
    assert {text for text in secret if text in whole} == set()

"""`econnector office access …` as somebody in the office types it, on a practice in SQLite."""

import asyncio
import datetime as dt
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, update

from econnector.cli.main import main
from econnector.opendental import emailaddresses, passwords, preferences, tables
from econnector.opendental.schema import inspect
from econnector.storage.database import Database
from econnector.storage.state import second_steps
from econnector.storage.state.base import join_state
from tests.support.practice import Cast, add, fill

WHOLE = {"Address": "1 Elm St", "City": "Salem", "State": "OR", "HmPhone": "5550100", "Email": "a@example.com"}


class Person:
    """Types commands beside a connector that may or may not run."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "office.toml"
        (folder / "practice.db").touch()
        self.url = f"sqlite:///{folder / 'practice.db'}"
        self.file.write_text(f'state = "office.sqlite"\n[database]\nurl = "{self.url}"\n')
        self.does(self._fill)

    @staticmethod
    def _fill(connection: Connection) -> None:
        fill(connection)
        preferences.write(connection, inspect(connection), "PatientPortalURL", "https://portal.example.com/o/bright")
        connection.execute(update(tables.patient).where(tables.patient.c.PatNum == Cast.ANA).values(WHOLE))

    def does(self, work: Any) -> Any:
        async def run() -> Any:
            database = Database(self.url)
            try:
                return await database.run(work)
            finally:
                await database.close()

        return asyncio.run(run())

    def stored(self, person: Cast) -> str:
        password = tables.userweb.c.Password
        return str(
            self.does(
                lambda c: c.scalar(
                    password.table.select().with_only_columns(password).where(tables.userweb.c.FKey == person)
                )
            )
        )

    def types(self, *words: str, status: int = 0) -> str:
        done = CliRunner().invoke(main, ["office", "access", *words, "--settings", str(self.file)])
        assert done.exit_code == status, done.output
        return done.output

    def reads(self, *words: str) -> Any:
        return json.loads(self.types(*words, "--json"))


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    monkeypatch.setenv("COLUMNS", "200")
    return Person(tmp_path)


@pytest.mark.causes("access-as-it-was")
def test_a_patient_is_found_given_access_reset_and_removed(person: Person) -> None:
    assert "Delgado, Ana" in person.types("find", "delgado", "an")
    assert person.reads("show", str(int(Cast.ANA)))["access"] == "none"
    sheet = person.folder / "ana.pdf"
    given = person.reads("give", str(int(Cast.ANA)), "--sheet", str(sheet))
    assert passwords.check(person.stored(Cast.ANA), given["password"])
    assert sheet.read_bytes().startswith(b"%PDF")
    assert "has access already" in person.types("give", str(int(Cast.ANA)), status=65)
    said = person.types("reset", str(int(Cast.ANA)))
    assert given["user_name"] in said
    assert given["password"] not in said
    assert "Nothing was locked" in person.types("unlock", str(int(Cast.ANA)))
    assert "Access is removed" in person.types("remove", str(int(Cast.ANA)))
    assert person.stored(Cast.ANA) == "None$$"
    assert person.reads("remove", str(int(Cast.ANA))) == {"ok": True, "had_access": False}


@pytest.mark.causes("patient-incomplete")
def test_what_is_missing_is_said_and_nothing_is_written(person: Person) -> None:
    before = person.stored(Cast.ROSA)
    said = person.types("give", str(int(Cast.ROSA)), status=65)
    assert "before the chart is complete: email" in said
    assert person.stored(Cast.ROSA) == before
    assert "Nobody was found" in person.types("find", "nobodyhere")
    assert "Nothing was written" in person.types("many", "--days", "3")


def test_a_lost_second_step_is_turned_off_and_the_patient_told(person: Person) -> None:
    async def protect() -> None:
        state = await join_state(person.folder / "office.sqlite")

        def keep(connection: Connection) -> None:
            second_steps.prepare_app(connection, 1000 + Cast.MARIA, b"sealed", dt.datetime.now(dt.UTC))
            second_steps.confirm_app(connection, 1000 + Cast.MARIA, b"sealed", 1, 0, dt.datetime.now(dt.UTC))

        await state.run(keep)
        await state.close()

    maria = str(int(Cast.MARIA))
    person.does(lambda c: c.execute(update(tables.patient).where(tables.patient.c.PatNum == maria).values(WHOLE)))
    assert "There was no two-step sign-in" in person.types("two-step-off", maria, "--yes")
    asyncio.run(protect())
    person.types("two-step-off", maria, status=130)  # nobody says yes
    assert person.reads("two-step-off", maria, "--yes") == {"was_on": True, "sessions": 0, "told": True}
    assert "There was no two-step sign-in" in person.types("two-step-off", maria, "--yes")


def prepare_mail(connection: Connection) -> None:
    """An account to send from, and a visit of Ana's tomorrow."""
    sender = {"SMTPserver": "mail.example.com", "ServerPort": 587, "EmailUsername": "desk@example.com"}
    add(connection, tables.emailaddress, **sender, EmailPassword=emailaddresses.encrypted("x"))
    tomorrow = dt.datetime.now().replace(microsecond=0) + dt.timedelta(days=1)  # noqa: DTZ005 - office time
    add(connection, tables.appointment, PatNum=int(Cast.ANA), AptStatus=1, AptDateTime=tomorrow)


@pytest.mark.causes("patient-mail-missing")
def test_a_patient_is_invited_by_mail_and_no_password_is_shown(person: Person) -> None:
    said = person.types("invite", str(int(Cast.ANA)), status=69)
    assert "has no sender address" in said
    assert person.stored(Cast.ANA) == "None$$"
    person.does(prepare_mail)
    many = person.reads("many", "--days", "3", "--youngest", "0", "--invite")
    assert [(each["patient"], each["to"], each["given"]) for each in many] == [(Cast.ANA, "a…@example.com", True)]
    assert person.stored(Cast.ANA).startswith("SHA3_512$")
    said = person.types("invite", str(int(Cast.ANA)))
    assert "on its way to a…@example.com" in said
    with sqlite3.connect(person.folder / "office.sqlite") as file:
        mails = file.execute("SELECT recipient, state, text FROM outbox ORDER BY id").fetchall()
    assert [(recipient, state) for recipient, state, _ in mails] == [
        ("a@example.com", "removed"),
        ("a@example.com", "waiting"),
    ]
    code = mails[1][2].split("/invite#")[1].split()[0]
    assert code not in said + str(many)
    assert "No invite can be sent" in person.types("invite", str(int(Cast.MARIA)), status=65)

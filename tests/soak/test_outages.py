"""The verdict on the histories can fail: an outage that nobody was told of, or that nothing caused, is found."""

import datetime as dt
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.soak import outages
from tests.soak.account import Account
from tests.soak.controller import Hurt

BEGAN = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
MADE = "CREATE TABLE outage (id INTEGER PRIMARY KEY, kind, code, reference, began, ended)"
HISTORY = "CREATE TABLE history (id INTEGER PRIMARY KEY, kind, cause, detail, reference, at)"


def _hurt(part: str, how: str, seconds: float) -> Hurt:
    ended = BEGAN + dt.timedelta(seconds=seconds)
    return Hurt(part, how, BEGAN, ended, ended)


class Told:
    """What the office, HQ and Open Dental's database say."""

    def __init__(self, folder: Path) -> None:
        (folder / "hq").mkdir()
        self.office = sqlite3.connect(folder / "office.sqlite")
        self.hq = sqlite3.connect(folder / "hq" / "registry.db")
        self.office.execute(MADE)
        self.hq.execute(HISTORY)
        self.signals: list[SimpleNamespace] = []
        self.scene: Any = SimpleNamespace(
            state=folder / "office.sqlite", whole=SimpleNamespace(folder=folder), portals=["one"],
            practice=SimpleNamespace(signals=lambda: self.signals),
        )  # fmt: skip

    def outage(self, kind: str, code: str, seconds: float, *, told: bool = True, shown: bool = True) -> None:
        ended = BEGAN + dt.timedelta(seconds=seconds)
        row = (kind, code, "REFE-RENC", BEGAN.isoformat(), ended.isoformat())
        self.office.execute("INSERT INTO outage (kind, code, reference, began, ended) VALUES (?, ?, ?, ?, ?)", row)
        if told:
            self.happened("outage", code, "REFE-RENC")
        if shown:
            self.signals.append(SimpleNamespace(text="The database was away (reference REFE-RENC)"))

    def happened(self, kind: str, cause: str = "", reference: str = "") -> None:
        values = (kind, cause, "", reference, (BEGAN + dt.timedelta(seconds=70)).isoformat())
        self.hq.execute("INSERT INTO history (kind, cause, detail, reference, at) VALUES (?, ?, ?, ?, ?)", values)

    def wrongs(self, *hurts: Hurt) -> list[str]:
        self.office.commit()
        self.hq.commit()
        account = Account()
        outages.judge(self.scene, account, list(hurts))
        return [f"{one.who} {one.what}" for one in account.wrongs]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


def test_an_outage_that_everybody_was_told_of_is_right(told: Told) -> None:
    told.outage("database", "database-away", 80)
    assert told.wrongs(_hurt("mariadb", "stop", 80)) == []


def test_one_that_a_history_does_not_know_is_found(told: Told) -> None:
    told.outage("database", "database-away", 80, told=False, shown=False)
    found = told.wrongs(_hurt("mariadb", "stop", 80))
    assert [each.partition(" does")[0] for each in found] == ["HQ's history", "Open Dental's history"]


def test_a_short_one_need_not_stand_in_open_dentals_history(told: Told) -> None:
    told.outage("database", "database-away", 20, shown=False)
    assert told.wrongs(_hurt("mariadb", "stop", 20)) == []


def test_a_long_fault_that_nobody_noted_is_found(told: Told) -> None:
    assert told.wrongs(_hurt("mariadb", "freeze", 10)) == []
    assert told.wrongs(_hurt("mariadb", "freeze", 80)) == ["the office's outages mariadb freeze for 80 s is not there"]
    assert "nobody was unreachable" in told.wrongs(_hurt("connector", "kill", 80))[0]


def test_an_office_that_was_unreachable_must_be_reachable_again(told: Told) -> None:
    told.happened("unreachable", "office-unreachable")
    assert told.wrongs(_hurt("connector", "kill", 80)) == ["HQ's history 1 times unreachable, 0 times reachable"]
    told.happened("reachable")
    assert told.wrongs(_hurt("connector", "kill", 80)) == []


def test_one_of_another_cause_or_of_none_is_found(told: Told) -> None:
    told.outage("database", "database-version", 20)
    found = told.wrongs(_hurt("nats", "kill", 20))
    assert "no storm has this cause" in found[0]
    assert "nothing was hurt then" in found[1]

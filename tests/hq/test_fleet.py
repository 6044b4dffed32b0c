"""The fleet: one word for every office, the same few queries for ten as for ten thousand, and CEMT's word beside it."""

import datetime as dt
import json
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from econnector.base.version import version
from econnector.cli.main import main
from econnector.hq.registry import connectors, crowd, dossier, fleet, heartbeats, offices, tables
from econnector.hq.registry.connectors import Granted, Presented
from econnector.hq.registry.crowd import Gone
from econnector.hq.registry.database import Registry
from econnector.hq.registry.fleet import BEHIND, PAGE, Fleet, Line, Wanted, behind, cemt
from econnector.hq.registry.heartbeats import Place
from econnector.link.calls import Heartbeat
from tests.hq.conftest import NOW

MINUTE = dt.timedelta(minutes=1)


def connect(registry: Registry, name: str, key: str, at: dt.datetime, *, beat: bool = True, **said: Any) -> Granted:
    """Let a connector in and hear its heartbeat."""
    who = Presented(name.ljust(64, "0"), "i" * 32, f"PC-{name}", "0.1.0", "192.0.2.1", key)
    granted = registry.run_now(connectors.admit, who, at)
    assert isinstance(granted, Granted)
    if beat:
        words = {"version": "0.1.0", "status": "Working"} | said
        registry.run_now(heartbeats.save, Place(granted.office.id, granted.epoch), Heartbeat(**words), at)
    return granted


def one_of_each(registry: Registry) -> None:
    """Add an office of every status."""
    keys = {}
    for name in ("well", "away", "database", "waiting", "new", "over", "off"):
        _, keys[name] = registry.run_now(offices.add, name, NOW - 9 * MINUTE, title=f"Practice {name.title()}")
    connect(registry, "well", keys["well"], NOW - MINUTE)
    connect(registry, "database", keys["database"], NOW - MINUTE, failure="database-away", version="0.0.9")
    for name in ("away", "waiting"):
        granted = connect(registry, name, keys[name], NOW - 8 * MINUTE)
        registry.run_now(crowd.retire, [Gone(granted.office.id, granted.epoch, "broken")], NOW - 7 * MINUTE)
    second = Presented("s" * 64, "j" * 32, "SECOND", "0.1.0", "192.0.2.2", keys["waiting"])
    assert not isinstance(registry.run_now(connectors.admit, second, NOW - MINUTE), Granted)
    connect(registry, "over", keys["over"], NOW - MINUTE)
    registry.run_now(offices.end_support, "over", NOW.date(), NOW)
    registry.run_now(offices.disable, "off", "bill not paid", NOW)


def look(registry: Registry, **wanted: Any) -> Fleet:
    return registry.run_now(fleet.look, Wanted(**wanted), NOW)


def names(found: Fleet) -> list[str]:
    return [line.name for line in found.lines]


def test_every_office_has_one_word_and_since_when(registry: Registry) -> None:
    one_of_each(registry)
    lines = {line.name: line for line in look(registry).lines}
    assert {name: (line.status, line.since) for name, line in lines.items()} == {
        "well": ("working", NOW - MINUTE),
        "away": ("down", NOW - 7 * MINUTE),
        "database": ("trouble", None),
        "waiting": ("standby", NOW - 7 * MINUTE),
        "new": ("never", NOW - 9 * MINUTE),
        "over": ("ended", NOW.replace(hour=0)),
        "off": ("disabled", NOW),
    }
    assert (lines["database"].failure, lines["database"].version) == ("database-away", "0.0.9")
    assert lines["database"].behind
    assert (lines["waiting"].failed_code, bool(lines["waiting"].failed_reference)) == ("owned-elsewhere", True)
    assert lines["well"].failed_code == ""
    assert look(registry, sort="status").counts == dict.fromkeys(fleet.STATUSES, 1)


def test_the_fleet_is_filtered_and_sorted(registry: Registry) -> None:
    one_of_each(registry)
    assert names(look(registry, status="down")) == ["away"]
    assert names(look(registry, name="practice w")) == ["waiting", "well"], "part of the title, capitals or not"
    assert names(look(registry, name="100%_")) == [], "what means something to SQL means nothing here"
    assert names(look(registry, version=BEHIND)) == ["database"]
    assert names(look(registry, version="0.1.0")) == ["away", "over", "waiting", "well"]
    assert names(look(registry, sort="name", descending=True)) == sorted(names(look(registry)), reverse=True)
    assert names(look(registry, sort="status"))[:2] == ["away", "database"], "the worst first"
    assert names(look(registry, sort="heartbeat", descending=True))[0] in {"well", "database", "over"}
    assert names(look(registry, sort="version"))[:2] == ["new", "off"], "no version is the oldest"
    assert names(look(registry, sort="version"))[2:] == ["database", "away", "over", "waiting", "well"]
    assert look(registry, name="well").found == 1
    assert look(registry, name="nobody").lines == []
    assert look(registry).versions == ["0.1.0", "0.0.9"]


def many(registry: Registry, count: int) -> None:
    """Put `count` offices into the registry, each with a link, a heartbeat and some history."""
    ids = range(1, count + 1)
    office = {"title": "", "phone": "", "created_at": NOW, "disabled_reason": ""}
    machine = {"install_id": "i", "machine": "PC", "version": "0.1.0", "address": "", "state": "owner"}
    owner = {"epoch": 1, "node": "", "link": "", "since": NOW, "last_seen": NOW}
    empty = dict.fromkeys(("program_version", "database_version", "practice_title", "practice_phone", "machine"), "")
    beat = empty | dict.fromkeys(("clock", "failure", "failure_since"), "") | {"at": NOW, "status": "Working"}
    event = {"kind": "unreachable", "machine": "", "cause": "office-unreachable", "detail": "", "reference": "R"}
    rows: list[tuple[sa.Table, list[dict[str, object]]]] = [
        (tables.offices, [office | {"id": n, "name": f"office-{n:05}", "key_hash": str(n)} for n in ids]),
        (
            tables.connectors,
            [
                machine | {"id": n, "office_id": n, "public_key": str(n), "first_seen": NOW, "last_seen": NOW}
                for n in ids
            ],
        ),
        (tables.owners, [owner | {"office_id": n, "connector_id": n} for n in ids]),
        (tables.heartbeats, [beat | {"office_id": n, "version": "0.1.0" if n % 3 else "0.0.9"} for n in ids]),
        (tables.history, [event | {"office_id": n, "at": NOW - MINUTE * k} for n in ids for k in range(3)]),
    ]

    def fill(connection: sa.Connection) -> None:
        for table, values in rows:
            connection.execute(sa.insert(table), values)

    registry.run_now(fill)


def queries(registry: Registry, **wanted: Any) -> tuple[Fleet, list[str]]:
    said: list[str] = []

    def hear(*what: Any) -> None:
        said.append(what[2])

    sa.event.listen(registry.engine, "before_cursor_execute", hear)
    try:
        return look(registry, **wanted), [each for each in said if each.startswith(("SELECT", "WITH"))]
    finally:
        sa.event.remove(registry.engine, "before_cursor_execute", hear)


def test_a_page_of_ten_thousand_offices_costs_as_many_queries_as_one_of_few(sqlite_registry: Registry) -> None:
    one_of_each(sqlite_registry)
    few = queries(sqlite_registry)[1]
    with sqlite_registry.engine.begin() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            if table.name != "secrets":
                connection.execute(table.delete())
    many(sqlite_registry, 10_000)
    found, said = queries(sqlite_registry, page=200)
    assert len(said) == len(few) == 3
    assert (len(found.lines), found.found, found.lines[-1].name) == (PAGE, 10_000, "office-10000")
    assert found.counts["working"] == 10_000
    found, said = queries(sqlite_registry, name="999", version=BEHIND, sort="heartbeat", descending=True)
    assert (len(said), found.lines[0].failed_reference) == (3, "R")
    assert look(sqlite_registry, page=201).lines == []


@pytest.mark.parametrize(
    ("reported", "age", "status", "current"),
    [
        ("Working", 6, "Working", True),
        ("Working", 7, "Critical", False),
        ("Error", 1, "Error", True),
        ("Error", 7, "Critical", False),
        ("Critical", 1, "Critical", True),
        ("NotEnabled", 7, "NotEnabled", False),
        ("None", 7, "None", False),
    ],
)
def test_cemts_word_is_the_databases_and_grows_old_as_there(
    reported: str, age: int, status: str, current: bool
) -> None:
    found = cemt(reported, NOW - age * MINUTE, NOW)
    assert (found.status, found.reported, found.current) == (status, reported, current)
    assert cemt("", None, NOW).status == ""


def test_a_version_is_behind_hqs_and_what_is_none_is_not() -> None:
    assert behind("0.9.0", "0.10.0")
    assert not behind("0.10.0", "0.9.0")
    assert not behind("nonsense", "1.0")
    assert not behind(version())


def test_an_offices_dossier_has_everything(registry: Registry) -> None:
    one_of_each(registry)
    found = registry.run_now(dossier.read, "waiting", NOW)
    assert [(each.machine, each.state) for each in found.machines] == [("PC-waiting", "owner"), ("SECOND", "standby")]
    assert found.line == next(line for line in look(registry).lines if line.name == "waiting")
    assert (found.inactive, found.move_until, found.outages, found.told, found.deeds) == (None, None, [], [], [])
    off = registry.run_now(dossier.read, "off", NOW)
    assert off.inactive is not None
    assert "bill not paid" in off.inactive.reason


def test_the_command_tells_the_same(sqlite_registry: Registry, sqlite_url: str) -> None:
    one_of_each(sqlite_registry)

    def say(*words: str) -> str:
        done = CliRunner().invoke(main, ["hq", "fleet", *words, "--database", sqlite_url], env={"COLUMNS": "250"})
        assert done.exit_code == 0, done.output
        return done.output

    told = json.loads(say("--json", "--status", "disabled"))
    assert [(each["name"], each["status"], each["behind"]) for each in told] == [("off", "disabled", False)]
    whole = {each["name"]: each for each in json.loads(say("--json"))}
    assert set(whole["well"]) == set(Line.__struct_fields__)
    assert (whole["well"]["cemt"]["reported"], whole["well"]["cemt"]["status"]) == ("Working", "Critical"), "of March"
    lines = say("--name", "datab").splitlines()
    assert "0.0.9 (behind)" in lines[1]
    assert "database-away" in lines[1]
    assert "1 disabled" in lines[-1]

"""The statistics preference: our entry comes and goes, nobody else's is lost, and what cannot be read stays."""

import datetime as dt
import json
from typing import Any

import pytest

from econnector.opendental import preferences, statistics
from econnector.opendental.schema import inspect
from econnector.opendental.statistics import Entry
from econnector.opendental.writes import guard
from econnector.storage.database import Database

NOW = dt.datetime.fromisoformat("2026-03-02T12:00:00")


def entry(machine: str, hours: float, **more: Any) -> dict[str, Any]:
    at = (NOW - dt.timedelta(hours=hours)).isoformat()
    return {"EConnectorComputerName": machine, "PublicIP": "203.0.113.7", "DateTimeNow": at, **more}


@pytest.mark.parametrize(
    ("text", "machines"),
    [
        ("", []),
        ("  ", []),
        ("[]", []),
        (json.dumps([entry("SERVER", 1), entry("FRONT", 2)]), ["SERVER", "FRONT"]),
        (json.dumps(entry("SERVER", 1)), ["SERVER"]),  # Open Dental's older form
        ("H4sIAAAAAAAEAItWqgUAzl", None),
        ("[1, 2]", None),
        ('"text"', None),
        ("[{", None),
    ],
)
def test_what_can_be_read(text: str, machines: list[str] | None) -> None:
    found = statistics.parse(text)
    assert (None if found is None else [each.machine for each in found]) == machines


def test_others_are_passed_on_for_23_hours_as_they_were_written() -> None:
    kept, odd = entry("SERVER", 22.9, ListEServicePrefs=[1]), entry("OLD", 1) | {"DateTimeNow": "yesterday"}
    text = json.dumps([entry("front", 1), kept, entry("GONE", 23.1), odd])
    merged = json.loads(statistics.merged(statistics.parse(text) or [], Entry("FRONT", NOW, {"EConnectorIP": "x"})))
    assert merged == [
        {"EConnectorIP": "x", "EConnectorComputerName": "FRONT", "DateTimeNow": NOW.isoformat()},
        kept,
        odd,
    ]


async def test_in_the_real_database(open_dental_url: str) -> None:
    database = Database(open_dental_url, guard=guard)

    async def put(machine: str, hours: float) -> list[str] | None:
        own = Entry(machine, NOW + dt.timedelta(hours=hours))
        found = await database.run(lambda connection: statistics.put(connection, inspect(connection), own))
        return None if found is None else [each.machine for each in found]

    async def set_text(text: str) -> None:
        await database.run(lambda c: preferences.write(c, inspect(c), statistics.NAME, text))

    try:
        await set_text("")
        assert await put("FRONT", 0) == []
        assert await put("front", 1) == []
        assert await put("SERVER", 1.5) == ["front"]
        assert await put("FRONT", 5) == []
        assert [each.machine for each in await database.run(statistics.read) or []] == ["FRONT", "SERVER"]
        foreign = "H4sIAAAAAAAEAItWqgUAzl"
        await set_text(foreign)
        assert await put("FRONT", 6) is None
        assert await database.run(preferences.read, statistics.NAME) == foreign
    finally:
        await database.close()

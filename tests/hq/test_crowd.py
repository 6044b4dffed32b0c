"""Owners that come, speak and go in crowds: what is written is what each alone would write, on every database."""

import asyncio
import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from econnector.base.errors import OwnedElsewhere, RegistryAway
from econnector.hq.registry import connectors, contacts, crowd, heartbeats, history, offices
from econnector.hq.registry.connectors import Granted, Presented
from econnector.hq.registry.crowd import Gone
from econnector.hq.registry.database import Registry
from econnector.hq.registry.grouped import Grouped
from econnector.hq.registry.heartbeats import Place
from econnector.hq.registry.tables import metadata
from econnector.link.calls import Heartbeat, OfficeContact, Outage
from tests.hq.conftest import NOW

MINUTE = dt.timedelta(minutes=1)
MANY = 6


def _who(number: int, key: str = "", **other: str) -> Presented:
    values = {"machine": f"PC-{number}", "version": "0.1.0", "address": "192.0.2.1", "node": "node"} | other
    return Presented(f"{number:064x}", f"{number:032x}", key=key, link=f"link-{number}", **values)


class Fleet:
    """Offices 0 to 5, all enrolled once; `epochs` are those of their last links."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.epochs: list[int] = []
        self.offices: list[int] = []
        for number in range(MANY):
            office, key = registry.run_now(offices.add, f"office-{number}", NOW)
            granted = registry.run_now(connectors.admit, _who(number, key), NOW)
            assert isinstance(granted, Granted)
            self.epochs.append(granted.epoch)
            self.offices.append(office.id)

    def place(self, number: int) -> Place:
        return Place(self.offices[number], self.epochs[number])

    def kinds(self, number: int) -> list[str]:
        return [event.kind for event in reversed(self.registry.run_now(history.recent, self.offices[number]))]

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Return everything that stands in the registry, without what counts up by itself."""
        with self.registry.engine.connect() as connection:
            return {
                table.name: sorted(
                    (
                        {name: row[name] for name in row if name != "id"}
                        for row in connection.execute(table.select()).mappings()
                    ),
                    key=repr,
                )
                for table in metadata.sorted_tables
                if table.name in {"owners", "connectors", "heartbeats", "history"}
            }


@pytest.fixture
def fleet(registry: Registry) -> Fleet:
    return Fleet(registry)


def test_a_crowd_is_let_in_as_each_would_be_alone(fleet: Fleet) -> None:
    fleet.registry.run_now(crowd.retire, [Gone(fleet.offices[0], fleet.epochs[0], "lost")], NOW)
    assert fleet.registry.run_now(heartbeats.silent, NOW + 5 * MINUTE) == [f"office-{number}" for number in range(MANY)]
    later, whos = NOW + 7 * MINUTE, [_who(number, version="0.2.0", address="192.0.2.9") for number in range(MANY)]
    with fleet.registry.engine.connect() as connection:
        for who in whos:
            assert isinstance(connectors.admit(connection, who, later), Granted)
        alone = _all(connection)
        connection.rollback()
        granted = crowd.admit(connection, list(reversed(whos)), later)
        together = _all(connection)
        connection.rollback()
    assert together == alone
    assert [each.office.name for each in reversed(granted) if isinstance(each, Granted)] == [
        f"office-{number}" for number in range(MANY)
    ]


def _all(connection: sa.Connection) -> list[Any]:
    found = []
    for table in metadata.sorted_tables:
        rows = connection.execute(table.select()).mappings()
        found.append(
            sorted(repr({name: row[name] for name in row if (table.name, name) != ("history", "id")}) for row in rows)
        )
    return found


def test_whoever_is_no_plain_return_is_judged_alone_and_holds_up_nobody(fleet: Fleet) -> None:
    run, later = fleet.registry.run_now, NOW + MINUTE
    run(offices.disable, "office-1", "unpaid", NOW)
    key = run(offices.new_registration_key, "office-2", NOW)
    whos = [
        _who(0),
        _who(1),  # its key is disabled
        _who(2, key),  # enrols again
        _who(3, machine="A COPY"),  # while the owner is alive
        _who(99),  # nobody knows it
        _who(4),
        _who(4),  # the same once more: a newer link
    ]
    found = run(crowd.admit, whos, later)
    assert [each.office.name if isinstance(each, Granted) else each for each in found] == [
        *("office-0", None, None, None, None, "office-4", None)
    ]
    assert fleet.kinds(0)[-1] == fleet.kinds(4)[-1] == "connected"
    assert "refused" not in fleet.kinds(1)
    alone = run(connectors.admit, whos[-1], later)
    assert isinstance(alone, Granted)
    assert isinstance(found[5], Granted)
    assert alone.epoch > found[5].epoch
    assert run(crowd.admit, [_who(99)], later) == [None]


def test_nobody_is_let_in_when_one_of_them_was_let_in_elsewhere_meanwhile(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, real = fleet.rows(), crowd._owners

    def stale(connection: sa.Connection, numbers: list[int]) -> Any:
        found = real(connection, numbers)
        connection.execute(
            sa.text("UPDATE owners SET epoch = epoch + 1 WHERE office_id = :of"), {"of": fleet.offices[3]}
        )
        return found

    monkeypatch.setattr(crowd, "_owners", stale)
    with pytest.raises(RegistryAway):
        fleet.registry.run_now(crowd.admit, [_who(number) for number in range(MANY)], NOW + MINUTE)
    assert fleet.rows() == before


def test_heartbeats_of_a_crowd_are_kept_as_each_would_be_alone(fleet: Fleet) -> None:
    run, later = fleet.registry.run_now, NOW + 5 * MINUTE
    for number in range(1, MANY):  # office 0 has never said anything
        run(heartbeats.save, fleet.place(number), Heartbeat("0.1.0"), NOW)
    run(connectors.admit, _who(77, run(offices.new_registration_key, "office-3", NOW)), NOW + MINUTE / 2)
    assert run(heartbeats.silent, later - MINUTE)
    told = Outage("2026-03-02T12:01:00", "2026-03-02T12:04:00", "hq-away", "AAAA-BBBB")
    run(heartbeats.save, fleet.place(5), Heartbeat("0.1.0", outages=[told]), NOW + 4 * MINUTE)
    spoken = [
        (fleet.place(number), Heartbeat("0.2.0", status=f"s{number}", utc_offset=-300, outages=[told, told]))
        for number in range(MANY)
    ]
    with fleet.registry.engine.connect() as connection:
        heard_alone = [heartbeats.save(connection, *each, later) for each in spoken]
        alone = _all(connection)
        connection.rollback()
        heard = heartbeats.save_all(connection, spoken, later)
        together = _all(connection)
        connection.rollback()
    assert together == alone
    assert heard == heard_alone
    assert heard[3] == ("active", ["PC-77"])
    run(heartbeats.save_all, spoken, later)
    assert [fleet.kinds(number).count("outage") for number in range(MANY)] == [1] * MANY
    assert [fleet.kinds(number).count("reachable") for number in range(MANY)] == [1] * MANY


def test_a_heartbeat_of_an_old_link_or_said_twice_is_left_to_be_looked_at_alone(fleet: Fleet) -> None:
    run, later = fleet.registry.run_now, NOW + MINUTE
    old, none = Place(fleet.offices[2], fleet.epochs[2] - 1), Place(10**6, 1)
    spoken = [
        (fleet.place(1), Heartbeat("0.2.0")),
        (old, Heartbeat("0.2.0")),
        (fleet.place(1), Heartbeat("0.3.0")),
        (none, Heartbeat("0.2.0")),  # its machine enrolled for another office
    ]
    heard = run(heartbeats.save_all, spoken, later)
    assert [each is None for each in heard] == [False, True, True, True]
    assert isinstance(run(heartbeats.save_one, spoken[1], later), OwnedElsewhere)
    assert isinstance(run(heartbeats.save_one, spoken[3], later), OwnedElsewhere)
    kept = run(heartbeats.find, "office-1")
    assert kept is not None
    assert (kept.version, kept.last_seen) == ("0.2.0", later)


def test_contacts_that_an_office_names_again_are_looked_at_with_all_others(fleet: Fleet) -> None:
    run, anna = fleet.registry.run_now, OfficeContact("Anna", "anna@example.com")
    news = [(fleet.offices[0], [anna]), (fleet.offices[1], []), (fleet.offices[2], [OfficeContact("B", "no address")])]
    assert run(contacts.told_all, news, NOW) == [None, True, True]
    assert run(contacts.told_one, news[0], NOW)
    assert run(contacts.told_all, news, NOW) == [True, True, True]
    assert run(contacts.told_all, [(fleet.offices[0], [])], NOW) == [None]


def test_links_that_end_together_are_noted_once_each_and_newer_ones_stay(fleet: Fleet) -> None:
    run, later = fleet.registry.run_now, NOW + MINUTE
    gone = [Gone(fleet.offices[number], fleet.epochs[number] - (number == 2), "silent") for number in range(MANY)]
    assert run(crowd.retire, [*gone, gone[0]], later)[1:MANY] == [True, False, True, True, True]
    assert run(crowd.retire, gone, later) == [False] * MANY
    assert (fleet.kinds(0), fleet.kinds(2)[-1]) == (["added", "enrolled", "lost"], "enrolled")


def test_a_large_outage_is_written_in_parts_and_once(fleet: Fleet) -> None:
    run, later = fleet.registry.run_now, NOW + 5 * MINUTE
    assert len(run(heartbeats.silent, later, most=4)) == 4
    assert len(run(heartbeats.silent, later, most=4)) == MANY - 4
    assert run(heartbeats.silent, later) == []
    assert [fleet.kinds(number).count("unreachable") for number in range(MANY)] == [1] * MANY


async def test_those_who_ask_while_others_are_served_are_served_together(sqlite_registry: Registry) -> None:
    turns: list[list[int]] = []

    def many(connection: sa.Connection, asked: Any, _now: dt.datetime) -> list[int | None]:
        connection.exec_driver_sql("SELECT 1")
        turns.append(list(asked))
        return [None if each % 5 == 0 else each * 2 for each in asked]

    def one(_connection: sa.Connection, asked: int, _now: dt.datetime) -> int:
        return -asked

    group = Grouped[int, int](sqlite_registry, many, one)
    assert await asyncio.gather(*(group.run(number) for number in range(1, 251))) == [
        -number if number % 5 == 0 else number * 2 for number in range(1, 251)
    ]
    assert len(turns) <= 4
    assert sorted(number for turn in turns for number in turn) == list(range(1, 251))


async def test_a_group_that_is_in_no_hurry_serves_the_first_at_once_and_gathers_the_next(
    sqlite_registry: Registry,
) -> None:
    turns: list[list[int]] = []

    def many(_connection: sa.Connection, asked: Any, _now: dt.datetime) -> list[int]:
        turns.append(list(asked))
        return list(asked)

    group = Grouped[int, int](sqlite_registry, many, every=1.0)
    assert await group.run(1) == 1
    later = [asyncio.create_task(group.run(number)) for number in (2, 3)]
    await asyncio.sleep(0.05)
    assert turns == [[1]]
    later.append(asyncio.create_task(group.run(4)))
    assert list(await asyncio.gather(*later)) == [2, 3, 4]
    assert turns == [[1], [2, 3, 4]]


async def test_a_group_tries_again_after_two_nodes_have_met_and_tells_everybody_when_the_registry_is_away(
    sqlite_registry: Registry,
) -> None:
    fails = [1]

    def many(connection: sa.Connection, asked: Any, _now: dt.datetime) -> list[int | None]:
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS kept (number INTEGER)")
        connection.execute(sa.text("INSERT INTO kept VALUES (:n)"), [{"n": each} for each in asked])
        if fails and fails.pop():
            raise RegistryAway(database="registry", reason="deadlock")
        return list(asked)

    group = Grouped[int, int](sqlite_registry, many)
    assert list(await asyncio.gather(group.run(1), group.run(2))) == [1, 2]
    fails[:] = [1, 1]
    found = await asyncio.gather(group.run(3), group.run(4), return_exceptions=True)
    assert [type(each) for each in found] == [RegistryAway] * 2
    waiting = asyncio.create_task(group.run(5))
    given_up = asyncio.create_task(group.run(6))
    await asyncio.sleep(0)
    given_up.cancel()
    assert await waiting == 5
    with sqlite_registry.engine.connect() as connection:
        assert list(connection.scalars(sa.text("SELECT number FROM kept ORDER BY number"))) == [1, 2, 5]

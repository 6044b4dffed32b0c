"""Offices and their keys, on every kind of database."""

import datetime as dt

import pytest
import sqlalchemy as sa

from econnector.base.errors import NameTaken, OfficeUnknown, ValueRejected
from econnector.base.registration import checked_key
from econnector.hq.registry import history, offices
from econnector.hq.registry.database import Registry
from econnector.hq.registry.tables import metadata
from tests.hq.conftest import NOW


def test_an_office_is_added_with_a_key_that_is_stored_nowhere(registry: Registry) -> None:
    office, key = registry.run_now(
        offices.add, "smile-dental", NOW, title="Smile Dental", phone="555-0100", hosts=["Portal.Smile.example."]
    )
    assert (office.name, office.title, office.phone) == ("smile-dental", "Smile Dental", "555-0100")
    assert office.hosts == ("portal.smile.example",)
    assert office.created_at == NOW
    assert checked_key(key) == key
    assert registry.run_now(offices.by_key, key) == office
    assert registry.run_now(offices.by_key, key[::-1]) is None
    with registry.engine.connect() as connection:
        everything = str([list(connection.execute(table.select())) for table in metadata.sorted_tables])
    assert key not in everything


def test_offices_are_listed_by_name_with_their_hosts(registry: Registry) -> None:
    registry.run_now(offices.add, "b", NOW, hosts=["b.example.com", "a.b.example.com"])
    registry.run_now(offices.add, "a", NOW)
    assert [(each.name, each.hosts) for each in registry.run_now(offices.every)] == [
        ("a", ()),
        ("b", ("a.b.example.com", "b.example.com")),
    ]


def test_an_office_is_described_anew_and_loses_nothing_to_a_wrong_host_name(registry: Registry) -> None:
    registry.run_now(offices.add, "other", NOW, hosts=["other.example.com"])
    before, key = registry.run_now(offices.add, "smile", NOW, title="Smile", phone="1", hosts=["a.example.com"])
    changed = registry.run_now(offices.describe, "smile", NOW, title="Smile Dental")
    assert (changed.title, changed.phone, changed.hosts) == ("Smile Dental", "1", ("a.example.com",))
    changed = registry.run_now(offices.describe, "smile", NOW, phone="", hosts=["B.example.com", "a.example.com"])
    assert (changed.phone, changed.hosts) == ("", ("a.example.com", "b.example.com"))
    for wrong in ("other.example.com", "not a host"):
        with pytest.raises((NameTaken, ValueRejected)):
            registry.run_now(offices.describe, "smile", NOW, title="X", hosts=["new.example.com", wrong])
    assert registry.run_now(offices.get, "smile") == changed
    assert registry.run_now(offices.describe, "smile", NOW, hosts=[]).hosts == ()
    assert registry.run_now(offices.by_key, key) is not None
    assert registry.run_now(history.recent, before.id)[0].kind == "described"


@pytest.mark.parametrize("name", ["", "Smile", "a b", "-a", "a-", "ä", "a" * 64, "a/b", "a\n", "%", "'; --"])
def test_a_name_that_cannot_stand_in_an_address_is_refused(sqlite_registry: Registry, name: str) -> None:
    with pytest.raises(ValueRejected):
        sqlite_registry.run_now(offices.add, name, NOW)


@pytest.mark.parametrize("host", ["", "localhost", "a b.com", "a..com", "https://a.com", "a.com/x", "a_b.com"])
def test_a_host_name_of_the_wrong_form_is_refused_and_nothing_is_added(sqlite_registry: Registry, host: str) -> None:
    with pytest.raises(ValueRejected):
        sqlite_registry.run_now(offices.add, "smile", NOW, hosts=[host])
    assert sqlite_registry.run_now(offices.every) == []


@pytest.mark.causes("name-taken")
def test_a_name_or_host_name_belongs_to_one_office(registry: Registry) -> None:
    registry.run_now(offices.add, "smile", NOW, hosts=["portal.example.com"])
    with pytest.raises(NameTaken):
        registry.run_now(offices.add, "smile", NOW)
    with pytest.raises(NameTaken) as caught:
        registry.run_now(offices.add, "other", NOW, hosts=["PORTAL.example.com"])
    assert caught.value.facts["owner"] == "smile"
    assert len(registry.run_now(offices.every)) == 1


@pytest.mark.causes("office-unknown")
def test_an_unknown_office_is_said_with_the_name_that_comes_near(registry: Registry) -> None:
    registry.run_now(offices.add, "smile-dental", NOW)
    with pytest.raises(OfficeUnknown, match="did you mean smile-dental"):
        registry.run_now(offices.get, "smiledental")


def test_a_key_is_active_until_disabled_or_its_support_ends(registry: Registry) -> None:
    office, _ = registry.run_now(offices.add, "smile", NOW)
    assert offices.inactive(office, NOW) is None

    disabled = registry.run_now(offices.disable, "smile", "unpaid", NOW)
    failure = offices.inactive(disabled, NOW)
    assert failure is not None
    assert "it was disabled (unpaid) since 2026-03-02 12:00 UTC" in failure.office_text()

    enabled = registry.run_now(offices.enable, "smile", NOW)
    assert enabled.standing(NOW) == "active"

    ending = registry.run_now(offices.end_support, "smile", dt.date(2026, 3, 4), NOW)
    assert ending.standing(dt.datetime(2026, 3, 3, 23, 59, 59, tzinfo=dt.UTC)) == "active"
    ended = offices.inactive(ending, dt.datetime(2026, 3, 4, tzinfo=dt.UTC))
    assert ended is not None
    assert "support ended since 2026-03-04" in ended.office_text()

    assert registry.run_now(offices.enable, "smile", NOW).support_ends is None


def test_a_lost_key_is_replaced_and_the_old_one_opens_nothing(registry: Registry) -> None:
    office, old = registry.run_now(offices.add, "smile", NOW)
    new = registry.run_now(offices.new_registration_key, "smile", NOW)
    assert registry.run_now(offices.by_key, old) is None
    found = registry.run_now(offices.by_key, new)
    assert found is not None
    assert found.id == office.id


def test_what_a_person_does_to_an_office_is_in_its_history(registry: Registry) -> None:
    office, _ = registry.run_now(offices.add, "smile", NOW)
    later = NOW + dt.timedelta(minutes=1, microseconds=7)
    registry.run_now(offices.disable, "smile", "unpaid", later)
    events = registry.run_now(history.recent, office.id)
    assert [(event.kind, event.at, event.detail) for event in events] == [
        ("disabled", later, "unpaid"),
        ("added", NOW, ""),
    ]


def test_texts_that_do_not_fit_are_cut_and_never_an_error(registry: Registry) -> None:
    office, _ = registry.run_now(offices.add, "smile", NOW, title="é" * 500 + "\0", phone="5\0" * 100)
    assert office.title == "é" * 200
    assert office.phone == "5" * 50
    registry.run_now(offices.disable, "smile", "x" * 5000 + "\ud800", NOW)


async def test_functions_run_in_threads_and_a_failed_one_leaves_nothing(registry: Registry) -> None:
    asked = Registry(registry.engine.url.render_as_string(hide_password=False))

    def half(connection: sa.Connection) -> None:
        offices.add(connection, "half", NOW)
        raise ValueRejected(field="x", why="no")

    with pytest.raises(ValueRejected):
        await asked.run(half)
    assert await asked.run(offices.every) == []
    await asked.close()

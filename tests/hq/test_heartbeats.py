"""What offices say of themselves, and what HQ notes when they fall silent."""

import datetime as dt

import pytest

from econnector.hq.registry import connectors, crowd, heartbeats, history, offices
from econnector.hq.registry.connectors import Granted, Presented
from econnector.hq.registry.crowd import Gone
from econnector.hq.registry.database import Registry
from econnector.hq.registry.heartbeats import Place
from econnector.link.calls import Heartbeat, Outage
from tests.hq.conftest import NOW

SAID = Heartbeat(
    "0.1.0",
    program_version="24.3.10.0",
    database_version="10.11.6-MariaDB",
    status="Working",
    practice_title="Smile Dental Group",
    practice_phone="555-0199",
    machine="FRONTDESK",
    clock="2026-03-02T12:00:00Z",
    utc_offset=-480,
)
MINUTE = dt.timedelta(minutes=1)


class Smile:
    """An office with a live link."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.office, self.key = registry.run_now(offices.add, "smile", NOW, title="Smile", phone="555-0100")
        self.place = self.connect(NOW)

    def connect(self, now: dt.datetime) -> Place:
        who = Presented("a" * 64, "i" * 32, "FRONTDESK", key=self.key)
        granted = self.registry.run_now(connectors.admit, who, now)
        assert isinstance(granted, Granted)
        return Place(self.office.id, granted.epoch)

    def say(self, now: dt.datetime, said: Heartbeat = SAID) -> object:
        return self.registry.run_now(heartbeats.save, self.place, said, now)

    def silent(self, now: dt.datetime) -> list[str]:
        return self.registry.run_now(heartbeats.silent, now)

    def events(self, kind: str) -> list[history.Event]:
        return [each for each in self.registry.run_now(history.recent, self.office.id) if each.kind == kind]


@pytest.fixture
def smile(registry: Registry) -> Smile:
    return Smile(registry)


def test_the_last_heartbeat_is_kept_and_gives_the_practices_own_title_and_phone(smile: Smile) -> None:
    before = smile.registry.run_now(heartbeats.find, "smile")
    assert before is not None
    assert (before.title, before.phone, before.heartbeat_at) == ("Smile", "555-0100", None)
    smile.say(NOW)
    smile.say(NOW + MINUTE)
    found = smile.registry.run_now(heartbeats.find, "smile")
    assert found is not None
    assert (found.title, found.phone) == ("Smile Dental Group", "555-0199")
    assert (found.status, found.machine, found.utc_offset) == ("Working", "FRONTDESK", -480)
    assert found.last_seen == found.heartbeat_at == NOW + MINUTE
    assert found.connected(NOW + 2 * MINUTE)
    assert not found.connected(NOW + 10 * MINUTE)
    assert smile.registry.run_now(heartbeats.overview) == [found]


def test_an_office_is_found_by_its_name_or_host_name_and_by_nothing_else(registry: Registry) -> None:
    registry.run_now(offices.add, "smile", NOW, hosts=["portal.smile.example"])
    by_host = registry.run_now(heartbeats.find, host="portal.smile.example")
    assert by_host == registry.run_now(heartbeats.find, "smile")
    assert by_host is not None
    assert by_host.last_seen is None
    for name in ("", "Smile", "smile%", "' OR 1=1 --"):
        assert registry.run_now(heartbeats.find, name) is None
    assert registry.run_now(heartbeats.find, host="smile") is None


def test_an_outage_is_written_once_however_often_it_is_reported(smile: Smile) -> None:
    first = Outage("2026-03-02T01:00:00Z", "2026-03-02T02:00:00Z", "database-away", "7F3K-22QX")
    second = Outage("2026-03-02T03:00:00Z", "2026-03-02T03:05:00Z", "hq-away")
    smile.say(NOW, Heartbeat("0.1.0", machine="FRONTDESK", outages=[first]))
    smile.say(NOW + MINUTE, Heartbeat("0.1.0", machine="FRONTDESK", outages=[first, second]))
    found = smile.events("outage")
    assert [(each.cause, each.reference) for each in found] == [("hq-away", ""), ("database-away", "7F3K-22QX")]
    assert found[1].detail == "2026-03-02T01:00:00Z to 2026-03-02T02:00:00Z"


def test_an_office_that_lost_its_link_is_unreachable_after_a_minute_and_said_once(smile: Smile) -> None:
    smile.say(NOW)
    smile.registry.run_now(crowd.retire, [Gone(smile.office.id, smile.place.epoch, "closed")], NOW)
    assert smile.silent(NOW + MINUTE) == []
    assert smile.silent(NOW + MINUTE + dt.timedelta(seconds=1)) == ["smile"]
    assert smile.silent(NOW + 2 * MINUTE) == []
    (event,) = smile.events("unreachable")
    assert event.detail == "since 2026-03-02 12:00:00 UTC"

    smile.connect(NOW + 5 * MINUTE)
    (back,) = smile.events("reachable")
    assert back.detail == "after 5 minutes"
    assert smile.silent(NOW + 5 * MINUTE) == []


def test_an_office_whose_link_stands_but_says_nothing_is_unreachable_until_it_speaks(smile: Smile) -> None:
    smile.say(NOW)
    assert smile.silent(NOW + dt.timedelta(seconds=150)) == []
    assert smile.silent(NOW + dt.timedelta(seconds=151)) == ["smile"]
    smile.say(NOW + 10 * MINUTE)
    assert len(smile.events("reachable")) == 1


def test_an_office_that_never_connected_is_not_called_silent(registry: Registry) -> None:
    registry.run_now(offices.add, "new", NOW)
    assert registry.run_now(heartbeats.silent, NOW + dt.timedelta(days=30)) == []


def test_a_heartbeat_tells_the_office_how_its_key_stands(smile: Smile) -> None:
    assert smile.say(NOW) == ("active", [])
    smile.registry.run_now(offices.disable, "smile", "unpaid", NOW)
    assert smile.say(NOW) == ("disabled", [])
    smile.registry.run_now(offices.enable, "smile", NOW)
    smile.registry.run_now(offices.end_support, "smile", NOW.date(), NOW)
    assert smile.say(NOW) == ("ended", [])


def test_a_hostile_heartbeat_is_kept_as_far_as_it_fits(smile: Smile) -> None:
    long = "\0ü'\"%" * 1000
    outages = [Outage(str(at), long, long, long) for at in range(1000)]
    said = Heartbeat(long, long, long, long, long, long, long, long, long, long, outages, 10**12)
    smile.say(NOW, said)
    smile.say(NOW, said)
    assert len(smile.events("outage")) == 50


def test_comings_and_goings_are_forgotten_after_ninety_days_and_what_people_did_is_not(smile: Smile) -> None:
    smile.registry.run_now(crowd.retire, [Gone(smile.office.id, smile.place.epoch, "closed")], NOW)
    smile.connect(NOW)
    assert smile.registry.run_now(history.prune, NOW + dt.timedelta(days=90)) == 0
    assert smile.registry.run_now(history.prune, NOW + dt.timedelta(days=91)) == 2
    kinds = [event.kind for event in smile.registry.run_now(history.recent, smile.office.id)]
    assert sorted(kinds) == ["added", "enrolled"]

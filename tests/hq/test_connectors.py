"""One machine per office: enrolment, second machines, moves and epochs, on every kind of database."""

import datetime as dt
import threading

import pytest

from econnector.base.errors import Failure, KeyInactive, KeyUnknown, OwnedElsewhere
from econnector.hq.registry import connectors, crowd, heartbeats, history, offices
from econnector.hq.registry.connectors import Granted, Presented
from econnector.hq.registry.crowd import Gone
from econnector.hq.registry.database import Registry
from econnector.hq.registry.heartbeats import Place
from econnector.hq.registry.offices import Office
from econnector.hq.registry.tables import owners
from econnector.link.calls import Heartbeat
from tests.hq.conftest import NOW

SECOND = dt.timedelta(seconds=1)


class Bench:
    """One office `smile` and machines that knock."""

    def __init__(self, registry: Registry) -> None:
        self.registry, self.now, self.links = registry, NOW, 0
        self.office: Office
        self.office, self.key = registry.run_now(offices.add, "smile", NOW)

    def knock(self, letter: str, *, key: str = "", machine: str = "") -> Granted | Failure:
        self.now += SECOND
        self.links += 1
        who = Presented(
            letter * 64, letter * 32, machine or f"PC-{letter}", "0.1.0", "192.0.2.1", key, "node", f"link-{self.links}"
        )
        crowded = self.registry.run_now(crowd.admit, [who], self.now)[0]  # as the gate does it
        return crowded or self.registry.run_now(connectors.admit, who, self.now)

    def epoch(self, letter: str, *, key: str = "") -> int:
        granted = self.knock(letter, key=key)
        assert isinstance(granted, Granted)
        assert granted.office.name == "smile"
        return granted.epoch

    def kinds(self) -> list[str]:
        return [event.kind for event in reversed(self.registry.run_now(history.recent, self.office.id))]

    def states(self) -> dict[str, str]:
        return {each.machine: each.state for each in self.registry.run_now(connectors.installations, self.office.id)}


@pytest.fixture
def bench(registry: Registry) -> Bench:
    return Bench(registry)


def test_a_machine_enrols_with_the_key_and_comes_back_without_it(bench: Bench) -> None:
    first = bench.epoch("a", key=bench.key)
    again = bench.epoch("a")
    assert again > first
    assert bench.kinds() == ["added", "enrolled", "connected"]
    assert bench.registry.run_now(offices.get, "smile").key_used_at == NOW + SECOND


def test_an_installation_that_was_enrolled_may_enrol_again(bench: Bench) -> None:
    assert bench.epoch("a", key=bench.key) < bench.epoch("a", key=bench.key)


def test_a_key_that_hq_does_not_know_and_a_machine_that_never_enrolled_are_refused(bench: Bench) -> None:
    assert isinstance(bench.knock("a", key="A" * 16), KeyUnknown)
    assert isinstance(bench.knock("a"), KeyUnknown)


def test_a_second_machine_with_the_same_key_is_refused_and_told_who_the_first_is(bench: Bench) -> None:
    bench.epoch("a", key=bench.key)
    refused = bench.knock("b", key=bench.key)
    assert isinstance(refused, OwnedElsewhere)
    assert refused.facts["machine"] == "PC-a"
    assert refused.facts["since"] == "2026-03-02 12:00 UTC"
    assert refused.facts["here"] == "PC-b"
    assert bench.states() == {"PC-a": "owner", "PC-b": "standby"}
    for _ in range(5):
        assert isinstance(bench.knock("b", key=bench.key), OwnedElsewhere)
    assert bench.kinds() == ["added", "enrolled", "second-machine"]


def test_the_owner_hears_of_a_second_machine_while_it_keeps_trying(bench: Bench) -> None:
    epoch = bench.epoch("a", key=bench.key)
    bench.knock("b", key=bench.key)
    place, said = Place(bench.office.id, epoch), Heartbeat("0.1.0", machine="PC-a")
    assert bench.registry.run_now(heartbeats.save, place, said, bench.now) == ("active", ["PC-b"])
    later = bench.now + dt.timedelta(hours=2)
    assert bench.registry.run_now(heartbeats.save, place, said, later) == ("active", [])


def test_a_move_lets_one_other_machine_take_over_and_the_old_one_stays_in_standby(bench: Bench) -> None:
    before = bench.epoch("a", key=bench.key)
    bench.knock("b", key=bench.key)
    bench.registry.run_now(offices.open_move, "smile", bench.now + dt.timedelta(days=1), bench.now)
    assert bench.epoch("a") > before, "the old machine goes on until the new one comes"
    epoch = bench.epoch("b", key=bench.key)
    refused = bench.knock("a")
    assert isinstance(refused, OwnedElsewhere)
    assert refused.facts["machine"] == "PC-b"
    assert bench.registry.run_now(connectors.others, bench.office.id, bench.now) == ["PC-a"]
    assert isinstance(bench.knock("c", key=bench.key), OwnedElsewhere), "one move, one machine"
    assert bench.epoch("b") > epoch > before
    assert bench.states() == {"PC-b": "owner", "PC-a": "retired", "PC-c": "standby"}
    assert "moved" in bench.kinds()


def test_a_move_can_be_undone_by_another_move(bench: Bench) -> None:
    bench.epoch("a", key=bench.key)
    for letter in "ba":
        bench.registry.run_now(offices.open_move, "smile", bench.now + dt.timedelta(days=1), bench.now)
        bench.epoch(letter, key=bench.key if letter == "b" else "")
    assert bench.states() == {"PC-a": "owner", "PC-b": "retired"}


def test_a_permission_to_move_ends(bench: Bench) -> None:
    bench.epoch("a", key=bench.key)
    bench.registry.run_now(offices.open_move, "smile", bench.now, bench.now)
    assert isinstance(bench.knock("b", key=bench.key), OwnedElsewhere)


def test_what_is_said_under_an_old_epoch_is_refused(bench: Bench) -> None:
    old = bench.epoch("a", key=bench.key)
    new = bench.epoch("a")
    said = Heartbeat("0.1.0", machine="PC-a")
    refused = bench.registry.run_now(heartbeats.save, Place(bench.office.id, old), said, bench.now)
    assert isinstance(refused, OwnedElsewhere)
    assert bench.registry.run_now(crowd.retire, [Gone(bench.office.id, old, "late")], bench.now) == [False]
    assert bench.registry.run_now(crowd.retire, [Gone(bench.office.id, new, "closed")], bench.now) == [True]
    assert bench.kinds()[-1] == "lost"


def test_a_node_that_stops_notes_the_end_of_its_own_links_and_no_others(bench: Bench) -> None:
    bench.epoch("a", key=bench.key)
    assert bench.registry.run_now(connectors.retire_node, "another node", "stopped", bench.now) == 0
    assert bench.registry.run_now(connectors.retire_node, "node", "stopped", bench.now) == 1
    assert bench.registry.run_now(connectors.retire_node, "node", "stopped", bench.now) == 0
    assert bench.kinds() == ["added", "enrolled", "lost"]
    (event, *_) = bench.registry.run_now(history.recent, bench.office.id)
    assert (event.machine, event.detail) == ("PC-a", "stopped")


def test_a_copy_of_the_owners_disk_on_another_machine_is_a_second_machine(bench: Bench) -> None:
    epoch = bench.epoch("a", key=bench.key)
    refused = bench.knock("a", machine="CLONE")
    assert isinstance(refused, OwnedElsewhere)
    assert bench.states() == {"PC-a": "owner"}
    assert bench.registry.run_now(connectors.others, bench.office.id, bench.now) == ["CLONE"]
    bench.registry.run_now(crowd.retire, [Gone(bench.office.id, epoch, "closed")], bench.now)
    assert isinstance(bench.knock("a", machine="RENAMED"), Granted), "a machine may be renamed while it is off"
    assert bench.states() == {"RENAMED": "owner"}


@pytest.mark.parametrize("how", ["disabled", "ended"])
def test_a_key_that_is_not_active_opens_no_link_and_says_why_and_since_when(bench: Bench, how: str) -> None:
    bench.epoch("a", key=bench.key)
    if how == "disabled":
        bench.registry.run_now(offices.disable, "smile", "unpaid", NOW)
    else:
        bench.registry.run_now(offices.end_support, "smile", NOW.date(), NOW)
    for knock in (bench.knock("a"), bench.knock("b", key=bench.key), bench.knock("a", key=bench.key)):
        assert isinstance(knock, KeyInactive)
        assert knock.facts["standing"] == how
        assert knock.facts["since"].startswith("2026-03-02")
    assert bench.kinds().count("refused") == 2, "once per machine"
    bench.registry.run_now(offices.enable, "smile", NOW)
    bench.epoch("a")


def test_a_machine_that_enrols_for_another_office_leaves_the_first(bench: Bench) -> None:
    bench.epoch("a", key=bench.key)
    other, key = bench.registry.run_now(offices.add, "other", NOW)
    granted = bench.knock("a", key=key)
    assert isinstance(granted, Granted)
    assert granted.office.id == other.id
    assert bench.kinds()[-1] == "left"
    again = bench.knock("a")
    assert isinstance(again, Granted)
    assert again.office.id == other.id
    bench.epoch("b", key=bench.key)


def test_epochs_grow_even_when_the_registry_is_an_old_copy(bench: Bench) -> None:
    first = bench.epoch("a", key=bench.key)
    assert first >= NOW.timestamp()
    with bench.registry.engine.begin() as connection:
        connection.execute(owners.update().values(epoch=3))
    bench.now += dt.timedelta(days=1)
    assert bench.epoch("a") > first


def test_of_many_machines_that_enrol_at_once_one_becomes_the_owner(bench: Bench) -> None:
    results: list[Granted | Failure] = []

    def knock(letter: str) -> None:
        who = Presented(letter * 64, letter * 32, f"PC-{letter}", key=bench.key)
        results.append(bench.registry.run_now(connectors.admit, who, NOW))

    threads = [threading.Thread(target=knock, args=(letter,)) for letter in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(each).__name__ for each in results) == ["Granted"] + ["OwnedElsewhere"] * 5
    assert sorted(bench.states().values()) == ["owner"] + ["standby"] * 5


def test_hostile_texts_of_a_machine_are_kept_as_far_as_they_fit(bench: Bench) -> None:
    who = Presented("a" * 64, "i\0" * 500, "PC\0" + "ü" * 500, "v" * 500, "a" * 500, bench.key)
    assert isinstance(bench.registry.run_now(connectors.admit, who, NOW), Granted)

"""The soak's verdict can fail: what is lost, twice or never sent is found, and a seed always means the same storms."""

import itertools

import pytest

from tests.soak.plan import storms
from tests.soak.writes import Writes


@pytest.fixture
def writes() -> Writes:
    made = Writes()
    for mark in ("done", "open", "no"):
        made.enter("message", mark)
    made.acknowledge("message", "done")
    made.doubt("message", "open")
    made.refuse("message", "no")
    return made


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        ({"done": 1}, []),
        ({"done": 1, "open": 1}, []),
        ({"open": 1}, ["lost though it was acknowledged: done"]),
        ({"done": 2}, ["there more than once: done"]),
        ({"done": 1, "open": 2}, ["there more than once: open"]),
        ({"done": 1, "no": 1}, ["there though nobody was told so: no"]),
        ({"done": 1, "strange": 1}, ["there though nobody was told so: strange"]),
    ],
)
def test_acknowledged_is_once_uncertain_at_most_once_refused_never(
    writes: Writes, found: dict[str, int], wrong: list[str]
) -> None:
    judged = writes.judge("message", found)
    assert judged.wrongs == wrong
    assert (judged.acknowledged, judged.uncertain, judged.refused) == (1, 1, 1)
    assert judged.took == ("open" in found)


def test_a_refusal_after_an_answer_that_was_lost_settles_nothing(writes: Writes) -> None:
    writes.refuse("message", "open")
    assert writes.marks("message")["open"] == "uncertain"
    assert writes.judge("message", {"done": 1, "open": 1}).wrongs == []


def test_what_was_entered_and_never_answered_is_uncertain() -> None:
    made = Writes()
    made.enter("payment", "1000")
    assert made.judge("payment", {"1000": 1}).wrongs == []
    assert made.judge("payment", {}).wrongs == []


def test_a_seed_always_means_the_same_storms() -> None:
    faults = [(part, how) for part in ("hq", "link", "nats") for how in ("kill", "cut", "freeze")]
    first, again, other = (list(itertools.islice(storms(faults, seed), 40)) for seed in ("7/1", "7/1", "8/1"))
    assert first == again
    assert first != other


def test_every_fault_comes_before_any_comes_the_third_time_and_none_twice_in_a_storm() -> None:
    faults = {(part, how) for part in ("hq", "link", "nats", "disk") for how in ("kill", "cut", "freeze")}
    seen: list[tuple[str, str]] = []
    for storm in itertools.islice(storms(faults, "3"), 60):
        assert len({blow.part for blow in storm.blows}) == len(storm.blows)
        assert sorted(index for index, _ in storm.heals) == list(range(len(storm.blows)))
        seen += [(blow.part, blow.how) for blow in storm.blows]
        if set(seen) != faults:
            assert max(seen.count(one) for one in faults) <= 2
    assert set(seen) == faults


def test_what_was_refused_may_be_tried_anew_and_what_is_done_may_not(writes: Writes) -> None:
    writes.enter("message", "no")
    writes.acknowledge("message", "no")
    assert writes.judge("message", {"done": 1}).lost == ["no"]
    with pytest.raises(ValueError, match="is done"):
        writes.enter("message", "done")

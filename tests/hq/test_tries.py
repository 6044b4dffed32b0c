"""Somebody tries registration keys: slowed down, while offices at the same address come and go as ever."""

from pathlib import Path

import pytest

from econnector.base.clock import ManualClock
from econnector.base.errors import KeyUnknown, TooManyKeys
from econnector.base.registration import new_key
from econnector.hq.tries import Tries
from tests.hq.running import Connector, RunningHq, running_hq


def test_ten_keys_at_once_then_one_every_half_minute() -> None:
    clock = ManualClock()
    tries = Tries(clock)
    for _ in range(10):
        assert tries.wait("203.0.113.7") == 0
        tries.failed("203.0.113.7")
    assert tries.wait("203.0.113.7") == 30
    assert tries.wait("203.0.113.8") == 0
    clock.advance(30)
    assert tries.wait("203.0.113.7") == 0
    tries.failed("203.0.113.7")
    assert tries.wait("203.0.113.7") == 30


def test_a_connector_that_tries_a_wrong_key_for_days_is_never_taken_for_a_guesser() -> None:
    clock = ManualClock()
    tries = Tries(clock)
    for _ in range(1000):
        assert tries.wait("203.0.113.7") == 0
        tries.failed("203.0.113.7")
        clock.advance(30)


def test_one_network_of_ipv6_is_one_guesser() -> None:
    tries = Tries(ManualClock())
    for number in range(10):
        tries.failed(f"2001:db8::{number}")
    assert tries.wait("2001:db8::ffff") > 0
    assert tries.wait("2001:db8:0:1::1") == 0


def test_addresses_do_not_fill_the_memory() -> None:
    tries = Tries(ManualClock())
    for number in range(10_100):
        tries.failed(f"10.0.{number // 256}.{number % 256}")
    assert len(tries._spent) == 10_000


@pytest.mark.causes("too-many-keys")
async def test_unknown_keys_from_one_address_are_slowed_and_enrolled_offices_there_are_not(tmp_path: Path) -> None:
    async with running_hq(tmp_path) as hq:
        hq.hq.gate._tries = Tries(ManualClock())  # however long it takes them to come
        _, key = await hq.add()
        async with Connector(hq.link, key).running() as enrolled:
            await enrolled.online()
        kinds = [type(await _refused(hq)) for _ in range(11)]
        assert kinds == [KeyUnknown] * 10 + [TooManyKeys]
        failure = await _refused(hq)
        assert "30 seconds" in failure.office_text()
        enrolled.key = None
        async with enrolled.running():
            await enrolled.online()


async def _refused(hq: RunningHq) -> KeyUnknown:
    async with Connector(hq.link, new_key()).running() as stranger:
        failure = await stranger.refused()
    assert isinstance(failure, KeyUnknown)
    return failure

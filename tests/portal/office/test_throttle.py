"""Guesses are slowed down; nobody is locked out for ever."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from econnector.base.clock import ManualClock
from econnector.storage.database import Database
from econnector.storage.state import throttle
from econnector.storage.state.base import open_state

HOME = "198.51.100.7"
ELSEWHERE = "203.0.113.9"


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_state(tmp_path / "state.db")
    yield opened
    await opened.close()


class Guesser:
    """Somebody at one address who tries one account."""

    def __init__(self, state: Database, clock: ManualClock, account: str, address: str, secret: str = "s") -> None:
        self.state, self.clock, self.account, self.address, self.secret = state, clock, account, address, secret

    async def guess(self) -> throttle.Try:
        return await self.state.run(throttle.begin, self.account, self.secret, self.address, self.clock.now())

    async def sign_in(self) -> bool:
        this = await self.guess()
        if this.allowed:
            await self.state.run(throttle.passed, this, self.clock.now())
        return this.allowed

    async def guess_patiently(self, times: int) -> float:
        """Guess `times`, always as soon as it is possible; return how many seconds that took."""
        began = self.clock.monotonic()
        for _ in range(times):
            while (this := await self.guess()).wait:
                self.clock.advance(this.wait + 0.01)
        return self.clock.monotonic() - began


async def test_the_first_tries_are_free_then_each_waits_twice_as_long(state: Database) -> None:
    clock = ManualClock()
    guesser = Guesser(state, clock, "7", HOME)
    assert [(await guesser.guess()).wait for _ in range(throttle.FREE)] == [0.0] * throttle.FREE
    waits = []
    for _ in range(14):
        this = await guesser.guess()
        waits.append(round(this.wait))
        clock.advance(this.wait)
        assert (await guesser.guess()).allowed
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]


async def test_a_try_during_a_delay_lengthens_nothing(state: Database) -> None:
    clock = ManualClock()
    guesser = Guesser(state, clock, "7", HOME)
    await guesser.guess_patiently(12)
    first = (await guesser.guess()).wait
    for _ in range(50):
        await guesser.guess()
    clock.advance(first)
    assert (await guesser.guess()).allowed


async def test_a_right_password_clears_the_count(state: Database) -> None:
    guesser = Guesser(state, ManualClock(), "7", HOME)
    for _ in range(5):
        assert [(await guesser.guess()).allowed for _ in range(throttle.FREE - 1)] == [True] * (throttle.FREE - 1)
        assert await guesser.sign_in()


async def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    clock = ManualClock()
    state = await open_state(tmp_path / "state.db")
    await Guesser(state, clock, "7", HOME).guess_patiently(10)
    waiting = (await Guesser(state, clock, "7", HOME).guess()).wait
    await state.close()
    state = await open_state(tmp_path / "state.db")
    assert (await Guesser(state, clock, "7", HOME).guess()).wait == pytest.approx(waiting)
    await state.close()


async def test_an_attacker_elsewhere_does_not_keep_the_patient_out_of_a_known_address(state: Database) -> None:
    clock = ManualClock()
    patient = Guesser(state, clock, "7", HOME)
    assert await patient.sign_in()
    await Guesser(state, clock, "7", ELSEWHERE).guess_patiently(60)
    assert not (await Guesser(state, clock, "7", ELSEWHERE).guess()).allowed
    assert not await Guesser(state, clock, "7", "192.0.2.1").sign_in()
    assert await patient.sign_in()


async def test_a_known_address_is_slowed_down_as_well(state: Database) -> None:
    clock = ManualClock()
    patient = Guesser(state, clock, "7", HOME)
    assert await patient.sign_in()
    for _ in range(throttle.FREE):
        assert (await patient.guess()).allowed
    assert not (await patient.guess()).allowed


async def test_after_a_hundred_failures_the_account_is_closed_to_unknown_addresses(state: Database) -> None:
    clock = ManualClock()
    patient = Guesser(state, clock, "7", HOME)
    assert await patient.sign_in()
    attacker = Guesser(state, clock, "7", ELSEWHERE)
    assert await attacker.guess_patiently(throttle.MOST) > 20 * 3600
    assert (await attacker.guess()).wait > dt.timedelta(days=29).total_seconds()
    assert await patient.sign_in()
    assert not (await attacker.guess()).allowed
    clock.advance(throttle.CLOSED.total_seconds())
    assert (await attacker.guess()).allowed


async def test_a_new_password_from_the_office_opens_a_closed_account(state: Database) -> None:
    clock = ManualClock()
    await Guesser(state, clock, "7", ELSEWHERE).guess_patiently(throttle.MOST)
    assert not await Guesser(state, clock, "7", HOME).sign_in()
    assert await Guesser(state, clock, "7", HOME, secret="another").sign_in()


async def test_one_address_that_tries_many_accounts_is_slowed_down(state: Database) -> None:
    clock = ManualClock()
    tries = [await Guesser(state, clock, str(account), ELSEWHERE).guess() for account in range(30)]
    assert [this.allowed for this in tries] == [True] * throttle.FREE_PER_ADDRESS + [False] * 10
    assert (await Guesser(state, clock, "1", HOME).guess()).allowed


async def test_a_sign_in_of_ones_own_does_not_wipe_out_guesses_at_others(state: Database) -> None:
    clock = ManualClock()
    for account in range(throttle.FREE_PER_ADDRESS - 1):
        await Guesser(state, clock, str(account), ELSEWHERE).guess()
    assert await Guesser(state, clock, "own", ELSEWHERE).sign_in()
    assert (await Guesser(state, clock, "90", ELSEWHERE).guess()).allowed
    assert not (await Guesser(state, clock, "91", ELSEWHERE).guess()).allowed


async def test_one_household_is_one_address(state: Database) -> None:
    clock = ManualClock()
    for number in range(throttle.FREE_PER_ADDRESS):
        assert (await Guesser(state, clock, str(number), f"2001:db8:1:2::{number:x}").guess()).allowed
    assert not (await Guesser(state, clock, "x", "2001:db8:1:2:ffff::1").guess()).allowed
    assert (await Guesser(state, clock, "x", "2001:db8:1:3::1").guess()).allowed


@pytest.mark.parametrize(
    "address", ["", "unknown", "not an address", "fe80::1%eth0", "::ffff:198.51.100.7", "😀" * 999]
)
async def test_any_address_is_taken(state: Database, address: str) -> None:
    guesser = Guesser(state, ManualClock(), "7", address)
    assert await guesser.sign_in()
    for _ in range(throttle.FREE):
        await guesser.guess()
    assert not (await guesser.guess()).allowed


async def test_many_tries_at_once_are_no_way_around(state: Database) -> None:
    clock = ManualClock()
    tries = await asyncio.gather(*(Guesser(state, clock, "7", HOME).guess() for _ in range(40)))
    assert sum(this.allowed for this in tries) == throttle.FREE


async def test_a_day_of_quiet_starts_again_and_old_rows_go(state: Database) -> None:
    clock = ManualClock()
    guesser = Guesser(state, clock, "7", HOME)
    await guesser.guess_patiently(20)
    clock.advance(dt.timedelta(hours=25).total_seconds())
    assert await state.run(throttle.sweep, clock.now()) == 2
    assert [(await guesser.guess()).allowed for _ in range(throttle.FREE)] == [True] * throttle.FREE


async def test_a_clock_that_jumps_back_does_not_lengthen_a_delay(state: Database) -> None:
    clock = ManualClock()
    guesser = Guesser(state, clock, "7", HOME)
    await guesser.guess_patiently(8)
    clock.advance(-dt.timedelta(days=400).total_seconds())
    assert (await guesser.guess()).wait <= throttle.LONGEST_DELAY.total_seconds()


async def test_a_clock_that_is_set_back_keeps_nobody_out_and_forgets_no_failure(state: Database) -> None:
    ahead, right = ManualClock(), ManualClock()
    ahead.advance(7200)
    await Guesser(state, ahead, "7", HOME).guess_patiently(20)
    patient = Guesser(state, right, "7", HOME)
    assert (await patient.guess()).allowed
    assert (await patient.guess()).wait == pytest.approx(throttle.LONGEST_DELAY.total_seconds())
    right.advance(throttle.LONGEST_DELAY.total_seconds())
    assert (await patient.guess()).allowed


async def test_tries_whose_times_were_read_in_another_order_wait_alike(state: Database) -> None:
    clock, earlier = ManualClock(), ManualClock()
    clock.advance(2 * 3600)
    await Guesser(state, clock, "7", HOME).guess_patiently(20)
    earlier.advance(clock.monotonic() - earlier.monotonic() - 1.0)
    assert (await Guesser(state, earlier, "7", HOME).guess()).wait > 0

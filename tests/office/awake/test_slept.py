"""Two clocks tell whether the machine slept, was only slow, or had its clock set."""

import datetime as dt

from econnector.base.clock import SYSTEM, ManualClock
from econnector.office.awake.slept import Gauge, SleptWatch, gauge


class Machine:
    """A clock for the time of day, one that stops in sleep and one that does not."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.going = 5000.0
        self.watch = SleptWatch(self.clock, Gauge(lambda: self.going, self.clock.monotonic))

    def works(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.going += seconds

    def sleeps(self, seconds: float) -> None:
        self.clock._now += dt.timedelta(seconds=seconds)
        self.going += seconds

    def is_set_forward(self, seconds: float) -> None:
        self.clock._now += dt.timedelta(seconds=seconds)


def test_a_sleep_is_told_once_with_its_beginning_and_end() -> None:
    machine = Machine()
    machine.works(5)
    assert machine.watch.look() is None
    machine.works(2)
    before = machine.clock.now()
    machine.sleeps(2220)
    machine.works(3)
    slept = machine.watch.look()
    assert slept is not None
    assert slept.certain
    assert slept.ended == machine.clock.now()
    assert slept.ended - slept.began == dt.timedelta(minutes=37)
    assert abs((slept.began - before).total_seconds()) < 5
    machine.works(5)
    assert machine.watch.look() is None


def test_a_machine_that_was_only_slow_did_not_sleep() -> None:
    machine = Machine()
    machine.works(3600)
    assert machine.watch.look() is None


def test_network_time_that_corrects_the_clock_is_no_sleep() -> None:
    machine = Machine()
    machine.is_set_forward(20)
    machine.works(5)
    assert machine.watch.look() is None


def test_a_clock_that_jumps_far_may_be_a_virtual_machine_that_was_stopped() -> None:
    machine = Machine()
    machine.is_set_forward(1800)
    machine.works(5)
    slept = machine.watch.look()
    assert slept is not None
    assert not slept.certain


def test_a_clock_that_is_set_back_is_no_sleep() -> None:
    machine = Machine()
    machine.is_set_forward(-3600)
    machine.works(5)
    assert machine.watch.look() is None


def test_where_only_the_time_of_day_goes_on_its_jump_is_the_sleep() -> None:
    clock = ManualClock()
    watch = SleptWatch(clock)
    clock.advance(5)
    clock._now += dt.timedelta(minutes=10)
    slept = watch.look()
    assert slept is not None
    assert slept.certain


def test_this_machines_own_clocks_go_forward_together() -> None:
    clocks = gauge(SYSTEM)
    assert clocks.going is not None
    watch = SleptWatch(SYSTEM)
    assert watch.look() is None
    assert clocks.going() <= clocks.going()
    assert clocks.stopping() <= clocks.stopping()

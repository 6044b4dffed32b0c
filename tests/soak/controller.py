"""Hurts and heals the parts as the seed has planned it, and waits until everything serves again by itself."""

import collections
import contextlib
import datetime as dt
import subprocess
import time
from typing import NamedTuple

import click

from econnector.demo.browser import Lost
from tests.soak.account import Account, Weather
from tests.soak.patients import Straight, told
from tests.soak.plan import Storm, storms
from tests.soak.scene import PROCESS, Part, Scene

__all__ = ["Controller", "Hurt"]

PROBE, PASSWORD = "hwhitfield", "Old-Mill-Road-9"
RECOVERED_SECONDS = 60.0
_NOTICED_SECONDS = 4.0
"""Until a connector whose clock was moved has seen it, and dials anew as after a sleep."""
_SOFT = ("freeze",)
"""What HQ and the connector live through."""


class Hurt(NamedTuple):
    """A fault as it really was."""

    part: str
    how: str
    began: dt.datetime
    ended: dt.datetime
    """When everything served again."""
    healed: dt.datetime


class Controller:
    """Works in the main thread, because the database server ends with the thread that started it."""

    def __init__(self, scene: Scene, account: Account, weather: Weather, seed: str) -> None:
        self.scene, self.account, self.weather = scene, account, weather
        self.parts = {part.name: part for part in scene.parts()}
        faults = [(part.name, how) for part in self.parts.values() for how in part.ways]
        gentle = [(name, how) for name, how in faults if not _lives(name) or how in _SOFT or how not in PROCESS]
        self.hard, self.gentle = storms(faults, f"{seed}/hard"), storms(gentle, f"{seed}/gentle")
        self.done: collections.Counter[str] = collections.Counter()
        self.hurts: list[Hurt] = []
        self.recoveries: list[float] = []
        self.browser = Straight(scene.portals[0])
        self.storms, self._since = 0, 0.0

    def sign_in(self) -> None:
        """Open the session that is asked again and again whether everything serves."""
        page = self.browser.open("sign-in")
        answer = self.browser.submit(page.form("/sign-in"), user_name=PROBE, password=PASSWORD)
        assert answer.status == 303
        self._since = time.monotonic()

    def warm_up(self) -> None:
        """Let HQ and the connector live through one fault of each kind: what that takes once is no growth."""
        self.weather.storm()
        healed = []
        for part in self.parts.values():
            for how in part.ways[:1] if part.ways != PROCESS else ("freeze",) if _lives(part.name) else ("stop",):
                began = _now()
                self._strike(part, how)
                time.sleep(2.0)
                self._heal(part, how)
                healed.append((part, how, began, _now()))
        self._over(healed)

    def storm(self, *, gentle: bool = False) -> None:
        """Let the next storm come, heal it, wait for everything. `gentle` leaves HQ and the connector alive."""
        storm = next(self.gentle if gentle else self.hard)
        time.sleep(storm.calm)
        self.storms += 1
        click.echo(f"  storm {self.storms:>2}: {storm.told()}")
        self.weather.storm()
        self._blow(storm)

    def long(self, name: str, how: str, seconds: float) -> None:
        """Hurt one part for so long that everybody must hear of it."""
        click.echo(f"  for {seconds:g} s: {name} {how}")
        self.weather.storm()
        part, began = self.parts[name], _now()
        self.done[f"{name} {how}"] += 1
        self._strike(part, how)
        time.sleep(seconds)
        self._heal(part, how)
        self._over([(part, how, began, _now())])

    def _blow(self, storm: Storm) -> None:
        struck = []
        for blow in storm.blows:
            part, began = self.parts[blow.part], _now()
            self.done[f"{part.name} {blow.how}"] += 1
            self._strike(part, blow.how)
            struck.append((part, blow.how, began))
            time.sleep(blow.pause)
        healed = []
        for index, lasts in storm.heals:
            part, how, began = struck[index]
            time.sleep(lasts)
            self._heal(part, how)
            healed.append((part, how, began, _now()))
        self._over(healed)

    def _over(self, healed: list[tuple[Part, str, dt.datetime, dt.datetime]]) -> None:
        if any("clock" in part.name for part, *_ in healed):
            time.sleep(_NOTICED_SECONDS)
        self._recover()
        self.hurts += [Hurt(part.name, how, began, _now(), ended) for part, how, began, ended in healed]
        self.weather.fair()

    def _strike(self, part: Part, how: str) -> None:
        if part.name == "disk":
            self.weather.disk_is(full=True)
        try:
            part.hurt(how)
        except subprocess.TimeoutExpired:
            self.account.wrong(part.name, "did not stop within 15 s of SIGTERM")
        if "clock" in part.name:
            self.weather.clock_moved()

    def _heal(self, part: Part, how: str) -> None:
        part.heal(how)
        if "clock" in part.name:
            self.weather.clock_moved()
        if part.name == "disk":
            self.weather.disk_is(full=False)

    def _recover(self) -> None:
        """Wait until every node serves a signed-in page from the database. A process that ended by itself is told."""
        began, told_of = time.monotonic(), False
        while not all(self._serves(portal) for portal in self.scene.portals):
            for name, status in self.scene.ended().items():
                self.account.wrong(name, f"ended by itself with status {status}: {self._last_words(name)}")
                self.scene.revive(name)
            if time.monotonic() - began > RECOVERED_SECONDS and not told_of:
                told_of = True
                self.account.wrong("everything", f"does not serve again after {RECOVERED_SECONDS:g} s")
            if time.monotonic() - began > 4 * RECOVERED_SECONDS:
                raise AssertionError("it does not come back at all")
            time.sleep(0.1)
        self.recoveries.append(time.monotonic() - began)

    def _last_words(self, name: str) -> str:
        return (self.scene.whole.folder / f"{name}.out").read_text(errors="replace")[-400:]

    def _serves(self, portal: str) -> bool:
        self.browser.base = portal
        with contextlib.suppress(Lost):
            page = self.browser.open("")
            if page.status == 303:
                if not self.weather.moved(self._since):
                    self.account.wrong(PROBE, "the session has ended by itself")
                self.browser.cookies.clear()
                with contextlib.suppress(AssertionError):
                    self.sign_in()
                return False
            return page.status == 200 and "Harold" in told(page)
        return False


def _lives(name: str) -> bool:
    """Whether the part is a process that is weighed in the last third."""
    return name == "connector" or (name.startswith("hq") and "clock" not in name)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)

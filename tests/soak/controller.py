"""Hurts and heals the parts in an order that the seed decides, and waits until everything serves again by itself."""

import contextlib
import random
import subprocess
import time

import click

from econnector.demo.browser import Lost
from tests.soak.account import Account, Weather
from tests.soak.patients import Straight, told
from tests.soak.scene import Part, Scene

__all__ = ["Controller"]

PROBE, PASSWORD = "hwhitfield", "Old-Mill-Road-9"
RECOVERED_SECONDS = 60.0
CALM_SECONDS = (2.0, 4.0)
HOW = ("kill", "kill", "stop", "freeze", "freeze")


class Controller:
    """Works in the main thread, because the database server ends with the thread that started it."""

    def __init__(self, scene: Scene, account: Account, weather: Weather, dice: random.Random) -> None:
        self.scene, self.account, self.weather, self.dice = scene, account, weather, dice
        self.parts = {part.name: part for part in scene.parts()}
        self.done: dict[str, int] = {}
        self.recoveries: list[float] = []
        self.browser = Straight(scene.portals[0])
        self.storms = 0

    def sign_in(self) -> None:
        """Open the session that is asked again and again whether everything serves."""
        page = self.browser.open("sign-in")
        answer = self.browser.submit(page.form("/sign-in"), user_name=PROBE, password=PASSWORD)
        assert answer.status == 303

    def warm_up(self) -> None:
        """Let HQ and the connector live through one fault of each kind: what that takes once is no growth."""
        self.weather.storm()
        for name, part in self.parts.items():
            how = "freeze" if name.startswith(("hq", "connector")) else "stop"
            part.hurt(how)
            time.sleep(2.0)
            part.heal(how)
            self._recover()
        self.weather.fair()

    def storm(self, *, gentle: bool = False) -> None:
        """Hurt one to three parts, heal them, wait for everything. `gentle` leaves HQ and the connector alive."""
        self.storms += 1
        self.weather.storm()
        hurt = self._hurt(self._plan(gentle=gentle))
        self.dice.shuffle(hurt)
        for part, how in hurt:
            time.sleep(self.dice.uniform(0.3, 4.0))
            part.heal(how)
        self._recover()
        self.weather.fair()

    def _plan(self, *, gentle: bool) -> list[tuple[Part, str]]:
        names = self.dice.sample(sorted(self.parts), min(self.dice.choice((1, 1, 1, 2, 3)), len(self.parts)))
        plan = []
        for name in names:
            lives = gentle and name.startswith(("hq", "connector"))
            plan.append((self.parts[name], "freeze" if lives else self.dice.choice(HOW)))
        return plan

    def _hurt(self, plan: list[tuple[Part, str]]) -> list[tuple[Part, str]]:
        for part, how in plan:
            self.done[f"{part.name} {how}"] = self.done.get(f"{part.name} {how}", 0) + 1
            click.echo(f"  storm {self.storms:>2}: {part.name} {how}")
            try:
                part.hurt(how)
            except subprocess.TimeoutExpired:
                self.account.wrong(part.name, "did not stop within 15 s of SIGTERM")
            time.sleep(self.dice.uniform(0.0, 1.5))
        return list(plan)

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
                self.account.wrong(PROBE, "the session has ended by itself")
                self.sign_in()
                return False
            return page.status == 200 and "Harold" in told(page)
        return False

    def calm(self) -> None:
        """Let things run in fair weather."""
        time.sleep(self.dice.uniform(*CALM_SECONDS))

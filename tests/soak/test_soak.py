"""Minutes of real traffic through real processes, while everything that the office and HQ stand on is hurt.

`make soak` runs it. SOAK_MINUTES is how long all of it takes, about (15); SOAK_SEED repeats the storms and what people
do, in the same order, of a run that was printed. Not the same to the millisecond: it is a real machine.
"""

import itertools
import os
import random
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from econnector.web.cookies import Cookie
from tests.soak import outages, report, verdict
from tests.soak.account import Account, Weather
from tests.soak.controller import Controller
from tests.soak.hostile import Hostile, Thief
from tests.soak.patients import Patient, Visitor
from tests.soak.practice import Login
from tests.soak.reckoning import reckon, settle
from tests.soak.scene import Scene, Usage
from tests.soak.writers import Writer
from tests.soak.writes import Writes
from tests.support.whole import OFFICE

SECONDS = 60 * float(os.environ.get("SOAK_MINUTES", "15"))
SEED = int(os.environ.get("SOAK_SEED", "0")) or secrets.randbelow(10**6) + 1
PEOPLE = {
    "elena.rivera": "Maple-Street-42",
    "tyler.rivera": "Kestrel-Avenue-7",
    "denise.washington": "Quarry-Road-1958",
    "olivia.chen": "Foxglove-Way-3",
    "jonathan.petersen": "Sandpiper-Circle-5",
    "angeles.fernandez": "Tamarack-Terrace-6",
    "Grace311": "Heron4Landing",
}
WORKERS = 8
"""Statements of one connector that a kill can part."""
MORE_KILOBYTES, MORE_FILES = 12 * 1024, 12
MOST_KILOBYTES, MOST_FILES = 250 * 1024, 250

pytestmark = [pytest.mark.soak, pytest.mark.timeout(int(SECONDS) + 1800)]
LONG_SECONDS = 80.0
LONG = {1: (("mariadb", "stop"), ("connector", "kill")), 2: (("link", "half-open"),)}
"""By nodes: what is away for so long that everybody must hear of it, in runs of ten minutes or more."""
LONG_RUN = 600.0


@pytest.fixture(scope="module")
def runs() -> Iterator[list[report.Run]]:
    """What each stage has seen; written into the page once all have come to their verdict."""
    found: list[report.Run] = []
    yield found
    if len(found) == len(LONG):
        report.write(found)


@pytest.mark.parametrize("nodes", sorted(LONG), ids=["one-node", "two-nodes-over-nats"])
def test_whatever_is_hurt_answers_are_right_or_kind_and_nothing_is_lost_or_twice(
    tmp_path: Path, nodes: int, capsys: pytest.CaptureFixture[str], runs: list[report.Run]
) -> None:
    with capsys.disabled():  # whoever waits for minutes sees what happens
        _soak(tmp_path, nodes, runs)


def _soak(tmp_path: Path, nodes: int, runs: list[report.Run]) -> None:
    dice, seconds = random.Random(f"{SEED}/{nodes}"), SECONDS / len(LONG)
    account, weather, writes = Account(), Weather(), Writes()
    click.echo(f"\nsoak: {nodes} node(s), {seconds:g} s, SOAK_SEED={SEED}")
    with Scene.open(tmp_path, dice, nodes=nodes) as scene:
        before = scene.practice.logins()
        newest = max([row.number for row in scene.practice.audits()], default=0)
        patients = _patients(scene, account, weather)
        _acquaint(patients, scene)
        writers = _writers(scene, account, weather, writes)
        controller = Controller(scene, account, weather, f"{SEED}/{nodes}")
        controller.sign_in()
        hostile = _hostile(scene, account, weather, patients)
        _live(scene, controller, [*patients, *writers, *hostile], account, seconds, LONG[nodes])
        settle(scene, account, writers)
        judged = reckon(scene, account, writes)
        _judge(scene, controller, patients, account, before, newest)
        account.facts["others' tokens tried"] = str(sum(one.tried for one in hostile if isinstance(one, Thief)))
        _say_what_was_not(scene, account)
    name = "one node" if nodes == 1 else f"{nodes} nodes over NATS"
    runs.append(report.run_of(name, SEED, seconds, controller, account, judged))
    click.echo(account.table())
    click.echo(report.markdown(runs[-1:]))
    assert account.wrongs == []


def _patients(scene: Scene, account: Account, weather: Weather) -> list[Patient]:
    return [
        Patient(name, password, scene.portals, account, weather, random.Random(f"{SEED}/{name}"))
        for name, password in PEOPLE.items()
    ]


def _writers(scene: Scene, account: Account, weather: Weather, writes: Writes) -> list[Writer]:
    people = scene.writers
    return [
        Writer(
            *(person, writes, scene.cards.url, 2000 + index, len(people)),
            *(scene.portals, account, weather, random.Random(f"{SEED}/{person.user_name}")),
        )
        for index, person in enumerate(people)
    ]


def _hostile(scene: Scene, account: Account, weather: Weather, patients: list[Patient]) -> list[Visitor]:
    rest = (scene.portals, account, weather)
    return [
        Hostile("hostile", *rest, random.Random(f"{SEED}/hostile")),
        Thief(patients, Cookie("portal").name(OFFICE), "thief", *rest, random.Random(f"{SEED}/thief")),
    ]


def _say_what_was_not(scene: Scene, account: Account) -> None:
    """A run that could not try something must not look as if it had."""
    account.facts["practice's database"] = scene.tables
    account.facts["disk of the state file"] = scene.disk.way
    account.facts["bytes of the link really out of order"] = f"{scene.whole.line.reordered} times"
    missing = [] if scene.whole.clocks.there else ["clocks (libfaketime is not installed)"]
    missing += [] if scene.server is not None else ["MariaDB (it is not installed)"]
    missing += [] if SECONDS >= LONG_RUN else [f"long outages (runs of {LONG_RUN / 60:g} minutes have them)"]
    account.facts["not tried"] = ", ".join(missing) or "–"


def _acquaint(patients: list[Patient], scene: Scene) -> None:
    """Let everybody see what is theirs, and know what is others'."""
    for patient in patients:
        patient.learn()
    rows = {row.user_name: row for row in scene.practice.logins().values()}
    surnames = {
        last for number, (last, _) in scene.practice.names().items() if number in {r.patient for r in rows.values()}
    }
    for patient in patients:
        own = " ".join(patient.pages.values())
        patient.strangers = frozenset(name for name in surnames if len(name) > 4 and name not in own)
        others = {link for other in patients for link in other.files if link not in patient.files}
        mine = {link for other in patients for link in other.files if other.name in _SAME_FAMILY.get(patient.name, ())}
        patient.locked = sorted(others - mine) + [
            f"?person={rows[other.user_name].patient}"
            for other in patients
            if other is not patient and other.name not in _SAME_FAMILY.get(patient.name, ())
        ]


_SAME_FAMILY = {"elena.rivera": ("tyler.rivera",)}


def _live(  # noqa: PLR0917 - what lives, and for how long
    scene: Scene,
    controller: Controller,
    visitors: list[Visitor],
    account: Account,
    seconds: float,
    long: tuple[tuple[str, str], ...],
) -> None:
    """Two thirds of the time anything may be hurt; in the last third HQ and the connector live, and are weighed."""
    began, most = time.monotonic(), Usage(0, 0)
    for visitor in visitors:
        visitor.start()
    try:
        waiting = iter(long if SECONDS >= LONG_RUN else ())
        for count in itertools.count():
            if time.monotonic() - began > seconds * 2 / 3:
                break
            controller.storm()
            most = _most(scene, most)
            if count % 8 == 3 and (one := next(waiting, None)) and one[0] in controller.parts:
                controller.long(*one, LONG_SECONDS)
        controller.warm_up()
        time.sleep(4.0)
        warm = scene.usage()
        while time.monotonic() - began < seconds:
            controller.storm(gentle=True)
            most = _most(scene, most)
        time.sleep(6.0)
    finally:
        for visitor in visitors:
            visitor.stopping.set()
        for visitor in visitors:
            visitor.join(60)
    time.sleep(3.0)
    _weigh(scene, warm, most, account)


def _most(scene: Scene, most: Usage) -> Usage:
    now = [usage for _, usage in scene.usage().values()]
    return Usage(max([u.kilobytes for u in now] + [most.kilobytes]), max([u.files for u in now] + [most.files]))


def _weigh(scene: Scene, warm: dict[int, tuple[str, Usage]], most: Usage, account: Account) -> None:
    for pid, (name, after) in scene.usage().items():
        if pid not in warm:
            account.wrong(name, "did not live through the last third")
            continue
        first = warm[pid][1]
        text = f"{first.kilobytes // 1024} → {after.kilobytes // 1024} MB, {first.files} → {after.files} files"
        account.facts[f"{name} in the last third"] = text
        if after.kilobytes > first.kilobytes + MORE_KILOBYTES or after.files > first.files + MORE_FILES:
            account.wrong(name, f"grows: {text}")
    account.facts["most of any process"] = f"{most.kilobytes // 1024} MB, {most.files} files"
    if most.kilobytes > MOST_KILOBYTES or most.files > MOST_FILES:
        account.wrong("a process", f"held {account.facts['most of any process']}")


def _judge(  # noqa: PLR0917 - what is judged, by what was seen
    scene: Scene,
    controller: Controller,
    patients: list[Patient],
    account: Account,
    before: dict[int, Login],
    newest: int,
) -> None:
    whole, practice = scene.whole, scene.practice
    done = controller.done
    verdict.kept_failures(account, scene.state)
    verdict.throttle(account, scene.state)
    killed = sum(count for what, count in done.items() if what in _MAY_PART)
    deaths = sum(count for what, count in done.items() if what.startswith("hq") and what.endswith(("kill", "stop")))
    verdict.sessions(account, scene.portals[0], patients, Cookie("portal").name(OFFICE), deaths)
    verdict.logins(account, before, practice, patients)
    verdict.audit_trail(account, practice, newest, patients, killed * WORKERS)
    verdict.signals(account, practice.signals(), done["connector stop"], killed)
    outages.judge(scene, account, controller.hurts)
    for table in practice.damaged():
        account.wrong("the database", f"is damaged: {table}")
    private = {secret for patient in patients for secret in patient.secrets}
    private |= {token for patient in patients for token, _ in patient.signed_out}
    verdict.nothing_private(account, whole.folder, whole.log(), private, ("Rivera", "elena.rivera", "Petersen"))


_MAY_PART = {f"{part} {how}" for part in ("connector", "mariadb") for how in ("kill", "stop", "freeze")}
"""What can come between two statements that belong together: Open Dental's tables know no transactions."""

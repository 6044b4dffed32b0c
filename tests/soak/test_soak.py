"""Minutes of real traffic through real processes, while everything is killed, stopped, frozen and started again.

`make soak` runs it. SOAK_SECONDS is how long all of it takes, about (300); SOAK_SEED repeats the faults and what
people do, in the same order, of a run that was printed. Not the same to the millisecond: it is a real machine.
"""

import os
import random
import secrets
import time
from pathlib import Path

import click
import pytest

from econnector.web.cookies import Cookie
from tests.soak import verdict
from tests.soak.account import Account, Weather
from tests.soak.controller import Controller
from tests.soak.hostile import Hostile
from tests.soak.patients import Patient, Visitor
from tests.soak.practice import Login, Practice
from tests.soak.scene import Scene, Usage
from tests.support.whole import OFFICE

SECONDS = float(os.environ.get("SOAK_SECONDS", "300"))
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

pytestmark = [pytest.mark.soak, pytest.mark.timeout(int(SECONDS) + 900)]


@pytest.mark.parametrize("nodes", [1, 2], ids=["one-node", "two-nodes-over-nats"])
def test_whatever_is_killed_answers_are_right_or_kind_and_nothing_is_lost(
    tmp_path: Path, nodes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():  # whoever waits for minutes sees what happens
        _soak(tmp_path, nodes)


def _soak(tmp_path: Path, nodes: int) -> None:
    dice = random.Random(f"{SEED}/{nodes}")
    account, weather = Account(), Weather()
    click.echo(f"\nsoak: {nodes} node(s), {SECONDS / 2:g} s, SOAK_SEED={SEED}")
    with Scene.open(tmp_path, dice, nodes=nodes) as scene:
        practice = Practice(scene)
        before = practice.logins()
        newest = max([row.number for row in practice.audits()], default=0)
        patients = _patients(scene, account, weather)
        _acquaint(patients, practice)
        controller = Controller(scene, account, weather, random.Random(f"{SEED}/{nodes}/faults"))
        controller.sign_in()
        _live(scene, controller, [*patients, _hostile(scene, account, weather)], account)
        _judge(scene, controller, patients, account, before, newest)
    click.echo(account.table())
    assert account.wrongs == []


def _patients(scene: Scene, account: Account, weather: Weather) -> list[Patient]:
    return [
        Patient(name, password, scene.portals, account, weather, random.Random(f"{SEED}/{name}"))
        for name, password in PEOPLE.items()
    ]


def _hostile(scene: Scene, account: Account, weather: Weather) -> Hostile:
    return Hostile("hostile", scene.portals, account, weather, random.Random(f"{SEED}/hostile"))


def _acquaint(patients: list[Patient], practice: Practice) -> None:
    """Let everybody see what is theirs, and know what is others'."""
    for patient in patients:
        patient.learn()
    rows = {row.user_name: row for row in practice.logins().values()}
    surnames = {last for number, (last, _) in practice.names().items() if number in {r.patient for r in rows.values()}}
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


def _live(scene: Scene, controller: Controller, visitors: list[Visitor], account: Account) -> None:
    """Two thirds of the time anything may be killed; in the last third HQ and the connector live, and are weighed."""
    began, seconds = time.monotonic(), SECONDS / 2
    for visitor in visitors:
        visitor.start()
    try:
        most = Usage(0, 0)
        while time.monotonic() - began < seconds * 2 / 3:
            controller.calm()
            controller.storm()
            most = _most(scene, most)
        controller.calm()
        controller.warm_up()
        controller.calm()
        warm = scene.usage()
        while time.monotonic() - began < seconds:
            controller.calm()
            controller.storm(gentle=True)
            most = _most(scene, most)
        controller.calm()
        controller.calm()
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
    whole, practice = scene.whole, Practice(scene)
    done = controller.done
    verdict.kept_failures(account, whole.folder / "office.sqlite")
    killed = sum(count for what, count in done.items() if what in _MAY_PART)
    verdict.sessions(account, scene.portals[0], patients, Cookie("portal").name(OFFICE))
    verdict.logins(account, before, practice, patients)
    verdict.audit_trail(account, practice, newest, patients, killed * WORKERS)
    verdict.signals(account, practice.signals(), done.get("connector stop", 0), killed)
    for table in practice.damaged():
        account.wrong("the database", f"is damaged: {table}")
    private = {secret for patient in patients for secret in patient.secrets}
    private |= {token for patient in patients for token, _ in patient.signed_out}
    verdict.nothing_private(account, whole.folder, whole.log(), private, ("Rivera", "elena.rivera", "Petersen"))
    account.facts["storms"] = f"{controller.storms}: " + ", ".join(f"{k} {v}" for k, v in sorted(done.items()))
    waits = sorted(controller.recoveries)
    account.facts["back without help after"] = f"{waits[len(waits) // 2]:.1f} s (half), {waits[-1]:.1f} s (longest)"


_MAY_PART = {f"{part} {how}" for part in ("connector", "mariadb") for how in ("kill", "stop", "freeze")}
"""What can come between two statements that belong together: Open Dental's tables know no transactions."""

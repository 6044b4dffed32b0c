"""Every outage stands in the histories with its cause.

What the product promises, and what is held against it here:

* the office notes every outage of its database and of its link, from the moment that it meets it, with the cause;
* HQ hears of each one that is over, by the next heartbeat, and keeps it in the office's history;
* one of 60 s or more (`WORTH_SECONDS`) stands in Open Dental's own history, too, under the same reference;
* an office that HQ has not heard for 60 s (`GONE`) is *unreachable* in HQ's history, and *reachable* when it is back;
* a fault of less than `MET_SECONDS` may pass unseen: the database is looked at every 15 s, a try to dial may take 10 s.

The office's times are its own clock's, which the soak has moved.
"""

import contextlib
import datetime as dt
import sqlite3
from typing import NamedTuple

from tests.soak.account import Account
from tests.soak.controller import Hurt
from tests.soak.scene import Scene

__all__ = ["judge"]

MET_SECONDS = 45.0
WORTH_SECONDS = 60.0
_GONE_SECONDS = 75.0
_SLACK = dt.timedelta(seconds=20)
_MOVED = tuple(dt.timedelta(seconds=each) for each in (0, 7200, -1800))
_CAUSES = {
    "database": {"database-away", "database-busy", "database-refused", "database-damaged", "clock-drift"},
    "sleep": {"machine-slept"},
    "hq": {"hq-away", "protocol-broken", "registry-away", "switchboard-away", "owned-elsewhere", "answer-lost"},
}
_PARTS = {
    "database": ("mariadb", "connector"),
    "hq": ("hq", "link", "nats", "connector", "disk"),
    "sleep": ("connector",),
}
"""What each kind may come from: a connector that was frozen finds both ends gone; so does one whose clock was put
forward, as if its machine had slept."""


class Outage(NamedTuple):
    """One that the office noted."""

    kind: str
    code: str
    reference: str
    began: dt.datetime
    ended: dt.datetime | None


def judge(scene: Scene, account: Account, hurts: list[Hurt]) -> None:
    """Compare what was hurt with what the office, HQ and Open Dental's database say was away."""
    outages, history = _noted(scene), _history(scene)
    told = {(cause, reference) for kind, cause, _, reference, _ in history if kind == "outage"}
    shown = " ".join(row.text for row in scene.practice.signals())
    for outage in outages:
        where = f"{outage.kind} outage {outage.code} of {outage.began:%H:%M:%S}"
        if outage.code not in _CAUSES.get(outage.kind, ()):
            account.wrong("the office's outages", f"{where}: no storm has this cause")
        if outage.ended is None:
            account.wrong("the office's outages", f"{where} is not over")
            continue
        if (outage.code, outage.reference) not in told:
            account.wrong("HQ's history", f"does not know the {where}")
        if (outage.ended - outage.began).total_seconds() >= WORTH_SECONDS and outage.reference not in shown:
            account.wrong("Open Dental's history", f"does not know the {where}")
        if not any(_explains(hurt, outage) for hurt in hurts):
            account.wrong("the office's outages", f"{where}: nothing was hurt then")
    alone = len(scene.portals) == 1
    for hurt in hurts:
        if alone or hurt.part != "hq":  # the other node takes the office
            _was_met(hurt, outages, history, account)
    unreachable = sum(kind == "unreachable" for kind, *_ in history)
    reachable = sum(kind == "reachable" for kind, *_ in history)
    if unreachable != reachable:
        account.wrong("HQ's history", f"{unreachable} times unreachable, {reachable} times reachable")
    account.facts["outages noted, told to HQ, unreachable"] = f"{len(outages)}, {len(told)}, {unreachable}"


def _was_met(
    hurt: Hurt, outages: list[Outage], history: list[tuple[str, str, str, str, dt.datetime]], account: Account
) -> None:
    """A long fault stands in every history that promises it."""
    lasted = (hurt.healed - hurt.began).total_seconds()
    kind = {"mariadb": "database", "hq": "hq", "link": "hq"}.get(hurt.part, "")
    if hurt.part == "link" and hurt.how != "half-open":
        kind = ""
    if kind and lasted >= MET_SECONDS and not any(one.kind == kind and _explains(hurt, one) for one in outages):
        account.wrong("the office's outages", f"{hurt.part} {hurt.how} for {lasted:.0f} s is not there")
    silent = hurt.part == "connector" or (hurt.part, hurt.how) == ("link", "half-open")
    if silent and lasted >= _GONE_SECONDS:
        within = [at for one, _, _, _, at in history if one == "unreachable" and hurt.began < at < hurt.ended + _SLACK]
        if not within:
            account.wrong("HQ's history", f"{hurt.part} {hurt.how} for {lasted:.0f} s: nobody was unreachable")


def _explains(hurt: Hurt, outage: Outage) -> bool:
    """Whether the outage overlaps the fault, by whatever clock, and may come from it."""
    if not hurt.part.startswith(_PARTS.get(outage.kind, ())):
        return False
    ended = outage.ended or dt.datetime.now(dt.UTC)
    return any(outage.began - by < hurt.ended + _SLACK and ended - by > hurt.began - _SLACK for by in _MOVED)


def _noted(scene: Scene) -> list[Outage]:
    with contextlib.closing(sqlite3.connect(scene.state)) as office:
        rows = office.execute("SELECT kind, code, reference, began, ended FROM outage ORDER BY id").fetchall()
    return [Outage(k, c, r, _time(began), _time(ended) if ended else None) for k, c, r, began, ended in rows]


def _history(scene: Scene) -> list[tuple[str, str, str, str, dt.datetime]]:
    """Return HQ's history of the office: kind, cause, detail, reference, when."""
    file = scene.whole.folder / "hq" / "registry.db"
    with contextlib.closing(sqlite3.connect(file)) as hq:
        rows = hq.execute("SELECT kind, cause, detail, reference, at FROM history ORDER BY id").fetchall()
    return [(kind, cause, detail, reference, _time(at)) for kind, cause, detail, reference, at in rows]


def _time(text: str) -> dt.datetime:
    made = dt.datetime.fromisoformat(text)
    return made if made.tzinfo else made.replace(tzinfo=dt.UTC)

"""What must hold when the storms are over: rows, logs and sessions, against what people were told."""

import contextlib
import datetime as dt
import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import create_engine

from econnector.demo.browser import Lost
from econnector.opendental import passwords
from econnector.storage.state import throttle as throttling
from tests.soak.account import Account
from tests.soak.patients import Patient, Straight
from tests.soak.practice import Login, Practice, Signal

__all__ = ["audit_trail", "kept_failures", "logins", "nothing_private", "sessions", "signals", "throttle"]

ANCHOR = "Heartbeat Anchor"
INFO, WORKING, ERROR, CRITICAL = 1, 2, 4, 5


def logins(account: Account, before: dict[int, Login], practice: Practice, patients: list[Patient]) -> None:
    """Every password that was acknowledged works, no other row has changed, nothing stands there that nobody chose."""
    after = practice.logins()
    of_traffic = {patient.user_name: patient for patient in patients}
    if before.keys() != after.keys():
        account.wrong("userweb", f"rows came or went: {before.keys() ^ after.keys()}")
    unclear = 0
    for number, row in after.items():
        patient = (
            of_traffic.get(row.user_name) if passwords.form_of(before[number].stored).name != "NO_ACCESS" else None
        )
        if patient is None:
            if row != before[number]:
                account.wrong("userweb", f"row {number} has changed")
            continue
        if row._replace(stored="") != before[number]._replace(stored=""):
            account.wrong("userweb", f"more than the password of row {number} has changed")
        if not any(passwords.check(row.stored, one) for one in [patient.password, *patient.maybe]):
            account.wrong(patient.name, "the row holds none of the passwords that were acknowledged or are uncertain")
        unclear += bool(patient.maybe)
    changed = sum(patient.acknowledged for patient in patients)
    uncertain = sum(patient.uncertain for patient in patients)
    took = sum(patient.took for patient in patients)
    resent = sum(patient.resent for patient in patients)
    account.facts["password changes acknowledged"] = f"{changed}, forms sent again {resent}"
    account.facts["… uncertain"] = f"{uncertain}, of which {took - changed} took and {unclear} are still uncertain"


def audit_trail(account: Account, practice: Practice, after: int, patients: list[Patient], kills: int) -> None:
    """Every row has its one right hash, but for those between whose two statements something was killed."""
    rows = practice.audits(after)
    bare = [row for row in rows if not row.hashes]
    for row in rows:
        if row.hashes and row.hashes != (row.expected,):
            account.wrong("securitylog", f"row {row.number} has {len(row.hashes)} hashes, not the right one")
    if len(bare) > kills:
        account.wrong("securitylog", f"{len(bare)} rows without hash after {kills} kills")
    for patient in patients:
        number = next(row.patient for row in practice.logins().values() if row.user_name == patient.user_name)
        said = sum(row.patient == number and "changed the password" in row.text for row in rows)
        if not patient.acknowledged <= said <= patient.took + len(patient.maybe):
            account.wrong(patient.name, f"{said} changes in the audit trail, {patient.acknowledged} acknowledged")
    account.facts["audit rows, without hash"] = f"{len(rows)}, {len(bare)}"


def kept_failures(account: Account, state: Path) -> None:
    """The office has kept no cause that no storm explains."""
    with contextlib.closing(sqlite3.connect(state)) as office:
        for code, facts, count in office.execute("SELECT code, facts, COUNT(*) FROM failure GROUP BY code, facts"):
            full = code == "database-damaged" and str(state) in facts.decode()  # its disk was, at some time
            if code in _NEVER_KEPT and not full:
                account.wrong("the office", f"kept {count} × {code}: {facts.decode()}")


_NEVER_KEPT = {"database-damaged", "database-refused", "database-version", "unexpected", "unknown-call"}


def throttle(account: Account, state: Path) -> None:
    """Nobody has to wait longer than the product ever makes anybody wait, whatever the clock was meanwhile."""
    now = dt.datetime.now(dt.UTC)
    with contextlib.closing(sqlite3.connect(state)) as office:
        keys = office.execute("SELECT key FROM portal_throttle WHERE failures < ?", (throttling.MOST,)).fetchall()
    engine = create_engine(f"sqlite:///{state}")
    with engine.connect() as connection:
        for (key,) in keys:
            _, until = throttling._count(connection, key, now.timestamp())
            if (wait := until - now.timestamp()) > throttling.LONGEST_DELAY.total_seconds():
                account.wrong("sign-in", f"somebody has to wait {wait / 60:.0f} minutes")
    engine.dispose()


def signals(account: Account, rows: list[Signal], stops: int, kills: int) -> None:
    """Walk eservicesignal in the order of writing, as od-connector 1.4 has it.

    Where something was killed between two statements, a row may stand alone: an anchor that then rolls itself, an
    Error row that is written again. Such breaks are counted and may not be more than the kills.
    """
    breaks, last, newest = 0, "", ""
    for row in rows:
        if row.severity == INFO:
            continue
        kind = (
            "anchor" if row.text == ANCHOR else {WORKING: "rolling", ERROR: "error", CRITICAL: "critical"}[row.severity]
        )
        if kind not in _AFTER[last]:
            breaks += 1
            if (kind, last) not in _BROKEN_OFF:
                account.wrong("eservicesignal", f"{kind} after {last or 'nothing'} (row {row.number})")
        if row.at < newest:
            account.wrong("eservicesignal", f"{kind} of {row.at} is older than what was written before it")
        _one_signal(account, kind, row)
        last, newest = kind, row.at
    criticals = sum(row.severity == CRITICAL for row in rows)
    if criticals > stops:
        account.wrong("eservicesignal", f"{criticals} Critical rows after {stops} stops in order")
    if breaks > kills:
        account.wrong("eservicesignal", f"{breaks} pairs of rows broken off after {kills} kills")
    if last == "critical":
        account.wrong("eservicesignal", "the newest row is Critical and the connector works")
    account.facts["signals, Critical, broken off"] = f"{len(rows)}, {criticals} (of {stops} stops), {breaks}"


def _one_signal(account: Account, kind: str, row: Signal) -> None:
    if row.processed != (row.severity == WORKING):
        account.wrong("eservicesignal", f"row {row.number}, {kind}: IsProcessed is {row.processed}")
    if kind == "error" and not re.search(r"\d+:\d\d", row.text):
        account.wrong("eservicesignal", f"row {row.number} does not say for how long")


_KINDS = {
    (WORKING, True): "anchor",
    (WORKING, False): "rolling",
    (ERROR, False): "error",
    (CRITICAL, False): "critical",
}
_AFTER = {
    "": {"anchor"},
    "anchor": {"rolling"},
    "rolling": {"critical"},
    "critical": {"error"},
    "error": {"anchor"},
}
_BROKEN_OFF = {("critical", "anchor"), ("error", "error"), ("anchor", "critical")}


def sessions(account: Account, portal: str, patients: list[Patient], token_name: str, deaths: int) -> None:
    """No token of a session that was signed out opens anything.

    A node of HQ that dies before the office has heard of a sign-out takes it along (`leaving.py` says so): as many
    sessions as nodes were ended may live on, for nobody but whoever copied the cookie before.
    """
    alive = {True: 0, False: 0}
    count = 0
    for patient in patients:
        for token, fair in patient.signed_out:
            count += 1
            browser = Straight(portal)
            browser._opener.addheaders = [("Cookie", f"{token_name}={token}")]
            try:
                alive[fair] += browser.open("").status == 200
            except Lost:
                account.wrong("sessions", "no answer at the end")
    if alive[True]:
        account.wrong("sessions", f"{alive[True]} sessions live though they were signed out in fair weather")
    if alive[False] > deaths:
        account.wrong("sessions", f"{alive[False]} sessions live though people were told that they are signed out")
    account.facts["sessions signed out, live on"] = f"{count}, {alive[True] + alive[False]}"


def nothing_private(account: Account, folder: Path, log: str, secrets: Iterable[str], names: Iterable[str]) -> None:
    """No password, token or name stands in a log, or in anything that HQ keeps."""
    kept = b"".join(file.read_bytes() for file in (folder / "hq").rglob("*") if file.is_file())
    for what in sorted(set(secrets) | set(names)):
        if what in log:
            account.wrong("logs", f"hold {what[:4]}…")
        if what.encode() in kept:
            account.wrong("HQ's folder", f"holds {what[:4]}…")
    for sign in ("Traceback", '"trace"', "unexpected"):
        if sign in log:
            line = next(line for line in log.splitlines() if sign in line)
            account.wrong("logs", f"{log.count(sign)} × {sign}: {line[:300]}")
    account.facts["log lines"] = str(log.count("\n"))

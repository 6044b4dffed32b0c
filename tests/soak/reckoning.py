"""The account of writes against the books: Open Dental's tables, the processor's ledger, the mail server's file."""

import collections
import contextlib
import sqlite3
import time
from typing import NamedTuple

from econnector.demo.browser import Lost
from tests.soak.account import Account
from tests.soak.scene import Scene
from tests.soak.writers import CONFIRMATION, MESSAGE, PAYMENT, Writer
from tests.soak.writes import Judged, Writes
from tests.support.whole import until

__all__ = ["MAIL", "reckon", "settle"]

MAIL = "mail"
_SETTLED_SECONDS = 240.0
"""Until whatever was left open is settled: the connector asks about payments, and tries mails, by itself."""


class Books(NamedTuple):
    """A payment where it must stand."""

    number: str
    cents: int


def settle(scene: Scene, account: Account, writers: list[Writer]) -> None:
    """Wait until nothing is on its way any more; people look at their payments, and the office has its mail tried."""
    with contextlib.suppress(AssertionError):
        until(lambda: _paid_and_booked(scene, writers), _SETTLED_SECONDS)
    ends = time.monotonic() + _SETTLED_SECONDS
    while _outbox(scene, "waiting", "sending") and time.monotonic() < ends:
        scene.whole.office_says("office", "mail", "retry", check=False)
        time.sleep(5.0)
    for row in _outbox(scene, "waiting", "sending"):
        account.wrong(MAIL, f"{row[2]} mail is still {row[1]}: {row[3]}")


def _paid_and_booked(scene: Scene, writers: list[Writer]) -> bool:
    if collections.Counter(_charges(scene)) == collections.Counter(_bookings(scene)):
        return True
    booked = {one.number for one in _bookings(scene)}
    for writer in writers:
        open_ones = sorted(writer.numbers - booked)
        with contextlib.suppress(Lost):
            writer.browser.base = scene.portals[0]
            if open_ones and not (writer.browser.token and writer.browser.open("").status == 200):
                writer.enter()
            for number in open_ones:
                writer.browser.open(f"pay/{number}")
    time.sleep(5.0)
    return False


def reckon(scene: Scene, account: Account, writes: Writes) -> dict[str, Judged]:
    """Hold every kind of write against its books; return what became of each."""
    messages = collections.Counter(
        text.split()[-1]
        for (text,) in scene.practice.rows("SELECT BodyText FROM emailmessage WHERE BodyText LIKE '%: soak-%'")
    )
    payments = collections.Counter(str(one.cents) for one in _bookings(scene))
    judged = {
        MESSAGE: writes.judge(MESSAGE, messages),
        CONFIRMATION: writes.judge(CONFIRMATION, _confirmed(scene, account)),
        PAYMENT: writes.judge(PAYMENT, payments),
        MAIL: _mails(scene, account),
    }
    for kind, one in judged.items():
        for wrong in one.wrongs:
            account.wrong(kind, wrong)
    _compare(scene, account)
    return judged


def _confirmed(scene: Scene, account: Account) -> dict[str, int]:
    """Return how often the front desk was told of each visit; a note in the chart must stand beside each alert."""
    alerts = collections.Counter(
        str(number)
        for (number,) in scene.practice.rows(
            "SELECT FKey FROM alertitem WHERE Type=4 AND Description LIKE '% confirmed the visit of %'"
        )
    )
    notes = collections.Counter(
        note
        for (note,) in scene.practice.rows(
            "SELECT Note FROM commlog WHERE Note LIKE 'Patient portal: % confirmed the visit of %'"
        )
    )
    for note, count in notes.items():
        if count > 1:
            account.wrong(CONFIRMATION, f"stands {count} times in the chart: {note.partition(':')[2][-40:]}")
    if len(alerts) > len(notes):
        account.wrong(CONFIRMATION, f"{len(alerts)} alerts and {len(notes)} notes in charts")
    return dict(alerts)


# -- payments ----------------------------------------------------------------------------------------------------------


def _charges(scene: Scene) -> list[Books]:
    return [Books(each["number"], each["cents"]) for each in scene.cards.ledger()["charges"]]


def _bookings(scene: Scene) -> list[Books]:
    rows = scene.practice.rows("SELECT ExternalId, ROUND(PayAmt * 100) FROM payment WHERE ExternalId <> ''")
    return [Books(number, int(cents)) for number, cents in rows]


def _compare(scene: Scene, account: Account) -> None:
    """The processor's ledger and the practice's books are the same, and every payment is shared out once."""
    charges, bookings = collections.Counter(_charges(scene)), collections.Counter(_bookings(scene))
    for one in (charges - bookings) + (bookings - charges):
        account.wrong(PAYMENT, f"{one.cents} cents: charged {charges[one]} times, booked {bookings[one]} times")
    shared = scene.practice.rows(
        "SELECT ExternalId, COUNT(*) FROM payment JOIN paysplit ON paysplit.PayNum=payment.PayNum"
        " WHERE ExternalId <> '' GROUP BY ExternalId HAVING COUNT(*)>1 OR ABS(SUM(SplitAmt)-MAX(PayAmt))>0.004"
    )
    for number, count in shared:
        account.wrong(PAYMENT, f"{number} has {count} splits, or of another amount")
    account.facts["charged by the processor, booked"] = f"{charges.total()}, {bookings.total()}"


# -- mail --------------------------------------------------------------------------------------------------------------


def _outbox(scene: Scene, *states: str) -> list[tuple[str, str, str, str]]:
    wanted = ", ".join(f"'{state}'" for state in states)
    with contextlib.closing(sqlite3.connect(scene.state)) as office:
        return office.execute(
            f"SELECT message_id, state, purpose, reason FROM outbox WHERE state IN ({wanted})"
        ).fetchall()


def _mails(scene: Scene, account: Account) -> Judged:
    """What the outbox took has reached the mail server under its Message-ID; a second copy may, nothing else."""
    received = collections.Counter(mail["id"] for mail in scene.post.mails())
    sent = {row[0] for row in _outbox(scene, "sent")}
    with contextlib.closing(sqlite3.connect(scene.state)) as office:
        receipts = office.execute("SELECT mail, COUNT(*) FROM payment_attempt WHERE mail<>'' GROUP BY mail").fetchall()
    for _, count in receipts:
        if count > 1:
            account.wrong(MAIL, "two payments have the same receipt")
    for row in _outbox(scene, "failed", "removed"):
        account.wrong(MAIL, f"was given up: {row[2]} {row[3]}")
    account.facts["mails sent again under the same id"] = str(sum(count - 1 for count in received.values()))
    known = {row[0] for row in _outbox(scene, "waiting", "sending", "sent", "failed", "removed")}
    return Judged(len(sent), 0, 0, 0, sorted(sent - received.keys()), [], sorted(received.keys() - known))

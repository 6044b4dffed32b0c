"""The queue as people see it, on the command line and in the window: no subjects, no texts, recipients half hidden."""

import datetime as dt

import msgspec

from econnector.base.errors import CATALOGUE
from econnector.office.mail import standing
from econnector.office.mail.standing import AccountStanding
from econnector.storage.database import Database
from econnector.storage.state import meta, outbox
from econnector.storage.state.outbox import Mail

__all__ = ["AccountRow", "Queue", "Row", "masked", "read_queue"]


class Row(msgspec.Struct, frozen=True):
    """One mail. Times are ISO 8601 in UTC, empty for never."""

    id: int
    purpose: str
    to: str
    state: str
    tries: int
    handed_in: str
    next_try: str
    """For a waiting one."""
    ended: str
    reason: str
    code: str
    reference: str


class AccountRow(msgspec.Struct, frozen=True):
    """One account that was used since the connector started."""

    account: str
    last_sent: str
    since: str
    """When its trouble began; empty while there is none."""
    code: str
    reference: str
    trouble: str
    remedy: list[str]
    next_try: str


class Queue(msgspec.Struct, frozen=True):
    """The outgoing mail."""

    paused: str
    """Since when nothing is sent; empty while mail is sent."""
    counts: dict[str, int]
    transport: str
    accounts: list[AccountRow]
    mails: list[Row]


async def read_queue(state: Database, *, limit: int = 200, states: tuple[str, ...] = (), full: bool = False) -> Queue:
    """Return the queue as it stands; recipients are masked unless `full`."""
    since = await state.run(outbox.paused)
    said = standing.decode(await state.run(meta.read, standing.NAME))
    mails = await state.run(outbox.latest, limit, states)
    return Queue(
        paused=_iso(since),
        counts=await state.run(outbox.counts),
        transport=said.transport,
        accounts=[_account(name, each) for name, each in sorted(said.accounts.items())],
        mails=[_row(mail, full) for mail in mails],
    )


def masked(address: str) -> str:
    """Return an address that tells whom it may be to somebody who knows them, and nobody else."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}…{at}{domain}" if local else "…"


def _row(mail: Mail, full: bool) -> Row:
    waits = mail.state == outbox.WAITING
    return Row(
        id=mail.id,
        purpose=mail.purpose,
        to=mail.recipient if full else masked(mail.recipient),
        state=mail.state,
        tries=mail.tries,
        handed_in=_iso(mail.created),
        next_try=_iso(mail.due) if waits else "",
        ended=_iso(mail.ended),
        reason=mail.reason,
        code=mail.code,
        reference=mail.reference,
    )


def _account(name: str, found: AccountStanding) -> AccountRow:
    kind = CATALOGUE.get(found.code)
    failure = kind(reference=found.reference, **found.facts) if kind else None
    return AccountRow(
        account=name,
        last_sent=found.last_sent,
        since=found.since,
        code=found.code,
        reference=found.reference,
        trouble=failure.office_text() if failure else "",
        remedy=list(failure.remedy_steps()) if failure else [],
        next_try=found.next_try,
    )


def _iso(moment: float) -> str:
    return dt.datetime.fromtimestamp(moment, dt.UTC).isoformat(timespec="seconds") if moment else ""

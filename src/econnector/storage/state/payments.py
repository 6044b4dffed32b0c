"""Payments that patients began in the portal: one row per attempt, written before anything else is done about it.

========== ===========================================================================================================
state      what is known
========== ===========================================================================================================
planned    nothing was sent to the processor that could charge
open       the processor has made its page, and it was handed out
charging   a kept card may have been charged: it is never charged again, only looked at
approved   the processor's word, as are `partial`, `declined` and `expired`
failed     it was never begun; the same form may begin it again
lost       the processor has never heard of a charge that was perhaps sent; it is never sent again
========== ===========================================================================================================

What was paid stays paid, whatever is answered later. What the processor's page and the kept card are called is sealed.
`done` says that everything that follows from the end stands in the practice's database. Times are Unix times here.
"""

import datetime as dt
import secrets
from typing import Any, Final, Literal

import msgspec
import sqlalchemy as sa

from econnector.storage.state import meta
from econnector.storage.state.base import metadata

__all__ = [
    "PAID",
    "UNFINISHED",
    "Attempt",
    "AttemptState",
    "Kind",
    "Mode",
    "again",
    "by_draft",
    "by_number",
    "change",
    "conclude",
    "crowded",
    "forget_failed",
    "listed",
    "mode",
    "new_number",
    "of_accounts",
    "plan",
    "set_mode",
    "settled",
    "sweep",
    "take",
    "to_doubt",
    "to_settle",
    "to_watch",
    "unposted",
]

AttemptState = Literal["planned", "open", "charging", "approved", "partial", "declined", "expired", "failed", "lost"]
Kind = Literal["hosted", "card"]
Mode = Literal["ledger", "pending"]
"""How what was paid gets into the books: `ledger` with its split; `pending` for staff to allocate."""

PAID: Final = frozenset({"approved", "partial"})
UNFINISHED: Final = frozenset({"planned", "open", "charging"})
_KEPT: Final = dt.timedelta(days=730)
_MODE: Final = "payments-post"
_MOST_UNFINISHED, _MOST_A_DAY = 5, 30
_MANY: Final = 500
_DOUBTED_FOR: Final = 86400.0
"""Seconds; as long as processors know their answers."""
_DOUBTED_FIRST: Final = 60.0
_TOLD_EVERY, _TOLD_FOR = 3600.0, 30 * 86400.0

ATTEMPTS = sa.Table(
    "payment_attempt",
    metadata,
    sa.Column("number", sa.String(10), primary_key=True),
    sa.Column("key", sa.String(36), nullable=False),
    sa.Column("draft", sa.String(64), nullable=False, unique=True),
    sa.Column("content", sa.String(64), nullable=False),
    sa.Column("login", sa.BigInteger, nullable=False),
    sa.Column("payer", sa.BigInteger, nullable=False),
    sa.Column("holder", sa.BigInteger, nullable=False),
    sa.Column("clinic", sa.BigInteger, nullable=False),
    sa.Column("cents", sa.Integer, nullable=False),
    sa.Column("document", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("card", sa.BigInteger, nullable=False),
    sa.Column("keep_card", sa.Boolean, nullable=False),
    sa.Column("receipt", sa.Boolean, nullable=False),
    sa.Column("processor", sa.String(16), nullable=False),
    sa.Column("pay_type", sa.BigInteger, nullable=False),
    sa.Column("source", sa.Integer, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("page", sa.LargeBinary, nullable=False),
    sa.Column("until", sa.Float, nullable=False),
    sa.Column("paid_cents", sa.Integer, nullable=False),
    sa.Column("transaction", sa.String(255), nullable=False),
    sa.Column("approval", sa.String(255), nullable=False),
    sa.Column("brand", sa.String(255), nullable=False),
    sa.Column("masked", sa.String(255), nullable=False),
    sa.Column("expires", sa.String(8), nullable=False),
    sa.Column("alias", sa.LargeBinary, nullable=False),
    sa.Column("code", sa.Integer, nullable=False),
    sa.Column("description", sa.String(255), nullable=False),
    sa.Column("mode", sa.String(8), nullable=False),
    sa.Column("noted", sa.Boolean, nullable=False),
    sa.Column("payment", sa.BigInteger, nullable=False),
    sa.Column("mail", sa.String(255), nullable=False),
    sa.Column("mailed", sa.Boolean, nullable=False),
    sa.Column("done", sa.Boolean, nullable=False),
    sa.Column("processed", sa.Boolean, nullable=False),
    sa.Column("begun", sa.Float, nullable=False),
    sa.Column("looked", sa.Float, nullable=False),
    sa.Column("ended", sa.Float, nullable=False),
    sa.Column("told", sa.Float, nullable=False),
    sa.Index("payment_attempt_holder", "holder", "begun"),
    sa.Index("payment_attempt_work", "done", "state"),
)
_C = ATTEMPTS.c


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One payment that somebody began."""

    number: str
    """Ten digits: the order at the processor, and how people name it."""
    key: str
    draft: str
    """Digest of the form that it was begun with: the same form is the same attempt."""
    content: str
    """Digest of what the form said."""
    login: int
    """UserWebNum."""
    payer: int
    """PatNum of who began it."""
    holder: int
    """PatNum of whose account it is."""
    clinic: int
    cents: int
    document: int = 0
    kind: Kind = "hosted"
    card: int = 0
    """CreditCardNum that is charged."""
    keep_card: bool = False
    receipt: bool = True
    processor: str
    pay_type: int
    """DefNum, and below CreditCardSource: as they were when it was begun."""
    source: int
    state: AttemptState = "planned"
    page: bytes = b""
    """Token and URL, sealed."""
    until: float = 0.0
    paid_cents: int = 0
    transaction: str = ""
    approval: str = ""
    brand: str = ""
    masked: str = ""
    expires: str = ""
    alias: bytes = b""
    """Sealed."""
    code: int = 1000
    description: str = ""
    mode: str = ""
    """How it goes into the books; decided once, before the first row."""
    noted: bool = False
    """Whether the practice's database knows that it was begun."""
    payment: int = 0
    """PayNum."""
    mail: str
    """The receipt's message id."""
    mailed: bool = False
    done: bool = False
    processed: bool = False
    """Whether staff have nothing left to do with its payment."""
    begun: float
    looked: float = 0.0
    ended: float = 0.0
    told: float = 0.0
    """When the office was told that nobody knows what became of it."""

    @property
    def is_paid(self) -> bool:
        """Whether money has moved."""
        return self.state in PAID

    @property
    def is_over(self) -> bool:
        """Whether what became of it is known."""
        return self.state not in UNFINISHED

    def __repr__(self) -> str:
        return f"Attempt({self.number})"


# -- beginning ---------------------------------------------------------------------------------------------------------


def new_number(connection: sa.Connection) -> str:
    """Return ten digits that no attempt has."""
    while True:
        number = str(1_000_000_000 + secrets.randbelow(9_000_000_000))
        if by_number(connection, number) is None:
            return number


def plan(connection: sa.Connection, wanted: Attempt) -> Attempt:
    """Write an attempt down; one that its draft has already stays as it is."""
    if (known := by_draft(connection, wanted.draft)) is not None:
        return known
    connection.execute(sa.insert(ATTEMPTS).values(msgspec.structs.asdict(wanted)))
    return wanted


def again(connection: sa.Connection, holder: int, cents: int, since: float, now: float) -> bool:
    """Return whether the same amount was begun or paid for this account since then, or can still be paid now."""
    late = (_C.begun > since) | (_C.ended > since)
    open_still = (_C.state == "open") & (_C.until > now)
    alive = (_C.state.in_(UNFINISHED | PAID) & late) | open_still
    here = (_C.holder == holder) & (_C.cents == cents) & alive
    return connection.execute(sa.select(_C.number).where(here).limit(1)).first() is not None


def crowded(connection: sa.Connection, payer: int, now: float) -> bool:
    """Return whether this payer (a PatNum) has too many unfinished ones, or began too many within a day."""
    rows = connection.execute(sa.select(_C.state).where(_C.payer == payer, _C.begun > now - 86400.0)).scalars().all()
    return len(rows) >= _MOST_A_DAY or sum(state in UNFINISHED for state in rows) >= _MOST_UNFINISHED


def take(connection: sa.Connection, number: str, before: frozenset[str], state: AttemptState) -> bool:
    """Move an attempt from one of the states `before` to `state`; False if it is in another one."""
    here = (_C.number == number) & _C.state.in_(before)
    return connection.execute(sa.update(ATTEMPTS).where(here).values(state=state)).rowcount > 0


def change(connection: sa.Connection, number: str, **values: object) -> None:
    """Note facts of an attempt: columns by name."""
    connection.execute(sa.update(ATTEMPTS).where(_C.number == number).values(values))


def settled(connection: sa.Connection, number: str, state: AttemptState, **values: object) -> None:
    """Note what was done about an attempt that was in this state; of one that is in another by now nothing is true."""
    connection.execute(sa.update(ATTEMPTS).where(_C.number == number, _C.state == state).values(values))


def conclude(
    connection: sa.Connection,
    number: str,
    state: AttemptState,
    now: float,
    **facts: object,
) -> Attempt | None:
    """Note what became of an attempt, and return it as it stands then; None if there is none.

    The first word counts, but for one: that it was paid counts over any other that said it was not.
    """
    before = ~_C.state.in_(PAID) if state in PAID else _C.state.in_(UNFINISHED)
    values = {"state": state, "ended": now, "done": False, "told": 0.0, **facts}
    connection.execute(sa.update(ATTEMPTS).where(_C.number == number, before).values(values))
    return by_number(connection, number)


def forget_failed(connection: sa.Connection, number: str) -> None:
    """Delete an attempt that was never begun."""
    connection.execute(sa.delete(ATTEMPTS).where(_C.number == number, _C.state == "failed"))


# -- finding -----------------------------------------------------------------------------------------------------------


def by_number(connection: sa.Connection, number: str) -> Attempt | None:
    """Return one attempt."""
    return _one(connection, _C.number == number)


def by_draft(connection: sa.Connection, draft: str) -> Attempt | None:
    """Return what became of a draft."""
    return _one(connection, _C.draft == draft)


def to_settle(connection: sa.Connection, now: float) -> list[Attempt]:
    """Return every attempt about which something is left to do, the oldest first.

    Those of which the office was told are asked about more rarely, and not for ever: at the end of a long weekend the
    first question may have failed only because the internet was not there yet.
    """
    left = _C.done.is_(False) | _C.state.in_(UNFINISHED)
    told = (_C.looked < now - _TOLD_EVERY) & (_C.begun > now - _TOLD_FOR)
    rows = connection.execute(sa.select(ATTEMPTS).where(left, (_C.told == 0.0) | told).order_by(_C.begun))
    return [_attempt(row) for row in rows]


def to_doubt(connection: sa.Connection, now: float) -> list[Attempt]:
    """Return what ended unpaid within a day and is due to be asked about once more, at ever longer intervals.

    On most processors' pages another card can be tried after one was declined.
    """
    unpaid = _C.state.in_(("declined", "expired", "lost")) & _C.done.is_(True) & (_C.begun > now - _DOUBTED_FOR)
    rows = connection.execute(sa.select(ATTEMPTS).where(unpaid).limit(_MANY))
    found = [_attempt(row) for row in rows]
    # A clock that was set back does not make anybody wait until it is as late again.
    return [one for one in found if not 0 <= now - one.looked < max(_DOUBTED_FIRST, one.looked - one.ended)]


def to_watch(connection: sa.Connection) -> list[Attempt]:
    """Return the attempts whose payment stood among those that wait for staff when it was last looked at."""
    here = (_C.payment != 0) & _C.processed.is_(False)
    rows = connection.execute(sa.select(ATTEMPTS).where(here).order_by(_C.begun.desc()).limit(_MANY))
    return [_attempt(row) for row in rows]


def unposted(connection: sa.Connection) -> list[Attempt]:
    """Return what was paid and is not known to be in the practice's database."""
    rows = connection.execute(sa.select(ATTEMPTS).where(_C.state.in_(PAID), _C.payment == 0).limit(_MANY))
    return [_attempt(row) for row in rows]


def of_accounts(connection: sa.Connection, since: float, most: int = _MANY) -> list[Attempt]:
    """Return what is unfinished, what was begun since then, and what was paid and waits for staff, newest first.

    What nobody knows for days is the office's question and not the patient's: it is not among them.
    """
    waits = _C.state.in_(PAID) & _C.processed.is_(False)
    here = (_C.state.in_(UNFINISHED) & (_C.told == 0.0)) | (_C.begun > since) | waits
    rows = connection.execute(sa.select(ATTEMPTS).where(here).order_by(_C.begun.desc(), _C.number).limit(most))
    return [_attempt(row) for row in rows]


def listed(connection: sa.Connection, most: int = 200) -> list[Attempt]:
    """Return attempts, newest first."""
    rows = connection.execute(sa.select(ATTEMPTS).order_by(_C.begun.desc(), _C.number).limit(most))
    return [_attempt(row) for row in rows]


# -- the practice's choice ---------------------------------------------------------------------------------------------


def mode(connection: sa.Connection) -> Mode:
    """Return how the practice wants payments in its books; `ledger` until somebody chooses."""
    return "pending" if meta.read(connection, _MODE) == "pending" else "ledger"


def set_mode(connection: sa.Connection, wanted: Mode) -> None:
    """Keep the practice's choice; it counts for what is posted from now on."""
    meta.write(connection, _MODE, wanted)


def sweep(connection: sa.Connection, now: dt.datetime) -> int:
    """Delete what is done and long ago; return how many rows. What is unfinished stays for ever."""
    old = _C.done.is_(True) & (_C.begun < (now - _KEPT).timestamp())
    return int(connection.execute(sa.delete(ATTEMPTS).where(old)).rowcount)


def _one(connection: sa.Connection, here: sa.ColumnElement[bool]) -> Attempt | None:
    row = connection.execute(sa.select(ATTEMPTS).where(here)).first()
    return _attempt(row) if row else None


def _attempt(row: Any) -> Attempt:
    return Attempt(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name

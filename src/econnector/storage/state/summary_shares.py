"""Care summaries that patients sent: a link by mail and a code that the sender tells, seven days, for one receiver.

No document is kept, only who may have it made: it is made anew whenever the receiver opens it. A row holds neither link
nor code. Both are made from its `salt` under a key that is not in this file (`sealing`), so that a letter that a dead
connector left unwritten is written again, the same; and the address is sealed. What is planned is written down before
anything else is done; `done` says that the letter was handed in.
"""

import datetime as dt
from typing import Any, Final, Literal

import msgspec
import sqlalchemy as sa

from econnector.storage.state import outbox
from econnector.storage.state.base import metadata

__all__ = [
    "GOOD_FOR",
    "MOST_A_DAY",
    "MOST_OPEN",
    "MOST_OPENED",
    "MOST_WRONG",
    "Share",
    "Standing",
    "by_draft",
    "by_number",
    "crowded",
    "find",
    "finish",
    "forget",
    "listed",
    "note_opened",
    "plan",
    "right",
    "sweep",
    "try_code",
    "unfinished",
    "withdraw",
]

GOOD_FOR: Final = dt.timedelta(days=7)
MOST_WRONG: Final = 5
"""Wrong codes; then nobody opens it any more."""
MOST_OPENED: Final = 50
"""Downloads: each makes the documents anew."""
MOST_OPEN: Final = 10
"""Open ones of one sender."""
MOST_A_DAY: Final = 20
"""Sent by one sender within a day, open or not: the office's mail account is not for everybody's letters."""
_KEPT: Final = dt.timedelta(days=730)
"""The list of what was sent to whom is the patient's to see for long."""
_UNFINISHED_KEPT: Final = dt.timedelta(days=1)
_DAY: Final = dt.timedelta(days=1)
_SET_BACK: Final = 60.0
"""Seconds that the clock may have been set back meanwhile; more must not make a share live longer."""

Standing = Literal["open", "withdrawn", "closed", "used-up", "old"]
Crowd = Literal["", "open", "often"]

SHARES = sa.Table(
    "summary_share",
    metadata,
    sa.Column("number", sa.String(9), primary_key=True),
    sa.Column("draft", sa.String(64), nullable=False, unique=True),
    sa.Column("content", sa.String(64), nullable=False),
    sa.Column("link", sa.String(64), nullable=False, unique=True),
    sa.Column("salt", sa.String(32), nullable=False),
    sa.Column("login", sa.BigInteger, nullable=False),
    sa.Column("sender", sa.BigInteger, nullable=False),
    sa.Column("about", sa.BigInteger, nullable=False),
    sa.Column("session", sa.String(32), nullable=False),
    sa.Column("to", sa.LargeBinary, nullable=False),
    sa.Column("first", sa.String(10), nullable=False),
    sa.Column("last", sa.String(10), nullable=False),
    sa.Column("language", sa.String(2), nullable=False),
    sa.Column("mail", sa.String(255), nullable=False),
    sa.Column("sent", sa.Float, nullable=False),
    sa.Column("done", sa.Boolean, nullable=False),
    sa.Column("wrong", sa.Integer, nullable=False),
    sa.Column("opened", sa.Integer, nullable=False),
    sa.Column("opened_first", sa.Float, nullable=False),
    sa.Column("opened_last", sa.Float, nullable=False),
    sa.Column("withdrawn", sa.Float, nullable=False),
    sa.Column("withdrawn_by", sa.BigInteger, nullable=False),
    sa.Index("summary_share_about", "about", "sent"),
    sa.Index("summary_share_sender", "sender", "sent"),
)


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One care summary that was sent."""

    number: str
    """`7F3K-22QX`: names it in the audit trail and between people; it opens nothing."""
    draft: str
    """Digest of the form that it was sent with: the same form is the same share."""
    content: str
    """Digest of what the form said."""
    link: str
    """Keyed digest of the link's token."""
    salt: str
    login: int
    """UserWebNum of the sender."""
    sender: int
    """PatNum."""
    about: int
    """PatNum of the one whose summary it is."""
    session: str
    """The number of the session that it was sent in; its holder sees the code for a while."""
    to: bytes
    """Address and note, sealed."""
    first: str = ""
    """ISO 8601, the first day it tells of; empty for open."""
    last: str = ""
    language: str = "en"
    mail: str
    """The letter's message id."""
    sent: dt.datetime
    done: bool = False
    wrong: int = 0
    opened: int = 0
    opened_first: dt.datetime | None = None
    opened_last: dt.datetime | None = None
    withdrawn: dt.datetime | None = None
    withdrawn_by: int = 0

    @property
    def until(self) -> dt.datetime:
        """When it is too old."""
        return self.sent + GOOD_FOR

    def standing(self, now: dt.datetime) -> Standing:
        """Return whether it may be opened as far as this row knows, or why not."""
        if self.withdrawn:
            return "withdrawn"
        if self.wrong >= MOST_WRONG:
            return "closed"
        if not -_SET_BACK <= (now - self.sent).total_seconds() < GOOD_FOR.total_seconds():
            return "old"
        return "used-up" if self.opened >= MOST_OPENED else "open"

    def __repr__(self) -> str:
        return f"Share({self.number})"


_C = SHARES.c


def plan(connection: sa.Connection, wanted: Share) -> Share:
    """Write a share down that is about to be sent; one that its draft has already stays as it is."""
    if (known := by_draft(connection, wanted.draft)) is not None:
        return known
    values = msgspec.structs.asdict(wanted) | {"sent": wanted.sent.timestamp()}
    never = dict.fromkeys(("opened_first", "opened_last", "withdrawn"), 0.0)
    connection.execute(sa.insert(SHARES).values(values | never))
    return wanted


def finish(connection: sa.Connection, number: str) -> None:
    """Note that the letter of a share was handed in."""
    connection.execute(sa.update(SHARES).where(_C.number == number).values(done=True))


def forget(connection: sa.Connection, number: str) -> None:
    """Take back a plan of which nothing was done."""
    connection.execute(sa.delete(SHARES).where(_C.number == number, _C.done.is_(False)))


def unfinished(connection: sa.Connection, before: dt.datetime) -> list[Share]:
    """Return the plans of before then that are not done: the connector died over them."""
    rows = connection.execute(sa.select(SHARES).where(_C.done.is_(False), _C.sent < before.timestamp()))
    return [_share(row) for row in rows]


def crowded(connection: sa.Connection, sender: int, now: dt.datetime) -> Crowd:
    """Return whether this sender (a PatNum) has too many shares `open`, or sent too many within a day (`often`)."""
    rows = connection.execute(sa.select(SHARES).where(_C.sender == sender, _C.sent > (now - GOOD_FOR).timestamp()))
    shares = [_share(row) for row in rows]
    if sum(share.sent > now - _DAY for share in shares) >= MOST_A_DAY:
        return "often"
    return "open" if sum(share.standing(now) == "open" for share in shares) >= MOST_OPEN else ""


# -- finding -----------------------------------------------------------------------------------------------------------


def find(connection: sa.Connection, link: str) -> Share | None:
    """Return the share of the link with this digest, open or not."""
    return _one(connection, _C.link == link)


def by_number(connection: sa.Connection, number: str) -> Share | None:
    """Return one share."""
    return _one(connection, _C.number == number)


def by_draft(connection: sa.Connection, draft: str) -> Share | None:
    """Return what became of a draft."""
    return _one(connection, _C.draft == draft)


def listed(connection: sa.Connection, about: int, sender: int, most: int) -> list[Share]:
    """Return what was sent about somebody (a PatNum), newest first: by `sender`, or by anybody where that is 0."""
    here = _C.about == about if not sender else (_C.about == about) & (_C.sender == sender)
    rows = connection.execute(sa.select(SHARES).where(here).order_by(_C.sent.desc(), _C.number).limit(most))
    return [_share(row) for row in rows]


# -- what becomes of it ------------------------------------------------------------------------------------------------


def try_code(connection: sa.Connection, number: str) -> bool:
    """Count a wrong code before the code is looked at; False when there are too many already."""
    here = (_C.number == number) & (_C.wrong < MOST_WRONG)
    return connection.execute(sa.update(SHARES).where(here).values(wrong=_C.wrong + 1)).rowcount > 0


def right(connection: sa.Connection, number: str) -> None:
    """Take back what `try_code` counted: the code was right."""
    connection.execute(sa.update(SHARES).where(_C.number == number).values(wrong=_C.wrong - 1))


def note_opened(connection: sa.Connection, number: str, now: dt.datetime) -> None:
    """Note that the receiver downloads it."""
    moment = now.timestamp()
    first = sa.case((_C.opened == 0, moment), else_=_C.opened_first)
    values = {"opened": _C.opened + 1, "opened_first": first, "opened_last": moment}
    connection.execute(sa.update(SHARES).where(_C.number == number).values(values))


def withdraw(connection: sa.Connection, number: str, by: int, now: dt.datetime) -> None:
    """End a share, and never send a letter of it that still waits; the first one (a PatNum) who does it stays noted."""
    here = (_C.number == number) & (_C.withdrawn == 0.0)
    connection.execute(sa.update(SHARES).where(here).values(withdrawn=now.timestamp(), withdrawn_by=by))
    for mail in connection.execute(sa.select(_C.mail).where(_C.number == number)).scalars():
        outbox.withdraw(connection, mail, now.timestamp())


def sweep(connection: sa.Connection, now: dt.datetime) -> int:
    """Delete rows that no longer matter; return how many."""
    old = _C.sent < (now - _KEPT).timestamp()
    undone = _C.done.is_(False) & (_C.sent < (now - _UNFINISHED_KEPT).timestamp())
    return int(connection.execute(sa.delete(SHARES).where(old | undone)).rowcount)


def _one(connection: sa.Connection, here: sa.ColumnElement[bool]) -> Share | None:
    row = connection.execute(sa.select(SHARES).where(here)).first()
    return _share(row) if row else None


def _share(row: Any) -> Share:
    values: dict[str, Any] = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
    values["done"] = bool(row.done)
    values["to"] = bytes(row.to)
    for name in ("sent", "opened_first", "opened_last", "withdrawn"):
        values[name] = dt.datetime.fromtimestamp(values[name], dt.UTC) if values[name] else None
    return Share(**values)

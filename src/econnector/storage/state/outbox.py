"""Mail that waits to be sent, is being sent, was sent or could not be sent: one row per message and recipient.

A mail is *waiting* until it is taken, *sending* from before the first byte leaves until the outcome is known, then
*sent*, *failed* or, for another try later, *waiting* again. A connector that dies leaves it *sending*: `recover` lets
it be sent again, under the same Message-ID. A text may hold patient data, so it is dropped as soon as nobody needs it.
Times are Unix times.
"""

import msgspec
import sqlalchemy as sa

from econnector.storage.state import meta
from econnector.storage.state.base import metadata

__all__ = [
    "KEPT_DAYS",
    "LATE",
    "Due",
    "Lane",
    "Mail",
    "Trouble",
    "counts",
    "delayed",
    "due",
    "expire",
    "failed",
    "find",
    "held",
    "hurry",
    "latest",
    "note_at",
    "noted",
    "pause",
    "paused",
    "put",
    "recover",
    "remove",
    "resume",
    "retry",
    "sent",
    "state_of",
    "sweep",
    "take",
    "to_note",
    "withdraw",
]

KEPT_DAYS = 30
"""How long a mail that was sent, given up or removed is remembered; until then its id is not sent again."""
LATE = "It could not be sent in time."
PAUSED, HURRIED = "mail-paused", "mail-hurried"
WAITING, SENDING, SENT, FAILED, REMOVED = "waiting", "sending", "sent", "failed", "removed"
DAY = 24 * 3600.0

OUTBOX = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("message_id", sa.String(255), nullable=False),
    sa.Column("recipient", sa.String(255), nullable=False),
    sa.Column("purpose", sa.String(64), nullable=False),
    sa.Column("clinic", sa.Integer, nullable=False),
    sa.Column("notices", sa.Boolean, nullable=False),
    sa.Column("patient", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("reply_to", sa.String(255), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("due", sa.Float, nullable=False),
    sa.Column("until", sa.Float, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("ended", sa.Float, nullable=False, default=0.0),
    sa.Column("code", sa.String(64), nullable=False, default=""),
    sa.Column("reason", sa.Text, nullable=False, default=""),
    sa.Column("reference", sa.String(32), nullable=False, default=""),
    sa.Column("sender", sa.String(512), nullable=False, default=""),
    sa.Column("note_at", sa.String(32), nullable=False, default=""),
    sa.Column("noted", sa.String(16), nullable=False, default=""),
    sa.UniqueConstraint("message_id", "recipient"),
    sa.Index("outbox_due", "state", "due"),
)

RECORDS = sa.Table(
    "outbox_record",
    metadata,
    sa.Column("mail", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("text", sa.Text, nullable=False),
)
"""What Open Dental's database gets instead of a mail's text, which holds a secret."""


class Lane(msgspec.Struct, frozen=True):
    """Mails that leave through the same account."""

    clinic: int
    notices: bool
    """Through the account for notices of web mail."""


class Due(msgspec.Struct, frozen=True):
    """What there is to send."""

    lanes: list[Lane]
    """With a due mail, the longest waiting first."""
    hurried: float
    """When a person last asked for a try at once."""


class Mail(msgspec.Struct, kw_only=True):
    """One mail to one recipient."""

    id: int = 0
    message_id: str
    recipient: str
    purpose: str
    clinic: int = 0
    notices: bool = False
    patient: int = 0
    """The patient whose mail it is; 0 for nobody's."""
    kind: str = ""
    """For a patient's mail: what Open Dental calls its source."""
    subject: str
    text: str
    reply_to: str = ""
    state: str = WAITING
    created: float
    due: float
    until: float
    """When to give up."""
    tries: int = 0
    ended: float = 0.0
    code: str = ""
    """Of the failure that its last try met."""
    reason: str = ""
    reference: str = ""
    sender: str = ""
    note_at: str = ""
    """The time of its row in Open Dental's database, chosen before that is written."""
    noted: str = ""
    """The state that Open Dental's database knows."""
    record: str = ""
    """What Open Dental's database gets instead of the text; empty where it gets the text itself."""

    @property
    def lane(self) -> Lane:
        """The account it leaves through."""
        return Lane(self.clinic, self.notices)


class Trouble(msgspec.Struct, frozen=True):
    """Why a try came to nothing."""

    code: str
    reason: str
    reference: str


def put(connection: sa.Connection, mail: Mail) -> bool:
    """Keep a mail to be sent; False if its id and recipient are known already, whatever became of it."""
    known = (OUTBOX.c.message_id == mail.message_id) & (OUTBOX.c.recipient == mail.recipient)
    if connection.execute(sa.select(OUTBOX.c.id).where(known)).first() is not None:
        return False
    values = msgspec.structs.asdict(mail)
    del values["id"], values["record"]
    made = connection.execute(sa.insert(OUTBOX).values(values))
    if mail.record and made.inserted_primary_key:
        connection.execute(sa.insert(RECORDS).values(mail=made.inserted_primary_key[0], text=mail.record))
    return True


def due(connection: sa.Connection, now: float) -> Due:
    """Return for which accounts there is something to send now; none while paused."""
    hurried = float(meta.read(connection, HURRIED) or 0)
    if paused(connection):
        return Due([], hurried)
    query = sa.select(OUTBOX.c.clinic, OUTBOX.c.notices).where(_due(now)).group_by(OUTBOX.c.clinic, OUTBOX.c.notices)
    rows = connection.execute(query.order_by(sa.func.min(OUTBOX.c.id)))
    return Due([Lane(row.clinic, bool(row.notices)) for row in rows], hurried)


def take(connection: sa.Connection, lane: Lane, now: float) -> Mail | None:
    """Return the oldest due mail of this account, from now on *sending*; None if there is none, or while paused."""
    if paused(connection):
        return None
    query = sa.select(OUTBOX).where(_due(now), *_in(lane)).order_by(OUTBOX.c.id).limit(1)
    row = connection.execute(query).first()
    if row is None:
        return None
    mail = _mail(row)
    mail.state, mail.tries = SENDING, mail.tries + 1
    _change(connection, mail.id, state=SENDING, tries=mail.tries)
    return mail


def sent(connection: sa.Connection, number: int, sender: str, now: float) -> None:
    """Note that the server has accepted it; its text goes, unless Open Dental's database has still to get it."""
    values = {"state": SENT, "ended": now, "code": "", "reason": "", "reference": "", "sender": sender}
    _change(connection, number, **values)
    secret = OUTBOX.c.id.in_(sa.select(RECORDS.c.mail).where(RECORDS.c.mail == number))
    connection.execute(sa.update(OUTBOX).where(secret).values(text=""))
    _drop_texts(connection, OUTBOX.c.id == number)


def delayed(connection: sa.Connection, number: int, trouble: Trouble, due: float) -> None:
    """Let it wait until `due` for the next try."""
    _change(connection, number, state=WAITING, due=due, **msgspec.structs.asdict(trouble))


def failed(connection: sa.Connection, number: int, sender: str, trouble: Trouble, now: float) -> None:
    """Give it up; its text stays for as long as a person may want it tried again."""
    _change(connection, number, state=FAILED, ended=now, sender=sender, **msgspec.structs.asdict(trouble))


def held(connection: sa.Connection, lane: Lane, trouble: Trouble) -> None:
    """Say of all mails that wait for this account why they do."""
    here = sa.and_(OUTBOX.c.state == WAITING, *_in(lane))
    connection.execute(sa.update(OUTBOX).where(here).values(msgspec.structs.asdict(trouble)))


def recover(connection: sa.Connection, now: float) -> int:
    """Let what a dead connector left in the middle of sending be sent again at once; return how many mails."""
    here = OUTBOX.c.state == SENDING
    return connection.execute(sa.update(OUTBOX).where(here).values(state=WAITING, due=now)).rowcount


def expire(connection: sa.Connection, now: float) -> int:
    """Give up what has waited for too long, but nothing while paused; return how many mails."""
    if paused(connection):
        return 0
    late = (OUTBOX.c.state == WAITING) & (OUTBOX.c.until <= now)
    why = sa.case((OUTBOX.c.reason == "", LATE), else_=OUTBOX.c.reason)
    return connection.execute(sa.update(OUTBOX).where(late).values(state=FAILED, ended=now, reason=why)).rowcount


# -- what a person does ------------------------------------------------------------------------------------------------


def pause(connection: sa.Connection, now: float) -> None:
    """Send nothing until `resume`."""
    if not paused(connection):
        meta.write(connection, PAUSED, str(now))


def resume(connection: sa.Connection, now: float) -> None:
    """Send again; no mail loses time by the pause."""
    since = paused(connection)
    if since:
        lost = max(now - since, 0.0)
        connection.execute(sa.update(OUTBOX).where(OUTBOX.c.state == WAITING).values(until=OUTBOX.c.until + lost))
        meta.forget(connection, PAUSED)


def paused(connection: sa.Connection) -> float:
    """Return since when nothing is sent; 0 if mail is sent."""
    return float(meta.read(connection, PAUSED) or 0)


def retry(connection: sa.Connection, number: int, now: float) -> bool:
    """Let one be tried at once, with all its time before it; False if it is not there to be sent."""
    here = (OUTBOX.c.id == number) & OUTBOX.c.state.in_((WAITING, FAILED)) & (OUTBOX.c.text != "")
    until = sa.func.max(OUTBOX.c.until, now + DAY)
    changed = sa.update(OUTBOX).where(here).values(state=WAITING, due=now, until=until, ended=0.0)
    meta.write(connection, HURRIED, str(now))
    return connection.execute(changed).rowcount > 0


def hurry(connection: sa.Connection, now: float) -> int:
    """Let everything that waits be tried at once; return how many mails."""
    meta.write(connection, HURRIED, str(now))
    return connection.execute(sa.update(OUTBOX).where(OUTBOX.c.state == WAITING).values(due=now)).rowcount


def remove(connection: sa.Connection, number: int, now: float) -> bool:
    """Never send one; False if it is not there, is on its way or was sent."""
    return _give_up(connection, OUTBOX.c.id == number, now) > 0


def withdraw(connection: sa.Connection, message_id: str, now: float) -> int:
    """Never send what still waits of the mail with this id; return to how many recipients."""
    return _give_up(connection, OUTBOX.c.message_id == message_id, now)


def find(connection: sa.Connection, number: int) -> Mail | None:
    """Return one mail."""
    row = connection.execute(sa.select(OUTBOX).where(OUTBOX.c.id == number)).first()
    return _mail(row) if row else None


def state_of(connection: sa.Connection, message_id: str) -> str:
    """Return the state of the mail with this id, of several recipients the first's; empty for none."""
    query = sa.select(OUTBOX.c.state).where(OUTBOX.c.message_id == message_id).order_by(OUTBOX.c.id).limit(1)
    return connection.execute(query).scalar() or ""


def latest(connection: sa.Connection, limit: int = 200, states: tuple[str, ...] = ()) -> list[Mail]:
    """Return mails of these states (none: of all), what is still to be done first, then the newest."""
    query = sa.select(OUTBOX).where(OUTBOX.c.state.in_(states)) if states else sa.select(OUTBOX)
    order = sa.case({SENDING: 0, WAITING: 1, FAILED: 2}, value=OUTBOX.c.state, else_=3)
    return [_mail(row) for row in connection.execute(query.order_by(order, OUTBOX.c.id.desc()).limit(limit))]


def counts(connection: sa.Connection) -> dict[str, int]:
    """Return how many mails are in each state."""
    query = sa.select(OUTBOX.c.state, sa.func.count().label("n")).group_by(OUTBOX.c.state)
    return dict.fromkeys((WAITING, SENDING, SENT, FAILED, REMOVED), 0) | {
        row.state: row.n for row in connection.execute(query)
    }


# -- Open Dental's own record of patients' mail ------------------------------------------------------------------------


def to_note(connection: sa.Connection) -> Mail | None:
    """Return the oldest mail of a patient whose end Open Dental's database does not know yet."""
    ended = OUTBOX.c.state.in_((SENT, FAILED)) & (OUTBOX.c.patient != 0) & (OUTBOX.c.noted != OUTBOX.c.state)
    record = sa.func.coalesce(RECORDS.c.text, "").label("record")
    query = sa.select(OUTBOX, record).outerjoin(RECORDS, RECORDS.c.mail == OUTBOX.c.id)
    row = connection.execute(query.where(ended).order_by(OUTBOX.c.ended).limit(1)).first()
    return _mail(row) if row else None


def note_at(connection: sa.Connection, number: int, at: str) -> bool:
    """Choose the time under which Open Dental's database gets it; False if another mail of the patient has it."""
    mine = sa.select(OUTBOX.c.patient).where(OUTBOX.c.id == number).scalar_subquery()
    taken = sa.select(OUTBOX.c.id).where(OUTBOX.c.patient == mine, OUTBOX.c.note_at == at, OUTBOX.c.id != number)
    if connection.execute(taken).first() is not None:
        return False
    _change(connection, number, note_at=at)
    return True


def noted(connection: sa.Connection, number: int, state: str) -> None:
    """Remember that Open Dental's database knows this state of it."""
    _change(connection, number, noted=state)
    _drop_texts(connection, OUTBOX.c.id == number)


def sweep(connection: sa.Connection, now: float) -> int:
    """Forget what ended long ago; return how many rows went."""
    ended = OUTBOX.c.state.in_((SENT, FAILED, REMOVED)) & (OUTBOX.c.ended < now - KEPT_DAYS * DAY)
    gone = connection.execute(sa.delete(OUTBOX).where(ended)).rowcount
    connection.execute(sa.delete(RECORDS).where(RECORDS.c.mail.not_in(sa.select(OUTBOX.c.id))))
    return gone


# -- details -----------------------------------------------------------------------------------------------------------


def _due(now: float) -> sa.ColumnElement[bool]:
    return (OUTBOX.c.state == WAITING) & (OUTBOX.c.due <= now) & (OUTBOX.c.until > now)


def _in(lane: Lane) -> tuple[sa.ColumnElement[bool], ...]:
    return OUTBOX.c.clinic == lane.clinic, OUTBOX.c.notices.is_(lane.notices)


def _change(connection: sa.Connection, number: int, **values: object) -> None:
    connection.execute(sa.update(OUTBOX).where(OUTBOX.c.id == number).values(values))


def _give_up(connection: sa.Connection, which: sa.ColumnElement[bool], now: float) -> int:
    here = which & OUTBOX.c.state.in_((WAITING, FAILED))
    gone = sa.update(OUTBOX).where(here).values(state=REMOVED, ended=now, subject="", text="")
    return connection.execute(gone).rowcount


def _drop_texts(connection: sa.Connection, here: sa.ColumnElement[bool]) -> None:
    over = here & (OUTBOX.c.state == SENT) & ((OUTBOX.c.patient == 0) | (OUTBOX.c.noted == SENT))
    connection.execute(sa.update(OUTBOX).where(over).values(subject="", text=""))


def _mail(row: sa.Row[tuple[object, ...]]) -> Mail:
    return Mail(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name

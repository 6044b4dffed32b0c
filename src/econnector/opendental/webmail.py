r"""Web mail: secure messages between patients and providers (tables emailmessage and emailattach).

A message is `emailmessage` with `SentOrReceived` 4 (from a patient, unread in the office), 5 (read there), 6 (from a
provider, not read by the patient) or 7. `PatNum` is whose login wrote it or gets it, `PatNumSubj` whom it is about,
`ProvNumWebMail` the provider. Both names stand in `FromAddress` and `ToAddress` where other mail has addresses.
Times are the office's, in whole seconds.

Open Dental's patients could not send files. Ours are kept as mail that came in: `EmailAttachments\In`, named as Open
Dental names them.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, String, bindparam, case, func, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from econnector.opendental import times, writes
from econnector.opendental.filed import LAST_KEY
from econnector.opendental.schema import Schema
from econnector.opendental.tables import ehrmeasureevent, emailattach, emailmessage

__all__ = [
    "FOLDER",
    "FROM_OFFICE",
    "FROM_PATIENT",
    "SENT",
    "Line",
    "Mail",
    "Sending",
    "attachment",
    "base_subject",
    "conversation",
    "find",
    "find_sent",
    "holdable",
    "listed",
    "mark_read",
    "measure",
    "reply_subject",
    "send",
    "show",
    "stored_name",
]

RECEIVED, RECEIVED_READ, SENT, SENT_READ = 4, 5, 6, 7
FROM_PATIENT, FROM_OFFICE = (RECEIVED, RECEIVED_READ), (SENT, SENT_READ)
FOLDER = "EmailAttachments"
_UNSENT = 0
_SECURE_MESSAGE = 15
"""ehrmeasureevent.EventType: the measure "secure messaging" counts these, not mails."""
_KIND = "WebMail"
_START = 160
_LAST_OF_THREE_BYTES = 0xFFFF
_TICKS_AT_1 = dt.datetime(1, 1, 1)  # noqa: DTZ001 - office time has no zone
_REPLY = re.compile(r"^\s*(?:(?:re|aw|fwd?|sv|rv)\s*:\s*)+", re.IGNORECASE)


class Line(msgspec.Struct, frozen=True):
    """A message in a list."""

    number: int
    at: dt.datetime | None
    subject: str
    start: str
    """Of its text."""
    writer: str
    reader: str
    state: int
    patient: int
    about: int
    provider: int
    files: int = 0
    """How many came with it; known in a list only."""


class Mail(Line, frozen=True, kw_only=True):
    """A message in full."""

    text: str
    attached: list[tuple[int, str]] = []
    """EmailAttachNum and the name to show of the files that came with it; known in a conversation only."""


class Sending(msgspec.Struct, frozen=True):
    """A message from a patient."""

    patient: int
    about: int
    provider: int
    writer: str
    reader: str
    subject: str
    text: str
    at: dt.datetime
    """Chosen once, before the row is written: finds it again after a death in between."""
    files: tuple[tuple[str, str], ...] = ()
    """Shown and stored names."""


_COLUMNS = emailmessage.c
_BEGINNING = func.substr(_COLUMNS.BodyText, 1, _START).label("start")
_LINE = (
    _COLUMNS.EmailMessageNum,
    _COLUMNS.MsgDateTime,
    _COLUMNS.Subject,
    _BEGINNING,
    _COLUMNS.FromAddress,
    _COLUMNS.ToAddress,
    _COLUMNS.SentOrReceived,
    _COLUMNS.PatNum,
    _COLUMNS.PatNumSubj,
    _COLUMNS.ProvNumWebMail,
)

_NEWEST = (_COLUMNS.MsgDateTime.desc(), _COLUMNS.EmailMessageNum.desc())


class _Tail(FunctionElement[str]):
    """What follows the last colon of a subject: the same for a message and every answer to it."""

    type = String()
    inherit_cache = True


@compiles(_Tail)
def _tail(element: _Tail, compiler: SQLCompiler, **options: Any) -> str:
    subject = compiler.process(element.clauses, **options)
    if compiler.dialect.name == "sqlite":
        return f"LOWER(TRIM(REPLACE({subject}, RTRIM({subject}, REPLACE({subject}, ':', '')), '')))"
    return f"TRIM(SUBSTRING_INDEX({subject}, ':', -1))"


def _conversation() -> Select[Any]:
    """Return the opened message and candidates for its talk, each as often as it has files, the opened one first."""
    opened, mail, states = emailmessage.alias("opened"), emailmessage.c, (*FROM_PATIENT, *FROM_OFFICE)
    is_opened = mail.EmailMessageNum == bindparam("number")
    length = case((is_opened, bindparam("longest")), else_=bindparam("characters"))
    found = (
        select(*_LINE, func.substr(mail.BodyText, 1, length).label("text"))
        .join_from(opened, emailmessage, mail.PatNum == opened.c.PatNum)
        .where(
            opened.c.EmailMessageNum == bindparam("number"),
            opened.c.SentOrReceived.in_(states),
            mail.SentOrReceived.in_(states),
            mail.PatNumSubj == opened.c.PatNumSubj,
            mail.ProvNumWebMail == opened.c.ProvNumWebMail,
            or_(is_opened, _Tail(mail.Subject) == _Tail(opened.c.Subject)),
        )
        .order_by(is_opened.desc(), *_NEWEST)
        .limit(bindparam("most"))
        .subquery()
    )
    files = emailattach.c
    return (
        select(found, files.EmailAttachNum, files.DisplayedFileName)
        .outerjoin_from(found, emailattach, files.EmailMessageNum == found.c.EmailMessageNum)
        .order_by(found.c.MsgDateTime.desc(), found.c.EmailMessageNum.desc(), files.EmailAttachNum)
    )


# Built once: building a statement takes longer than running it.
_CONVERSATION = _conversation()
_FILES = (
    select(func.count())
    .select_from(emailattach)
    .where(emailattach.c.EmailMessageNum == _COLUMNS.EmailMessageNum)
    .scalar_subquery()
)


# -- reading -----------------------------------------------------------------------------------------------------------


def listed(
    connection: Connection, about: Sequence[int], states: Sequence[int], *, most: int, skip: int = 0
) -> list[Line]:
    """Return messages about these people (PatNums) in these states, newest first."""
    rows = select(*_LINE, _FILES.label("files")).where(_about(about), _COLUMNS.SentOrReceived.in_(states))
    newest = rows.order_by(*_NEWEST).limit(most).offset(skip)
    return [Line(**_facts(row), files=row.files) for row in connection.execute(newest)]


def find(connection: Connection, number: int, most: int) -> Mail | None:
    """Return a message with the first `most` characters of its text; None for what is no web mail."""
    if not 0 < number <= LAST_KEY:
        return None
    rows = _whole(most).where(_COLUMNS.EmailMessageNum == number)
    row = connection.execute(rows.where(_COLUMNS.SentOrReceived.in_((*FROM_PATIENT, *FROM_OFFICE)))).first()
    return _mail(row) if row else None


def conversation(connection: Connection, number: int, *, longest: int, most: int, characters: int) -> list[Mail]:
    """Return a message and the newest others of its talk: of the same two, about the same person and subject.

    The message itself is first, with `longest` characters of its text; of at most `most` others there are `characters`.
    Nothing for what is no web mail. Whose it may be is not decided here.
    """
    if not 0 < number <= LAST_KEY:
        return []
    asked = {"number": number, "longest": longest + 1, "most": most * 2 + 1, "characters": characters + 1}
    found: dict[int, Mail] = {}
    for row in connection.execute(_CONVERSATION, asked):
        mail = found.get(row.EmailMessageNum) or found.setdefault(row.EmailMessageNum, _mail(row))
        if row.EmailAttachNum is not None:
            mail.attached.append((row.EmailAttachNum, row.DisplayedFileName or ""))
    opened = found.pop(number, None)
    if opened is None:
        return []
    subject = base_subject(opened.subject).casefold()
    return [opened, *[one for one in found.values() if base_subject(one.subject).casefold() == subject][:most]]


def attachment(connection: Connection, message: int, number: int) -> tuple[str, str] | None:
    """Return a file's shown and stored name, if it belongs to the message."""
    if not 0 < number <= LAST_KEY:
        return None
    columns = emailattach.c
    rows = select(columns.DisplayedFileName, columns.ActualFileName)
    row = connection.execute(rows.where(columns.EmailAttachNum == number, columns.EmailMessageNum == message)).first()
    return (row.DisplayedFileName or "", row.ActualFileName or "") if row else None


# -- writing -----------------------------------------------------------------------------------------------------------


def mark_read(connection: Connection, schema: Schema, number: int) -> bool:
    """Note that the patient has read a message of the office; False if that was noted before."""
    here = (_COLUMNS.EmailMessageNum == number, _COLUMNS.SentOrReceived == SENT)
    return writes.update(connection, schema, emailmessage, {"SentOrReceived": SENT_READ}, *here) > 0


def find_sent(connection: Connection, patient: int, at: dt.datetime) -> int:
    """Return the message that was written for this patient at this chosen time; 0 for none."""
    states = (_UNSENT, *FROM_PATIENT)
    here = (_COLUMNS.PatNum == patient, _COLUMNS.MsgDateTime == at, _COLUMNS.MsgType == _KIND)
    query = select(_COLUMNS.EmailMessageNum).where(*here, _COLUMNS.SentOrReceived.in_(states), _COLUMNS.UserNum == 0)
    return connection.scalar(query.order_by(_COLUMNS.EmailMessageNum).limit(1)) or 0


def send(connection: Connection, schema: Schema, mail: Sending) -> int:
    """Put a patient's message into the provider's inbox; return its EmailMessageNum.

    Done again, it completes what is there. A message with files is not in the inbox before all of them are: it is
    unsent (0) until then.
    """
    number = find_sent(connection, mail.patient, mail.at)
    if not number:
        number = writes.insert(connection, schema, emailmessage, _row(mail, connection))
    if mail.files:
        attach(connection, schema, number, mail.files)
    return number


def attach(connection: Connection, schema: Schema, number: int, files: Sequence[tuple[str, str]]) -> None:
    """Add what files a written message lacks, then let it be seen."""
    columns = emailattach.c
    rows = select(columns.ActualFileName).where(columns.EmailMessageNum == number)
    there = set(connection.execute(rows).scalars())
    for shown, stored in files:
        if stored not in there:
            values = {"EmailMessageNum": number, "DisplayedFileName": shown, "ActualFileName": stored}
            writes.insert(connection, schema, emailattach, values | {"EmailTemplateNum": 0})
    here = (_COLUMNS.EmailMessageNum == number, _COLUMNS.SentOrReceived == _UNSENT)
    writes.update(connection, schema, emailmessage, {"SentOrReceived": RECEIVED}, *here)


def measure(connection: Connection, schema: Schema, patient: int, at: dt.datetime) -> None:
    """Count a secure message of this patient, once per message."""
    columns = ehrmeasureevent.c
    here = (columns.PatNum == patient, columns.EventType == _SECURE_MESSAGE, columns.DateTEvent == at)
    if connection.scalar(select(columns.EhrMeasureEventNum).where(*here).limit(1)) is None:
        values = {"PatNum": patient, "EventType": _SECURE_MESSAGE, "DateTEvent": at, "MoreInfo": ""}
        writes.insert(connection, schema, ehrmeasureevent, values)


def _row(mail: Sending, connection: Connection) -> dict[str, Any]:
    return {
        "PatNum": mail.patient,
        "PatNumSubj": mail.about,
        "ProvNumWebMail": mail.provider,
        "FromAddress": mail.writer,
        "ToAddress": mail.reader,
        "Subject": mail.subject,
        "BodyText": mail.text,
        "MsgDateTime": mail.at,
        "SentOrReceived": _UNSENT if mail.files else RECEIVED,
        "MsgType": _KIND,
        "UserNum": 0,
        "SecDateTEntry": times.now(connection),
    }


# -- words -------------------------------------------------------------------------------------------------------------


def base_subject(subject: str) -> str:
    """Return a subject without the marks of answers, however many."""
    return _REPLY.sub("", subject).strip()


def reply_subject(subject: str) -> str:
    """Return what an answer is called: the mark once."""
    return f"RE: {base_subject(subject)}"


def holdable(text: str) -> str:
    """Return a text as Open Dental's three-byte columns hold it: pictures by their names, no control characters."""
    return "".join(_held(letter) for letter in unicodedata.normalize("NFC", text))


def _held(letter: str) -> str:
    if ord(letter) > _LAST_OF_THREE_BYTES:
        return f"({unicodedata.name(letter, 'picture').lower()})"
    return letter if letter in "\r\n\t" or unicodedata.category(letter) not in {"Cc", "Cs", "Cn"} else ""


def stored_name(shown: str, at: dt.datetime, mark: int) -> str:
    r"""Return the name below `EmailAttachments` as Open Dental makes it: `In\20261124_<ticks>_<4 digits>_<name>`."""
    ticks = int((at - _TICKS_AT_1) / dt.timedelta(microseconds=1)) * 10
    return f"In\\{at:%Y%m%d}_{ticks}_{mark % 10000:04}_{shown}"


def show(text: str) -> str:
    r"""Return a stored text as it was meant: some rows hold line ends as the four characters `\r\n`."""
    return text.replace("\\r\\n", "\n").replace("\r\n", "\n").replace("\r", "\n")


# -- details -----------------------------------------------------------------------------------------------------------


def _about(people: Sequence[int]) -> ColumnElement[bool]:
    return _COLUMNS.PatNumSubj.in_(people)


def _whole(characters: int) -> Select[Any]:
    # One more than wanted: tells that there is more.
    return select(*_LINE, func.substr(_COLUMNS.BodyText, 1, characters + 1).label("text"))


def _mail(row: Any) -> Mail:
    return Mail(**_facts(row), text=show(row.text or ""))


def _facts(row: Any) -> dict[str, Any]:
    return {
        "number": row.EmailMessageNum,
        "at": row.MsgDateTime,
        "subject": (row.Subject or "").strip(),
        "start": " ".join(show(row.start or "").split()),
        "writer": (row.FromAddress or "").strip(),
        "reader": (row.ToAddress or "").strip(),
        "state": row.SentOrReceived,
        "patient": row.PatNum,
        "about": row.PatNumSubj,
        "provider": row.ProvNumWebMail,
    }

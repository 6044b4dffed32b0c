"""Table emailmessage: mail that belongs to a patient, as Open Dental shows it in the patient's account.

One mail is one row, however often it is noted: its time is chosen once, by who keeps the queue, before the row is
written, and finds it again after a death in between.
"""

import datetime as dt

import msgspec
from sqlalchemy import Connection, select

from econnector.opendental import times, writes
from econnector.opendental.schema import Schema
from econnector.opendental.tables import emailmessage

__all__ = ["FAILED", "SENT", "PatientMail", "note"]

SENT, FAILED = 1, 17
"""Of Open Dental's EmailSentOrReceived."""
_MOST_REASON = 255


class PatientMail(msgspec.Struct, frozen=True):
    """A mail to a patient, and what became of it."""

    patient: int
    to: str
    sender: str
    subject: str
    text: str
    kind: str
    """Open Dental's EmailMessageSource by name, such as `PatPortalReset`."""
    at: dt.datetime
    """Office time, whole seconds; no two mails to one patient have the same."""
    reason: str = ""
    """Why it failed; empty for one that was sent."""

    @property
    def state(self) -> int:
        """Return SENT or FAILED."""
        return FAILED if self.reason else SENT


def note(connection: Connection, schema: Schema, mail: PatientMail) -> int:
    """Write what became of the mail; return its row's key. Noted again, the same row is brought up to date."""
    number = _find(connection, mail)
    reason = mail.reason[:_MOST_REASON]
    if number is not None:
        state = {"SentOrReceived": mail.state, "FailReason": reason}
        writes.update(connection, schema, emailmessage, state, emailmessage.c.EmailMessageNum == number)
        return number
    values = {
        "PatNum": mail.patient,
        "PatNumSubj": mail.patient,
        "ToAddress": mail.to,
        "FromAddress": mail.sender,
        "Subject": mail.subject,
        "BodyText": mail.text,
        "MsgDateTime": mail.at,
        "SentOrReceived": mail.state,
        "MsgType": mail.kind,
        "FailReason": reason,
        "SecDateTEntry": times.now(connection),
    }
    return writes.insert(connection, schema, emailmessage, values)


def _find(connection: Connection, mail: PatientMail) -> int | None:
    columns = emailmessage.c
    here = (columns.PatNum == mail.patient, columns.MsgDateTime == mail.at, columns.MsgType == mail.kind)
    query = select(columns.EmailMessageNum, columns.ToAddress).where(*here, columns.SentOrReceived.in_((SENT, FAILED)))
    return next((row.EmailMessageNum for row in connection.execute(query) if row.ToAddress == mail.to), None)

"""Appointments as patients may see them, and the check-ups that are due.

Shown are `appointment` rows with AptStatus 1 (scheduled) and 2 (complete): no broken, planned or unscheduled ones,
nor the notes that Open Dental keeps as appointments (7, 8); `Note` and `ProcDescript` are the staff's own words and are
never read. `Confirmed` names a row of `definition` (category 2); which of them means "confirmed" is in preferences.
"""

import datetime as dt
import html
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, bindparam, case, func, literal, or_, select

from econnector.opendental.practice import full_name
from econnector.opendental.schema import Schema
from econnector.opendental.tables import (
    appointment,
    clinic,
    definition,
    emailmessage,
    patient,
    provider,
    recall,
    recalltype,
    webschedrecall,
)
from econnector.opendental.times import NO_DATE, Today, UnixTime, is_dated

__all__ = [
    "FIRST_DUE",
    "SETTINGS",
    "Appointment",
    "Recall",
    "coming",
    "due",
    "find",
    "is_confirmed",
    "listed",
]

_ACCEPTED = "ApptEConfirmStatusAccepted"
_ARRIVED = ("AppointmentTimeArrivedTrigger", "AppointmentTimeSeatedTrigger", "AppointmentTimeDismissedTrigger")

SETTINGS = (_ACCEPTED, *_ARRIVED)
"""The preferences that say which statuses need no confirmation any more."""

_SCHEDULED, _COMPLETE = 1, 2
_MINUTES = 5
"""Of each letter of `Pattern`."""
_MOST = 200
_MOST_COMING = 20
_LAST_KEY = 2**63 - 1
_CONFIRMED_WORD = re.compile(r"(?<!not )\bconfirmed\b", re.IGNORECASE)
_EMAIL = 2
"""webschedrecall.MessageType (CommType)."""
_LINK = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:[/?#][^\s\"'<>\\]*)?")


class Appointment(msgspec.Struct, frozen=True):
    """One appointment."""

    number: int
    """AptNum."""
    patient: int
    complete: bool
    at: dt.datetime
    """Office time."""
    unix: int
    """The same moment in seconds since 1970; 0 where the database cannot tell."""
    today: dt.date
    """The office's day when it was read."""
    minutes: int
    confirmed: int
    """DefNum of the confirmation status."""
    status: str
    """What the office calls that status."""
    provider: str
    clinic: int
    clinic_name: str
    clinic_address: str

    @property
    def ahead(self) -> bool:
        """Whether it is still to come; what is scheduled for today counts all day."""
        return not self.complete and self.at.date() >= self.today


class Recall(msgspec.Struct, frozen=True):
    """A check-up that is due and not scheduled."""

    number: int
    kind: str
    """What the office calls it (recalltype.Description)."""
    due: dt.date
    link: str = ""
    """Where it can be booked, if the office has sent a link for it."""


def is_confirmed(found: Appointment, settings: Mapping[str, str]) -> bool:
    """Return whether nobody waits for a confirmation: the office has one, or the patient is there already.

    `settings` are the preferences `SETTINGS`. A status of the practice's own counts by its name.
    """
    known = {settings.get(name, "").strip() for name in SETTINGS} - {"", "0"}
    return str(found.confirmed) in known or bool(_CONFIRMED_WORD.search(found.status))


def listed(connection: Connection, person: int, *, clinics: bool) -> list[Appointment]:
    """Return the appointments of `person` (a PatNum), the latest first; the oldest ones of very many are left out.

    `clinics`: whether the practice uses clinics at all.
    """
    rows = connection.execute(_LISTED, {"person": person, "most": _MOST})
    return [_appointment(row, clinics=clinics) for row in rows]


def coming(connection: Connection, person: int, *, clinics: bool) -> list[Appointment]:
    """Return what is scheduled for today and later, the next first."""
    rows = connection.execute(_COMING, {"person": person, "most": _MOST_COMING})
    return [_appointment(row, clinics=clinics) for row in rows]


def find(connection: Connection, number: int, *, clinics: bool) -> Appointment | None:
    """Return the appointment with this AptNum; None where there is none that a patient may see.

    Whose it may be is not decided here.
    """
    if not 0 < number <= _LAST_KEY:
        return None
    row = connection.execute(_ONE, {"number": number}).one_or_none()
    return None if row is None else _appointment(row, clinics=clinics)


def due(connection: Connection, schema: Schema, person: int) -> list[Recall]:
    """Return the check-ups of `person` that are due and not scheduled, the longest due first.

    Not those that the office has put off to a day that is yet to come, or until the family owes less than it does.
    Each with the newest link that the office has sent for booking it online.
    """
    statement = _DUE_SINCE_22_2 if schema.has(webschedrecall, "MessageFk") else _DUE_BEFORE_22_2
    found: dict[int, Recall] = {}
    for row in connection.execute(statement, {"person": person}):
        link = _link(row.mail) or _link(row.message)
        known = found.get(row.RecallNum)
        if known is None or (link and not known.link):
            found[row.RecallNum] = Recall(row.RecallNum, (row.Description or "").strip(), row.DateDue, link)
    return list(found.values())


def _link(text: str | None) -> str:
    found = _LINK.search(text or "")
    return html.unescape(found[0]).rstrip(".,;:!?)]") if found else ""


def _appointment(row: Any, *, clinics: bool) -> Appointment:
    own = clinics and bool(row.Description)
    street = ", ".join(part.strip() for part in (row.Address, row.Address2, row.City) if part and part.strip())
    return Appointment(
        number=row.AptNum,
        patient=row.PatNum,
        complete=row.AptStatus == _COMPLETE,
        at=row.AptDateTime,
        unix=int(row.unix or 0),
        today=row.today,
        minutes=len(row.Pattern or "") * _MINUTES,
        confirmed=row.Confirmed,
        status=(row.ItemName or "").strip(),
        provider="" if row.IsNotPerson else full_name(row.FName, row.LName, row.Suffix),
        clinic=row.ClinicNum if clinics else 0,
        clinic_name=row.Description.strip() if own else "",
        clinic_address=f"{street} {(row.State or '').strip()} {(row.Zip or '').strip()}".strip() if own else "",
    )


def _select() -> Select[Any]:
    # A hygienist's visit is the hygienist's, whoever the dentist is.
    whose = case(
        ((appointment.c.IsHygiene == 1) & (appointment.c.ProvHyg > 0), appointment.c.ProvHyg),
        else_=appointment.c.ProvNum,
    )
    mine = appointment.c
    columns = (mine.AptNum, mine.PatNum, mine.AptStatus, mine.AptDateTime, mine.Pattern, mine.Confirmed, mine.ClinicNum)
    place = (clinic.c[name] for name in ("Description", "Address", "Address2", "City", "State", "Zip"))
    named = (provider.c.FName, provider.c.LName, provider.c.Suffix, provider.c.IsNotPerson)
    times = (UnixTime(mine.AptDateTime).label("unix"), Today().label("today"))
    return (
        select(*columns, *place, *named, *times, definition.c.ItemName)
        .outerjoin_from(appointment, provider, provider.c.ProvNum == whose)
        .outerjoin(clinic, clinic.c.ClinicNum == mine.ClinicNum)
        .outerjoin(definition, definition.c.DefNum == mine.Confirmed)
        .where(mine.AptStatus.in_((_SCHEDULED, _COMPLETE)), is_dated(mine.AptDateTime))
    )


def _due() -> Select[Any]:
    """Return the recalls that are due, with what each is for."""
    holder = patient.alias()
    later = is_dated(recall.c.DisableUntilDate) & (recall.c.DisableUntilDate > Today())
    poorer = (recall.c.DisableUntilBalance > 0) & (holder.c.BalTotal - holder.c.InsEst >= recall.c.DisableUntilBalance)
    return (
        select(recall.c.RecallNum, recall.c.DateDue, recalltype.c.Description)
        .join_from(recall, patient, patient.c.PatNum == recall.c.PatNum)
        .join(holder, holder.c.PatNum == patient.c.Guarantor)
        .outerjoin(recalltype, recalltype.c.RecallTypeNum == recall.c.RecallTypeNum)
        .where(
            recall.c.PatNum == bindparam("person"),
            is_dated(recall.c.DateDue),
            recall.c.DateDue <= Today(),
            recall.c.IsDisabled == 0,
            or_(recall.c.DateScheduled <= NO_DATE, recall.c.DateScheduled.is_(None)),
            ~later,
            ~poorer,
        )
    )


def _due_since_22_2() -> Select[Any]:
    """Return the statement for versions that keep a message in a row of its own; of these only mails can be read."""
    mine = webschedrecall.c
    mail = (emailmessage.c.EmailMessageNum == mine.MessageFk) & (mine.MessageType == _EMAIL)
    columns = (emailmessage.c.BodyText.label("mail"), literal("").label("message"))
    return _due_with_what_was_sent().outerjoin(emailmessage, mail).add_columns(*columns)


def _due_before_22_2() -> Select[Any]:
    mine = webschedrecall.c
    return _due_with_what_was_sent().add_columns(mine.EmailText.label("mail"), mine.MsgTextToMobile.label("message"))


def _due_with_what_was_sent() -> Select[Any]:
    """Return what is due, each with every message that was sent about it, the newest first."""
    mine = webschedrecall.c
    newest = (mine.DateTimeEntry.desc(), mine.WebSchedRecallNum.desc())
    found = _due().outerjoin(webschedrecall, mine.RecallNum == recall.c.RecallNum)
    return found.order_by(recall.c.DateDue, recall.c.RecallNum, *newest)


# Built once: building a statement takes longer than running it.
_OF = appointment.c.PatNum == bindparam("person")
_LATEST = (appointment.c.AptDateTime.desc(), appointment.c.AptNum.desc())
_LISTED = _select().where(_OF).order_by(*_LATEST).limit(bindparam("most"))
_COMING = (
    _select()
    .where(_OF, appointment.c.AptStatus == _SCHEDULED, appointment.c.AptDateTime >= Today())
    .order_by(appointment.c.AptDateTime, appointment.c.AptNum)
    .limit(bindparam("most"))
)
_ONE = _select().where(appointment.c.AptNum == bindparam("number"))
_DUE_SINCE_22_2, _DUE_BEFORE_22_2 = _due_since_22_2(), _due_before_22_2()

FIRST_DUE = _due().with_only_columns(func.min(recall.c.DateDue)).scalar_subquery()
"""Since when a check-up of `:person` is due, to be asked for beside something else."""

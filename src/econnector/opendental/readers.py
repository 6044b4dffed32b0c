"""Providers whose web mail somebody reads: in use, and with a user of Open Dental who is linked to them.

To a provider who is hidden, or whom no user stands for, mail would go that nobody ever sees.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, delete, func, select

from econnector.opendental import cachesignals, times, writes
from econnector.opendental.schema import Schema
from econnector.opendental.tables import alertitem, alertread, emailmessage, patient, provider, userod

__all__ = ["SETTINGS", "Reader", "alert", "formal_name", "listed"]

_ACTIVE = 0
"""provider.ProvStatus."""
_UNREAD = 4
_WEB_MAIL, _INBOX_FORM, _ALL_CLINICS = 21, 12, -1
"""Of alertitem: Type, FormToOpen, ClinicNum."""
_MARK_AS_READ, _OPEN_FORM = 1, 2


class Reader(msgspec.Struct, frozen=True):
    """A provider whose messages are read."""

    number: int
    """ProvNum."""
    name: str
    own: bool
    """The primary provider of whom it is about."""


SETTINGS = ("PracticeDefaultProv",)
"""The preference that names the provider of patients who have none."""


def listed(connection: Connection, about: int, settings: Mapping[str, str]) -> list[Reader]:
    """Return who reads messages: the primary provider of `about` (a PatNum) first, then in the practice's order."""
    own = select(patient.c.PriProv).where(patient.c.PatNum == about).scalar_subquery()
    names = [provider.c[name] for name in ("ProvNum", "FName", "MI", "LName", "Suffix", "ItemOrder")]
    used = and_(provider.c.IsHidden == 0, provider.c.ProvStatus == _ACTIVE)
    reads = select(userod.c.ProvNum).where(userod.c.ProvNum != 0, userod.c.IsHidden == 0)
    rows = connection.execute(
        select(*names, own.label("own")).where(used, provider.c.ProvNum.in_(reads)).order_by(provider.c.ItemOrder)
    ).all()
    if not rows:
        return []
    default = settings[SETTINGS[0]].strip()
    mine = rows[0].own or (int(default) if default.isascii() and default.isdigit() else 0)
    found = [Reader(row.ProvNum, formal_name(row), row.ProvNum == mine) for row in rows]
    return sorted(found, key=lambda one: not one.own)


def formal_name(row: Any) -> str:
    """Return a provider's name as Open Dental writes it on messages: `Amara J. Lindgren, DDS`."""
    middle = (row.MI or "").strip()
    middle = f"{middle}." if len(middle) == 1 else middle
    name = " ".join(part for part in ((row.FName or "").strip(), middle, (row.LName or "").strip()) if part)
    suffix = (row.Suffix or "").strip()
    return f"{name}, {suffix}" if suffix else name


def alert(connection: Connection, schema: Schema, number: int) -> None:
    """Tell the users who stand for provider `number` how much there is to read, and workstations to look.

    One alert per user, whoever raised it: the service of Open Dental that counts unread web mail keeps it so too. The
    new one is written before the old one goes.
    """
    columns = emailmessage.c
    waiting = select(func.count()).where(columns.ProvNumWebMail == number, columns.SentOrReceived == _UNREAD)
    count = connection.scalar(waiting) or 0
    users = select(userod.c.UserNum).where(userod.c.ProvNum == number, userod.c.IsHidden == 0)
    for user in connection.execute(users).scalars().all():
        mine = (alertitem.c.Type == _WEB_MAIL, alertitem.c.UserNum == user)
        old = connection.execute(select(alertitem.c.AlertItemNum).where(*mine)).scalars().all()
        writes.insert(connection, schema, alertitem, _alert(user, count, times.now(connection)))
        if old:
            connection.execute(delete(alertread).where(alertread.c.AlertItemNum.in_(old)))
            connection.execute(delete(alertitem).where(alertitem.c.AlertItemNum.in_(old)))
    cachesignals.tell(connection, schema, cachesignals.Kind.MESSAGES)
    cachesignals.tell(connection, schema, cachesignals.Kind.ALERTS)


def _alert(user: int, count: int, now: dt.datetime) -> dict[str, Any]:
    return {
        "ClinicNum": _ALL_CLINICS,
        "Description": f"Unread web mail: {count}",
        "Type": _WEB_MAIL,
        "Severity": 0,
        "Actions": _MARK_AS_READ | _OPEN_FORM,
        "FormToOpen": _INBOX_FORM,
        "FKey": 0,
        "ItemValue": "",
        "UserNum": user,
        "SecDateTEntry": now,
    }

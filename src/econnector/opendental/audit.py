"""Audit rows: securitylog with its hash, and eservicelog.

Open Dental's audit window paints a securitylog row red whose securityloghash row is missing or does not match.
"""

import base64
import datetime as dt
import enum
import hashlib
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from econnector.opendental import times, writes
from econnector.opendental.schema import Schema
from econnector.opendental.tables import eservicelog, securitylog, securityloghash

__all__ = [
    "ACKNOWLEDGED",
    "API",
    "API_SOURCE",
    "CODES_CHANGED",
    "INSTALLED",
    "NO_SOURCE",
    "PORTAL_CHANGED",
    "SERVICE_CHANGED",
    "SETTINGS_CHANGED",
    "SIGNED_IN",
    "STOPPED_MONITORING",
    "Action",
    "Permission",
    "enter",
    "log_hash",
    "mend",
    "note_activity",
    "note_activity_once",
    "record",
    "record_once",
    "recorded",
    "seal",
]

NO_SOURCE = 0
"""The office itself, among Open Dental's LogSources."""
API_SOURCE = 23
"""A partner's program, among the same."""

ACKNOWLEDGED = "eConnector errors acknowledged: "
STOPPED_MONITORING = "Listener Service monitoring manually stopped via eConnector Service window"
SETTINGS_CHANGED = "eConnector settings changed. "
SERVICE_CHANGED = "eConnector service changed. "
INSTALLED = "Installing the eConnector made "
CODES_CHANGED = "Code systems: "
PORTAL_CHANGED = "Patient portal: "
API = "API: "
"""How the texts begin of what a person does at the desk, the last one also of what a
partner's program reads; Open Dental writes none of them."""
SIGNED_IN = " has logged on to the eConnector Service window."
"""How the text ends of a sign-in there."""

_PATIENT_PORTAL_SOURCE = 6
_PATIENT_PORTAL_SERVICE = 5
# How far back an unfinished row of ours is looked for, and how old it must be: a younger one may be in the making.
_MEND_WITHIN, _MEND_AFTER = dt.timedelta(days=7), dt.timedelta(minutes=1)
_FORMAT = "%Y-%m-%d %H:%M:%S"


class Permission(enum.IntEnum):
    """What an audit row is about (Open Dental's EnumPermType)."""

    PAYMENT_CREATE = 15
    SECURITY_ADMIN = 24
    COPY = 68
    PATIENT_PORTAL = 75
    USER_LOG_ON_OFF = 83
    SERVICES_SETUP = 91
    PATIENT_PORTAL_LOGIN = 175
    CREDIT_CARD_EDIT = 213


class Action(enum.IntEnum):
    """What a patient did (Open Dental's eServiceAction)."""

    SIGNED_IN = 16
    PAID = 17
    STATEMENT_DOWNLOADED = 28


def record(  # noqa: PLR0913 - an audit row is one thing
    connection: Connection,
    schema: Schema,
    permission: Permission,
    text: str,
    *,
    user: int = 0,
    patient: int = 0,
    about: int = 0,
    computer: str = "",
    source: int = _PATIENT_PORTAL_SOURCE,
) -> int:
    """Write an audit row and its hash; return the row's key. All that it is told is `enter`'s."""
    number = enter(
        connection, schema, permission, text, user=user, patient=patient, about=about, computer=computer, source=source
    )
    seal(connection, schema, [number])
    return number


def enter(  # noqa: PLR0913 - an audit row is one thing
    connection: Connection,
    schema: Schema,
    permission: Permission,
    text: str,
    *,
    user: int = 0,
    patient: int = 0,
    about: int = 0,
    computer: str = "",
    source: int = _PATIENT_PORTAL_SOURCE,
) -> int:
    """Write an audit row without its hash, which is for `seal` to add; return the row's key.

    `user` is who of the office acts (UserNum, 0 for nobody who signed in to Open Dental), `patient` which patient acts
    (PatNum), `about` whom or what it concerns (FKey; the patient acted upon for
    `PATIENT_PORTAL`), `computer` the machine's name, `source` Open Dental's LogSources (6 the portal, 23 the API, 0
    none).
    """
    values = _row(permission, text, user=user, patient=patient, about=about, computer=computer, source=source)
    return writes.insert(connection, schema, securitylog, values)


def _row(  # noqa: PLR0913 - as `enter`
    permission: Permission,
    text: str,
    *,
    user: int = 0,
    patient: int = 0,
    about: int = 0,
    computer: str = "",
    source: int = _PATIENT_PORTAL_SOURCE,
) -> dict[str, Any]:
    return {
        "PermType": int(permission),
        "UserNum": user,
        "LogDateTime": times.Now(),
        "LogText": text,
        "PatNum": patient,
        "CompName": computer[:255],
        "FKey": about,
        "LogSource": source,
        "DefNum": 0,
        "DefNumError": 0,
        "DateTPrevious": None,
    }


def seal(connection: Connection, schema: Schema, numbers: Sequence[int]) -> None:
    """Write the hashes of those of these audit rows (SecurityLogNums) that have none.

    Whoever dies between row and hash leaves it to `mend`.
    """
    # Of the rows as the server kept them: text may have changed on the way in.
    for row in connection.execute(_UNSEALED.where(securitylog.c.SecurityLogNum.in_(numbers))).all():
        _seal(connection, schema, row)


def record_once(  # noqa: PLR0913 - an audit row is one thing
    connection: Connection,
    schema: Schema,
    permission: Permission,
    text: str,
    *,
    patient: int,
    about: int = 0,
    computer: str = "",
) -> None:
    """Write an audit row of the portal unless this patient has one with this text; write its hash unless it has one."""
    log = securitylog.c
    same = (log.PatNum == patient, log.PermType == int(permission), log.LogText == text)
    values = _row(permission, text, patient=patient, about=about, computer=computer)
    writes.insert_unless(connection, schema, securitylog, values, *same)
    numbers = connection.scalars(select(log.SecurityLogNum).where(*same).limit(1)).all()
    seal(connection, schema, numbers)


def recorded(connection: Connection, permission: Permission, text: str, *, patient: int) -> bool:
    """Return whether there is an audit row of this patient (a PatNum) with this text."""
    log = securitylog.c
    same = (log.PatNum == patient, log.PermType == int(permission), log.LogText == text)
    return connection.scalar(select(log.SecurityLogNum).where(*same).limit(1)) is not None


def mend(connection: Connection, schema: Schema, computer: str) -> int:
    """Write the hash of rows that we wrote on this `computer` and were killed over; return how many.

    Only rows of the last week are looked at, and only the portal's, the API's and the desk's own: a hash that is
    missing elsewhere is not ours to make up.
    """
    now = times.now(connection)
    log = securitylog.c
    rows = connection.execute(
        _UNSEALED.where(
            log.LogDateTime.between(now - _MEND_WITHIN, now - _MEND_AFTER),
            sa.or_(_PORTALS, _DESKS, _COPIES, _APIS, _SIGN_INS),
            log.CompName == computer[:255],
        )
    ).all()
    for row in rows:
        _seal(connection, schema, row)
    return len(rows)


_DESK_TEXTS = (
    *(ACKNOWLEDGED, STOPPED_MONITORING, SETTINGS_CHANGED, SERVICE_CHANGED),
    *(PORTAL_CHANGED, INSTALLED, CODES_CHANGED, API),
)
_PORTALS = (
    securitylog.c.PermType.in_([int(Permission.PATIENT_PORTAL), int(Permission.PATIENT_PORTAL_LOGIN)])
    & (securitylog.c.LogSource == _PATIENT_PORTAL_SOURCE)
    & (securitylog.c.UserNum == 0)
)
_DESKS = (
    securitylog.c.PermType.in_([int(Permission.SECURITY_ADMIN), int(Permission.SERVICES_SETUP)])
    & (securitylog.c.LogSource == NO_SOURCE)
    & sa.or_(*(securitylog.c.LogText.startswith(text, autoescape=True) for text in _DESK_TEXTS))
)
_COPIES = (
    (securitylog.c.PermType == int(Permission.COPY))
    & securitylog.c.LogSource.in_([NO_SOURCE, _PATIENT_PORTAL_SOURCE])
    & securitylog.c.LogText.startswith(PORTAL_CHANGED, autoescape=True)
)
_APIS = (
    (securitylog.c.PermType == int(Permission.COPY))
    & (securitylog.c.LogSource == API_SOURCE)
    & securitylog.c.LogText.startswith(API, autoescape=True)
)
_SIGN_INS = (
    (securitylog.c.PermType == int(Permission.USER_LOG_ON_OFF))
    & (securitylog.c.LogSource == NO_SOURCE)
    & securitylog.c.LogText.endswith(SIGNED_IN, autoescape=True)
)
_UNSEALED = (
    select(
        securitylog.c.SecurityLogNum,
        securitylog.c.PermType,
        securitylog.c.UserNum,
        securitylog.c.LogDateTime,
        securitylog.c.LogText,
        securitylog.c.PatNum,
        securitylog.c.DateTPrevious,
    )
    .outerjoin_from(securitylog, securityloghash, securityloghash.c.SecurityLogNum == securitylog.c.SecurityLogNum)
    .where(securityloghash.c.SecurityLogHashNum.is_(None))
)


def _seal(connection: Connection, schema: Schema, row: Any) -> None:
    made = log_hash(row.PermType, row.UserNum, row.LogDateTime, row.LogText or "", row.PatNum, row.DateTPrevious)
    writes.insert(connection, schema, securityloghash, {"SecurityLogNum": row.SecurityLogNum, "LogHash": made})


def log_hash(  # noqa: PLR0913, PLR0917 - the fields of the recipe, in its order
    permission: int, user: int, at: dt.datetime, text: str, patient: int, previous: dt.datetime | None = None
) -> str:
    """Return the hash that Open Dental expects beside an audit row: SHA-256 over the fields as UTF-16LE text."""
    before = previous.strftime(_FORMAT) if previous else ""
    whole = f"{permission}{user}{at.strftime(_FORMAT)}{text}{patient}{before}"
    return base64.b64encode(hashlib.sha256(whole.encode("utf-16-le")).digest()).decode()


def note_activity_once(  # noqa: PLR0913 - as `note_activity`
    connection: Connection, schema: Schema, action: Action, *, patient: int, session: str, clinic: int = 0
) -> None:
    """Write what `note_activity` writes, unless this session has such a row."""
    values, log = _activity(schema, action, patient=patient, session=session, clinic=clinic), eservicelog.c
    same = (log.PatNum == patient, log.EServiceAction == int(action), log.LogGuid == values["LogGuid"])
    writes.insert_unless(connection, schema, eservicelog, values, *same)


def note_activity(  # noqa: PLR0913 - one row
    connection: Connection, schema: Schema, action: Action, *, patient: int, session: str, clinic: int = 0
) -> int:
    """Write what a patient did in the portal (eservicelog); return the row's key.

    `session` groups the rows of one session; versions before 21.2.1 keep 16 characters of it.
    """
    values = _activity(schema, action, patient=patient, session=session, clinic=clinic)
    return writes.insert(connection, schema, eservicelog, values)


def _activity(schema: Schema, action: Action, *, patient: int, session: str, clinic: int) -> dict[str, Any]:
    return {
        "LogDateTime": times.Now(),
        "PatNum": patient,
        "EServiceType": _PATIENT_PORTAL_SERVICE,
        "EServiceAction": int(action),
        "KeyType": 0,
        "LogGuid": session[: schema.length(eservicelog, "LogGuid")],
        "ClinicNum": clinic,
        "FKey": 0,
        "DateTimeUploaded": None,
        "Note": "",
    }

"""Patients' sign-ins: the table `userweb`, where the office gives and takes access.

Nothing in Open Dental's schema keeps a user name or a patient unique, and merging two charts leaves the old
sign-in behind. So a name is looked up with `=` (the database compares without case, accents and trailing blanks),
the row with access is preferred, and what stays ambiguous is refused.
"""

import datetime as dt
import unicodedata
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, exists, func, literal, select

from econnector.opendental import times, writes
from econnector.opendental.family import SHOWN_STATUSES, merged_away
from econnector.opendental.passwords import Form, form_of
from econnector.opendental.schema import Schema
from econnector.opendental.tables import loginattempt, patient, program, userweb

__all__ = [
    "Found",
    "Login",
    "by_number",
    "ecw_in_use",
    "find",
    "mark_signed_in",
    "name_is_taken",
    "of_patient",
    "of_patients",
    "record_failure",
    "reset_code",
    "rewrite_password",
    "set_sign_in",
    "standing",
]

_PATIENT_PORTAL = 1
"""userweb.FKeyType and loginattempt.LoginType."""
_ECW = "eClinicalWorks"
_LONGEST = 255
_MOST = 50
"""More rows of one name are refused in any case."""
_LAST_OF_THREE_BYTES = 0xFFFF
_STATUS_WORDS = {3: "archived", 4: "deleted", 5: "deceased", 6: "prospective"}


class Login(msgspec.Struct, frozen=True):
    """One row of userweb."""

    number: int
    """UserWebNum."""
    patient: int
    """PatNum."""
    user_name: str
    stored: str
    """The password's container, see `passwords`."""
    change_user_name: bool
    change_password: bool
    last_login: dt.datetime | None

    @property
    def has_access(self) -> bool:
        """Whether the office has given access (and not taken it away)."""
        return form_of(self.stored) is not Form.NO_ACCESS

    def __repr__(self) -> str:
        return f"Login(number={self.number})"


_ROWS = select(
    userweb.c.UserWebNum,
    userweb.c.FKey,
    userweb.c.UserName,
    userweb.c.Password,
    userweb.c.RequireUserNameChange,
    userweb.c.RequirePasswordChange,
    userweb.c.DateTimeLastLogin,
).where(userweb.c.FKeyType == _PATIENT_PORTAL)
# Built once, as it is asked for every page: building it takes longer than running it.
_BY_NUMBER = _ROWS.where(userweb.c.UserWebNum == bindparam("number"))


class Found(msgspec.Struct, frozen=True):
    """What a user name led to: a sign-in that may be tried, or why there is none."""

    login: Login | None
    why: str = ""
    """For the office only."""


def find(connection: Connection, typed: str) -> Found:
    """Return the sign-in for a user name as it was typed.

    Without case, accents and blanks around it; `%` and `_` are letters like others. An exact match comes before one
    that differs in accents, a row with access before one without. Two with access, by name or by patient, are refused.
    """
    wanted = _spellings(typed)
    if not wanted:
        return Found(None, "unknown user name")
    rows = _logins(connection, _is_named(connection, wanted))
    rows = [login for login in rows if _folded(login.user_name) == _folded(typed)] or rows
    usable = [login for login in rows if login.has_access]
    if not rows:
        return Found(None, "unknown user name")
    if not usable:
        return Found(None, "the office has not given access, or has removed it")
    if len(usable) > 1:
        return Found(None, "several sign-ins have this user name")
    if len([login for login in of_patient(connection, usable[0].patient) if login.has_access]) > 1:
        return Found(None, "this patient has several sign-ins with access")
    return Found(usable[0])


def by_number(connection: Connection, number: int) -> Login | None:
    """Return the row with this UserWebNum."""
    row = connection.execute(_BY_NUMBER, {"number": number}).one_or_none()
    return None if row is None else _login(row)


def standing(connection: Connection, number: int) -> str:
    """Return why this patient (a PatNum) may not sign in: missing, archived, merged, ...; empty when they may."""
    status = connection.execute(select(patient.c.PatStatus).where(patient.c.PatNum == number)).scalar()
    merged = merged_away(connection, [number])
    if status is None:
        return "the patient is missing"
    if merged:
        return "the patient was merged into another chart"
    if status not in SHOWN_STATUSES:
        return f"the patient is {_STATUS_WORDS.get(status, 'of a status that has no access')}"
    return ""


def name_is_taken(connection: Connection, user_name: str, *, but: int = 0) -> bool:
    """Return whether a row other than `but` (a UserWebNum) has this user name, with or without access."""
    named = _is_named(connection, _spellings(user_name)) & (userweb.c.UserWebNum != but)
    return bool(_logins(connection, named))


def set_sign_in(connection: Connection, schema: Schema, login: Login, *, user_name: str = "", stored: str = "") -> str:
    """Write a new user name, password or both as one change of one row, and clear what the office asked for.

    An empty text leaves that one as it is. Returns empty when done, `taken` if another row has the name, `changed` if
    this row is not as `login` was read: the office may have given a new password meanwhile. Then nothing is written.
    """
    values: dict[str, Any] = {}
    free: tuple[ColumnElement[bool], ...] = ()
    if user_name:
        values |= {"UserName": user_name, "RequireUserNameChange": 0}
        free = (~_another_has(connection, user_name, login.number),)
    if stored:
        values |= {"Password": stored, "RequirePasswordChange": 0, "PasswordResetCode": ""}
    if not values or _change(connection, schema, login, values, *free):
        return ""
    return "taken" if user_name and name_is_taken(connection, user_name, but=login.number) else "changed"


def reset_code(connection: Connection, number: int) -> str:
    """Return the code with which Open Dental lets this row (a UserWebNum) choose a new password; empty for none."""
    found = connection.execute(select(userweb.c.PasswordResetCode).where(userweb.c.UserWebNum == number)).scalar()
    return (found or "").strip()


def rewrite_password(connection: Connection, schema: Schema, login: Login, stored: str) -> bool:
    """Write the same password in its newest form, unless the row has changed meanwhile."""
    return _change(connection, schema, login, {"Password": stored})


def mark_signed_in(connection: Connection, schema: Schema, login: Login) -> None:
    """Write DateTimeLastLogin by the database's clock: invitations stop when it is set."""
    values = {"DateTimeLastLogin": times.now(connection)}
    writes.update(connection, schema, userweb, values, userweb.c.UserWebNum == login.number)


def record_failure(connection: Connection, schema: Schema, typed: str) -> None:
    """Write a row of loginattempt for a name that need not exist."""
    name = "".join(letter for letter in typed if letter.isprintable())[:_LONGEST]
    values = {"UserName": name, "LoginType": _PATIENT_PORTAL, "DateTFail": times.now(connection)}
    writes.insert(connection, schema, loginattempt, values)


def ecw_in_use(connection: Connection, schema: Schema) -> bool:
    """Return whether the eClinicalWorks bridge is enabled: only then its form of password counts."""
    if not schema.has(program):
        return False
    bridge = (program.c.ProgName == _ECW) & (program.c.Enabled == 1)
    return connection.execute(select(program.c.ProgramNum).where(bridge).limit(1)).scalar() is not None


def _change(
    connection: Connection, schema: Schema, login: Login, values: dict[str, Any], *also: ColumnElement[bool]
) -> bool:
    as_read = (userweb.c.UserWebNum == login.number) & (userweb.c.Password == login.stored)
    return writes.update(connection, schema, userweb, values, as_read, *also) == 1


def _another_has(connection: Connection, user_name: str, number: int) -> ColumnElement[bool]:
    # Inside the same statement, so that of two who choose one name at once only one gets it. MySQL reads a table
    # that it updates only through a derived one that it cannot merge, hence the limit.
    portal = userweb.c.FKeyType == _PATIENT_PORTAL
    other = portal & _is_named(connection, _spellings(user_name)) & (userweb.c.UserWebNum != number)
    found = select(userweb.c.UserWebNum).where(other).limit(1).correlate(None).subquery()
    return exists(select(literal(1)).select_from(found))


def _logins(connection: Connection, which: ColumnElement[bool]) -> list[Login]:
    # Sorted here: asked for an order, the server would read the whole table along an index, row by row, to find a name.
    found = [_login(row) for row in connection.execute(_ROWS.where(which).limit(_MOST))]
    return sorted(found, key=lambda login: login.number)


def _login(row: Any) -> Login:
    return Login(
        number=row.UserWebNum,
        patient=row.FKey,
        user_name=row.UserName or "",
        stored=row.Password or "",
        change_user_name=bool(row.RequireUserNameChange),
        change_password=bool(row.RequirePasswordChange),
        last_login=row.DateTimeLastLogin,
    )


def of_patient(connection: Connection, number: int) -> list[Login]:
    """Return the rows of this patient (a PatNum), with and without access."""
    return _logins(connection, userweb.c.FKey == number)


def of_patients(connection: Connection, numbers: Sequence[int]) -> dict[int, list[Login]]:
    """Return the rows of these patients (PatNums), by PatNum."""
    found: dict[int, list[Login]] = {number: [] for number in numbers}
    rows = connection.execute(_ROWS.where(userweb.c.FKey.in_(numbers))) if found else ()
    for row in rows:
        found[row.FKey].append(_login(row))
    return found


def _spellings(typed: str) -> list[str]:
    """Return what to look for: as typed, and without blanks around it; nothing for a name that no row can have."""
    fits = len(typed.strip()) > 0 and len(typed) <= _LONGEST
    if not fits or any(ord(letter) > _LAST_OF_THREE_BYTES or not letter.isprintable() for letter in typed):
        # Four-byte characters do not exist in Open Dental's columns; a server may cut the text there.
        return []
    return sorted({form for text in (typed, typed.strip()) for form in (text, unicodedata.normalize("NFC", text))})


def _is_named(connection: Connection, names: Sequence[str]) -> ColumnElement[bool]:
    if connection.dialect.name != "sqlite":
        return userweb.c.UserName.in_(names)
    if all(name.isascii() for name in names):
        return func.lower(func.rtrim(userweb.c.UserName)).in_([name.rstrip().lower() for name in names])
    # SQLite's own lower() knows A to Z only.
    wanted = {_folded(name) for name in names}
    rows = connection.execute(select(userweb.c.UserWebNum, userweb.c.UserName))
    return userweb.c.UserWebNum.in_([row.UserWebNum for row in rows if _folded(row.UserName or "") in wanted])


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip().casefold()

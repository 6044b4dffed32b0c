"""Access to the patient portal, given and taken as Open Dental does it (userweb, ehrmeasureevent).

Open Dental gives access from the chart: it makes up a user name and a password of eight characters, stores the
password's hash, and counts the access for the EHR reports. Here both marks are set that ask for a change, so that what
is printed on paper is good for one sign-in only. Removing access blanks the password; row and user name stay.
"""

import contextlib
import secrets
from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from econnector.base.errors import AccessAsItWas, PatientIncomplete, PortalAddressMissing
from econnector.opendental import logins, passwords, preferences, times, writes
from econnector.opendental.logins import Login
from econnector.opendental.patients import Patient
from econnector.opendental.schema import Schema
from econnector.opendental.tables import ehrmeasureevent, userweb

__all__ = ["NO_ACCESS", "SETTINGS", "Given", "give", "missing", "new_password", "password", "remove", "settings"]

NO_ACCESS = "None$$"
"""What stands in userweb.Password where there is no access."""

_PATIENT_PORTAL = 1
_ACCESS_PROVIDED = 1
"""ehrmeasureevent.EventType."""
_ALPHABETS = ("abcdefgijkmnopqrstwxyz", "ABCDEFGHJKLMNPQRSTWXYZ", "23456789")
"""Open Dental's, without what looks alike."""
_LENGTH = 8
_NUMBERS = (100, 99_999)
_TRIES = 200
_LOCK_SECONDS = 5
_STATE_LETTERS = 2


class Settings(msgspec.Struct, frozen=True):
    """What the practice says about its portal in Open Dental."""

    url: str
    """Where patients sign in; blank while the portal is not set up."""
    american: bool
    """Whether states are two letters."""


SETTINGS = {"PatientPortalURL": "", "LanguageAndRegion": "en-US"}
"""The preferences, and what no row means."""


class Given(msgspec.Struct, frozen=True):
    """A sign-in as it is handed over, once."""

    patient: int
    """PatNum."""
    user_name: str
    password: str
    url: str

    def __repr__(self) -> str:
        return f"Given(patient={self.patient})"


def settings(connection: Connection) -> Settings:
    """Return what the practice says about its portal."""
    found = preferences.read_many(connection, (), **SETTINGS)
    language = found["LanguageAndRegion"].strip() or SETTINGS["LanguageAndRegion"]
    return Settings(found["PatientPortalURL"].strip(), language.upper().endswith("US"))


def missing(patient: Patient, *, american: bool) -> list[str]:
    """Return what Open Dental's own check finds missing in a chart, in short words; nothing when it is complete."""
    lacking = {
        "first name": not patient.first_name,
        "last name": not patient.last_name,
        "address": not patient.address,
        "city": not patient.city,
        "state (two letters)": american and len(patient.state) != _STATE_LETTERS,
        "birth date": patient.birth_date is None,
        "phone (home, work or wireless)": not any(patient.phones),
        "email": not patient.email,
    }
    return [name for name, lacks in lacking.items() if lacks]


def give(connection: Connection, schema: Schema, patient: Patient, *, secret: str = "") -> Given:
    """Give `patient` access and return the sign-in. Nothing of the password is kept but its hash.

    `secret` is the password where nobody is to type it: an invite's code lets the patient choose one instead.

    Raises `PortalAddressMissing`, `PatientIncomplete`, or `AccessAsItWas` if there is access already.
    """
    said = settings(connection)
    if not said.url:
        raise PortalAddressMissing
    lacking = missing(patient, american=said.american)
    if lacking:
        raise PatientIncomplete(missing=", ".join(lacking))
    with _alone(connection, patient.number):
        rows = logins.of_patient(connection, patient.number)
        if any(login.has_access for login in rows):
            raise AccessAsItWas(why="This patient has access already. Give a new password instead.")
        made = secret or password()
        name = _open(connection, schema, patient, rows[0] if rows else None, passwords.make(made))
        event = {"DateTEvent": times.now(connection), "EventType": _ACCESS_PROVIDED, "PatNum": patient.number}
        writes.insert(connection, schema, ehrmeasureevent, event | {"MoreInfo": ""})
    return Given(patient.number, name, made, said.url)


def new_password(connection: Connection, schema: Schema, patient: int) -> Given:
    """Give a patient (a PatNum) with access a new password; their sessions end with the old one.

    Raises `PortalAddressMissing`, or `AccessAsItWas` if there is no access or more than one sign-in has it.
    """
    said = settings(connection)
    if not said.url:
        raise PortalAddressMissing
    login = _only(connection, patient)
    made = password()
    values = {"Password": passwords.make(made), "RequirePasswordChange": 1, "PasswordResetCode": ""}
    if not _change(connection, schema, login, values):
        raise AccessAsItWas(why="The password was changed meanwhile.")
    return Given(patient, login.user_name, made, said.url)


def remove(connection: Connection, schema: Schema, patient: int) -> int:
    """Take away a patient's (a PatNum) access; return how many sign-ins had it. Row and user name stay."""
    mine = (userweb.c.FKey == patient) & (userweb.c.FKeyType == _PATIENT_PORTAL)
    open_ones = [login for login in logins.of_patient(connection, patient) if login.has_access]
    if open_ones:
        values = {"Password": NO_ACCESS, "PasswordResetCode": ""}
        writes.update(connection, schema, userweb, values, mine)
    return len(open_ones)


def password() -> str:
    """Return a password by Open Dental's rules for one to begin with: eight letters and digits, one of each kind."""
    letters = [secrets.choice(alphabet) for alphabet in _ALPHABETS]
    letters += [secrets.choice("".join(_ALPHABETS)) for _ in range(_LENGTH - len(letters))]
    secrets.SystemRandom().shuffle(letters)
    return "".join(letters)


def _open(connection: Connection, schema: Schema, patient: Patient, login: Login | None, stored: str) -> str:
    """Write the sign-in with one statement, so that a half-written one never exists; return its user name."""
    marks = {"Password": stored, "RequirePasswordChange": 1, "PasswordResetCode": ""}
    if login is not None and login.user_name.strip():
        if not _change(connection, schema, login, marks):
            raise AccessAsItWas(why="The sign-in was changed meanwhile.")
        return login.user_name
    name = _free_name(connection, patient.first_name)
    marks |= {"UserName": name, "RequireUserNameChange": 1}
    if login is None:
        who = {"FKey": patient.number, "FKeyType": _PATIENT_PORTAL, "DateTimeLastLogin": None}
        writes.insert(connection, schema, userweb, marks | who)
    elif not _change(connection, schema, login, marks):
        raise AccessAsItWas(why="The sign-in was changed meanwhile.")
    return name


def _free_name(connection: Connection, first_name: str) -> str:
    least, most = _NUMBERS
    for _ in range(_TRIES):
        name = f"{first_name}{least + secrets.randbelow(most - least + 1)}"
        if not logins.name_is_taken(connection, name):
            return name
    raise AccessAsItWas(why=f"No user name that begins with {first_name} is free. Choose one in the chart.")


def _only(connection: Connection, patient: int) -> Login:
    found = [login for login in logins.of_patient(connection, patient) if login.has_access]
    if not found:
        raise AccessAsItWas(why="This patient has no access.")
    if len(found) > 1:
        raise AccessAsItWas(why="This patient has several sign-ins with access. Remove the access, then give it again.")
    return found[0]


def _change(connection: Connection, schema: Schema, login: Login, values: dict[str, Any]) -> bool:
    as_read = (userweb.c.UserWebNum == login.number) & (userweb.c.Password == login.stored)
    return writes.update(connection, schema, userweb, values, as_read) == 1


@contextlib.contextmanager
def _alone(connection: Connection, patient: int) -> Iterator[None]:
    """Let nobody else of us give this patient access meanwhile: nothing in the table keeps a second row out."""
    if connection.dialect.name == "sqlite":
        yield  # one writer at a time anyway
        return
    name = {"name": f"econnector-access-{patient}", "seconds": _LOCK_SECONDS}
    if connection.scalar(text("SELECT GET_LOCK(:name, :seconds)"), name) != 1:
        raise AccessAsItWas(why="Somebody else is giving this patient access right now.")
    try:
        yield
    finally:
        connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": name["name"]})

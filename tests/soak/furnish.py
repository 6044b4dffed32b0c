"""What the soak needs of a practice beyond the demo's: people who write, visits to confirm, a mail account of ours."""

import datetime as dt
from typing import NamedTuple

from tests.soak.practice import Practice

__all__ = ["VISITS", "Person", "furnish"]

WRITERS = 5
VISITS = 18
"""To confirm, for each of them; no page shows many more."""
_SAMPLE, _PASSWORD = "elena.rivera", "Maple-Street-42"
_SCHEDULED, _UNCONFIRMED = 1, 24


class Person(NamedTuple):
    """Somebody who writes to the office, confirms and pays."""

    patient: int
    user_name: str
    password: str


def furnish(practice: Practice, mail_port: int) -> list[Person]:
    """Change the practice before anything runs; return the people who write."""
    practice.do(f"UPDATE emailaddress SET SMTPserver='127.0.0.1', ServerPort={mail_port:d}, UseSSL=0, EmailPassword=''")
    for name, value in {
        "SendEmailsInDiffProcess": "1",
        "EmailSendExternalTimeoutMs": "5000",
        "EmailSendExternalManagerTimeoutMs": "15000",
    }.items():
        _prefer(practice, name, value)
    ((stored,),) = practice.rows(f"SELECT Password FROM userweb WHERE UserName='{_SAMPLE}'")
    # Who holds the account, in families that no reader looks at: nothing they do is seen by anybody else.
    rows = practice.rows(
        "SELECT patient.PatNum, UserName FROM userweb JOIN patient ON patient.PatNum=userweb.FKey"
        " WHERE FKeyType=1 AND RequirePasswordChange=0 AND RequireUserNameChange=0 AND PatStatus=0"
        f" AND patient.PatNum=Guarantor AND patient.PatNum>30 AND Password LIKE 'SHA3%' ORDER BY 1 LIMIT {WRITERS:d}"
    )
    people = [Person(number, name, _PASSWORD) for number, name in rows]
    for person in people:
        practice.do(f"UPDATE userweb SET Password='{stored}' WHERE FKeyType=1 AND FKey={person.patient:d}")
        _visits(practice, person.patient)
    return people


def _prefer(practice: Practice, name: str, value: str) -> None:
    if practice.rows(f"SELECT 1 FROM preference WHERE PrefName='{name}'"):
        practice.do(f"UPDATE preference SET ValueString='{value}' WHERE PrefName='{name}'")
    else:
        practice.do(f"INSERT INTO preference (PrefName, ValueString, Comments) VALUES ('{name}', '{value}', '')")


def _visits(practice: Practice, patient: int) -> None:
    """Give a patient visits in the coming weeks, each at an hour of its own."""
    ((model,),) = practice.rows("SELECT MIN(AptNum) FROM appointment WHERE AptStatus=1")
    ((highest,),) = practice.rows("SELECT MAX(AptNum) FROM appointment")
    practice.do(f"UPDATE appointment SET AptStatus=3 WHERE PatNum={patient:d} AND AptStatus=1 AND AptNum<>{model:d}")
    columns = practice.columns("appointment")
    first = dt.datetime.combine(dt.date.today() + dt.timedelta(days=3), dt.time(9))  # noqa: DTZ011 - the office's day
    for index in range(VISITS):
        values = {
            "AptNum": f"{highest + 1 + index:d}",
            "PatNum": f"{patient:d}",
            "AptStatus": f"{_SCHEDULED:d}",
            "Confirmed": f"{_UNCONFIRMED:d}",
            "AptDateTime": f"'{first + dt.timedelta(days=2 * index):%Y-%m-%d %H:%M:%S}'",
        }
        wanted = ", ".join(values.get(column, f"`{column}`") for column in columns)
        names = ", ".join(f"`{column}`" for column in columns)
        practice.do(f"INSERT INTO appointment ({names}) SELECT {wanted} FROM appointment WHERE AptNum={model:d}")

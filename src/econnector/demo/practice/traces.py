"""What patients did in the portal before today: the audit trail's rows with their hashes, so that both sides show some.

Texts are those that the portal writes (`eservices/portal/office/journal.py`).
"""

import datetime as dt

from econnector.demo.practice.people import Family, Making, Person
from econnector.opendental.audit import Permission, log_hash

__all__ = ["add_traces"]

FROM_PORTAL = 6
SIGNED_IN, ACTED = Permission.PATIENT_PORTAL_LOGIN, Permission.PATIENT_PORTAL
HOME_ADDRESS = "203.0.113.24"
"""Of the addresses that nobody has (RFC 5737)."""


def add_traces(making: Making, family: Family) -> None:
    """Add an evening of the grown-up son's, and a later one on which his mother looked at her record and at his."""
    elena, tyler = family.head, family.people[4]
    for who, about, ago, minute, text in (
        (tyler, tyler, 40, 12, ""),
        (tyler, tyler, 40, 13, "looked at the appointments"),
        (elena, elena, 12, 12, ""),
        (elena, elena, 12, 13, "looked at the list of messages"),
        (elena, elena, 12, 15, "looked at the list of statements"),
        (elena, elena, 12, 16, "opened a statement"),
        (elena, tyler, 12, 18, "looked at the appointments"),
        (elena, tyler, 12, 19, "looked at the account"),
    ):
        _trace(making, who, about, ago, minute, text)


def _trace(  # noqa: PLR0913, PLR0917 - a trace is all of these
    making: Making, who: Person, about: Person, ago: int, minute: int, text: str
) -> None:
    at = dt.datetime.combine(making.today - dt.timedelta(days=ago), dt.time(19, minute))
    permission = ACTED if text else SIGNED_IN
    said = f"Patient portal: {text or f'signed in from {HOME_ADDRESS}'}."
    number = making.book.add(
        "securitylog",
        "SecurityLogNum",
        PermType=int(permission),
        UserNum=0,
        LogDateTime=at,
        LogText=said,
        PatNum=who.number,
        CompName="SERVER",
        FKey=about.number if text else 0,
        LogSource=FROM_PORTAL,
    )
    seal = log_hash(permission, 0, at, said, who.number)
    making.book.add("securityloghash", "SecurityLogHashNum", SecurityLogNum=number, LogHash=seal)

"""Portal sign-ins in every form of password that Open Dental's databases hold.

The stored texts are made here and not by `opendental/passwords.py`: this is what other programs have written, salts
come from the practice's dice, and some forms are never written by us.
"""

import base64
import datetime as dt
import hashlib
import random

from econnector.demo.practice.book import NO_TIME
from econnector.demo.practice.people import ADULT, NON_PATIENT, PATIENT, Making, Person, SignIn, age

__all__ = ["NO_ACCESS", "add_sign_in", "add_sign_ins", "md5", "md5_container", "sha3"]

NO_ACCESS = "None$$"
TEMPORARY = "abcdefgijkmnopqrstwxyz" + "ABCDEFGHJKLMNPQRSTWXYZ" + "23456789"


def sha3(dice: random.Random, password: str, kind: str = "SHA3_512") -> str:
    """Return the form that Open Dental writes today."""
    salt = base64.b64encode(dice.randbytes(64)).decode()
    return (
        f"{kind}${salt}${base64.b64encode(hashlib.sha3_512((salt + password).encode('utf-16-le')).digest()).decode()}"
    )


def md5(password: str) -> str:
    """Return the bare form of old versions: 24 characters, no salt."""
    digest = hashlib.md5(password.encode("utf-16-le"), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def md5_container(dice: random.Random, password: str) -> str:
    """Return an old hash in the container of today, with a salt."""
    salt = base64.b64encode(dice.randbytes(12)).decode()
    return f"MD5${salt}${md5(salt + password)}"


def add_sign_in(  # noqa: PLR0913 - a sign-in is all of these
    making: Making,
    person: Person,
    user_name: str,
    stored: str,
    *,
    change: bool = False,
    ago: int = 0,
    sample: SignIn | None = None,
) -> None:
    """Add a row of `userweb`; `change` makes it a first sign-in; `ago` days since the last one, 0 for never."""
    last = dt.datetime.combine(making.today - dt.timedelta(days=ago), dt.time(19, 12)) if ago else NO_TIME
    making.book.add(
        "userweb",
        "UserWebNum",
        FKey=person.number,
        FKeyType=1,
        UserName=user_name,
        Password=stored,
        PasswordResetCode="",
        RequireUserNameChange=int(change),
        RequirePasswordChange=int(change),
        DateTimeLastLogin=last,
    )
    making.book.add(
        "ehrmeasureevent",
        PatNum=person.number,
        EventType=1,
        DateTEvent=dt.datetime.combine(making.day(400), dt.time(9)),
    )
    if sample:
        making.sign_ins.append(sample)


def add_sign_ins(making: Making, taken: set[int]) -> None:
    """Give about half of the other adults a sign-in; `taken` are those who have one."""
    dice = making.dice
    for family in making.families:
        for person in family.people:
            if (
                person.number in taken
                or person.status not in {PATIENT, NON_PATIENT}
                or age(person, making.today) < ADULT
            ):
                continue
            if making.chance(45):
                name = f"{person.first}{dice.randrange(100, 100000)}"
                password = "".join(dice.choices(TEMPORARY, k=8))
                first = making.chance(30)
                stored = NO_ACCESS if making.chance(12) else sha3(dice, password)
                add_sign_in(making, person, name, stored, change=first, ago=0 if first else dice.randrange(2, 300))

"""The families that every demo has: each one shows a rule of the portal, and most can be signed in as."""

from econnector.demo.practice import logins
from econnector.demo.practice.book import NO_TIME
from econnector.demo.practice.people import (
    ARCHIVED,
    DECEASED,
    INACTIVE,
    NON_PATIENT,
    OFFSPRING,
    SPOUSE,
    Family,
    Making,
    Person,
    SignIn,
    add_family,
    add_person,
)

__all__ = ["Cast", "add_cast"]

FATHER, MOTHER, GRANDMOTHER = 0, 1, 5
MERGED = 1


class Cast:
    """Those whom other parts of the practice give something special."""

    rivera: Family
    """The first sample sign-in: a full family account."""
    nakamura: Family
    """Has a statement whose file is missing."""


def add_cast(making: Making) -> Cast:
    """Add the cast, each with an ordinary family life around what is special."""
    cast = Cast()
    cast.rivera = _rivera(making)
    _oconnor(making)
    cast.nakamura = _nakamura(making)
    _washington(making)
    _whitfield(making)
    _chen(making)
    _petersen(making)
    _no_access(making)
    _odd_forms(making)
    return cast


def _rivera(making: Making) -> Family:
    """A family with everything: spouse, children, a grown-up son of his own mind, one archived, one who died."""
    family = add_family(making, ("Elena", "Rivera", True, 41))
    family.newest, family.wants, family.keeps = 9, 3, 600
    dice = making.dice
    add_person(making, family, ("Tomás", "Rivera", False, 43), relation=SPOUSE)
    add_person(making, family, ("Sofía", "Rivera", True, 11), relation=OFFSPRING)
    add_person(making, family, ("Mateo", "Rivera", False, 7), relation=OFFSPRING)
    tyler = add_person(making, family, ("Tyler", "Rivera", False, 19), relation=OFFSPRING)
    add_person(making, family, ("Lucía", "Rivera", True, 15), relation=OFFSPRING, status=ARCHIVED)
    add_person(making, family, ("Ernesto", "Rivera", False, 79), status=DECEASED)
    add_person(making, family, ("Baby", "Rivera", True, 0), relation=OFFSPRING, bare=True)
    elena = family.head
    _sign_in(making, elena, "elena.rivera", "Maple-Street-42", "a whole family")
    sees = "only his own record"
    logins.add_sign_in(
        making,
        tyler,
        "tyler.rivera",
        logins.sha3(dice, "Kestrel-Avenue-7", "3"),  # .NET reads the number of the form as well as its name
        ago=40,
        sample=SignIn("tyler.rivera", "Kestrel-Avenue-7", tyler.name, sees),
    )
    return family


def _sign_in(making: Making, person: Person, user_name: str, password: str, shows: str) -> None:
    sample = SignIn(user_name, password, person.name, shows)
    logins.add_sign_in(making, person, user_name, logins.sha3(making.dice, password), ago=12, sample=sample)


def _oconnor(making: Making) -> None:
    """A first sign-in: the name and password that the office printed must be changed."""
    family = add_family(making, ("Samuel", "O'Connor", False, 34), habit="slow")
    add_person(making, family, ("Maeve", "O'Connor", True, 6), relation=OFFSPRING)
    sample = SignIn("Samuel48213", "kT7mWx4d", family.head.name, "must change name and password")
    stored = logins.sha3(making.dice, sample.password)
    logins.add_sign_in(making, family.head, sample.user_name, stored, change=True, sample=sample)


def _nakamura(making: Making) -> Family:
    """A password from an old version, and a statement whose file is gone."""
    family = add_family(making, ("Grace", "Nakamura", True, 67), habit="slow")
    family.newest, family.wants = 45, 0
    sample = SignIn("Grace311", "Heron4Landing", family.head.name, "old form of password; a file is missing")
    logins.add_sign_in(making, family.head, sample.user_name, logins.md5(sample.password), ago=700, sample=sample)
    return family


def _washington(making: Making) -> None:
    """A guardian in another family, and a relative who is none."""
    family = add_family(making, ("Denise", "Washington", True, 62))
    other = add_family(making, ("Keisha", "Brooks", True, 33), habit="partly")
    child = add_person(making, other, ("Jaylen", "Brooks", False, 8), relation=OFFSPRING)
    second = add_person(making, other, ("Aaliyah", "Brooks", True, 5), relation=OFFSPRING)
    for who, whose, relation, is_guardian in (
        (family.head, child, GRANDMOTHER, 1),
        (family.head, second, GRANDMOTHER, 0),
        (other.head, child, MOTHER, 1),
    ):
        making.book.add(
            "guardian",
            "GuardianNum",
            PatNumChild=whose.number,
            PatNumGuardian=who.number,
            Relationship=relation,
            IsGuardian=is_guardian,
        )
    shows = "guardian of Jaylen Brooks, not of his sister"
    _sign_in(making, family.head, "denise.washington", "Quarry-Road-1958", shows)


def _whitfield(making: Making) -> None:
    """A son who is responsible for his father's care; the father has a family of his own."""
    son = add_family(making, ("Harold", "Whitfield", False, 55))
    add_person(making, son, ("Marguerite", "Whitfield-Beauregard", True, 54), relation=SPOUSE)
    father = add_family(making, ("Edwin", "Whitfield", False, 86), habit="slow")
    making.book.rows("patient")[father.head.number - 1]["ResponsParty"] = son.head.number
    _sign_in(making, son.head, "hwhitfield", "Old-Mill-Road-9", "responsible for his father")


def _chen(making: Making) -> None:
    """A mother who pays and is no patient herself."""
    family = add_family(making, ("Olivia", "Chen", True, 38), status=NON_PATIENT)
    add_person(making, family, ("Mei-Lin", "Chen", True, 12), relation=OFFSPRING)
    add_person(making, family, ("Wei", "Chen", False, 9), relation=OFFSPRING, status=INACTIVE)
    _sign_in(making, family.head, "olivia.chen", "Foxglove-Way-3", "pays for her children, no patient herself")


def _petersen(making: Making) -> None:
    """One person entered twice and merged: the sign-in of the row that was merged away still exists."""
    kept = add_family(making, ("Jonathan", "Petersen", False, 50))
    gone = add_family(making, ("Jon", "Petersen", False, 50), status=ARCHIVED)
    making.book.add(
        "patientlink", PatNumFrom=gone.head.number, PatNumTo=kept.head.number, LinkType=MERGED, DateTimeLink=NO_TIME
    )
    _sign_in(making, kept.head, "jonathan.petersen", "Sandpiper-Circle-5", "kept after a merge")
    sample = SignIn("Jon2077", "Larkspur88", gone.head.name, "merged into Jonathan Petersen", works=False)
    logins.add_sign_in(
        making, gone.head, sample.user_name, logins.sha3(making.dice, sample.password), ago=500, sample=sample
    )


def _no_access(making: Making) -> None:
    """Everybody who must not get in, however the text in the column came about."""
    for first, last, woman, years, user_name, stored in (
        ("Priya", "Raghunathan", True, 29, "Priya90210", logins.NO_ACCESS),
        ("Walter", "Kowalski", False, 72, "Walter7", ""),
        ("Hạnh", "Bùi", True, 46, "Hanh5150", "letmein"),
    ):
        family = add_family(making, (first, last, woman, years))
        shows = {"None$$": "access was removed", "": "never had a password"}.get(stored, "stored as clear text")
        sample = SignIn(
            user_name, "letmein" if stored == "letmein" else "Anything1", family.head.name, shows, works=False
        )
        logins.add_sign_in(making, family.head, user_name, stored, ago=900, sample=sample)


def _odd_forms(making: Making) -> None:
    """An old hash in today's container, a long name, and one user name in two rows of which one has access."""
    zoe = add_family(making, ("Zoë", "Müller-Østergård", True, 31), habit="ahead")
    sample = SignIn("Zoë44321", "Contraseña-9", zoe.head.name, "accents; paid ahead")
    logins.add_sign_in(
        making,
        zoe.head,
        sample.user_name,
        logins.md5_container(making.dice, sample.password),
        ago=60,
        sample=sample,
    )
    long = add_family(making, ("María de los Ángeles", "Fernández-Villanueva y Castañeda", True, 58), habit="never")
    add_person(
        making, long, ("Wolfeschlegelsteinhausenbergerdorff", "Fernández-Villanueva", False, 60), relation=SPOUSE
    )
    logins.add_sign_in(making, long.head, "angeles.fernandez", logins.NO_ACCESS)
    shows = "long names; a second row without access"
    _sign_in(making, long.head, "angeles.fernandez", "Tamarack-Terrace-6", shows)
    brother = add_family(making, ("José", "Núñez", False, 27), habit="partly", status=INACTIVE)
    _sign_in(making, brother.head, "jose.nunez", "Wheatland-Road-2", "an inactive patient")

"""Families and the patients in them; the rows of `patient` and of what stands directly beside it."""

import datetime as dt
import random
from collections.abc import Callable

import msgspec

from econnector.demo.practice import names
from econnector.demo.practice.book import NO_DATE, NO_TIME, Book

__all__ = ["ADULT", "Family", "File", "Making", "Person", "SignIn", "add_families", "add_family", "add_person", "age"]

ADULT = 18
OLDEST_PARENT = 56
"""Above this age of the head no children come along."""
PATIENT, NON_PATIENT, INACTIVE, ARCHIVED, DECEASED = 0, 1, 2, 3, 5
SINGLE, MARRIED, CHILD, WIDOWED = 0, 1, 2, 3
STANDARD_ACCOUNT = 40
SELF, SPOUSE, OFFSPRING = 0, 1, 2


class Person(msgspec.Struct):
    """One patient, as the other parts of the practice need to know them."""

    number: int
    """PatNum."""
    first: str
    last: str
    birth: dt.date
    woman: bool
    status: int = PATIENT
    relation: int = SELF
    """To the head of the family, as `patplan.Relationship` counts."""
    provider: int = 1

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}"

    @property
    def folder(self) -> str:
        """`patient.ImageFolder`."""
        return names.letters(self.last + self.first) + str(self.number)


class Family(msgspec.Struct):
    """People with one guarantor, who comes first."""

    people: list[Person]
    habit: str = "prompt"
    """How they pay: prompt, slow, partly, never, ahead."""
    wants: int = -1
    """The insurance plan they shall have, 0 for none; -1 leaves it to chance."""
    plan: int = 0
    """Their insurance plan (`insplan.PlanNum`), 0 for none."""
    sub: int = 0
    """`inssub.InsSubNum`."""
    newest: int = 0
    """How many days ago everybody was last here; 0 leaves it to chance."""
    keeps: int = 170
    """Statements older than this many days are in no list any more; only what was paid on them is left."""

    @property
    def head(self) -> Person:
        """The guarantor."""
        return self.people[0]

    @property
    def seen(self) -> list[Person]:
        """Those who come to the practice."""
        return [person for person in self.people if person.status in {PATIENT, INACTIVE, DECEASED}]


class SignIn(msgspec.Struct, frozen=True):
    """A sample sign-in that the demo prints."""

    user_name: str
    password: str
    name: str
    shows: str
    """What there is to see."""
    works: bool = True
    """Whether it may sign in."""


class File(msgspec.Struct, frozen=True):
    """A file of the image store: where (relative, with `/`), and how its bytes are made."""

    path: str
    make: Callable[[], bytes]


class Making(msgspec.Struct):
    """A practice while it is being made up; everything random comes from `dice`, every date counts from `today`."""

    book: Book
    dice: random.Random
    today: dt.date
    families: list[Family] = []
    sign_ins: list[SignIn] = []
    files: list[File] = []

    def day(self, ago: int) -> dt.date:
        """Return the working day that is `ago` days ago (negative: ahead), moved off the weekend towards the past."""
        day = self.today - dt.timedelta(days=ago)
        return day - dt.timedelta(days=max(0, day.weekday() - 4))

    def chance(self, percent: int) -> bool:
        """Return True in so many cases of a hundred."""
        return self.dice.randrange(100) < percent


def age(person: Person, on: dt.date) -> int:
    """Return whole years."""
    return on.year - person.birth.year - ((on.month, on.day) < (person.birth.month, person.birth.day))


def add_family(making: Making, head: tuple[str, str, bool, int], *, habit: str = "prompt", status: int = 0) -> Family:
    """Add a family with its guarantor: first name, last name, whether a woman, age. Its address comes with it."""
    family = Family([], habit)
    making.families.append(family)
    add_person(making, family, head, status=status, home=names.address(making.dice))
    return family


def add_person(  # noqa: PLR0913 - what differs between people
    making: Making,
    family: Family,
    who: tuple[str, str, bool, int],
    *,
    relation: int = SELF,
    status: int = PATIENT,
    home: tuple[str, str, str, str] | None = None,
    bare: bool = False,
) -> Person:
    """Add a person to `family`; `bare` leaves out birth date, telephone and address, as careless entry does."""
    first, last, woman, years = who
    dice = making.dice
    birth = making.today - dt.timedelta(days=years * 365 + years // 4 + dice.randrange(5, 355))
    first_row = making.book.rows("patient")[family.head.number - 1] if family.people else {}
    street, second, city, code = home or tuple(str(first_row[x]) for x in ("Address", "Address2", "City", "Zip"))
    adult = years >= ADULT
    number = making.book.add(
        "patient",
        "PatNum",
        LName=last,
        FName=first,
        MiddleI=dice.choice("ABCDEJKLMR") if making.chance(40) else "",
        Preferred=first.split()[0] if " " in first else "",
        PatStatus=status,
        Gender=int(woman),
        Position=MARRIED if relation == SPOUSE else SINGLE if adult else CHILD,
        Birthdate=NO_DATE if bare else birth,
        Address="" if bare else street,
        Address2="" if bare else second,
        City="" if bare else city,
        State="" if bare else "OR",
        Zip="" if bare else code,
        HmPhone="" if bare else first_row.get("HmPhone") or names.phone(dice),
        WirelessPhone=names.phone(dice) if adult and not bare else "",
        WkPhone="",
        Email=names.email(dice, first, last) if adult and not bare else "",
        Guarantor=family.head.number if family.people else len(making.book.rows("patient")) + 1,
        PriProv=1 + dice.randrange(3) // 2 * 2,
        SecProv=2,
        BillingType=STANDARD_ACCOUNT,
        ImageFolder="",
        TxtMsgOk=1 if adult and status != DECEASED else 0,
        PreferConfirmMethod=8 if adult else 0,
        Language=dice.choice(("spa", "")) if "í" in first + last or "ñ" in first + last else "",
        DateFirstVisit=making.day(dice.randrange(600, 2500)) if status != NON_PATIENT else NO_DATE,
        DateTimeDeceased=dt.datetime.combine(making.day(200), dt.time(4)) if status == DECEASED else NO_TIME,
        SecDateEntry=making.day(2500),
        BillingCycleDay=1,
        Country="",
    )
    row = making.book.rows("patient")[number - 1]
    person = Person(number, first, last, birth, woman, status, relation, int(str(row["PriProv"])))
    row["ImageFolder"] = person.folder
    family.people.append(person)
    return person


def add_families(making: Making, until: int) -> None:
    """Add families of every shape until the practice has `until` patients."""
    dice = making.dice
    while len(making.book.rows("patient")) < until:
        last, woman, years = names.family_name(dice), making.chance(55), dice.randrange(22, 78)
        habit = dice.choices(("prompt", "slow", "partly", "never", "ahead"), (50, 20, 15, 8, 7))[0]
        status = INACTIVE if making.chance(8) else PATIENT
        who = (names.first_name(dice, woman=woman), last, woman, years)
        family = add_family(making, who, habit=habit, status=status)
        if making.chance(60):
            _add_spouse(making, family, years)
        if years < OLDEST_PARENT:
            _add_children(making, family, years)


def _add_spouse(making: Making, family: Family, years: int) -> None:
    dice = making.dice
    last = names.family_name(dice) if making.chance(20) else family.head.last
    woman = not family.head.woman if making.chance(90) else family.head.woman
    who = (names.first_name(dice, woman=woman), last, woman, max(21, years + dice.randrange(-5, 6)))
    add_person(making, family, who, relation=SPOUSE)


def _add_children(making: Making, family: Family, years: int) -> None:
    dice = making.dice
    for _ in range(dice.choices((0, 1, 2, 3, 4), (30, 25, 28, 12, 5))[0]):
        woman = making.chance(50)
        first = names.first_name(dice, woman=woman)
        if first not in {person.first for person in family.people}:
            who = (first, family.head.last, woman, dice.randrange(1, max(2, min(24, years - 20))))
            add_person(making, family, who, relation=OFFSPRING)

"""Treatment plans: saved ones with frozen lines, which a patient may see, and active ones, which are the staff's."""

import datetime as dt

from econnector.demo.practice.book import NO_TIME
from econnector.demo.practice.codes import CODES, PLANS
from econnector.demo.practice.people import ADULT, Family, Making, Person, age

__all__ = ["add_plans"]

SAVED, ACTIVE = 0, 1
SUGGESTED = (("D2950", "14"), ("D2740", "14"), ("D2392", "30"), ("D4341", ""), ("D3330", "19"))
FIRST_PRIORITY = 146


def add_plans(making: Making) -> None:
    """Give the first sample a saved plan, and one grown-up in eight a saved or an active one."""
    for family in making.families:
        for person in family.seen:
            first = person is making.families[0].head
            if first or (age(person, making.today) >= ADULT and making.chance(12)):
                _plan(making, family, person, SAVED if first or making.chance(70) else ACTIVE)


def _plan(making: Making, family: Family, person: Person, status: int) -> None:
    day = making.day(making.dice.randrange(15, 200))
    plan = making.book.add(
        "treatplan",
        "TreatPlanNum",
        PatNum=person.number,
        DateTP=day,
        Heading="Proposed treatment" if status == SAVED else "Active treatment plan",
        Note="The insurance figures are estimates and not a promise to pay.",
        TPStatus=status,
        ResponsParty=0,
        SecDateEntry=day,
        DateTSigned=NO_TIME,
        DateTPracticeSigned=NO_TIME,
    )
    if status == SAVED:
        start = making.dice.randrange(3)
        for order, (code, tooth) in enumerate(SUGGESTED[start : start + making.dice.randrange(2, 4)]):
            _line(making, family, person, plan, order, code, tooth, day)


def _line(  # noqa: PLR0913, PLR0917 - a line is all of these
    making: Making, family: Family, person: Person, plan: int, order: int, code: str, tooth: str, day: dt.date
) -> None:
    kind = CODES[code]
    insurance = PLANS[family.plan - 1] if family.plan else None
    pays = kind.cents * insurance.allows // 100 * insurance.pays[kind.share] // 100 if insurance else 0
    off = kind.cents - kind.cents * insurance.allows // 100 if insurance else 0
    original = making.book.add(
        "procedurelog",
        "ProcNum",
        PatNum=person.number,
        CodeNum=kind.number,
        ProcStatus=1,
        ProcFee=kind.cents / 100,
        ProcDate=day,
        DateTP=day,
        DateEntryC=day,
        ToothNum=tooth,
        ProvNum=person.provider,
        Priority=FIRST_PRIORITY + order,
        UnitQty=1,
        BaseUnits=0,
    )
    making.book.add(
        "proctp",
        TreatPlanNum=plan,
        PatNum=person.number,
        ProcNumOrig=original,
        ItemOrder=order,
        Priority=FIRST_PRIORITY + order,
        ToothNumTP=tooth,
        ProcCode=kind.code,
        Descript=kind.text,
        ProcAbbr=kind.short,
        FeeAmt=kind.cents / 100,
        FeeAllowed=(kind.cents - off) / 100,
        PriInsAmt=pays / 100,
        SecInsAmt=0,
        Discount=0,
        PatAmt=(kind.cents - off - pays) / 100,
        ProvNum=person.provider,
        DateTP=day,
        SecDateEntry=day,
    )

"""A family's money: what was done, what insurance and family paid, and when a statement went out.

Rows and ledger are written together, so that balances, aging and statements agree with the rows they come from.
"""

import datetime as dt

from econnector.demo.practice.book import NO_DATE
from econnector.demo.practice.codes import PLANS, Code
from econnector.demo.practice.ledger import Ledger
from econnector.demo.practice.people import Family, Making, Person
from econnector.demo.practice.visits import Visit

__all__ = ["add_account", "add_payment", "insure", "store_balances"]

RUNS = range(543, 0, -30)
"""How many days ago the practice sent its statements."""
NOT_RECEIVED, RECEIVED = 0, 1
CHECK, CASH, CARD = 69, 70, 71
PREPAYMENT, COURTESY, MISSED = 283, 188, 14
WORTH_A_STATEMENT = 1_00


def insure(making: Making, family: Family, plan: int) -> None:
    """Give the family an insurance plan, with its head as the subscriber."""
    family.plan = plan
    family.sub = making.book.add(
        "inssub",
        "InsSubNum",
        PlanNum=plan,
        Subscriber=family.head.number,
        SubscriberID=f"{making.dice.randrange(10**8, 10**9)}",
        DateEffective=making.day(1500),
        AssignBen=1,
        ReleaseInfo=1,
    )
    for person in family.people:
        making.book.add("patplan", PatNum=person.number, Ordinal=1, Relationship=person.relation, InsSubNum=family.sub)
        making.book.rows("patient")[person.number - 1]["HasIns"] = "I"


def add_account(making: Making, family: Family, visits: list[Visit]) -> tuple[Ledger, list[dt.date]]:
    """Write procedures, claims, payments and today's balances; return the account and the days of its statements."""
    ledger = Ledger()
    for visit in visits:
        _charge(making, family, visit, ledger)
    if making.chance(8):
        _adjust(making, family, ledger)
    sent = [day for day in map(making.day, RUNS) if _send(making, family, ledger, day)]
    store_balances(making, family, ledger)
    return ledger, [day for day in sent if day > making.day(family.keeps)]


def _charge(making: Making, family: Family, visit: Visit, ledger: Ledger) -> None:
    written = []
    for code, tooth in visit.done:
        number = making.book.add(
            "procedurelog",
            "ProcNum",
            PatNum=visit.person.number,
            AptNum=visit.appointment,
            CodeNum=code.number,
            ProcStatus=2,
            ProcFee=code.cents / 100,
            ProcDate=visit.date,
            DateEntryC=visit.date,
            DateComplete=visit.date,
            DateTP=visit.date,
            SecDateEntry=visit.date,
            ToothNum=tooth,
            Surf="O" if code.area == 1 else "",
            ProvNum=2 if code.hygiene else visit.person.provider,
            UnitQty=1,
            BaseUnits=0,
        )
        written.append((number, code))
        ledger.note(visit.date, visit.person.number, code.text + (f", tooth {tooth}" if tooth else ""), code.cents)
    if family.plan:
        _claim(making, family, visit, written, ledger)


def _shares(family: Family, code: Code) -> tuple[int, int]:
    """Return what insurance pays of a fee and what the practice writes off, in cents."""
    plan = PLANS[family.plan - 1]
    allowed = code.cents * plan.allows // 100
    return allowed * plan.pays[code.share] // 100, code.cents - allowed


def _claim(making: Making, family: Family, visit: Visit, written: list[tuple[int, Code]], ledger: Ledger) -> None:
    back = visit.date + dt.timedelta(days=making.dice.randrange(12, 25))
    received = back <= making.today
    shares = [(number, code, *_shares(family, code)) for number, code in written]
    pays, off = sum(share[2] for share in shares), sum(share[3] for share in shares)
    person = visit.person
    claim = making.book.add(
        "claim",
        "ClaimNum",
        PatNum=person.number,
        DateService=visit.date,
        DateSent=visit.date,
        DateSentOrig=visit.date,
        DateReceived=back if received else NO_DATE,
        ClaimStatus="R" if received else "S",
        ClaimType="P",
        PlanNum=family.plan,
        InsSubNum=family.sub,
        ProvTreat=person.provider,
        ProvBill=person.provider,
        ClaimFee=sum(code.cents for _, code in written) / 100,
        InsPayEst=pays / 100,
        InsPayAmt=pays / 100 if received else 0,
        WriteOff=off / 100,
        PatRelat=person.relation,
    )
    for number, code, pay, write_off in shares:
        making.book.add(
            "claimproc",
            ProcNum=number,
            ClaimNum=claim,
            PatNum=person.number,
            ProvNum=person.provider,
            FeeBilled=code.cents / 100,
            Status=RECEIVED if received else NOT_RECEIVED,
            InsPayEst=pay / 100,
            InsPayAmt=pay / 100 if received else 0,
            WriteOff=write_off / 100,
            BaseEst=pay / 100,
            InsEstTotal=pay / 100,
            PlanNum=family.plan,
            InsSubNum=family.sub,
            CodeSent=code.code,
            ProcDate=visit.date,
            DateCP=back if received else visit.date,
            DateEntry=back if received else NO_DATE,
        )
    ledger.expect(person.number, visit.date, back, pays + off)
    if received:
        ledger.note(back, person.number, f"Insurance payment, {PLANS[family.plan - 1].carrier}", -pays)
        ledger.note(back, person.number, "Insurance plan's reduction", -off)


def _adjust(making: Making, family: Family, ledger: Ledger) -> None:
    """Add a discount or a fee that staff entered by hand."""
    kind, text, cents = making.dice.choice(
        ((COURTESY, "Courtesy discount", -20_00), (MISSED, "Missed appointment", 35_00))
    )
    day = making.day(making.dice.randrange(70, 240))
    head = family.head
    making.book.add(
        "adjustment",
        AdjDate=day,
        ProcDate=day,
        DateEntry=day,
        AdjAmt=cents / 100,
        PatNum=head.number,
        AdjType=kind,
        ProvNum=head.provider,
    )
    ledger.note(day, head.number, text, cents)


def _send(making: Making, family: Family, ledger: Ledger, day: dt.date) -> bool:
    """Decide whether a statement goes out on `day`, and write what the family then pays."""
    due = ledger.due(day)
    if due < WORTH_A_STATEMENT:
        return False
    dice = making.dice
    wait, share = {
        "prompt": (dice.randrange(5, 15), 100),
        "slow": (dice.randrange(34, 50), 100),
        "partly": (dice.randrange(8, 20), 50),
        "ahead": (dice.randrange(3, 9), 130),
    }.get(family.habit, (0, 0))
    paid_on = day + dt.timedelta(days=wait)
    amount = min(due, max(ledger.due(paid_on), 0)) * share // 100
    if amount and paid_on <= making.today:
        add_payment(making, family, ledger, paid_on, amount)
    return True


def add_payment(  # noqa: PLR0913, PLR0917 - a payment is all of these
    making: Making, family: Family, ledger: Ledger, day: dt.date, cents: int, kind: int = 0
) -> int:
    """Write a payment of the family, split over those who owe; what is too much is a prepayment. Return `PayNum`."""
    kind = kind or making.dice.choice((CHECK, CASH, CARD, CARD))
    payment = making.book.add(
        "payment",
        "PayNum",
        PayType=kind,
        PayDate=day,
        PayAmt=cents / 100,
        PatNum=family.head.number,
        CheckNum=str(making.dice.randrange(1001, 4999)) if kind == CHECK else "",
        IsSplit=1,
        DateEntry=day,
        RecurringChargeDate=NO_DATE,
    )
    left = cents
    for person in family.people:
        owed = min(left, max(0, ledger.due(day, person.number)))
        left -= owed
        _split(making, person, payment, day, owed, 0)
        ledger.note(day, person.number, "Payment, thank you", -owed)
    _split(making, family.head, payment, day, left, PREPAYMENT)
    ledger.note(day, family.head.number, "Payment ahead, thank you", -left)
    return payment


def _split(  # noqa: PLR0913, PLR0917 - as above
    making: Making, person: Person, payment: int, day: dt.date, cents: int, unearned: int
) -> None:
    if not cents:
        return
    making.book.add(
        "paysplit",
        PayNum=payment,
        PatNum=person.number,
        SplitAmt=cents / 100,
        ProvNum=0 if unearned else person.provider,
        UnearnedType=unearned,
        DatePay=day,
        ProcDate=day,
        DateEntry=day,
    )


def store_balances(making: Making, family: Family, ledger: Ledger) -> None:
    """Write today's balances: everybody's own, and the family's on the head's row only."""
    patients = making.book.rows("patient")
    for person in family.people:
        patients[person.number - 1]["EstBalance"] = ledger.balance(making.today, person.number) / 100
    aging = ledger.aging(making.today)
    patients[family.head.number - 1] |= {
        "BalTotal": ledger.balance(making.today) / 100,
        "InsEst": ledger.insurance(making.today) / 100,
        "Bal_0_30": aging.to_30_cents / 100,
        "Bal_31_60": aging.to_60_cents / 100,
        "Bal_61_90": aging.to_90_cents / 100,
        "BalOver90": aging.over_90_cents / 100,
    }

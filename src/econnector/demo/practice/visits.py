"""Who came when, and who comes next: appointments in every status, recalls, and reminders to come again."""

import datetime as dt

import msgspec

from econnector.demo.practice.book import NO_DATE, NO_TIME
from econnector.demo.practice.codes import CODES, Code
from econnector.demo.practice.people import ADULT, DECEASED, INACTIVE, Family, Making, Person, age

__all__ = ["Visit", "add_next", "add_visits"]

SCHEDULED, COMPLETE, WAITING, BROKEN, PLANNED, NOTE = 1, 2, 3, 5, 6, 7
NOT_CALLED, CONFIRMED, UNCONFIRMED, ASKED = 19, 21, 24, 289
HALF_YEAR = 393216
"""Six months as Open Dental packs an interval: months times 65536."""
PERIO, FOUR_MONTHS = 3, 262144
EMAIL_SENT = 3
FIRST_TEETH, TEETH = "ABIJKLST", ("3", "4", "14", "19", "30", "12", "20", "29", "5", "31")


class Visit(msgspec.Struct, frozen=True):
    """A completed visit: what was done, and on which tooth where that matters."""

    person: Person
    date: dt.date
    appointment: int
    done: tuple[tuple[Code, str], ...]


def add_visits(making: Making, family: Family) -> list[Visit]:
    """Add the family's visits of the last year and a half and what lies ahead; return the completed ones."""
    visits: list[Visit] = []
    for person in family.seen:
        visits += _past(making, family, person)
        if person.status != DECEASED:
            _ahead(making, person, max((v.date for v in visits if v.person is person), default=NO_DATE))
    return sorted(visits, key=lambda visit: visit.date)


def add_next(making: Making, family: Family) -> None:
    """Give the family's head something to confirm in a few days, and gum care to book online."""
    head = family.head
    making.book.add(
        "appointment",
        "AptNum",
        PatNum=head.number,
        AptStatus=SCHEDULED,
        Pattern="//XXXXXXXXXXXX//",
        Confirmed=UNCONFIRMED,
        Op=1,
        Note="Bring the shade guide. Not for the patient's eyes.",
        ProvNum=head.provider,
        AptDateTime=dt.datetime.combine(making.day(-4), dt.time(14, 30)),
        ProcDescript="C3(P)",
        DateTimeArrived=NO_TIME,
        DateTimeSeated=NO_TIME,
        DateTimeDismissed=NO_TIME,
        DateTimeAskedToArrive=NO_TIME,
        SecDateTEntry=dt.datetime.combine(making.day(10), dt.time(9)),
    )
    due = making.day(20)
    recall = making.book.add(
        "recall",
        "RecallNum",
        PatNum=head.number,
        RecallTypeNum=PERIO,
        RecallInterval=FOUR_MONTHS,
        DatePrevious=making.day(142),
        DateDueCalc=due,
        DateDue=due,
        DateScheduled=NO_DATE,
        DisableUntilDate=NO_DATE,
        IsDisabled=0,
    )
    _invite(making, head, recall, due)


def _past(making: Making, family: Family, person: Person) -> list[Visit]:
    first = {INACTIVE: 420, DECEASED: 230}.get(person.status) or family.newest or making.dice.randrange(4, 190)
    visits = []
    ago = first
    while ago < 560:  # noqa: PLR2004 - a year and a half
        if age(person, making.day(ago)) >= 1:
            visits.append(_visit(making, person, making.day(ago), _checkup(making, person, making.day(ago))))
            if making.chance(25):
                later = max(1, ago - making.dice.randrange(8, 30)) if ago != family.newest else ago + 40
                visits.append(_visit(making, person, making.day(later), _treatment(making, person)))
        ago += making.dice.randrange(165, 215)
    return visits


def _visit(making: Making, person: Person, date: dt.date, done: tuple[tuple[Code, str], ...]) -> Visit:
    what = ", ".join(code.short for code, _ in done)
    return Visit(person, date, _appointment(making, person, COMPLETE, date, what, CONFIRMED), done)


def _checkup(making: Making, person: Person, on: dt.date) -> tuple[tuple[Code, str], ...]:
    child = age(person, on) < 14  # noqa: PLR2004 - the age at which a cleaning becomes an adult's
    wanted = ["D0120", "D1120", "D1208"] if child else ["D0120", "D1110"]
    if making.chance(35):
        wanted.append("D0272" if child else "D0274")
    return tuple((CODES[code], "") for code in wanted)


def _treatment(making: Making, person: Person) -> tuple[tuple[Code, str], ...]:
    child = age(person, making.today) < 14  # noqa: PLR2004 - as above
    tooth = making.dice.choice(FIRST_TEETH if child else TEETH)
    kinds = ("D1351", "D2391") if child else ("D2391", "D2392", "D2391", "D7140", "D0140", "D2740")
    code = CODES[making.dice.choice(kinds)]
    done = [(code, tooth if code.area in {1, 2} else "")]
    if code.code == "D2740":
        done.insert(0, (CODES["D2950"], tooth))
    return tuple(done)


def _appointment(  # noqa: PLR0913, PLR0917 - an appointment is all of these
    making: Making, person: Person, status: int, date: dt.date, what: str, confirmed: int, note: str = ""
) -> int:
    hygiene = "Pro" in what or "PerEx" in what
    time = dt.time(8 + making.dice.randrange(8), making.dice.choice((0, 30)))
    return making.book.add(
        "appointment",
        "AptNum",
        PatNum=person.number,
        AptStatus=status,
        Pattern="//XXXXXXXX//" if hygiene else "/XXXXXX/",
        Confirmed=confirmed,
        Op=5 if hygiene else 1 + making.dice.randrange(3),
        Note=note,
        ProvNum=person.provider,
        ProvHyg=2 if hygiene else 0,
        IsHygiene=int(hygiene),
        AptDateTime=dt.datetime.combine(date, time) if status not in {WAITING, PLANNED} else NO_TIME,
        ProcDescript=what,
        DateTimeArrived=NO_TIME,
        DateTimeSeated=NO_TIME,
        DateTimeDismissed=NO_TIME,
        DateTimeAskedToArrive=NO_TIME,
        SecDateTEntry=dt.datetime.combine(min(date, making.today) - dt.timedelta(days=30), dt.time(9)),
    )


def _ahead(making: Making, person: Person, last: dt.date) -> None:
    """Add what comes next, and what did not come to pass."""
    coming = NO_DATE
    if person.status != INACTIVE and making.chance(60):
        coming = making.day(-making.dice.randrange(3, 120))
        confirmed = making.dice.choice((NOT_CALLED, CONFIRMED, UNCONFIRMED, ASKED))
        _appointment(making, person, SCHEDULED, coming, "PerEx, Pro", confirmed)
    if making.chance(10):
        _appointment(making, person, BROKEN, making.day(making.dice.randrange(5, 200)), "PerEx, Pro", UNCONFIRMED)
    if making.chance(6):
        _appointment(making, person, WAITING, making.today, "C1(P)", NOT_CALLED)
    if making.chance(12):
        planned = _appointment(making, person, PLANNED, making.today, "C1(P)", NOT_CALLED)
        _plan(making, person, planned)
    if making.chance(6):
        words = "Asked to be called after 4 pm. Not for the patient's eyes."
        _appointment(making, person, NOTE, making.day(20), "", NOT_CALLED, words)
    if last > NO_DATE:
        _recall(making, person, last, coming)


def _plan(making: Making, person: Person, planned: int) -> None:
    code = CODES["D2391"]
    making.book.add(
        "procedurelog",
        "ProcNum",
        PatNum=person.number,
        CodeNum=code.number,
        ProcStatus=1,
        ProcFee=code.cents / 100,
        ProcDate=making.day(15),
        DateTP=making.day(15),
        DateEntryC=making.day(15),
        ToothNum=making.dice.choice(TEETH) if age(person, making.today) >= ADULT else "A",
        Surf="O",
        PlannedAptNum=planned,
        ProvNum=person.provider,
        UnitQty=1,
        BaseUnits=0,
    )


def _recall(making: Making, person: Person, last: dt.date, coming: dt.date) -> None:
    due = last + dt.timedelta(days=182)
    recall = making.book.add(
        "recall",
        "RecallNum",
        PatNum=person.number,
        RecallTypeNum=1,
        RecallInterval=HALF_YEAR,
        DatePrevious=last,
        DateDueCalc=due,
        DateDue=due,
        DateScheduled=coming,
        DisableUntilDate=NO_DATE,
        IsDisabled=int(person.status == INACTIVE),
    )
    if due <= making.today and coming == NO_DATE and age(person, making.today) >= ADULT:
        _invite(making, person, recall, due)


def _invite(making: Making, person: Person, recall: int, due: dt.date) -> None:
    """Add the reminder that links to online scheduling: in the columns of 22.2 and later, and in the older ones."""
    words = f"It is time for your check-up. Pick a time at https://portal.example.com/schedule?r={recall}"
    sent = dt.datetime.combine(making.day(6), dt.time(10))
    address = str(making.book.rows("patient")[person.number - 1]["Email"])
    message = making.book.add(
        "emailmessage",
        "EmailMessageNum",
        PatNum=person.number,
        PatNumSubj=person.number,
        ToAddress=address,
        FromAddress="office@juniperhill.example",
        Subject="Time for your check-up",
        BodyText=words,
        MsgDateTime=sent,
        SentOrReceived=1,
        MsgType="WebSchedRecall",
        SecDateTEntry=sent,
    )
    making.book.add(
        "webschedrecall",
        PatNum=person.number,
        RecallNum=recall,
        DateTimeEntry=sent,
        DateDue=due,
        ReminderCount=1,
        DateTimeSent=sent,
        DateTimeReminderSent=sent,
        DateTimeSendFailed=NO_TIME,
        SendStatus=EMAIL_SENT,
        EmailSendStatus=EMAIL_SENT,
        MessageType=2,
        MessageFk=message,
        EmailPat=address,
        EmailSubj="Time for your check-up",
        EmailText=words,
        Source=2,
    )

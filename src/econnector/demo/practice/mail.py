"""Web mail between patients and providers, read and unread, with attachments; one secure mail; one notice to staff."""

import datetime as dt
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from econnector.demo.practice.papers import PRACTICE
from econnector.demo.practice.people import ADULT, Family, File, Making, Person, age
from econnector.demo.practice.pictures import photograph, radiograph
from econnector.documents.statement import Line, Party, Statement, render

__all__ = ["add_mail"]

RECEIVED, RECEIVED_READ, SENT, SENT_READ, SECURE_SENT = 4, 5, 6, 7, 14
SECURE_MESSAGE = 15
PROVIDERS = {1: "Amara Lindgren, DDS", 2: "Noah Castellanos, RDH", 3: "Wei-Lin Tanaka, DMD"}

TALKS = (
    ("Sensitive tooth", "My upper left tooth hurts when I drink something cold. Is that urgent?",
     "Thank you for writing. Please avoid very cold drinks until we see you; call us if it keeps you awake."),
    ("Question about my night guard", "My night guard feels loose since last week. Shall I bring it in?",
     "Yes, please bring it to your next visit. Until then you can keep wearing it."),
    ("After the extraction", "How long should I keep from chewing on that side?",
     "About three days. Rinse gently with warm salt water from tomorrow on."),
    ("Receipt for our taxes", "Can you send me the receipt for Sofía's last visit?",
     "Here it is, as an attachment, together with the picture you asked for."),
    ("Cold on my upper left tooth", "My upper left tooth hurts when I drink something cold. Is that urgent?",
     "It is not urgent. Avoid very cold drinks until your visit. The X-ray is attached: we look at the second tooth."),
)  # fmt: skip


def add_mail(making: Making, family: Family) -> None:
    """Add talks to about a third of the families, and all kinds of message to the first sample's."""
    files = {"X-ray.png": partial(radiograph, 4)}
    _talk(making, family.head, family.head, 4, 2, (RECEIVED_READ, SENT), files)
    day = making.day(11)
    files = {"Receipt.pdf": partial(render, _receipt(family.head, day)), "Sealants.png": partial(photograph, 1)}
    _talk(making, family.head, family.people[2], 3, 12, (RECEIVED_READ, SENT_READ), files)
    _write(making, family.head, family.head, RECEIVED, "Thank you", "That helped. See you soon!", making.day(1))
    _write(
        making, family.head, family.head, SECURE_SENT, "Your X-ray", "Please find your X-ray attached.", making.day(30)
    )
    for other in making.families:
        if other is not family and making.chance(30) and age(other.head, making.today) >= ADULT:
            states = making.dice.choice(((RECEIVED_READ, SENT), (RECEIVED_READ, SENT_READ), (RECEIVED,)))
            about = making.dice.choice(
                [person for person in other.people if person.status in {0, 1, 2}] or [other.head]
            )
            _talk(making, other.head, about, making.dice.randrange(3), making.dice.randrange(2, 90), states)
    _notice(making)


def _talk(  # noqa: PLR0913, PLR0917 - a talk is all of these
    making: Making,
    who: Person,
    about: Person,
    topic: int,
    ago: int,
    states: tuple[int, ...],
    files: Mapping[str, Callable[[], bytes]] = MappingProxyType({}),
) -> None:
    subject, question, answer = TALKS[topic]
    first = making.day(ago)
    for state in states:
        mine = state in {RECEIVED, RECEIVED_READ}
        text, day = (question, first) if mine else (answer, min(first + dt.timedelta(days=1), making.today))
        number = _write(making, who, about, state, subject if mine else "RE: " + subject, text, day)
        if not mine:
            _attach(making, number, day, files)


def _write(  # noqa: PLR0913, PLR0917 - a message is all of these
    making: Making, who: Person, about: Person, state: int, subject: str, text: str, day: dt.date
) -> int:
    provider, mine = PROVIDERS[who.provider], state in {RECEIVED, RECEIVED_READ}
    at = dt.datetime.combine(day, dt.time(20 if mine else 9, making.dice.randrange(60)))
    secure = state == SECURE_SENT
    if mine:
        making.book.add("ehrmeasureevent", PatNum=who.number, EventType=SECURE_MESSAGE, DateTEvent=at)
    return making.book.add(
        "emailmessage",
        "EmailMessageNum",
        PatNum=who.number,
        PatNumSubj=about.number,
        ProvNumWebMail=0 if secure else who.provider,
        FromAddress=who.name if mine else provider,
        ToAddress=provider if mine else who.name,
        Subject=subject,
        BodyText=text,
        MsgDateTime=at,
        SentOrReceived=state,
        UserNum=0 if mine else 2,
        MsgType="Manual" if secure else "WebMail",
        SecDateTEntry=at,
    )


def _receipt(who: Person, day: dt.date) -> Statement:
    lines = (Line(day, "Sofía", "Fluoride", 38_00), Line(day, "Sofía", "Payment, thank you", -38_00))
    return Statement(PRACTICE, Party(who.name), str(who.number), day, lines, title="Receipt")


def _attach(making: Making, message: int, day: dt.date, files: Mapping[str, Callable[[], bytes]]) -> None:
    """Add papers under `Out` as Windows writes it, and pictures in the form of older rows: a bare name."""
    for place, (shown, make) in enumerate(files.items()):
        bare = shown.endswith(".png")
        stored = f"{day:%Y%m%d}104512_{message}{place}.png" if bare else f"{day:%Y%m%d}_638000000000000000_4821_{shown}"
        making.book.add(
            "emailattach",
            "EmailAttachNum",
            EmailMessageNum=message,
            DisplayedFileName=shown,
            ActualFileName=stored if bare else "Out\\" + stored,
            EmailTemplateNum=0,
        )
        making.files.append(File(f"EmailAttachments/{'' if bare else 'Out/'}{stored}", make))


def _notice(making: Making) -> None:
    """Add the alert that tells the provider's user of unread web mail (type 21)."""
    unread = [
        row
        for row in making.book.rows("emailmessage")
        if row["SentOrReceived"] == RECEIVED and row["ProvNumWebMail"] == 1
    ]
    making.book.add(
        "alertitem",
        ClinicNum=-1,
        Description=f"Unread web mail: {len(unread)}",
        Type=21,
        Severity=0,
        Actions=3,
        FormToOpen=12,
        UserNum=2,
        SecDateTEntry=dt.datetime.combine(making.today, dt.time(7)),
    )

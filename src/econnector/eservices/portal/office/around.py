"""What every page's answer has around its subject, and the words in which answers tell things."""

import datetime as dt
from typing import TYPE_CHECKING, TypedDict

import msgspec

from econnector.eservices.portal import calls
from econnector.eservices.portal.office import journal
from econnector.eservices.portal.office.admission import LANGUAGE, About, Visitor, admit
from econnector.eservices.portal.office.desk import Desk
from econnector.opendental import practice, preferences
from econnector.opendental.family import Relative, age_on, statement_people
from econnector.storage.state.sessions import PortalSession

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Begun", "Frame", "begin", "card", "note_reading", "note_view", "text_of", "whose"]


class Frame(TypedDict):
    """The fields of `calls.Around`, to be passed on with `**`."""

    practice: calls.Practice
    session: calls.Session
    looking_at: calls.Person
    people: list[calls.Person]
    unread: int


class Begun:
    """A page's answer, begun: who asks, whose record, and what stands around it."""

    def __init__(self, visitor: Visitor, looking_at: Relative, frame: Frame) -> None:
        """`frame` is what the answer begins with."""
        self.visitor, self.looking_at, self.frame = visitor, looking_at, frame

    def name(self, person: int) -> str:
        """Return the name of somebody the visitor may see, or an empty text."""
        return next((each.name for each in self.frame["people"] if each.number == person), "")


def begin(  # noqa: PLR0913 - who asks for what
    connection: "Connection",
    desk: Desk,
    session: PortalSession,
    asked: calls.PersonAsked,
    *,
    topic: About = "every",
    changing: bool = False,
) -> Begun:
    """Return who asks and whose record is meant.

    A subject names its topic: ``begin(connection, desk, session, params, topic="health")``, one of `portalrules.TOPICS`
    (appointments, account, messages, health, documents). Then `visitor.people`, the frame and `NotAllowed` are about
    those who leave that topic to the visitor, and `PageOff` says that the practice does not have it. A page of several
    topics says `any` and asks `visitor.allows(person, topic)` before it shows each. A subject that names none shows
    only people who leave everything to the visitor. A call that has no page takes the same `topic` in `admit`, and asks
    `visitor.may_see(owner)` of each row. `changing` lets somebody in who has yet to change what the office gave.

    Raises `NotAllowed`, `PageOff`, `SessionEnded`, `ChangeRequired`.
    """
    visitor = admit(connection, desk.schema_of(connection), session, topic=topic, changing=changing)
    visitor = msgspec.structs.replace(visitor, unsealed=desk.unsealed)
    looking_at = visitor.pick(asked.person)
    people = _people(desk, visitor)
    frame = Frame(
        practice=_practice(visitor.settings),
        session=desk.as_session(asked.token, session, visitor.login),
        looking_at=next(person for person in people if person.number == looking_at.number),
        people=people,
        unread=visitor.unread_about(looking_at),
    )
    return Begun(visitor, looking_at, frame)


def card(connection: "Connection") -> calls.Practice:
    """Return what anybody may know about the practice."""
    return _practice(preferences.read_many(connection, practice.SETTINGS, **LANGUAGE))


def _practice(settings: dict[str, str]) -> calls.Practice:
    found = practice.practice(settings)
    language = settings["LanguageAndRegion"] or LANGUAGE["LanguageAndRegion"]
    return calls.Practice(title=found.title, phone=found.phone, language=language)


def _people(desk: Desk, visitor: Visitor) -> list[calls.Person]:
    """Return everybody the visitor may see. Ages by this machine's day: they are read, not compared."""
    today = desk.clock.now().astimezone().date()
    return [
        calls.Person(
            number=person.number,
            name=person.name,
            first_name=person.preferred or person.first_name,
            relation=person.relation,
            birth_date=person.birth_date.isoformat() if person.birth_date else "",
            age=age_on(person.birth_date, today),
            topics=sorted(visitor.topics[person.number]),
        )
        for person in visitor.people
    ]


def note_view(connection: "Connection", visitor: Visitor, looking_at: Relative, what: str) -> None:
    """Write into Open Dental's audit trail that the visitor looked at something of `looking_at`."""
    note_reading(connection, visitor, looking_at.number, f"Patient portal: looked at the {what}.")


def note_reading(connection: "Connection", visitor: Visitor, about: int, text: str) -> None:
    """Write `text` into Open Dental's audit trail: what the visitor read of `about` (a PatNum)."""
    if number := journal.looked(connection, visitor.schema, visitor.me.number, about, text):
        visitor.unsealed.append(number)


def whose(visitor: Visitor, looking_at: Relative) -> list[int]:
    """Return whose statements belong to a look at `looking_at`."""
    shown = statement_people(visitor.people, visitor.me.number, looking_at.number)
    return [number for number in shown if visitor.allows(number, "account")]


def text_of(moment: dt.date | dt.datetime | None) -> str:
    """Return a moment as the contract writes it; empty for none."""
    return moment.isoformat() if moment else ""

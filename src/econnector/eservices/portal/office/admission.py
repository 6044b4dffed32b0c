"""Who is asking and whom they may see: decided anew for every call, from the database.

A relation in Open Dental makes a record visible (`family.visible`); the topics that the practice has switched off and
the word of the person concerned (`storage.state.consent`) take from it, topic by topic. Nothing adds to it.
"""

from collections import deque
from typing import TYPE_CHECKING, Literal

import msgspec

from econnector.base.errors import ChangeRequired, NotAllowed, PageOff, SessionEnded
from econnector.opendental import (
    appointments,
    balances,
    family,
    logins,
    mailfiles,
    medical,
    onlinepayments,
    passwords,
    practice,
    preferences,
    readers,
)
from econnector.opendental.family import Relative, age_on
from econnector.opendental.logins import Login
from econnector.opendental.schema import Schema
from econnector.storage.state.consent import Privacy
from econnector.storage.state.portalrules import Topic
from econnector.storage.state.sessions import PortalSession

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["LANGUAGE", "About", "Visitor", "admit", "is_of_age", "topics_of"]

About = Topic | Literal["any", "every"]
"""What a call is about: one topic; `any`, a page of several that asks `Visitor.allows` before it shows each of them;
`every`, whatever a record holds."""

LANGUAGE = {"LanguageAndRegion": "en-US"}
"""The preference that names the practice's language."""

_SETTINGS = (
    *practice.SETTINGS,
    *balances.SETTINGS,
    *onlinepayments.SETTINGS,
    *appointments.SETTINGS,
    *medical.SETTINGS,
    *readers.SETTINGS,
    *mailfiles.SETTINGS,
)


class Visitor(msgspec.Struct, frozen=True):
    """A signed-in person."""

    login: Login
    schema: Schema
    me: Relative
    people: list[Relative]
    """Everybody they may see in what the call is about, themselves first."""
    settings: dict[str, str]
    """The practice's preferences that pages show or follow."""
    topics: dict[int, frozenset[str]]
    """What they may see of whom, by PatNum."""
    unread: dict[int, int] = msgspec.field(default_factory=dict)
    """How many messages to them they have not read, by whom (a PatNum) they are about; none that they may not see."""
    unsealed: "deque[int]" = msgspec.field(default_factory=deque)
    """Audit rows of what was looked at (SecurityLogNums) that wait for their hash."""

    def pick(self, number: int) -> Relative:
        """Return the person with this PatNum (0: oneself). Raises `NotAllowed` for anybody else, existing or not."""
        for person in self.people:
            if person.number == (number or self.me.number):
                return person
        raise NotAllowed

    def may_see(self, number: int) -> bool:
        """Return whether this PatNum is among those they may see in what the call is about."""
        return any(person.number == number for person in self.people)

    def allows(self, number: int, topic: Topic) -> bool:
        """Return whether they may see this topic of this person (a PatNum): for pages about `any`."""
        return topic in self.topics.get(number, ())

    def unread_about(self, looking_at: Relative) -> int:
        """Return how many messages they have not read: about everybody, or about whose record is looked at."""
        if looking_at.number == self.me.number:
            return sum(self.unread.values())
        return self.unread.get(looking_at.number, 0)

    def purse(self, looking_at: Relative) -> Relative | None:
        """Return whose row holds the balance to show, or None where it is not theirs to see.

        A family's money is its account holder's: seen by the account holder, and by who looks at that very person.
        """
        holders = (one for one in (self.me, looking_at) if one.number == looking_at.guarantor)
        return next((one for one in holders if self.allows(one.number, "account")), None)


def is_of_age(person: Relative, privacy: Privacy) -> bool:
    """Return whether this person decides for themselves. A birth date that is not known makes nobody of age."""
    return privacy.today is not None and age_on(person.birth_date, privacy.today) >= privacy.rules.full_age


def topics_of(person: Relative, privacy: Privacy, *, oneself: bool) -> frozenset[str]:
    """Return what may be seen of `person` by the one whom `privacy` is about, or by the person themselves."""
    rules = privacy.rules
    if oneself:
        return rules.on
    closed = rules.private if is_of_age(person, privacy) else frozenset()
    return frozenset(topic for topic in rules.on if privacy.said.get((person.number, topic), topic not in closed))


def admit(
    connection: "Connection", schema: Schema, session: PortalSession, *, topic: About = "every", changing: bool = False
) -> Visitor:
    """Return who holds `session`, and whom they may see in what the call is about (`topic`).

    Raises `PageOff` for a topic that the practice has switched off; `SessionEnded` when the office has changed or
    removed the access since, or the chart is archived or merged; `ChangeRequired` while the first sign-in has changes
    to make, unless it is just that (`changing`).
    """
    login = logins.by_number(connection, session.login)
    if login is None or login.patient != session.patient or not login.has_access:
        raise SessionEnded(reason="access was removed")
    if passwords.fingerprint(login.stored) != session.password:
        raise SessionEnded(reason="the password was changed")
    settings = preferences.read_many(connection, _SETTINGS, **family.SHARED, **LANGUAGE)
    people = family.visible(connection, login.patient, shared=settings["FamPhiAccess"] == "1")
    if not people:
        raise SessionEnded(reason=logins.standing(connection, login.patient))
    if (login.change_user_name or login.change_password) and not (changing or session.preview):
        raise ChangeRequired(need=_need(login))
    me = people[0]
    topics = {one.number: topics_of(one, session.privacy, oneself=one is me) for one in people}
    if topic in session.privacy.rules.off:
        raise PageOff(page=topic)
    seen = [one for one in people if one is me or _shows(topics[one.number], topic, session.privacy.rules.on)]
    unread = {one.number: one.unread for one in people if "messages" in topics[one.number]}
    return Visitor(login, schema, me, seen, settings, topics, unread)


def _shows(open_topics: frozenset[str], topic: About, on: frozenset[str]) -> bool:
    """Return whether somebody with these topics open is seen in `topic`."""
    if topic == "any":
        return bool(open_topics)
    return open_topics >= (on if topic == "every" else {topic}) and bool(open_topics)


def _need(login: Login) -> str:
    if login.change_user_name and login.change_password:
        return "both"
    return "user-name" if login.change_user_name else "password"

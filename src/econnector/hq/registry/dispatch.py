"""From notices that are due to one letter, and back: what became of it."""

import datetime as dt
from typing import Literal

import msgspec
import sqlalchemy as sa

from econnector.base.errors import Failure
from econnector.hq.registry import contacts, history, notices, outages
from econnector.hq.registry.contacts import Listed
from econnector.hq.registry.history import Event
from econnector.hq.registry.notices import Notice
from econnector.mail.letter import Letter
from econnector.mail.news import News, letter, named_letter

__all__ = ["Outcome", "Parcel", "note", "take"]

Outcome = Literal["sent", "delayed", "refused"]


class Parcel(msgspec.Struct, frozen=True):
    """A claimed letter with all the notices it stands for."""

    token: str
    letter: Letter
    name: str
    """The contact's."""
    notices: list[Notice]
    news: list[News]


def take(connection: sa.Connection, now: dt.datetime) -> Parcel | None:
    """Claim what is due for one person; return it as a letter, or None when nothing is due."""
    token, taken = notices.claim(connection, now)
    told = [(each, found) for each in taken if (found := outages.news(connection, each)) is not None]
    if not told:
        if taken:  # what is told of was deleted meanwhile
            notices.fail(connection, token, "there is nothing to tell any more")
        return None
    first, news = told[0][0], [found for _, found in told]
    who: Listed = contacts.recipients(connection, first.office)[first.address]
    made = named_letter(news[0], who.contact, first.message_id, who.source) if first.kind == "named" else None
    made = made or letter(news, who.contact, first.message_id, who.source)
    return Parcel(token, made, who.contact.name, [each for each, _ in told], news)


def note(connection: sa.Connection, parcel: Parcel, outcome: Outcome, why: Failure | None, now: dt.datetime) -> None:
    """Note what became of a letter, in the notices and in the offices' histories."""
    reason = why.office_text() if why else ""
    if outcome == "sent":
        notices.sent(connection, parcel.token, now)
    elif outcome == "delayed":
        notices.later(connection, parcel.token, max(each.tries for each in parcel.notices), reason, now)
        return
    else:
        notices.fail(connection, parcel.token, reason)
    for each, news in zip(parcel.notices, parcel.news, strict=True):
        kind: history.Kind = "contacts-told" if outcome == "sent" else "contact-not-told"
        detail = f"{each.kind}: {parcel.name}" + (f" ({reason})" if reason else "")
        event = Event(now, kind, news.machine, why.code if why else news.code, detail, news.reference)
        history.add(connection, each.office, event)

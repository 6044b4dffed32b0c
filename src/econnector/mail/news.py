"""News of an office's outage, as letters: short, in the contact's language, with cause and next step.

HQ and the connector write the same letters, and give the same news to the same person the same Message-ID: where both
come to tell it, a mail server or program that knows copies shows one.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from econnector.mail.contacts import Contact, Language, readable
from econnector.mail.letter import Letter
from econnector.mail.words import CAUSES, DAYS, MONTHS, STEPS, WORDS

__all__ = ["Kind", "News", "Source", "letter", "message_id", "named_letter", "trial_letter"]

Kind = Literal["down", "back", "named"]
Source = Literal["hq", "office"]
_HOUR, _DAY = 60, 24 * 60
_OUTSIDE = re.compile(r"[^a-z0-9-]+")
_LONG = 2 * _DAY


class News(msgspec.Struct, frozen=True):
    """What is told of one outage. Times are aware, UTC; texts may come from outside and are made readable here."""

    kind: Kind
    office: str
    """Its name at HQ."""
    title: str
    """What people call it."""
    since: dt.datetime
    """When it was last reachable."""
    until: dt.datetime | None = None
    """When it was back; None while it is not."""
    cause: str = "gone"
    """A key of `words.CAUSES`, or a failure's code that is none: then it is given as a code."""
    machine: str = ""
    code: str = ""
    reference: str = ""
    offset: int | None = None
    """Minutes that the office's clocks are ahead of UTC; None when nobody knows."""
    times: int = 1
    """How many outages this letter stands for, this one included; more than one when they came too fast."""
    first: dt.datetime | None = None
    """When the first of them began."""


def letter(news: Sequence[News], contact: Contact, identity: str, source: Source) -> Letter:
    """Return one letter with all the news (at least one) for one person.

    `identity` is its Message-ID; `source` is who named this contact, and so can end it.
    """
    words = WORDS[contact.language]
    if len(news) == 1:
        subject, lines = _one(news[0], contact.language)
    else:
        subject = words["many.subject"].format(count=len(news))
        lines = [words["many.text"].format(count=len(news)), *(_line(each, contact.language) for each in news)]
    return _signed(subject, lines, news[0], contact, identity, source)


def named_letter(news: News, contact: Contact, identity: str, source: Source) -> Letter:
    """Return the letter that says to somebody that they are a contact now: a typing mistake shows early."""
    words, title = WORDS[contact.language], _title(news)
    lines = [words["named.text"].format(title=title), words["named.what"]]
    return _signed(words["named.subject"].format(title=title), lines, news, contact, identity, source)


def trial_letter(address: str, identity: str) -> Letter:
    """Return the letter that only shows that mail gets through."""
    return Letter([address], "Test mail of eConnector", "This is a test: HQ can send mail to this address.\n", identity)


def message_id(kind: Kind, office: str, mark: str, address: str) -> str:
    """Return the Message-ID of this news for this person; `mark` tells one outage of the office from another."""
    whose = hashlib.sha256(f"{mark}\n{address}".encode()).hexdigest()[:32]
    return f"<{kind}-{whose}@{_OUTSIDE.sub('-', office.lower()).strip('-')[:63] or 'office'}.econnector>"


def _one(news: News, language: Language) -> tuple[str, list[str]]:
    words, title, kind = WORDS[language], _title(news), news.kind
    said = _said(news, language)
    lines = [words[f"{kind}.text"].format(title=title)]
    if kind == "back":
        lines[0] += " " + words["back.span"].format(**said)
        lines.append(words["cause.back"].format(cause=_cause(news, language)))
    else:
        lines[0] += " " + words["down.seen"].format(**said)
        lines.append(words["cause.down"].format(cause=_cause(news, language)))
        lines.append(words["step"].format(step=_step(news, language)))
    if news.times > 1 and news.first is not None:
        lines.append(words["times"].format(times=news.times, when=_when(news.first, news, language)))
    if kind == "down":
        lines.append(words["down.later"])
    if news.code:
        lines.append(words["code"].format(code=news.code, reference=news.reference))
    return words[f"{kind}.subject"].format(title=title, time=_time(news.since, news)), lines


def _line(news: News, language: Language) -> str:
    words, kind = WORDS[language], f"many.{news.kind}"
    cause = _cause(news, language)
    text = words[kind].format(**_said(news, language), cause=cause[:1].upper() + cause[1:] + ".")
    code = f" ({words['code'].format(code=news.code, reference=news.reference)})" if news.code else ""
    return f"- {_title(news)}: {text}{code}"


def _said(news: News, language: Language) -> dict[str, str]:
    until = news.until or news.since
    return {
        "when": _when(news.since, news, language),
        "until": _when(until, news, language),
        "length": _length(until - news.since, language),
    }


def _signed(  # noqa: PLR0913, PLR0917 - a letter's parts
    subject: str, lines: list[str], news: News, contact: Contact, identity: str, source: Source
) -> Letter:
    words = WORDS[contact.language]
    purpose = readable(contact.purpose)
    ending = {"title": _title(news), "purpose": f" ({purpose})" if purpose else "", "whom": words[f"whom.{source}"]}
    parts = [words["hello"].format(name=readable(contact.name)), *lines, "-- \n" + words["why"].format(**ending)]
    return Letter([contact.address], subject, "\n\n".join(parts) + "\n", identity)


def _title(news: News) -> str:
    return readable(news.title) or news.office


def _cause(news: News, language: Language) -> str:
    known = CAUSES[language]
    return known.get(news.cause, known["other"]).format(code=readable(news.cause))


def _step(news: News, language: Language) -> str:
    known = STEPS[language]
    machine = readable(news.machine) or WORDS[language]["this-machine"]
    return (known.get(news.cause) or known["other"]).format(machine=machine)


def _local(moment: dt.datetime, news: News) -> dt.datetime:
    return moment.astimezone(dt.UTC) + dt.timedelta(minutes=news.offset or 0)


def _time(moment: dt.datetime, news: News) -> str:
    return f"{_local(moment, news):%H:%M}" + ("" if news.offset is not None else " UTC")


def _when(moment: dt.datetime, news: News, language: Language) -> str:
    at, words = _local(moment, news), WORDS[language]
    day, month = DAYS[language][at.weekday()], MONTHS[language][at.month - 1]
    text = words["when"].format(day=day, date=at.day, month=month, time=f"{at:%H:%M}")
    return text if news.offset is not None else words["utc"].format(when=text)


def _length(span: dt.timedelta, language: Language) -> str:
    words, minutes = WORDS[language], max(1, round(span.total_seconds() / 60))
    if minutes >= _LONG:
        return words["days"].format(days=minutes // _DAY)
    if minutes >= _HOUR:
        return words["hours"].format(hours=minutes // _HOUR, minutes=minutes % _HOUR)
    return words["minute"] if minutes == 1 else words["minutes"].format(minutes=minutes)

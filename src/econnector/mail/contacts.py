"""Contacts: the people who get a mail when an office is unreachable, and what of them may be kept."""

from collections.abc import Callable, Sequence
from typing import Literal, cast

import msgspec

from econnector.base.errors import ValueRejected
from econnector.mail.compose import usable

__all__ = [
    "LANGUAGES",
    "MOST_CONTACTS",
    "Contact",
    "Language",
    "checked",
    "checked_address",
    "readable",
]

Language = Literal["en", "es"]
LANGUAGES: dict[str, str] = {"en": "English", "es": "Español"}
MOST_CONTACTS = 10
"""That an office may name. A handful of people can do something about an outage; more is a mailing list."""
_NAME, _PURPOSE = 80, 60


class Contact(msgspec.Struct, frozen=True):
    """One person. Make it with `checked` from what anybody typed or sent."""

    name: str
    address: str
    """Bare, in lower case: nobody gets the same news twice because of a capital letter."""
    language: Language = "en"
    purpose: str = ""
    """What this person is the one to ask for, such as "IT"; may be empty."""


def checked(name: str, address: str, language: str = "en", purpose: str = "") -> Contact:
    """Return the contact. Raises `ValueRejected` with the field and a sentence about it."""
    where = checked_address(address)
    if language not in LANGUAGES:
        raise ValueRejected(field="language", why=f"Mails can be written in {' or '.join(LANGUAGES)}, not {language}.")
    who = _line("name", name, _NAME)
    if not who:
        raise ValueRejected(field="name", why="Say who this is, such as Pat Example or IT on duty.")
    return Contact(who, where, cast("Language", language), _line("purpose", purpose, _PURPOSE))


def checked_address(typed: str) -> str:
    """Return a bare mail address in lower case. Raises `ValueRejected` with what is wrong about it."""
    address = typed.strip().lower()
    for wrong, why in _WRONG:
        if wrong(address):
            raise ValueRejected(field="address", why=why)
    return address


_WRONG: Sequence[tuple[Callable[[str], bool], str]] = (
    (lambda text: not text, "Type a mail address, such as pat@example.com."),
    (lambda text: "," in text or ";" in text, "One address at a time: add each person as a contact of their own."),
    (lambda text: "<" in text or " " in text, "Only the address itself, such as pat@example.com, without the name."),
    (lambda text: text.count("@") != 1, "A mail address has one @, as in pat@example.com."),
    (lambda text: "." not in text.rpartition("@")[2], "After the @ stands a full domain, such as example.com."),
    (lambda text: not usable(text), "This is no mail address that can be written to; it looks like pat@example.com."),
)


def _line(field: str, typed: str, most: int) -> str:
    text = " ".join(typed.split())
    if len(text) > most:
        raise ValueRejected(field=field, why=f"At most {most} letters, please; this has {len(text)}.")
    if not text.isprintable():
        raise ValueRejected(field=field, why="It holds signs that cannot be shown.")
    return text


def readable(text: str, most: int = 60) -> str:
    """Return a name from outside as it may stand in a mail: one short line, and nothing in it that becomes a link.

    What an office calls itself, its machine or a person would else be a way to have HQ send people anywhere.
    """
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    words = (word.strip(_EDGES) if _linked(word) else word for word in line.split(" "))
    return " ".join(word for word in words if not _linked(word))[:most].strip()


_EDGES = ".,:;!?()"


def _linked(word: str) -> bool:
    """Return whether a mail program might make a link of the word: `a.bc`, `x://`, `//`, `a@b`, `www`."""
    inner = word.strip(_EDGES)
    dotted = any(inner[at - 1].isalnum() and inner[at + 1].isalpha() for at in _dots(inner))
    return dotted or any(sign in word for sign in ("/", "\\", "@", "<", ">")) or inner.lower().startswith("www")


def _dots(word: str) -> list[int]:
    return [at for at in range(1, len(word) - 1) if word[at] == "."]

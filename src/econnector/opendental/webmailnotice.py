"""The mail that tells a patient of a new web mail message, without anything of it.

Open Dental writes it whenever somebody of the office sends a web mail message, from these preferences; while either
text is blank it sends no web mail at all. The texts are the practice's only ones, in whatever language they are.

==============================  ================================================================================
PatientPortalNotifySubject      subject
PatientPortalNotifyBody         text; `[URL]` becomes PatientPortalURL, `[EmailDisclaimer]` the practice's disclaimer
PortalWebEmailTemplateType      0 plain text, 1 HTML in which ends of lines count, 2 HTML
EmailDisclaimerIsOn             1: there is a disclaimer, in EmailDisclaimerTemplate
==============================  ================================================================================
"""

import re
from html.parser import HTMLParser
from typing import Final, Literal

import msgspec
from sqlalchemy import Connection

from econnector.base.errors import ValueRejected
from econnector.opendental import cachesignals, practice, preferences
from econnector.opendental.schema import Schema
from econnector.opendental.webmail import holdable

__all__ = [
    "LONGEST_SUBJECT",
    "LONGEST_TEXT",
    "PLACEHOLDERS",
    "Notice",
    "Setting",
    "check",
    "read",
    "save",
    "shown",
    "usual",
]

PLACEHOLDERS: Final = {"[URL]": "the portal's address", "[EmailDisclaimer]": "the practice's e-mail disclaimer"}
"""What Open Dental replaces in the text, and by what."""
LONGEST_SUBJECT, LONGEST_TEXT = 150, 4000

_SUBJECT, _TEXT = "PatientPortalNotifySubject", "PatientPortalNotifyBody"
_KIND, _URL = "PortalWebEmailTemplateType", "PatientPortalURL"
_DISCLAIMS, _DISCLAIMER = "EmailDisclaimerIsOn", "EmailDisclaimerTemplate"
_POSTAL: Final = "[PostalAddress]"
_PLAIN: Final = "0"
_MARK: Final = re.compile(r"(?<!\[)\[\s*[A-Za-z][A-Za-z0-9_]*\s*\](?!\])")
"""What looks like a placeholder; two brackets are Open Dental's own mark-up."""
_USUAL_SUBJECT: Final = "You have a secure message waiting for you"
_USUAL: Final = "Please go to this link and login using your credentials. {link}\n\n\n[EmailDisclaimer]"


class Notice(msgspec.Struct, frozen=True):
    """The notice's texts, lines ending with a line feed."""

    subject: str
    text: str


class Setting(msgspec.Struct, frozen=True):
    """The notice, and what Open Dental makes the mail of it from."""

    notice: Notice
    kind: Literal["0", "1", "2"]
    url: str
    disclaimer: str
    """What stands for `[EmailDisclaimer]`; empty where it is off."""

    @property
    def html(self) -> bool:
        """Whether the text is HTML."""
        return self.kind != _PLAIN


def read(connection: Connection) -> Setting:
    """Return the notice as it is now."""
    names = (_SUBJECT, _TEXT, _URL, _DISCLAIMER, *practice.SETTINGS)
    found = preferences.read_many(connection, names, **{_KIND: "1", _DISCLAIMS: "0"})
    kind = found[_KIND].strip()
    return Setting(
        Notice(found[_SUBJECT], _lines(found[_TEXT])),
        "0" if kind == "0" else "2" if kind == "2" else "1",
        found[_URL].strip(),
        _disclaimer(found) if found[_DISCLAIMS] == "1" else "",
    )


def _disclaimer(found: dict[str, str]) -> str:
    here = practice.practice(found)
    address = ", ".join(part for part in (here.title, here.address, here.address2, here.city, here.state) if part)
    return _lines(found[_DISCLAIMER]).replace(_POSTAL, address)


def usual(setting: Setting) -> Notice:
    """Return the texts that Open Dental comes with, for the kind of text that this practice has."""
    return Notice(_USUAL_SUBJECT, _USUAL.format(link='<a href="[URL]">[URL]</a>' if setting.html else "[URL]"))


def check(notice: Notice) -> list[tuple[str, str]]:
    """Return what is wrong, as the field (`subject` or `text`) and a sentence; nothing if it can be used."""
    wrong = []
    for field, text, longest in (("subject", notice.subject, LONGEST_SUBJECT), ("text", notice.text, LONGEST_TEXT)):
        if not text.strip():
            wrong.append((field, f"Write a {field}: while it is blank, Open Dental sends no web mail."))
        if len(text) > longest:
            wrong.append((field, f"The {field} may have {longest:,} characters."))
        if holdable(text) != text:
            wrong.append((field, f"Open Dental's database cannot keep a character of the {field}, such as a picture."))
    if "\n" in notice.subject or "\r" in notice.subject:
        wrong.append(("subject", "The subject is one line."))
    if marks := _MARK.findall(notice.subject):
        wrong.append(("subject", f"A subject takes no placeholder, and {marks[0]} would be sent as it stands."))
    if unknown := [mark for mark in _MARK.findall(notice.text) if mark not in PLACEHOLDERS]:
        known = " and ".join(PLACEHOLDERS)
        wrong.append(("text", f"Open Dental does not know {unknown[0]} and would send it as it stands. Use {known}."))
    return wrong


def save(connection: Connection, schema: Schema, new: Notice, before: Notice) -> list[str]:
    """Write what differs and tell the workstations; return the names of what was changed.

    `before` is what the person saw. Raises `ValueRejected` for texts that `check` refuses, and for texts that somebody
    has changed since. Workstations are told before and after, as `connectorsettings.save` does.
    """
    for field, why in check(new):
        raise ValueRejected(field=field, why=why)
    old = read(connection).notice
    values = {_SUBJECT: new.subject} if new.subject != old.subject else {}
    values |= {_TEXT: new.text.replace("\n", "\r\n")} if new.text != old.text else {}
    if not values:
        return []
    if old != before:
        raise ValueRejected(field="text", why="The notice was changed meanwhile in Open Dental. Look at it again.")
    cachesignals.tell(connection, schema, cachesignals.Kind.PREFERENCES)
    for name, value in values.items():
        preferences.write(connection, schema, name, value)
    cachesignals.tell(connection, schema, cachesignals.Kind.PREFERENCES)
    return [word for name, word in ((_SUBJECT, "subject"), (_TEXT, "text")) if name in values]


def shown(setting: Setting, notice: Notice) -> Notice:
    """Return a notice as the patient reads it: placeholders filled in, of HTML what is seen."""
    text = notice.text
    if setting.html:
        seen = _Seen(keeps_lines=setting.kind != "2")
        seen.feed(text)
        seen.close()
        text = seen.text
    text = text.replace("[URL]", setting.url).replace("[EmailDisclaimer]", setting.disclaimer)
    return Notice(notice.subject, text.strip("\n"))


class _Seen(HTMLParser):
    """What of HTML is read."""

    def __init__(self, *, keeps_lines: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._keeps_lines, self._hidden = keeps_lines, 0
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the parser's own
        self._hidden += tag in {"script", "style", "title"}
        if tag in {"br", "p", "div", "li", "tr"}:
            self.text += "\n"

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"script", "style", "title"} and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.text += data if self._keeps_lines else re.sub(r"\s+", " ", data)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")

"""The mail that tells a patient of a new message: its words, and how it looks before anybody gets it."""

import hashlib

from starlette.responses import Response

from econnector.base.errors import ValueRejected
from econnector.office.notices import Notice, Notices, Setting
from econnector.office.window.frame import Page, Section, Visitor
from econnector.office.window.portal import hand_of
from econnector.opendental import webmailnotice
from econnector.web.forms import Form

__all__ = ["PAGES", "SECTION"]

SECTION: Section | None = None


async def show(visitor: Visitor) -> Response:
    """Show the texts as they are."""
    setting = await hand_of(visitor, Notices).read()
    return _page(visitor, setting, _form(setting.notice))


async def change(visitor: Visitor) -> Response:
    """Save what was typed, or only show how it looks, or offer the usual text: by the button."""
    setting = await hand_of(visitor, Notices).read()
    if visitor.form.get("do") == "usual":
        return _page(visitor, setting, _form(webmailnotice.usual(setting)), waits=True)
    typed = Notice(visitor.form.get("subject").strip(" "), _lines(visitor.form.get("text")).strip("\n"))
    form = Form(_form(typed).values)
    for field, why in webmailnotice.check(typed):
        form.wrong(field, why)
    if not form.mistakes and visitor.form.get("before") != _mark(setting.notice) and typed != setting.notice:
        form.wrong("text", "The notice was changed meanwhile in Open Dental. What you typed is here; save it again.")
    if form.mistakes or visitor.form.get("do") == "preview":
        return _page(visitor, setting, form, waits=typed != setting.notice)
    try:
        changed = await hand_of(visitor, Notices).save(visitor.who, typed, setting.notice)
    except ValueRejected as rejected:
        form.wrong(rejected.facts["field"], rejected.facts["why"])
        return _page(visitor, setting, form, waits=True)
    if not changed:
        return visitor.go("/portal/notice", "Nothing was changed, so nothing was saved.", "info")
    return visitor.go("/portal/notice", "Saved. The other Open Dental workstations are told.")


def _page(visitor: Visitor, setting: Setting, form: Form, *, waits: bool = False) -> Response:
    """Show the form; `waits`: it holds what is not saved."""
    return visitor.page(
        "window/portal-notice.html",
        422 if form.mistakes else 200,
        wish=form,
        setting=setting,
        before=_mark(setting.notice),
        waits=waits,
        shown=webmailnotice.shown(setting, Notice(form.get("subject"), form.get("text"))),
        placeholders=webmailnotice.PLACEHOLDERS,
        longest=(webmailnotice.LONGEST_SUBJECT, webmailnotice.LONGEST_TEXT),
    )


def _form(notice: Notice) -> Form:
    return Form({"subject": notice.subject, "text": notice.text})


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _mark(notice: Notice) -> str:
    """Return what names these very texts, to know whether somebody has changed them since."""
    return hashlib.sha256(f"{notice.subject}\0{notice.text}".encode()).hexdigest()[:32]


PAGES = (
    Page("/portal/notice", show),
    Page("/portal/notice", change, method="POST", needs="setup"),
)

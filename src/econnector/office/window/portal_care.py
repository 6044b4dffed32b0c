"""Help for a patient's sign-in: a lost phone, a session left open, and a word about who sees the record."""

from collections.abc import Awaitable, Callable
from typing import Literal

from starlette.responses import Response

from econnector.base.errors import AccessAsItWas
from econnector.office.consents import Consents
from econnector.office.protection import Ended, Protections
from econnector.office.window.frame import Page, Section, Visitor
from econnector.office.window.portal import access_of, hand_of, number_in, once
from econnector.office.window.portal_rules import TOPIC_WORDS

__all__ = ["PAGES", "SECTION"]

SECTION: Section | None = None


def _number(visitor: Visitor) -> int:
    return number_in(visitor.form.get("number"))


async def ask_two_step(visitor: Visitor) -> Response:
    """Say what turning it off does, and what to ask the caller first."""
    number = number_in(visitor.request.query_params.get("number", ""))
    found = await access_of(visitor).look(number)
    guard = await hand_of(visitor, Protections).look(number)
    return visitor.page("window/portal-two-step.html", one=found, guard=guard)


async def two_step_off(visitor: Visitor) -> Response:
    """Turn it off."""
    number = _number(visitor)
    ended = await once(visitor, lambda: hand_of(visitor, Protections).two_step_off(visitor.who, number))
    if not isinstance(ended, Ended) or not ended.was_on:
        return _back(visitor, number, "There was no two-step sign-in to turn off.", "info")
    told = "A letter tells the patient." if ended.told else "The chart has no mail address, so no letter tells them."
    return _back(visitor, number, f"Two-step sign-in is off: the password alone is enough. {_ended(ended)} {told}")


def _ended(ended: Ended) -> str:
    if not ended.sessions:
        return "The patient was signed in nowhere."
    places = "one place" if ended.sessions == 1 else f"{ended.sessions} places"
    return f"The patient was signed out in {places}."


async def sign_out(visitor: Visitor) -> Response:
    """End every session."""
    number = _number(visitor)
    alive = await hand_of(visitor, Protections).sign_out(visitor.who, number)
    if not alive:
        return _back(visitor, number, "The patient is signed in nowhere.", "info")
    places = "one place" if alive == 1 else f"{alive} places"
    return _back(visitor, number, f"The patient was signed out in {places}; each notices at the next click.")


async def record(visitor: Visitor) -> Response:
    """Keep the patient's word about one onlooker."""
    form, number, viewer = visitor.form, _number(visitor), number_in(visitor.form.get("viewer"))
    wanted = {topic for topic in TOPIC_WORDS if form.get(f"open-{topic}") == "1"}
    hand = hand_of(visitor, Consents)
    return await _said(
        visitor, number, lambda: hand.record(visitor.who, number, viewer, wanted, form.get("shown").split())
    )


async def forget(visitor: Visitor) -> Response:
    """Let the practice's rules hold again for one onlooker."""
    number, viewer = _number(visitor), number_in(visitor.form.get("viewer"))
    hand = hand_of(visitor, Consents)
    return await _said(visitor, number, lambda: hand.forget(visitor.who, number, viewer))


async def _said(visitor: Visitor, number: int, change: Callable[[], Awaitable[object]]) -> Response:
    try:
        changed = await once(visitor, change)
    except AccessAsItWas as refused:
        return _back(visitor, number, f"Nothing was recorded. {refused.facts['why']} Look again.", "attention")
    if not changed:
        return _back(visitor, number, "Nothing was different, so nothing was recorded.", "info")
    return _back(visitor, number, "Recorded. It holds at the next click; the patient sees it under Family and privacy.")


def _back(visitor: Visitor, number: int, text: str, state: Literal["ok", "attention", "info"] = "ok") -> Response:
    return visitor.go(f"/portal/patient?number={number}", text, state)


PAGES = (
    Page("/portal/two-step", ask_two_step),
    Page("/portal/two-step", two_step_off, method="POST", needs="setup"),
    Page("/portal/sign-out", sign_out, method="POST", needs="setup"),
    Page("/portal/consent", record, method="POST", needs="setup"),
    Page("/portal/consent/forget", forget, method="POST", needs="setup"),
)

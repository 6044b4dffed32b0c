"""The portal as the practice wants it: pages, two-step sign-in, how long sessions last, from what age people decide."""

from typing import get_args

import msgspec
from starlette.responses import Response

from econnector.office.access import Rules, change_rules
from econnector.office.window.frame import Page, Section, Visitor
from econnector.storage.state import portal_policy, portalrules
from econnector.storage.state.portal_policy import TwoStep
from econnector.storage.state.portalrules import FULL_AGES, IDLE_MINUTES, OVERALL_HOURS, TOPICS
from econnector.web.forms import Form

__all__ = ["PAGES", "SECTION"]

SECTION: Section | None = None

_NUMBERS = {"idle_minutes": IDLE_MINUTES, "overall_hours": OVERALL_HOURS, "full_age": FULL_AGES}
_DIGITS = 3
TOPIC_WORDS = {
    "appointments": "Appointments",
    "account": "Account, statements and payments",
    "messages": "Messages",
    "health": "Health and treatment plans",
    "documents": "Images and documents",
}

TWO_STEP_WORDS: dict[TwoStep, tuple[str, str]] = {
    "off": (
        "Off",
        "Nobody can set it up. Who has it already is asked for it until they turn it off themselves.",
    ),
    "offered": ("Offered", "Patients may turn it on under Your sign-in, with an app on their phone or a passkey."),
    "required": (
        "Required",
        "Everybody sets it up before they see anything. Who is signed in without it is asked at the next click.",
    ),
}


async def show(visitor: Visitor) -> Response:
    """Show the settings as they are."""
    rules, policy = await visitor.scene.state.run(lambda file: (portalrules.read(file), portal_policy.two_step(file)))
    return _page(visitor, _form(rules, policy))


def _form(rules: Rules, policy: TwoStep) -> Form:
    values = {name: str(getattr(rules, name)) for name in _NUMBERS} | {"two_step": policy}
    values |= {f"on-{topic}": "1" for topic in rules.on}
    return Form(values | {f"private-{topic}": "1" for topic in rules.private})


def _page(visitor: Visitor, form: Form) -> Response:
    code = 422 if form.mistakes else 200
    shown = {"wish": form, "topics": TOPIC_WORDS, "bounds": _NUMBERS, "two_step": TWO_STEP_WORDS}
    return visitor.page("window/portal-settings.html", code, **shown)


async def save(visitor: Visitor) -> Response:
    """Keep the settings; the portal follows at the next click."""
    form = visitor.form
    numbers = {name: _number(form, name) for name in _NUMBERS}
    policy = next((word for word in get_args(TwoStep) if word == form.get("two_step")), None)
    if policy is None:
        form.wrong("two_step", "Choose one of the three.")
    if form.mistakes:
        return _page(visitor, form)
    rules = msgspec.structs.replace(
        Rules(),
        off=frozenset(topic for topic in TOPICS if form.get(f"on-{topic}") != "1"),
        private=frozenset(topic for topic in TOPICS if form.get(f"private-{topic}") == "1"),
        **numbers,
    )
    scene = visitor.scene
    place = (scene.database, scene.state, scene.schemas, scene.machine)
    if not await change_rules(*place, visitor.who, rules, policy):
        return visitor.go("/portal/settings", "Nothing was changed, so nothing was saved.", "info")
    return visitor.go("/portal/settings", "Saved. The portal follows at each patient's next click.")


def _number(form: Form, name: str) -> int:
    text, (least, most) = form.get(name).strip(), _NUMBERS[name]
    if text.isascii() and text.isdecimal() and len(text) <= _DIGITS and least <= int(text) <= most:
        return int(text)
    form.wrong(name, f"Enter a number from {least} to {most}.")
    return 0


PAGES = (
    Page("/portal/settings", show),
    Page("/portal/settings", save, method="POST", needs="setup"),
)

"""The portal's first page: find a patient, see what is missing, give access, reset, remove, unlock, print the sheet.

A password is on one page, once. A form that is sent twice gets the same page again for a short while, so that a double
click does not lose it; nothing of it is kept beyond this process's memory.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from starlette.responses import Response

from econnector.documents import accesssheet
from econnector.eservices.portal.web.security import device
from econnector.office.access import Access, Found, Given
from econnector.office.consents import Consents
from econnector.office.hand import Hand
from econnector.office.invites import Invites, invites_with
from econnector.office.protection import Protections
from econnector.office.window.frame import Page, Section, Visitor
from econnector.office.window.portal_rules import TOPIC_WORDS
from econnector.web import csrf

__all__ = ["PAGES", "SECTION", "access_of", "hand_of", "invites_of", "number_in", "once", "sheet_response"]

SECTION = Section("Portal", "/portal", "people")

_DIGITS: Final = 19
_LONGEST: Final = 100
_KEEP_SECONDS: Final = 120.0

H = TypeVar("H", bound=Hand)

_made: dict[str, object] = {}
_one_at_a_time = asyncio.Lock()


def hand_of(visitor: Visitor, kind: type[H]) -> H:
    """Return a hand of this kind on this practice."""
    scene = visitor.scene
    return kind(scene.database, scene.state, scene.schemas, scene.machine, scene.clock)


def access_of(visitor: Visitor) -> Access:
    """Return the hand on this practice's sign-ins."""
    return hand_of(visitor, Access)


def invites_of(visitor: Visitor) -> Invites:
    """Return the hand on this practice's invites."""
    scene = visitor.scene
    return invites_with(scene.settings, scene.database, scene.state, scene.schemas, scene.clock)


def number_in(text: str) -> int:
    """Return a PatNum from a form or an address, 0 for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else 0


async def once(visitor: Visitor, make: Callable[[], Awaitable[object]]) -> object:
    """Return what `make` returns, or what it returned when the same form was sent a moment ago."""
    key = f"{visitor.request.url.path} {csrf.salt_of(visitor.form.get('form_token'))}"
    async with _one_at_a_time:
        if key not in _made:
            _made[key] = await make()
            asyncio.get_running_loop().call_later(_KEEP_SECONDS, _made.pop, key, None)
        return _made[key]


async def show(visitor: Visitor) -> Response:
    """Show the search."""
    return await _search(visitor, None)


async def find(visitor: Visitor) -> Response:
    """Show who was found. A name is posted and not part of an address, which browsers remember."""
    typed = visitor.form.get("find")[:_LONGEST]
    if not typed.strip():
        visitor.form.wrong("find", "Type a name, a birth date or a patient number.")
        return await _search(visitor, None)
    return await _search(visitor, await access_of(visitor).search(typed))


async def _search(visitor: Visitor, found: Found | None) -> Response:
    code = 422 if visitor.form.mistakes else 200
    return visitor.page("window/portal.html", code, found=found, address=await access_of(visitor).address())


async def patient(visitor: Visitor) -> Response:
    """Show one patient's access."""
    return await _patient(visitor, number_in(visitor.request.query_params.get("number", "")))


async def _patient(visitor: Visitor, number: int, given: Given | None = None) -> Response:
    hand = access_of(visitor)
    found = await hand.look(number)
    onlookers, of_age = await hand_of(visitor, Consents).look(number)
    return visitor.page(
        "window/portal-patient.html",
        one=found,
        given=given,
        address=await hand.address(),
        invited=await invites_of(visitor).last(number),
        guard=await hand_of(visitor, Protections).look(number),
        onlookers=onlookers,
        of_age=of_age,
        topics=TOPIC_WORDS,
        device=device,
    )


async def give(visitor: Visitor) -> Response:
    """Give access and show it once."""
    number = number_in(visitor.form.get("number"))
    return await _given(visitor, number, lambda: access_of(visitor).give(visitor.who, number))


async def reset(visitor: Visitor) -> Response:
    """Give a new password and show it once."""
    number = number_in(visitor.form.get("number"))
    return await _given(visitor, number, lambda: access_of(visitor).reset(visitor.who, number))


async def _given(visitor: Visitor, number: int, make: Callable[[], Awaitable[Given]]) -> Response:
    made = await once(visitor, make)
    return await _patient(visitor, number, made if isinstance(made, Given) else None)


async def remove(visitor: Visitor) -> Response:
    """Remove access."""
    number = number_in(visitor.form.get("number"))
    had = await access_of(visitor).remove(visitor.who, number)
    if not had:
        return visitor.go(f"/portal/patient?number={number}", "There was no access to remove.", "info")
    said = "Access is removed. Whoever is signed in is signed out at the next click; the user name stays."
    return visitor.go(f"/portal/patient?number={number}", said)


async def unlock(visitor: Visitor) -> Response:
    """Forget wrong passwords."""
    number = number_in(visitor.form.get("number"))
    had = await access_of(visitor).unlock(visitor.who, number)
    said = "The wrong passwords are forgotten: the patient may try again at once." if had else "Nothing was locked."
    return visitor.go(f"/portal/patient?number={number}", said, "ok" if had else "info")


async def sheet(visitor: Visitor) -> Response:
    """Give the sheet of one sign-in that was just given, as a PDF."""
    form = visitor.form
    row = (number_in(form.get("number")), form.get("user_name")[:255], form.get("password")[:_LONGEST])
    return await sheet_response(visitor, [row])


async def sheet_response(visitor: Visitor, rows: list[tuple[int, str, str]]) -> Response:
    """Return the sheets as a PDF that the browser opens and keeps nowhere."""
    sheets = await access_of(visitor).sheets(rows)
    if not sheets:
        return visitor.go("/portal", "There was no sheet to print.", "info")
    pdf = await asyncio.to_thread(accesssheet.render, sheets)
    headers = {"content-disposition": 'inline; filename="portal-access.pdf"', "cache-control": "no-store"}
    return Response(pdf, media_type="application/pdf", headers=headers)


PAGES = (
    Page("/portal", show),
    Page("/portal/find", find, method="POST"),
    Page("/portal/patient", patient),
    Page("/portal/give", give, method="POST", needs="setup"),
    Page("/portal/reset", reset, method="POST", needs="setup"),
    Page("/portal/remove", remove, method="POST", needs="setup"),
    Page("/portal/unlock", unlock, method="POST", needs="setup"),
    Page("/portal/sheet", sheet, method="POST", needs="setup"),
)

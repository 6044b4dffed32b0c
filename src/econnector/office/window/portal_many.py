"""Access for many at once: who has an appointment soon and no access, seen first, then given."""

import msgspec
from starlette.responses import Response

from econnector.office.access import MOST_AT_ONCE, MOST_DAYS, Result, Wanted
from econnector.office.window.frame import Page, Section, Visitor
from econnector.office.window.portal import access_of, number_in, once, sheet_response
from econnector.office.window.portal_invites import send_many

__all__ = ["PAGES", "SECTION"]

SECTION: Section | None = None
_OLDEST = 99
_Rows = list[tuple[int, str, str]]


async def show(visitor: Visitor) -> Response:
    """Show the filter and, once it was chosen, whom it is about. Nothing is written."""
    query = visitor.request.query_params
    wanted = _wanted(query.get("days", ""), query.get("youngest", ""))
    hand = access_of(visitor)
    found = await hand.preview(wanted) if "days" in query else None
    return visitor.page(
        "window/portal-many.html",
        wanted=wanted,
        found=found,
        ready=[one for one in found or [] if not one.missing],
        lacking=[one for one in found or [] if one.missing],
        address=await hand.address(),
        most=MOST_AT_ONCE,
        most_days=MOST_DAYS,
    )


async def give(visitor: Visitor) -> Response:
    """Give access to those of the preview, and show it once. Who was added to the calendar meanwhile is not meant."""
    numbers = [number for text in visitor.form.get("numbers").split() if (number := number_in(text))]
    if visitor.form.get("how") == "invites":
        return await send_many(visitor, numbers)
    results = await once(visitor, lambda: access_of(visitor).give_many(visitor.who, numbers))
    done = [each for each in results if isinstance(each, Result)] if isinstance(results, list) else []
    rows = [(each.given.patient, each.given.user_name, each.given.password) for each in done if each.given]
    return visitor.page(
        "window/portal-many-given.html",
        given=[each for each in done if each.given],
        refused=[each for each in done if not each.given],
        rows=msgspec.json.encode(rows).decode(),
    )


async def sheets(visitor: Visitor) -> Response:
    """Give all their sheets as one PDF."""
    try:
        rows = msgspec.json.decode(visitor.form.get("rows"), type=_Rows)
    except msgspec.DecodeError:
        rows = []
    return await sheet_response(visitor, rows[:MOST_AT_ONCE])


def _wanted(days: str, youngest: str) -> Wanted:
    usual = Wanted()
    return Wanted(
        min(number_in(days), MOST_DAYS) if days.strip() else usual.days,
        min(number_in(youngest), _OLDEST) if youngest.strip() else usual.youngest,
    )


PAGES = (
    Page("/portal/many", show),
    Page("/portal/many/give", give, method="POST", needs="setup"),
    Page("/portal/many/sheets", sheets, method="POST", needs="setup"),
)

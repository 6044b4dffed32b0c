"""Care summaries: for which patients none can be made, what is missing in each chart, and where to enter it."""

import csv
import io
from typing import Final

from starlette.responses import Response

from econnector.office.history import plain_cell
from econnector.office.summaries import Summaries
from econnector.office.window.frame import Page, Section, Visitor
from econnector.office.window.portal import hand_of, number_in

__all__ = ["PAGES", "SECTION"]

SECTION: Section | None = None

_SHOWN: Final = 200


async def show(visitor: Visitor) -> Response:
    """Look through everybody whom the portal can show, or through one chart."""
    number = number_in(visitor.request.query_params.get("number", ""))
    found = await hand_of(visitor, Summaries).check(number)
    return visitor.page(
        "window/summaries.html",
        found=found,
        number=number,
        shown=found.short[:_SHOWN],
        codes_missing=any(one.area == "codes" for one in found.everywhere),
    )


async def export(visitor: Visitor) -> Response:
    """Save the list for a table program."""
    found = await hand_of(visitor, Summaries).check()
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(("patient number", "patient", "missing"))
    table.writerows(("", "everybody", one.text) for one in found.everywhere)
    for one in found.short:
        name = plain_cell(one.patient.name)
        table.writerows((one.patient.number, name, lacks.text) for lacks in one.missing)
    headers = {"content-disposition": f'attachment; filename="{_FILE}"', "cache-control": "no-store"}
    return Response("\ufeff" + text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


_FILE: Final = "care-summaries-missing.csv"

PAGES = (
    Page("/portal/summaries", show),
    Page("/portal/summaries/list.csv", export),
)

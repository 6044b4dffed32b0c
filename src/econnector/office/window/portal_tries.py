"""The access log: who signed in at the portal, who tried, and the real reason behind "Login failed"."""

import csv
import datetime as dt
import io
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from econnector.office.access import tried
from econnector.office.history import plain_cell
from econnector.office.window.frame import Page, Section, Visitor
from econnector.storage.state.portal_tries import IN, KEEP, REFUSED, SLOWED, Try

__all__ = ["PAGES", "SECTION"]

SECTION: Section | None = None

_FEW, _MANY = 100, 5000
_LONGEST = 100
SPANS = {"1d": ("Last day", 1), "7d": ("Last week", 7), "90d": ("All", KEEP.days)}
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "all": ("All", ()),
    "failed": ("Login failed", (REFUSED, SLOWED)),
    "in": ("Signed in", (IN,)),
}
WORDS = {IN: ("ok", "Signed in"), REFUSED: ("attention", "Login failed"), SLOWED: ("problem", "Slowed down")}


class Wish(msgspec.Struct, frozen=True):
    """What of the log is shown."""

    span: str
    kind: str
    find: str

    def but(self, **other: str) -> str:
        """Return the page's query with something else wished for."""
        found = {"span": self.span, "kind": self.kind, "find": self.find} | other
        return urlencode({name: value for name, value in found.items() if value})


async def show(visitor: Visitor) -> Response:
    """Show the last tries, newest first."""
    wish = _wish(visitor)
    rows, names = await _rows(visitor, wish, _FEW + 1)
    return visitor.page(
        "window/portal-sign-ins.html",
        wish=wish,
        spans=SPANS,
        kinds=KINDS,
        rows=rows[:_FEW],
        more=len(rows) > _FEW,
        names=names,
        words=WORDS,
    )


async def export(visitor: Visitor) -> Response:
    """Give them as a file for a spreadsheet."""
    rows, names = await _rows(visitor, _wish(visitor), _MANY)
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["first", "last", "times", "outcome", "reason", "patient number", "patient", *_LAST])
    for row in rows:
        moments = [f"{moment.astimezone():%Y-%m-%d %H:%M:%S}" for moment in (row.first, row.last)]
        name = names.get(row.patient, "")
        rest = [row.name, row.address, row.agent, row.reference]
        # Names and browsers are what strangers send.
        table.writerow(
            plain_cell(str(cell))
            for cell in [*moments, row.times, row.outcome, row.reason, row.patient or "", name, *rest]
        )
    file = f"portal-sign-ins-{visitor.scene.clock.now():%Y-%m-%d}.csv"
    headers = {"content-disposition": f'attachment; filename="{file}"', "cache-control": "no-store"}
    return Response("\ufeff" + text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


_LAST = ["user name", "address", "browser", "reference"]


def _wish(visitor: Visitor) -> Wish:
    query = visitor.request.query_params
    span, kind = query.get("span", "7d"), query.get("kind", "all")
    return Wish(
        span if span in SPANS else "7d", kind if kind in KINDS else "all", query.get("find", "").strip()[:_LONGEST]
    )


async def _rows(visitor: Visitor, wish: Wish, most: int) -> tuple[list[Try], dict[int, str]]:
    scene = visitor.scene
    since = scene.clock.now() - dt.timedelta(days=SPANS[wish.span][1])
    return await tried(scene.database, scene.state, since, most, outcomes=KINDS[wish.kind][1], find=wish.find)


PAGES = (Page("/portal/sign-ins", show), Page("/portal/sign-ins/export", export))

"""The fleet: every office with its status, filtered, sorted and page by page; and who did what."""

from typing import Any, cast, get_args
from urllib.parse import urlencode

from starlette.responses import Response

from econnector.hq.admin.frame import Page, Visitor
from econnector.hq.admin.words import CEMT_STATES, SIGNS, WORDS
from econnector.hq.registry import deeds, fleet
from econnector.hq.registry.fleet import BEHIND, PAGE, STATUSES, Fleet, Sort, Wanted
from econnector.web.forms import Form

__all__ = ["PAGES"]

_MOST_PAGES = 100_000
_DEEDS, _REFUSED = 200, 50
_COLUMNS: tuple[tuple[str, str], ...] = (
    ("Office", "name"),
    ("Status", "status"),
    ("Open Dental shows", ""),
    ("Connector", "version"),
    ("Heartbeat", "heartbeat"),
    ("Outage", ""),
    ("Last failure", ""),
)
_SORTS = get_args(Sort)


async def show(visitor: Visitor) -> Response:
    """Show the wanted offices."""
    wanted = _wanted(visitor)
    found = await visitor.desk.registry.run(fleet.look, wanted, visitor.now)
    values: dict[str, Any] = {"wanted": wanted, "fleet": found, "pages": max(1, -(-found.found // PAGE))}
    values |= {"columns": _columns(wanted), "statuses": _choices(wanted, found), "leads": _leads(wanted, found)}
    values |= {"words": WORDS, "signs": SIGNS, "cemt_states": CEMT_STATES, "behind": BEHIND}
    form = Form({"name": wanted.name, "version": wanted.version})
    return visitor.page("admin/fleet.html", form=form, **values)


def _wanted(visitor: Visitor) -> Wanted:
    """Return what the address asks for; what makes no sense in it is left out."""
    asked = visitor.request.query_params
    page = asked.get("page", "1")
    sort = asked.get("sort", "name")
    return Wanted(
        name=asked.get("name", "")[:100].replace("\0", ""),
        status=asked["status"] if asked.get("status") in STATUSES else "",
        version=asked.get("version", "")[:50].replace("\0", ""),
        sort=cast("Sort", sort) if sort in _SORTS else "name",
        descending=asked.get("down") == "1",
        page=min(max(int(page), 1), _MOST_PAGES) if page.isascii() and page.isdecimal() and len(page) < 8 else 1,  # noqa: PLR2004
    )


def _address(wanted: Wanted, **other: object) -> str:
    """Return the query of what is wanted, with some of it changed."""
    values = {
        "name": wanted.name,
        "status": wanted.status,
        "version": wanted.version,
        "sort": wanted.sort if wanted.sort != "name" else "",
        "down": "1" if wanted.descending else "",
    }
    return "?" + urlencode({name: value for name, value in (values | other).items() if value})


def _columns(wanted: Wanted) -> list[tuple[str, str, str]]:
    """Return name, address that sorts by it (or none), and how it is sorted now, for the ear."""
    found = []
    for name, sort in _COLUMNS:
        here = bool(sort) and sort == wanted.sort
        turned = "1" if here and not wanted.descending else ""
        order = ("descending" if wanted.descending else "ascending") if here else ""
        found.append((name, _address(wanted, sort=sort, down=turned) if sort else "", order))
    return found


def _choices(wanted: Wanted, found: Fleet) -> list[tuple[str, str, int, bool]]:
    """Return each status with its word, its address, its number of offices and whether it is chosen."""
    whole = ("All", _address(wanted, status=""), sum(found.counts.values()), not wanted.status)
    each = (
        (WORDS[word], _address(wanted, status=word), found.counts[word], wanted.status == word) for word in STATUSES
    )
    return [whole, *each]


def _leads(wanted: Wanted, found: Fleet) -> tuple[str, str]:
    """Return where the page before and the page after are, or empty texts."""
    before = _address(wanted, page=wanted.page - 1) if wanted.page > 1 else ""
    after = _address(wanted, page=wanted.page + 1) if wanted.page * PAGE < found.found else ""
    return before, after


async def show_deeds(visitor: Visitor) -> Response:
    """Show who did what; sign-ins that failed by themselves: however many, they hide nothing that was done."""
    run = visitor.desk.registry.run
    found = await run(deeds.recent, "", _DEEDS, refused=False)
    refused = await run(deeds.recent, "", _REFUSED, refused=True)
    return visitor.page("admin/deeds.html", deeds=found, refused=refused)


PAGES = (Page("/", show), Page("/deeds", show_deeds))

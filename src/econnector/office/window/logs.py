"""The log for a person: its last lines, how much is written, and the bundle for support."""

import asyncio
import datetime as dt
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from econnector.base import logs
from econnector.office import loglevel
from econnector.office.bundle import make_bundle
from econnector.office.window.frame import Page, Section, Visitor

__all__ = ["PAGES", "SECTION"]

_FEW, _MANY = 100, 1000
"""Lines before somebody asks for more, and then."""
_LONGEST = 100
SPANS = {"1h": ("Last hour", 1), "24h": ("Last day", 24), "7d": ("Last week", 168)}
"""From the word in the address to what people read, and hours."""
LEAST = {"all": ("All", 0), "information": ("Information", 20), "errors": ("Errors", 30)}
"""As above, and the least level; a warning is shown with the errors."""
_WORDS = {50: ("problem", "Error"), 40: ("problem", "Error"), 30: ("attention", "Warning"), 10: ("unknown", "Verbose")}
_LEFT_OUT = frozenset({"event", "timestamp", "level", "logger", "office", "reference", "trace"})


class Row(msgspec.Struct, frozen=True):
    """A line, as it is shown."""

    at: str
    state: str
    word: str
    area: str
    text: str
    facts: str
    reference: str


class _Wish(msgspec.Struct, frozen=True):
    span: str
    least: str
    area: str
    find: str
    many: bool

    def but(self, **other: str) -> str:
        """Return the page's query with something else wished for."""
        found = {"span": self.span, "least": self.least, "area": self.area, "find": self.find} | other
        return urlencode({name: value for name, value in found.items() if value})


async def show(visitor: Visitor) -> Response:
    """Show the last lines, newest first."""
    scene, wish = visitor.scene, _wish(visitor)
    since = scene.clock.now() - dt.timedelta(hours=SPANS[wish.span][1])
    areas, lines, found = await asyncio.to_thread(_find, visitor, wish, since)
    return visitor.page(
        "window/logs.html",
        wish=wish,
        spans=SPANS,
        leasts=LEAST,
        areas=areas,
        rows=[_row(line) for line in lines],
        found=found,
        level=await loglevel.chosen(scene.state, scene.settings.log.level),
        levels=logs.WORDS,
        folder=scene.settings.log_folder,
    )


def _wish(visitor: Visitor) -> _Wish:
    query = visitor.request.query_params
    span, least = query.get("span", "24h"), query.get("least", "all")
    return _Wish(
        span if span in SPANS else "24h",
        least if least in LEAST else "all",
        query.get("area", "")[:_LONGEST],
        query.get("find", "").strip()[:_LONGEST],
        query.get("rows") == "many",
    )


def _find(visitor: Visitor, wish: _Wish, since: dt.datetime) -> tuple[list[str], list[logs.Line], int]:
    """Return the areas there are, the newest lines that match, and how many match."""
    folder = visitor.scene.settings.log_folder
    areas = sorted({file.parent.parent.name for file in logs.log_files(folder)})
    most, kept, found = _MANY if wish.many else _FEW, list[logs.Line](), 0
    wanted, plain = wish.find.lower(), wish.find.upper().replace("-", "")
    for line in logs.read(folder, since=since, area=wish.area, level=LEAST[wish.least][1]):
        reference = str(line.fields.get("reference", "")).replace("-", "")
        if wanted and wanted not in line.text().lower() and (not reference or reference != plain):
            continue
        found += 1
        kept.append(line)
        if len(kept) > 2 * most:
            del kept[:-most]
    return areas, kept[-most:][::-1], found


def _row(line: logs.Line) -> Row:
    state, word = _WORDS.get(line.level, ("ok", "Info"))
    facts = " · ".join(f"{name} {value}" for name, value in line.fields.items() if name not in _LEFT_OUT)
    reference = str(line.fields.get("reference", ""))
    return Row(
        f"{line.at.astimezone():%Y-%m-%d %H:%M:%S}",
        state,
        word,
        line.area,
        logs.redact(str(line.fields.get("event", ""))),
        facts,
        reference,
    )


async def switch(visitor: Visitor) -> Response:
    """Change how much is written."""
    word = visitor.form.get("level")
    if word not in logs.WORDS:
        return visitor.go("/logs", "Choose Error, Information or Verbose.", "attention")
    shown = await loglevel.choose(visitor.scene.state, word)
    return visitor.go("/logs", f"The log level is {shown}. The eConnector takes it within seconds, without a restart.")


async def bundle(visitor: Visitor) -> Response:
    """Give the bundle for support as a file."""
    scene = visitor.scene
    made = await make_bundle(scene.loaded, clock=scene.clock)
    name = f"econnector-support-{scene.clock.now():%Y-%m-%d-%H%M}.zip"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(made, media_type="application/zip", headers=headers)


SECTION = Section("Log", "/logs", "log")
PAGES = (
    Page("/logs", show),
    Page("/logs/level", switch, method="POST", needs="setup"),
    Page("/logs/bundle", bundle, method="POST", needs="setup"),
)

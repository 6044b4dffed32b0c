"""The doctor in the window: a button that examines this machine, and a reference that leads to its failure.

A round goes on in the process that serves the window; its findings are kept there until the next one, for everybody who
looks. Nothing is changed by looking.
"""

from typing import Final

from starlette.responses import Response

from econnector.base.errors import failure_from
from econnector.office.doctor import CHECKS
from econnector.office.doctor.round import Round
from econnector.office.doctor.scene import Scene
from econnector.office.running import local
from econnector.office.status import find_failure
from econnector.office.window.frame import Page, Section, Visitor

__all__ = ["PAGES", "SECTION"]

SECTION = Section("Doctor", "/doctor", "heart")

_LONGEST: Final = 40
_WORDS: Final = {"ok": "in order", "attention": "look at it", "problem": "broken", "unknown": "not known"}

_ROUNDS: dict[str, Round] = {}
"""The last one, by the state file's place."""


def _key(visitor: Visitor) -> str:
    return visitor.scene.state.server


async def show(visitor: Visitor) -> Response:
    """Show what was found, worst first once it is over; while it goes on, how far it is."""
    last = _ROUNDS.get(_key(visitor))
    runs = last is not None and last.ended is None
    findings = last.findings if last else []
    if last and not runs:
        order = ("problem", "attention", "unknown", "ok")
        findings.sort(key=lambda pair: order.index(pair[1].state) if pair[1] else 0)
    return visitor.page(
        "window/doctor.html",
        last=last,
        runs=runs,
        findings=findings,
        done=sum(finding is not None for _, finding in findings),
        words=_WORDS,
        checks=CHECKS,
    )


async def run(visitor: Visitor) -> Response:
    """Begin a round, unless one goes on."""
    key = _key(visitor)
    last = _ROUNDS.get(key)
    if last is None or last.ended is not None:
        _ROUNDS[key] = Round(Scene.beside(visitor.scene.loaded, visitor.scene.clock), CHECKS, visitor.scene.clock)
    return visitor.go("/doctor")


async def failure(visitor: Visitor) -> Response:
    """Show the failure behind the reference that somebody reads from a page, with its remedy."""
    typed = visitor.request.query_params.get("reference", "").strip()[:_LONGEST]
    met = await find_failure(visitor.scene.loaded, typed) if typed else []
    found = [(local(one.at), one.call, failure_from(one.code, one.reference, one.facts)) for one in met]
    return visitor.page("window/doctor-failure.html", typed=typed, found=found)


PAGES = (
    Page("/doctor", show),
    Page("/doctor", run, method="POST"),
    Page("/doctor/failure", failure),
)

"""The doctor in the window: a button that examines this machine, and a reference that leads to its failure.

A round goes on in the process that serves the window; its findings are kept there until the next one, for everybody who
looks. Nothing is changed by looking; what can be mended safely has a button of its own, for who may set up eServices.
"""

from typing import Final, Literal

import structlog
from starlette.responses import Response

from econnector.base.errors import Failure, PageMissing, failure_from
from econnector.office.doctor import CHECKS, fixing
from econnector.office.doctor.fixing import Mended, trace
from econnector.office.doctor.round import Round
from econnector.office.doctor.scene import Scene
from econnector.office.running import local
from econnector.office.status import find_failure
from econnector.office.window.frame import Page, Section, Visitor

__all__ = ["PAGES", "SECTION"]

log = structlog.get_logger(__name__)

SECTION = Section("Doctor", "/doctor", "heart")

_LONGEST: Final = 200
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


async def mend(visitor: Visitor) -> Response:
    """Do what a check finds to mend now, look again, and leave the trace."""
    scene, wanted = visitor.scene, visitor.form.get("check")
    check = next((each for each in CHECKS if each.id == wanted and each.fixes), None)
    if check is None:
        raise PageMissing(reference=visitor.reference)
    mended = await fixing.mend(lambda: Scene.beside(scene.loaded, scene.clock), check)
    last = _ROUNDS.get(_key(visitor))
    if last is not None:
        last.hear(mended.after)
    if mended.outcome == "mended":
        await _note(visitor, mended)
    signs: dict[str, Literal["ok", "problem", "info"]] = {"mended": "ok", "failed": "problem", "needless": "info"}
    return visitor.go("/doctor", " ".join([mended.text, *mended.remedy]), signs[mended.outcome])


async def _note(visitor: Visitor, mended: Mended) -> None:
    """Say in log and audit trail who did it; a database that is away keeps nobody from mending."""
    log.info("something was mended in the window", check=mended.check, fix=mended.fix, user=visitor.who.user)
    try:
        await visitor.scene.desk.service_changed(visitor.who, trace(mended))
    except Failure as failure:
        log.warning("what was mended is not in the audit trail", code=failure.code, reference=failure.reference)


async def failure(visitor: Visitor) -> Response:
    """Show the failure behind the reference that somebody reads from a page, with its remedy."""
    typed = visitor.request.query_params.get("reference", "").strip()[:_LONGEST]
    met = await find_failure(visitor.scene.loaded, typed) if typed else []
    found = [(local(one.at), one.call, failure_from(one.code, one.reference, one.facts)) for one in met]
    return visitor.page("window/doctor-failure.html", typed=typed, found=found)


PAGES = (
    Page("/doctor", show),
    Page("/doctor", run, method="POST"),
    Page("/doctor/mend", mend, method="POST", needs="setup"),
    Page("/doctor/failure", failure),
)

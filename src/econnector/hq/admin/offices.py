"""One office: what HQ knows of it, what the vendor may do for it, and its doctor."""

import datetime as dt
import re

import msgspec
from starlette.responses import Response

from econnector.base.errors import Failure, PageMissing
from econnector.hq.admin.frame import Page, Visitor, when
from econnector.hq.admin.words import CEMT_STATES, FINDINGS, SIGNS, WORDS
from econnector.hq.registry import deeds, dossier, offices
from econnector.link.calls import DOCTOR, DoctorWanted, Examined, FailureMet
from econnector.web.failing import view
from econnector.web.forms import Form

__all__ = ["PAGES"]

_DEEDS = ("disable", "enable", "move")
_HOURS = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)
_MOST_HOURS = 24 * 14
_FINDINGS, _FAILURES, _STEPS, _TEXT, _WORD = 200, 50, 20, 1000, 100
"""At most, of what a doctor finds: findings, failures, steps of one, characters of a text and of a name."""
_ORDER = {"problem": 0, "attention": 1, "unknown": 2, "ok": 3}


async def show(visitor: Visitor) -> Response:
    """Show an office."""
    return await _page(visitor)


async def _page(visitor: Visitor, examined: Examined | None = None, failure: Failure | None = None) -> Response:
    name = visitor.request.path_params["office"]
    known = await visitor.desk.registry.run(dossier.read, name, visitor.now)
    findings = sorted(examined.findings, key=lambda each: _ORDER.get(each.state, 2)) if examined else []
    failed = view(failure, visitor) if failure else None
    values: dict[str, object] = {"words": WORDS, "signs": SIGNS, "cemt_states": CEMT_STATES, "findings": findings}
    values["finding_words"] = FINDINGS
    status = failed.status if failed else 200
    return visitor.page("admin/office.html", status, known=known, examined=examined, failed=failed, **values)


# -- deeds ---------------------------------------------------------------------------------------------------------


async def ask(visitor: Visitor) -> Response:
    """Ask whether it is really meant."""
    name, deed = visitor.request.path_params["office"], visitor.request.path_params["deed"]
    office = await visitor.desk.registry.run(offices.get, name)
    if deed not in _DEEDS:
        raise PageMissing(reference=visitor.reference)
    status = 422 if visitor.form.mistakes else 200
    return visitor.page("admin/ask.html", status, office=office, deed=deed)


async def do(visitor: Visitor) -> Response:
    """Do it, and note who did."""
    name, deed = visitor.request.path_params["office"], visitor.request.path_params["deed"]
    if deed not in _DEEDS or not _fits(deed, visitor.form):
        return await ask(visitor)
    desk, now = visitor.desk, visitor.now
    if deed == "disable":
        reason = visitor.form.get("reason").strip()
        await desk.registry.run(deeds.doing, visitor.deed("disabled", name, reason), offices.disable, name, reason, now)
    elif deed == "enable":
        await desk.registry.run(deeds.doing, visitor.deed("enabled", name), offices.enable, name, now)
    else:
        until = now + dt.timedelta(hours=int(visitor.form.get("hours")))
        noted = visitor.deed("move-opened", name, f"until {when(until)}")
        await desk.registry.run(deeds.doing, noted, offices.open_move, name, until, now)
    return visitor.go(f"/offices/{name}")


def _fits(deed: str, form: Form) -> bool:
    """Note what is wrong with what was typed; return whether nothing is."""
    if deed == "disable" and not form.get("reason").strip():
        form.wrong("reason", "Say why: the office reads it.")
    hours = form.get("hours").strip()
    if deed == "move" and not (_HOURS.fullmatch(hours) and int(hours) <= _MOST_HOURS):
        form.wrong("hours", f"Enter a number of hours from 1 to {_MOST_HOURS}.")
    return not form.mistakes


# -- doctor --------------------------------------------------------------------------------------------------------


async def examine(visitor: Visitor) -> Response:
    """Have the office's own doctor look, and show what it finds. It changes nothing there."""
    name = visitor.request.path_params["office"]
    asked = visitor.deed("doctor", name)
    await visitor.desk.registry.run(deeds.doing, asked, offices.get, name)
    try:
        found = await visitor.desk.asker(name).ask(DOCTOR, DoctorWanted(), reference=visitor.reference)
    except Failure as failure:
        return await _page(visitor, failure=failure)
    return await _page(visitor, _bounded(found))


def _bounded(said: Examined) -> Examined:
    """Return of what a connector says no more than a page can hold: it may say anything."""
    findings = [
        msgspec.structs.replace(
            each,
            check=each.check[:_WORD],
            proves=each.proves[:_TEXT],
            text=each.text[:_TEXT],
            remedy=[step[:_TEXT] for step in each.remedy[:_STEPS]],
            code=each.code[:_WORD],
            reference=each.reference[:_WORD],
        )
        for each in said.findings[:_FINDINGS]
    ]
    failures = [
        FailureMet(each.at[:_WORD], each.code[:_WORD], each.reference[:_WORD]) for each in said.failures[:_FAILURES]
    ]
    return Examined(said.machine[:_WORD], said.version[:_WORD], findings, failures)


PAGES = (
    Page("/offices/{office}", show),
    Page("/offices/{office}/doctor", examine, method="POST"),
    Page("/offices/{office}/{deed}", ask),
    Page("/offices/{office}/{deed}", do, method="POST"),
)

"""One way through for care summaries: what they need, the list that comes with eConnector at once, then SNOMED CT."""

from starlette.responses import Response

from econnector.office.codes.importer import Wanted, terms_shown
from econnector.office.codes.summaries import WHY, Step, steps
from econnector.office.codes.words import said, size
from econnector.office.window.codes_form import begun
from econnector.office.window.codes_running import codes_of, start
from econnector.office.window.frame import Page, Visitor

__all__ = ["PAGES"]

_HERE = "/codes/for-summaries"


async def show(visitor: Visitor) -> Response:
    """Show both lists, and what is to be done about each."""
    return _shown(visitor, await _steps(visitor))


async def begin(visitor: Visitor) -> Response:
    """Import what comes with eConnector at once; with an answered form, SNOMED CT too."""
    vaccines, terms = await _steps(visitor)
    if not vaccines.done and not vaccines.row.runs:
        await start(visitor, Wanted(vaccines.row.system.name, shipped=True))
    if visitor.form.get("terms-of") != terms.row.system.name:
        return visitor.go(_HERE)
    if not await begun(visitor, terms.row):
        return _shown(visitor, await _steps(visitor))
    return visitor.go(_HERE, "SNOMED CT is being imported. You may close this page: it goes on.")


async def _steps(visitor: Visitor) -> list[Step]:
    return steps(await codes_of(visitor.scene).listed())


def _shown(visitor: Visitor, found: list[Step]) -> Response:
    return visitor.page(
        "window/codes-summaries.html",
        422 if visitor.form.mistakes else 200,
        why=WHY,
        steps=found,
        missing=[step for step in found if not step.done],
        running=[step for step in found if step.row.runs],
        terms=terms_shown("SNOMEDCT"),
        said=said,
        size=size,
    )


PAGES = (Page(_HERE, show), Page(_HERE, begin, method="POST", needs="setup"))

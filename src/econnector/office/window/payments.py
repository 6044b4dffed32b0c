"""Online payments: what was paid, whether it is in the books, and how it gets there."""

from typing import Final

from starlette.responses import Response

from econnector.base.errors import OfficeFailure, ValueRejected
from econnector.office.onlinepayments import MODES, STATES, OnlinePayments, payments_with
from econnector.office.window.frame import Page, Section, Visitor
from econnector.storage.state.payments import PAID, UNFINISHED
from econnector.web.failing import FailureView

__all__ = ["PAGES", "SECTION"]

SECTION: Section | None = None
_PATH: Final = "/portal/payments"
_NUMBER: Final = 10

_LOOKS: Final = {
    state: ("attention" if state in UNFINISHED else "ok" if state in PAID else "unknown", words)
    for state, words in STATES.items()
}


def _payments(visitor: Visitor) -> OnlinePayments:
    scene = visitor.scene
    return payments_with(scene.loaded, scene.database, scene.state, scene.schemas)


async def show(visitor: Visitor, failed: FailureView | None = None) -> Response:
    """Show them; `failed` is what asking the processor met."""
    found = await _payments(visitor).look()
    code = 422 if visitor.form.mistakes else 200
    shown = {"found": found, "states": _LOOKS, "modes": MODES, "failed": failed}
    return visitor.page("window/payments.html", code, **shown)


async def choose(visitor: Visitor) -> Response:
    """Say how payments get into the books."""
    mode = visitor.form.get("mode")
    try:
        changed = await _payments(visitor).choose(visitor.who, "ledger" if mode == "ledger" else "pending")
    except ValueRejected as rejected:
        visitor.form.wrong("mode", rejected.facts["why"])
        return await show(visitor)
    if not changed:
        return visitor.go(_PATH, "It was so already.", "info")
    return visitor.go(_PATH, "That holds from the next payment on.")


async def ask(visitor: Visitor) -> Response:
    """Ask the processor about one payment."""
    number = visitor.form.get("number")[:_NUMBER]
    try:
        row = await _payments(visitor).ask(visitor.who, number)
    except ValueRejected:
        return visitor.go(_PATH, "There is no online payment with this number.", "info")
    except OfficeFailure as failure:
        return await show(visitor, visitor.failed(failure))
    return visitor.go(_PATH, f"Payment {row.number}: {STATES[row.state].lower()}.", "info")


PAGES = (
    Page(_PATH, show),
    Page(f"{_PATH}/choose", choose, method="POST", needs="setup"),
    Page(f"{_PATH}/ask", ask, method="POST", needs="setup"),
)

"""Invites by mail: for one patient from their page, for many from the list of who comes soon."""

from starlette.responses import Response

from econnector.office.invites import Refused, Sent
from econnector.office.window.frame import Page, Section, Visitor
from econnector.office.window.portal import invites_of, number_in, once

__all__ = ["PAGES", "SECTION", "send_many"]

SECTION: Section | None = None


async def send(visitor: Visitor) -> Response:
    """Send one; the same form sent twice sends one mail."""
    number = number_in(visitor.form.get("number"))
    sent = await once(visitor, lambda: invites_of(visitor).send(visitor.who, number))
    back = f"/portal/patient?number={number}"
    if not isinstance(sent, Sent):
        return visitor.go(back)
    until = sent.until.astimezone().strftime("%m/%d/%Y %H:%M")
    kept = "Access is given." if sent.given else "Until it is accepted, the present password works."
    return visitor.go(back, f"The invite is on its way to {sent.to}. It works once, until {until}. {kept}")


async def send_many(visitor: Visitor, numbers: list[int]) -> Response:
    """Send one to each of these patients (PatNums), and show who got none and why."""
    results = await once(visitor, lambda: invites_of(visitor).send_many(visitor.who, numbers))
    done = results if isinstance(results, list) else []
    return visitor.page(
        "window/portal-many-invited.html",
        sent=[each for each in done if isinstance(each, Sent)],
        refused=[each for each in done if isinstance(each, Refused)],
    )


PAGES = (Page("/portal/invite", send, method="POST", needs="setup"),)

"""The account: who in the family owes what, and what was paid."""

from starlette.responses import Response

from econnector.eservices.portal.calls import ACCOUNT, PAYMENTS, PageAsked, PersonAsked
from econnector.eservices.portal.web.frame import frame
from econnector.eservices.portal.web.visiting import PortalVisit

__all__ = ["PAGES"]


async def _account(visit: PortalVisit) -> Response:
    """Show the family's balance, whose it is, and what waits."""
    shown = await visit.ask(ACCOUNT, PersonAsked(visit.signed_in(), visit.person))
    return visit.page("portal/account.html", frame=frame(visit, "/account", shown), shown=shown)


async def _payments(visit: PortalVisit) -> Response:
    """List what was paid, newest first."""
    shown = await visit.ask(PAYMENTS, PageAsked(visit.signed_in(), visit.person, visit.page_number))
    return visit.page("portal/payments.html", frame=frame(visit, "/payments", shown), shown=shown)


PAGES = (("/account", _account, "GET"), ("/payments", _payments, "GET"))

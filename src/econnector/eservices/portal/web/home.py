"""The home page, help, and staying signed in."""

from starlette.responses import JSONResponse, Response

from econnector.base.errors import Failure, FormExpired, SessionEnded
from econnector.eservices.portal.calls import HOME, Home, PersonAsked
from econnector.eservices.portal.web.frame import frame, seconds_left
from econnector.eservices.portal.web.visiting import PortalVisit
from econnector.web.forms import read_form

__all__ = ["PAGES"]

_SOON = 14
"""Days before a visit from which on its confirmation is something to do."""


async def _home(visit: PortalVisit) -> Response:
    """Show what matters now: what to do, the next visit, the balance."""
    shown = await visit.ask(HOME, PersonAsked(visit.signed_in(), visit.person))
    return visit.page(
        "portal/home.html",
        frame=frame(visit, "/", shown),
        home=shown,
        confirm=[one for one in shown.coming if one.confirmation == "open" and one.days_ahead <= _SOON],
        new_statement=_is_new(shown),
        new_token=visit.form_token,
        notice=visit.request.query_params.get("notice", ""),
    )


def _is_new(shown: Home) -> bool:
    """Return whether a statement came since the last sign-in (ISO texts compare as dates do)."""
    return bool(shown.last_sign_in and shown.latest_statement and shown.latest_statement >= shown.last_sign_in[:10])


async def _help(visit: PortalVisit) -> Response:
    """Tell how to reach the office; also when nobody is signed in or the office does not answer."""
    answer = None
    if visit.token:
        try:
            answer = await visit.ask(HOME, PersonAsked(visit.token, visit.person))
        except Failure:
            answer = None
    around = frame(visit, "/help", answer)
    return visit.page("portal/help.html", frame=around, session=answer.session if answer else None)


async def _stay(visit: PortalVisit) -> Response:
    """Keep the session alive for somebody who is still reading: any answered question does that."""
    if not visit.sent_by_us(await read_form(visit.request)):
        raise FormExpired(reference=visit.reference) if visit.token else SessionEnded(reference=visit.reference)
    answer = await visit.ask(HOME, PersonAsked(visit.signed_in()))
    return JSONResponse({"seconds": seconds_left(answer.session)})


PAGES = (("/", _home, "GET"), ("/help", _help, "GET"), ("/stay", _stay, "POST"))

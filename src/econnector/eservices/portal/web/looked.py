"""Who looked: the traces of a record, for the one whose record it is."""

from starlette.responses import Response

from econnector.eservices.portal.calls import WHO_LOOKED, PageAsked
from econnector.eservices.portal.web.frame import frame
from econnector.eservices.portal.web.visiting import KIT, PortalVisit

__all__ = ["PAGES"]


async def _who_looked(visit: PortalVisit) -> Response:
    """List who did what with the record, newest first."""
    shown = await visit.ask(WHO_LOOKED, PageAsked(visit.signed_in(), visit.person, visit.page_number))
    # A newer office may tell what these pages have no words for.
    words = {look.what for look in shown.items if KIT.texts.find("en", f"looked-what.{look.what}")}
    around = frame(visit, "/who-looked", shown)
    return visit.page("portal/who-looked.html", frame=around, shown=shown, words=words)


PAGES = (("/who-looked", _who_looked, "GET"),)

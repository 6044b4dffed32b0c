"""Health: what the office has noted, and the treatment plans that it has saved."""

from starlette.responses import Response

from econnector.eservices.portal.calls import HEALTH, TREATMENT_PLAN, PersonAsked, PlanAsked
from econnector.eservices.portal.web.frame import frame
from econnector.eservices.portal.web.visiting import PortalVisit

__all__ = ["PAGES"]


async def _health(visit: PortalVisit) -> Response:
    """Show the lists and the plans."""
    shown = await visit.ask(HEALTH, PersonAsked(visit.signed_in(), visit.person))
    return visit.page("portal/health.html", frame=frame(visit, "/health", shown), shown=shown)


async def _plan(visit: PortalVisit) -> Response:
    """Show one treatment plan."""
    number = visit.number(visit.request.path_params["plan"])
    shown = await visit.ask(TREATMENT_PLAN, PlanAsked(visit.signed_in(), number))
    total = {
        "fee": sum(line.fee_cents for line in shown.lines),
        "insurance": sum(line.insurance_cents for line in shown.lines),
        "off": sum(line.off_cents for line in shown.lines),
        "patient": sum(line.patient_cents for line in shown.lines),
    }
    around = frame(visit, "/health/plans", shown)
    return visit.page("portal/treatment-plan.html", frame=around, shown=shown, total=total)


PAGES = (("/health", _health, "GET"), ("/health/plans/{plan}", _plan, "GET"))

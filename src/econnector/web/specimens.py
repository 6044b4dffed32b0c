"""A page with every piece of the design kit, for looking at and for tests; shown in demos only."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from econnector.base.errors import OfficeBusy
from econnector.web.failing import view
from econnector.web.forms import Form, Mistake
from econnector.web.guard import reference_of
from econnector.web.kit import Kit

__all__ = ["specimen_route"]


def specimen_route(kit: Kit) -> Route:
    """Return the route of `/kit`."""

    async def specimens(request: Request) -> Response:
        visit = kit.visit(request, reference_of(request), request.scope["state"].get("door"))
        form = Form({"name": "Ann"}, [Mistake("name", "Use at least 4 characters."), Mistake("secret", "Too short.")])
        failed = view(OfficeBusy(reference=visit.reference, seconds=20), visit)
        return visit.page("kit/specimens.html", form=form, failed=failed, days=_DAYS)

    return Route("/kit", specimens)


_DAYS = (
    (0.0, 0.42, "ok", "1 to 12 November: working"),
    (0.42, 0.435, "problem", "12 November, 14:05 to 14:40: database away"),
    (0.435, 0.7, "ok", "12 to 20 November: working"),
    (0.7, 0.74, "attention", "20 November: slow"),
    (0.74, 0.93, "ok", "20 to 27 November: working"),
    (0.93, 1.0, "unknown", "since 27 November: not known"),
)

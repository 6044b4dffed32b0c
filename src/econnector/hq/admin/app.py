"""The fleet pages as one ASGI app, to be mounted at `/admin`."""

from typing import NoReturn

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import Route

from econnector.base.errors import PageMissing
from econnector.hq.admin import fleet, offices, signing
from econnector.hq.admin.frame import Desk, Page, Visitor
from econnector.hq.admin.site import KIT, Site
from econnector.web.guard import Guard
from econnector.web.static import STATIC

__all__ = ["PAGES", "create_pages"]

PAGES: tuple[Page, ...] = (*fleet.PAGES, *offices.PAGES, *signing.PAGES)


def create_pages(desk: Desk) -> Starlette:
    """Return the pages over `desk`."""
    site = Site(desk)
    return Starlette(
        routes=[
            *(Route(page.path, site.endpoint(page), methods=[page.method]) for page in PAGES),
            STATIC.route(),
            Route("/{path:path}", site.endpoint(_MISSING)),
        ],
        middleware=[Middleware(Guard, kit=KIT)],
        exception_handlers={HTTPException: _to_the_guard},
    )


async def _missing(visitor: Visitor) -> NoReturn:
    raise PageMissing(reference=visitor.reference)


_MISSING = Page("/{path:path}", _missing, open=True)


async def _to_the_guard(_: Request, error: Exception) -> NoReturn:
    raise error

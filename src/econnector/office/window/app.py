"""The eConnector Service window as one ASGI app. Which subjects it has, in the order of its navigation, stands here."""

from typing import NoReturn

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import Route

from econnector.base.errors import PageMissing
from econnector.office.window import (
    codes,
    contacts,
    deeds,
    doctor,
    install,
    logs,
    mail,
    payments,
    portal,
    portal_care,
    portal_invites,
    portal_many,
    portal_notice,
    portal_preview,
    portal_rules,
    portal_tries,
    services,
    signing,
    status,
    summaries,
)
from econnector.office.window.frame import Module, Page, Visitor
from econnector.office.window.hosts import OwnHost
from econnector.office.window.scene import Scene
from econnector.office.window.site import KIT, Site
from econnector.web.guard import Guard
from econnector.web.static import STATIC

__all__ = ["MODULES", "create_app"]

MODULES: tuple[Module, ...] = (
    status,
    deeds,
    portal,
    portal_care,
    portal_invites,
    portal_many,
    portal_notice,
    portal_preview,
    portal_rules,
    portal_tries,
    payments,
    summaries,
    services,
    install,
    mail,
    contacts,
    codes,
    doctor,
    logs,
    signing,
)


def create_app(scene: Scene) -> Starlette:
    """Return the window over `scene`, to be served at its address and port alone."""
    site = Site(scene, tuple(module.SECTION for module in MODULES if module.SECTION))
    pages = [page for module in MODULES for page in module.PAGES]
    preview = portal_preview.pages_of(scene)
    return Starlette(
        routes=[
            *(Route(page.path, site.endpoint(page), methods=[page.method]) for page in pages),
            Route(preview.path, site.endpoint(preview), methods=["GET", "POST"]),
            STATIC.route(),
            Route("/{path:path}", site.endpoint(_MISSING)),
        ],
        middleware=[
            Middleware(Guard, kit=KIT),
            Middleware(OwnHost, address=scene.address, port=scene.port),
        ],
        exception_handlers={HTTPException: _to_the_guard},
    )


async def _missing(visitor: Visitor) -> NoReturn:
    raise PageMissing(reference=visitor.reference)


_MISSING = Page("/{path:path}", _missing, needs="nobody", polled=True)


async def _to_the_guard(_: Request, error: Exception) -> NoReturn:
    raise error

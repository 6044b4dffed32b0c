"""The portal's pages. They know the contract and a door to the office, not whether a link lies between."""

from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route

from econnector.eservices.portal.web import (
    account,
    appointments,
    changing,
    documents,
    forgot,
    health,
    home,
    installing,
    invited,
    looked,
    messages,
    paying,
    privacy,
    security,
    sharing,
    sharing_open,
    signing,
    statements,
    stepping,
    summary,
)
from econnector.eservices.portal.web.composing import takes_files
from econnector.eservices.portal.web.returning import returning
from econnector.eservices.portal.web.visiting import KIT, Site
from econnector.web.door import FindDoor
from econnector.web.guard import Guard
from econnector.web.pathways import Pathways
from econnector.web.specimens import specimen_route
from econnector.web.static import STATIC

__all__ = ["routes", "takes_files"]

SUBJECTS = (
    home,
    signing,
    security,
    forgot,
    invited,
    stepping,
    changing,
    account,
    paying,
    statements,
    documents,
    looked,
    messages,
    appointments,
    health,
    summary,
    sharing,
    sharing_open,
    privacy,
    installing,
)
"""Each module's `PAGES` are its addresses."""


def routes(find: FindDoor, *, secure_cookies: bool = True, specimens: bool = False) -> list[BaseRoute]:
    """Return the portal's pages, to be mounted where an office's portal lives.

    `find` is asked once per request; `Door.base` must be the prefix they are mounted under. They bring their own
    guard, so that every answer has the safety headers wherever they are mounted. `secure_cookies` is false only
    where pages are served without TLS on a real network (browsers accept secure cookies from loopback).
    `specimens` adds `/kit`, a page with every piece of the design kit.
    """
    site = Site(find, secure_cookies=secure_cookies)
    pages: list[BaseRoute] = [
        Route(path, site.page(returning(handler) if method == "POST" else handler), methods=[method])
        for subject in SUBJECTS
        for path, handler, method in subject.PAGES
    ]
    address, notice = paying.NOTICES
    pages.append(Route(address, site.page(notice), methods=["POST"]))
    pages.append(STATIC.route())
    if specimens:
        pages.append(specimen_route(KIT))
    return [Mount("", app=Pathways(pages), middleware=[Middleware(Guard, kit=KIT, find=find, uploads=takes_files)])]

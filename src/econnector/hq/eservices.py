"""The eServices that HQ serves: one line each."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

if TYPE_CHECKING:
    from econnector.hq.doors import Doors
    from econnector.web.door import FindDoor

__all__ = ["ESERVICES", "EService", "below_offices", "on_host_names", "takes_files"]


class Pages(Protocol):
    """What an eService's `web` has."""

    def routes(self, find: "FindDoor") -> Sequence[BaseRoute]:
        """Return its pages."""
        ...

    def takes_files(self, request: Request) -> bool:
        """Say whether a request is to one of its pages that take files."""
        ...


class EService(NamedTuple):
    """One eService's pages and where they are."""

    path: str
    """Below `/o/<office>`."""
    host_path: str
    """On an office's own host name."""
    pages: Callable[[], Pages]
    """Imports them: a command that says where they are needs none."""


def _portal() -> Pages:
    from econnector.eservices.portal import web  # noqa: PLC0415 - see EService.pages

    return web


ESERVICES = (EService("/portal", "", _portal),)


def takes_files(request: Request) -> bool:
    """Say whether a request is to a page that takes files, of whatever eService."""
    return any(each.pages().takes_files(request) for each in ESERVICES)


def below_offices(doors: "Doors") -> list[BaseRoute]:
    """Return every eService at `/o/<office>/…`; an address typed without its last slash leads there too."""
    found: list[BaseRoute] = []
    for each in ESERVICES:
        path = f"/o/{{office}}{each.path}"
        found += [
            Mount(path, routes=each.pages().routes(doors.finder(each.path, each.host_path))),
            Route(path, _with_slash),
        ]
    return found


async def _with_slash(request: Request) -> Response:
    return RedirectResponse(request.scope["path"] + "/", 307)


def on_host_names(doors: "Doors") -> list[BaseRoute]:
    """Return every eService as it is on an office's own host name; the one at its root comes last."""
    in_order = sorted(ESERVICES, key=lambda each: each.host_path, reverse=True)
    return [
        Mount(each.host_path, routes=each.pages().routes(doors.finder(each.path, each.host_path))) for each in in_order
    ]

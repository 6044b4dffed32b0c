"""Routes whose redirects stay on the site: an address typed with one slash too many leads to the page without it.

Starlette's own redirect names the host that the request named, which may be anybody's, and the scheme that this server
sees behind a proxy, which may not be the browser's.
"""

from collections.abc import Sequence

from starlette.datastructures import URL
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Match, Router
from starlette.types import Receive, Scope, Send

__all__ = ["Pathways"]


class Pathways(Router):
    """A router of pages whose addresses end without a slash."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        """Serve these."""
        super().__init__(routes, redirect_slashes=False, default=self._not_found)

    async def _not_found(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            raise HTTPException(404)
        root, path = str(scope.get("root_path", "")), str(scope["path"])
        # One slash at the front: two would name another host.
        tidy = f"{root}/{path.removeprefix(root).strip('/')}"
        if tidy == path or not self._has({**scope, "path": tidy}):
            raise HTTPException(404)
        query = scope["query_string"].decode("latin-1")
        target = URL(path=tidy, query=query) if query else URL(path=tidy)
        await RedirectResponse(str(target), 303)(scope, receive, send)

    def _has(self, scope: Scope) -> bool:
        return any(route.matches(scope)[0] is Match.FULL for route in self.routes)

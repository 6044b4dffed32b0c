"""Stylesheet, scripts and icons under addresses that name their content, so that a browser keeps them for a year.

They travel compressed where that helps. Pages do not: they hold secrets beside what others wrote, and the size of the
two compressed together would tell the secret (BREACH).
"""

import gzip
import hashlib
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from econnector.base.errors import PageMissing

__all__ = ["STATIC", "Static"]

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
_FOR_EVER = "public, max-age=31536000, immutable"


class Static:
    """The kit's static files, held in memory."""

    def __init__(self, package: str = "econnector.web") -> None:
        """Read every file of the package's `static` folder."""
        self._files: dict[str, bytes] = {}
        self._small: dict[str, bytes] = {}
        self._marks: dict[str, str] = {}
        for entry in files(package).joinpath("static").iterdir():
            if entry.name.endswith(tuple(_TYPES)):
                content = entry.read_bytes()
                self._files[entry.name] = content
                self._marks[entry.name] = hashlib.sha256(content).hexdigest()[:12]
                small = gzip.compress(content, mtime=0)
                if len(small) < len(content):
                    self._small[entry.name] = small

    def path(self, name: str) -> str:
        """Return the address of a file below the pages' base. Raises `KeyError` when there is none."""
        return f"/static/{self._marks[name]}/{name}"

    def text(self, name: str) -> str:
        """Return what is in a file of text. Raises `KeyError` when there is none."""
        return self._files[name].decode("utf-8")

    def route(self) -> Route:
        """Return the route that serves them; it needs no office and no session."""
        return Route("/static/{mark}/{name}", self._serve)

    async def _serve(self, request: Request) -> Response:
        name = request.path_params["name"]
        content = self._files.get(name)
        if content is None:
            raise PageMissing
        # A page from before an update may still name the old content: it gets the new, but does not keep it.
        fresh = request.path_params["mark"] == self._marks[name]
        kind = next(kind for ending, kind in _TYPES.items() if name.endswith(ending))
        headers = {"cache-control": _FOR_EVER if fresh else "no-cache"}
        if name in self._small:
            headers["vary"] = "accept-encoding"
            if _unpacks(request):
                content = self._small[name]
                headers["content-encoding"] = "gzip"
        return Response(content, media_type=kind, headers=headers)


def _unpacks(request: Request) -> bool:
    """Return whether who asks takes gzip (RFC 9110, section 12.5.3)."""
    wishes = request.headers.get("accept-encoding", "").lower().replace(" ", "").split(",")
    return any(wish == "gzip" or (wish.startswith("gzip;q=") and wish[7:].strip("0.")) for wish in wishes)


STATIC = Static()

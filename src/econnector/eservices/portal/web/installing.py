"""The portal as an app on a phone: its manifest, and what is shown when nothing can be reached.

Public, and without asking the office: what is here must work while the office is away. What the browser keeps for
that (`worker.js`) holds nothing of a patient's.
"""

import hashlib
from typing import Final

import msgspec
from starlette.responses import Response

from econnector.eservices.portal.web.visiting import PortalVisit
from econnector.web.static import STATIC

__all__ = ["PAGES"]

_LIGHT, _PAPER = "#ffffff", "#f3f8f9"
"""`--sheet` and `--paper` of the stylesheet: the bar above the page, and what is seen before it."""
_PICTURES: Final = (
    ("icon.svg", "any", "any"),
    ("icon-192.png", "192x192", "any"),
    ("icon-512.png", "512x512", "any"),
    ("icon-maskable.png", "512x512", "maskable"),
)
_KINDS: Final = {"svg": "image/svg+xml", "png": "image/png"}
_SHARED: Final = ("kit.css", "kit.js", "icon.svg")
_EXPLAINED: Final = {"device": "/offline", "away": "/unreachable"}
_AN_HOUR: Final = "private, max-age=3600"
"""A browser would ask for the worker anew after every page otherwise."""


async def _manifest(visit: PortalVisit) -> Response:
    """Tell a browser how to install the portal (W3C Web Application Manifest)."""
    base, say = visit.base, visit.say
    content = {
        "id": f"{base}/",
        "name": visit.door.title or "eConnector",
        "lang": visit.language.tag,
        "dir": "ltr",
        "start_url": f"{base}/",
        "scope": f"{base}/",
        "display": "standalone",
        "background_color": _PAPER,
        "theme_color": _LIGHT,
        "icons": [_picture(base, *one) for one in _PICTURES],
        "shortcuts": [
            {"name": say(f"portal.{name}"), "url": f"{base}/{name}"} for name in ("appointments", "messages", "account")
        ],
    }
    headers = {"cache-control": "no-cache", "vary": "accept-language"}
    return Response(msgspec.json.encode(content), media_type="application/manifest+json", headers=headers)


def _picture(base: str, name: str, sizes: str, purpose: str) -> dict[str, str]:
    kind = _KINDS[name.rpartition(".")[2]]
    return {"src": base + STATIC.path(name), "sizes": sizes, "type": kind, "purpose": purpose}


async def _worker(visit: PortalVisit) -> Response:
    """Return the service worker, which changes with everything that it keeps: a browser compares it byte by byte."""
    base, worker = visit.base, STATIC.text("worker.js")
    files = [base + STATIC.path(name) for name in _SHARED]
    pages = [_rendered(visit, why) for why in _EXPLAINED]
    kept = {
        "name": f"portal {base}",
        "version": hashlib.sha256("\n".join([worker, *files, *pages]).encode()).hexdigest()[:16],
        "files": [*files, *(base + path for path in _EXPLAINED.values())],
        "offline": base + _EXPLAINED["device"],
        "away": base + _EXPLAINED["away"],
    }
    text = f"const KEPT = {msgspec.json.encode(kept).decode()};\n{worker}"
    headers = {"cache-control": _AN_HOUR, "vary": "accept-language"}
    return Response(text, media_type="text/javascript; charset=utf-8", headers=headers)


async def _offline(visit: PortalVisit) -> Response:
    """Tell that the device has no connection."""
    return _explained(visit, "device")


async def _unreachable(visit: PortalVisit) -> Response:
    """Tell that the portal cannot be reached."""
    return _explained(visit, "away")


def _explained(visit: PortalVisit, why: str) -> Response:
    # For the worker alone: who opens it as a page has reached the portal, and it would not be true.
    if visit.request.headers.get("sec-fetch-mode") == "navigate":
        return visit.redirect("/")
    return visit.page("portal/offline.html", why=why)


def _rendered(visit: PortalVisit, why: str) -> str:
    return visit.render("portal/offline.html", why=why)


PAGES = (
    ("/manifest.webmanifest", _manifest, "GET"),
    ("/service-worker.js", _worker, "GET"),
    ("/offline", _offline, "GET"),
    ("/unreachable", _unreachable, "GET"),
)

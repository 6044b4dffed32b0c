"""The portal as a patient sees it: its real pages inside the window, where nothing can be changed.

The pages stand below `/preview`, with a cookie of their own. Before each of them the window asks who is signed in here
and whose preview it is; every form of theirs ends here, too. Their answers come from this process (`preview_answers`),
so that no internet is needed, and nothing of a preview is known at HQ.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Router
from starlette.types import Receive, Scope, Send

from econnector.base.errors import PreviewOnly
from econnector.eservices.portal.office import preview_answers
from econnector.eservices.portal.office.cashier import Cashier, MerchantTills
from econnector.eservices.portal.web import routes
from econnector.link.loopback import DirectAsker
from econnector.office.payments import payment_terms
from econnector.office.previews import Previews
from econnector.office.window.frame import Page, Section, Visitor
from econnector.office.window.portal import hand_of, number_in
from econnector.office.window.scene import Scene
from econnector.opendental.imagestore import ImageStore
from econnector.web.cookies import Cookie
from econnector.web.door import Door

__all__ = ["PAGES", "SECTION", "pages_of"]

SECTION: Section | None = None

BASE: Final = "/preview"
_COOKIE: Final = Cookie("portal", secure=False, strict=True)
"""As the portal's pages name theirs: they read it."""


def _office(scene: Scene) -> str:
    """Return the office's name in the cookie's: two windows on one machine must not share theirs."""
    return f"preview-{scene.port}"


async def begin(visitor: Visitor) -> Response:
    """Begin a preview and go to its first page."""
    token = await hand_of(visitor, Previews).begin(visitor.who, number_in(visitor.form.get("number")))
    response = visitor.go(f"{BASE}/")
    _COOKIE.keep(response, _office(visitor.scene), token)
    return response


PAGES = (Page("/portal/preview", begin, method="POST", needs="setup"),)


def pages_of(scene: Scene) -> Page:
    """Return the page that all pages of a preview are, for GET and POST."""
    pages = Router([Mount(BASE, routes=routes(_Doors(scene), secure_cookies=False))])

    async def show(visitor: Visitor) -> Response:
        hand, token = hand_of(visitor, Previews), _COOKIE.read(visitor.request, _office(scene))
        found = await hand.find(visitor.who, token)
        path = visitor.request.url.path.removeprefix(BASE)
        if found is None or path == "/sign-in":
            return _over(visitor, found.patient if found else 0, "The preview is over.")
        if path == "/sign-out":
            await hand.end(visitor.who)
            return _over(visitor, found.patient, "You ended the preview.")
        if visitor.request.method not in {"GET", "HEAD"}:
            raise PreviewOnly(reference=visitor.reference)
        visitor.request.scope["state"]["previewed"] = found.patient
        return _Inside(pages)

    return Page(f"{BASE}/{{path:path}}", show, needs="setup", polled=True)


def _over(visitor: Visitor, number: int, text: str) -> Response:
    response = visitor.go(f"/portal/patient?number={number}" if number else "/portal", text, "info")
    _COOKIE.drop(response, _office(visitor.scene))
    return response


class _Doors:
    """Finds the one office that there is, with answers that change nothing."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        images = ImageStore(scene.settings.images.root, scene.machine)
        tills = MerchantTills(payment_terms(scene.loaded), scene.clock)
        cashier = Cashier(scene.database, scene.state, scene.schemas, scene.clock, tills)
        parts = (scene.database, scene.state, scene.schemas, images, scene.clock)
        answers = preview_answers(*parts, cashier=cashier)
        self._asker = DirectAsker(answers)

    async def __call__(self, request: Request) -> Door:
        number = request.scope["state"].get("previewed", 0)
        back = f"/portal/patient?number={number}"
        return Door(_office(self._scene), BASE, title="", phone="", asker=self._asker, preview=back)


class _Inside(Response):
    """Answers as another app does."""

    def __init__(self, pages: Router) -> None:
        super().__init__()
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._pages(scope, receive, send)

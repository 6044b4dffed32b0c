"""The page `Family and privacy`: who sees one's record, and saying who may."""

from starlette.responses import Response

from econnector.base.errors import Failure, SessionEnded
from econnector.eservices.portal.calls import PRIVACY, SET_PRIVACY, Onlooker, OpenTopic, Privacy, SetPrivacy, Token
from econnector.eservices.portal.web.frame import frame
from econnector.eservices.portal.web.visiting import PortalVisit
from econnector.web.failing import FailureView, view
from econnector.web.forms import Form, read_form

__all__ = ["PAGES"]

_TOPICS = ("appointments", "account", "messages", "health", "documents")
_RELATIONS = ("family", "guardian", "responsible")
_LONGEST = 200


async def _show(visit: PortalVisit) -> Response:
    """Show who may see what."""
    shown = await visit.ask(PRIVACY, Token(visit.signed_in()))
    return _page(visit, shown.onlookers, shown, notice=visit.request.query_params.get("notice", ""))


async def _save(visit: PortalVisit) -> Response:
    """Save one's word about one person. The boxes stay as they were ticked until it is saved."""
    form = await read_form(visit.request)
    token = visit.signed_in()
    if not visit.sent_by_us(form):
        return _again(visit, form, *visit.not_sent())
    chosen = [topic for topic in _TOPICS if form.get(topic) == "1"]
    params = SetPrivacy(token, visit.number(form.get("viewer")), chosen)
    try:
        await visit.ask(SET_PRIVACY, params, form)
    except SessionEnded:
        raise
    except Failure as failure:
        shown = view(failure, visit)
        return _again(visit, form, shown.status, failed=shown)
    return visit.redirect("/family?notice=saved")


def _again(
    visit: PortalVisit, form: Form, status: int, notice: str = "", failed: FailureView | None = None
) -> Response:
    """Show the one form that was sent, as it was sent."""
    had = form.get("topics").split()
    relation = form.get("relation")
    onlooker = Onlooker(
        number=visit.number(form.get("viewer")),
        name=form.get("name")[:_LONGEST],
        relation=relation if relation in _RELATIONS else "family",
        topics=[OpenTopic(topic, form.get(topic) == "1") for topic in _TOPICS if topic in had],
    )
    return _page(visit, [onlooker], None, status=status, notice=notice, failed=failed, form=form)


def _page(  # noqa: PLR0913 - each is one thing the page may show
    visit: PortalVisit,
    onlookers: list[Onlooker],
    shown: Privacy | None,
    *,
    status: int = 200,
    notice: str = "",
    failed: FailureView | None = None,
    form: Form | None = None,
) -> Response:
    values = {
        "onlookers": onlookers,
        "shown": shown,
        "notice": notice,
        "failed": failed,
        "form_token": visit.form_token(again=form),
    }
    return visit.page("portal/family.html", status, frame=frame(visit, "/family", shown), **values)


PAGES = (("/family", _show, "GET"), ("/family", _save, "POST"))

"""The second step of signing in: a code, or a passkey."""

from starlette.responses import Response

from econnector.base.errors import (
    Failure,
    FormExpired,
    PasskeyRejected,
    SecondStepRejected,
    SessionEnded,
    TooManyTries,
)
from econnector.eservices.portal.calls import PRACTICE, SECOND_STEP, STEP, Nothing, SecondStep, Step, StepAsked
from econnector.eservices.portal.web.visiting import PortalVisit, safe_next
from econnector.web.failing import FailureView, view
from econnector.web.forms import Form, read_form

__all__ = ["PAGES"]


async def _step_form(visit: PortalVisit) -> Response:
    """Ask for the second step."""
    if _inside(visit):
        return visit.redirect("/")
    visit.know(await visit.ask(PRACTICE, Nothing()))
    return await _show(visit, Form({"next": visit.request.query_params.get("next", "")}))


async def _step(visit: PortalVisit) -> Response:
    """Try it. The session that begins here is a new one: nothing of before opens anything."""
    form = await read_form(visit.request)
    if _inside(visit):
        return visit.redirect("/")
    ticket = _ticket(visit)
    if not visit.sent_by_us(form, ticket):
        return await _show(visit, form, FormExpired(reference=visit.reference))
    if not form.get("code").strip() and not form.get("passkey"):
        form.wrong("code", visit.say("step.code-missing"))
        return await _show(visit, form)
    host, origin = visit.host
    tried = SecondStep(
        ticket=ticket,
        code="" if form.get("passkey") else form.get("code"),
        passkey=form.get("passkey"),
        host=host,
        origin=origin,
        address=visit.address,
        agent=visit.agent,
    )
    try:
        session = await visit.ask(SECOND_STEP, tried, form)
    except (SecondStepRejected, PasskeyRejected, TooManyTries) as failure:
        # Slowed down reads like wrong: who guesses must not learn which of the two it was.
        slowed = isinstance(failure, TooManyTries)
        return await _show(visit, form, SecondStepRejected(reference=failure.reference) if slowed else failure)
    first = session.change_user_name or session.change_password
    response = visit.redirect("/change" if first else safe_next(form.get("next")))
    visit.begin(session)
    visit.keep_session(response)
    visit.site.step.drop(response, visit.door.office)
    return response


def _inside(visit: PortalVisit) -> bool:
    """Return whether nothing waits here for who has a session: what leads here must not end it."""
    return bool(visit.token) and not visit.site.step.read(visit.request, visit.door.office)


def _ticket(visit: PortalVisit) -> str:
    ticket = visit.site.step.read(visit.request, visit.door.office)
    if not ticket:
        raise SessionEnded(reference=visit.reference, reason="no ticket for the second step")
    return ticket


async def _show(visit: PortalVisit, form: Form, failure: Failure | None = None) -> Response:
    # A passkey's challenge counts once, so that every showing of the page has one of its own.
    ticket = _ticket(visit)
    step: Step = await visit.ask(STEP, StepAsked(ticket, visit.host[0]))
    shown: FailureView | None = view(failure, visit) if failure else None
    status = shown.status if shown else 422 if form.mistakes else 200
    return visit.page(
        "portal/second-step.html",
        status,
        form=form.without("code", "passkey"),
        form_token=visit.form_token(ticket),
        next=safe_next(form.get("next")),
        step=step,
        failed=shown,
        carried=None,
    )


PAGES = (("/second-step", _step_form, "GET"), ("/second-step", _step, "POST"))

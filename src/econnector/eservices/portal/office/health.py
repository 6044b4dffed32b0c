"""Health: the lists that the office keeps, and the treatment plans that it has saved."""

from typing import TYPE_CHECKING

from econnector.base.errors import NotAllowed
from econnector.eservices.portal import calls
from econnector.eservices.portal.office.around import begin, note_view, text_of
from econnector.eservices.portal.office.desk import Desk
from econnector.opendental import medical, treatmentplans
from econnector.opendental.medical import Kind, Noted
from econnector.storage.state.sessions import PortalSession
from econnector.wire.call import Answers, Asked

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["answer"]

_NOBODY = -1


def answer(desk: Desk, answers: Answers) -> None:
    """Answer `HEALTH` and `TREATMENT_PLAN`. Both raise `NotAllowed`, `SessionEnded`, `ChangeRequired`."""

    @answers.to(calls.HEALTH)
    async def _(_asked: Asked, params: calls.PersonAsked) -> calls.Health:
        session = await desk.session(params.token)
        return await desk.show(_health, session, params)

    @answers.to(calls.TREATMENT_PLAN)
    async def _(_asked: Asked, params: calls.PlanAsked) -> calls.TreatmentPlanShown:
        session = await desk.session(params.token)
        return await desk.show(_plan, session, params)


def _health(connection: "Connection", desk: Desk, session: PortalSession, params: calls.PersonAsked) -> calls.Health:
    begun = begin(connection, desk, session, params, topic="health")
    person = begun.looking_at.number
    lists = medical.noted(connection, person, begun.visitor.settings)
    plans = treatmentplans.listed(connection, person)
    note_view(connection, begun.visitor, begun.looking_at, "health page")
    return calls.Health(
        **begun.frame,
        plans=[_as_plan(plan) for plan in plans],
        allergies=_as_list(lists[Kind.ALLERGY]),
        medications=_as_list(lists[Kind.MEDICATION]),
        problems=_as_list(lists[Kind.PROBLEM]),
        vaccines=_as_list(lists[Kind.VACCINE]),
    )


def _plan(
    connection: "Connection", desk: Desk, session: PortalSession, params: calls.PlanAsked
) -> calls.TreatmentPlanShown:
    """Return a plan. Raises `NotAllowed` for one that is not there, not saved or a stranger's, all alike."""
    plan = treatmentplans.find(connection, params.plan)
    asked = calls.PersonAsked(params.token, plan.patient if plan else _NOBODY)
    begun = begin(connection, desk, session, asked, topic="health")
    if plan is None:
        raise NotAllowed
    lines = treatmentplans.lines(connection, plan.number)
    note_view(connection, begun.visitor, begun.looking_at, "treatment plan")
    return calls.TreatmentPlanShown(**begun.frame, plan=_as_plan(plan), lines=[_as_line(line) for line in lines])


def _as_plan(plan: treatmentplans.Plan) -> calls.TreatmentPlan:
    return calls.TreatmentPlan(
        number=plan.number,
        date=text_of(plan.date),
        heading=plan.heading,
        note=plan.note,
        signed=text_of(plan.signed),
        line_count=plan.line_count,
        patient_cents=plan.patient_cents,
    )


def _as_line(line: treatmentplans.Line) -> calls.PlanLine:
    return calls.PlanLine(
        text=line.text,
        order=line.order,
        tooth=line.tooth,
        surface=line.surface,
        fee_cents=line.fee_cents,
        insurance_cents=line.insurance_cents,
        off_cents=line.off_cents,
        patient_cents=line.patient_cents,
    )


def _as_list(found: Noted) -> calls.MedicalList:
    entries = [
        calls.MedicalEntry(one.name, one.detail, text_of(one.begins), text_of(one.ends), one.status)
        for one in found.entries
    ]
    return calls.MedicalList(entries, found.none)

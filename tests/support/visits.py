"""What a small office (`site.py`) answers about appointments and health."""

from dataclasses import dataclass, field
from typing import Any, TypedDict

from econnector.base.errors import NotAllowed, VisitChanged
from econnector.eservices.portal import calls
from econnector.wire.call import Answers, Asked

__all__ = ["Visits"]


class Around(TypedDict):
    """The fields of `calls.Around`."""

    practice: calls.Practice
    session: calls.Session
    looking_at: calls.Person
    people: list[calls.Person]


def _coming() -> list[calls.Appointment]:
    who, where = "Amara Lindgren, DDS", "12 Maple Street, Salem OR 97301"
    return [
        calls.Appointment(
            501, "2026-11-24T14:30:00", "2026-11-24T22:30:00", 50, who, "", where, "coming", "open", days_ahead=3
        ),
        calls.Appointment(
            502, "2027-01-12T09:00:00", "2027-01-12T17:00:00", 40, who, "", where, "coming", "confirmed", days_ahead=52
        ),
    ]


def _past() -> list[calls.Appointment]:
    return [
        calls.Appointment(401, "2026-05-20T09:00:00", "", 40, "Noah Castellanos, RDH", "", "", "done"),
        calls.Appointment(402, "2026-04-02T10:00:00", "", 40, "", "", "", "past"),
    ]


def _plan() -> calls.TreatmentPlan:
    note = "The figures are estimates.\nAsk us anything."
    return calls.TreatmentPlan(601, "2026-10-05", "Proposed treatment", note, "2026-10-06", 2, 41500)


def _lines() -> list[calls.PlanLine]:
    return [
        calls.PlanLine("Core buildup", "1", "14", "", 30000, 12000, 5000, 13000),
        calls.PlanLine("Crown, porcelain", "2", "14", "MOD", 125000, 60000, 36500, 28500),
    ]


def _lists() -> dict[str, calls.MedicalList]:
    one, many = calls.MedicalEntry, calls.MedicalList
    return {
        "allergies": many(none=True),
        "medications": many([one("Lisinopril 10 mg", "one tablet every morning", "2021-03-01")]),
        "problems": many([one("Hypertension", "", "2021-03-01", "", "active"), one("Asthma", status="resolved")]),
        "vaccines": many(),
    }


@dataclass
class Visits:
    """Answers for everybody alike. Change its fields to cause things."""

    coming: list[calls.Appointment] = field(default_factory=_coming)
    past: list[calls.Appointment] = field(default_factory=_past)
    due: list[calls.CheckUp] = field(
        default_factory=lambda: [
            calls.CheckUp("Prophy", "2026-10-01", "https://book.example.com/r/9?x=1&y=2"),
            calls.CheckUp("Perio", "2026-11-02"),
        ]
    )
    plans: list[calls.TreatmentPlan] = field(default_factory=lambda: [_plan()])
    lines: list[calls.PlanLine] = field(default_factory=_lines)
    lists: dict[str, calls.MedicalList] = field(default_factory=_lists)
    confirmed: list[int] = field(default_factory=list)
    """AptNums, once per time that the office was really told."""

    def answer(self, office: Any, answers: Answers) -> None:  # noqa: C901 - five answers, one after the other
        """Answer for `office`, a `SmallOffice`; its fields at the time of the call count."""

        async def around(asked: Asked, token: str, person: int) -> Around:
            office._live(token, asked)
            return Around(
                practice=await office._practice(asked, calls.Nothing()),
                session=office._session(token),
                looking_at=office._person(person, asked),
                people=[office.ann, office.tim, office.eve],
            )

        @answers.to(calls.APPOINTMENTS)
        async def _(asked: Asked, params: calls.PersonAsked) -> calls.Appointments:
            visits = office.visits
            frame = await around(asked, params.token, params.person)
            return calls.Appointments(**frame, coming=visits.coming, past=visits.past, due=visits.due)

        @answers.to(calls.APPOINTMENT)
        async def _(asked: Asked, params: calls.AppointmentAsked) -> calls.AppointmentShown:
            frame = await around(asked, params.token, 0)
            return calls.AppointmentShown(**frame, appointment=office.visits._find(params.appointment, asked))

        @answers.to(calls.CONFIRM_APPOINTMENT)
        async def _(asked: Asked, params: calls.ConfirmAppointment) -> calls.AppointmentShown:
            frame = await around(asked, params.token, 0)
            found = office.visits._find(params.appointment, asked)
            if found.at != params.at:
                raise VisitChanged(reference=asked.reference)
            if found.confirmation == "open":
                found.confirmation, found.told = "told", "2026-11-21T10:14:00"
                office.visits.confirmed.append(found.number)
            return calls.AppointmentShown(**frame, appointment=found)

        @answers.to(calls.HEALTH)
        async def _(asked: Asked, params: calls.PersonAsked) -> calls.Health:
            visits = office.visits
            frame = await around(asked, params.token, params.person)
            return calls.Health(**frame, plans=visits.plans, **visits.lists)

        @answers.to(calls.TREATMENT_PLAN)
        async def _(asked: Asked, params: calls.PlanAsked) -> calls.TreatmentPlanShown:
            frame = await around(asked, params.token, 0)
            for plan in office.visits.plans:
                if plan.number == params.plan:
                    return calls.TreatmentPlanShown(**frame, plan=plan, lines=office.visits.lines)
            raise NotAllowed(reference=asked.reference)

    def _find(self, number: int, asked: Asked) -> calls.Appointment:
        for one in (*self.coming, *self.past):
            if one.number == number:
                return one
        raise NotAllowed(reference=asked.reference)

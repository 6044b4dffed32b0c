"""Health: what the office has noted, and the treatment plans that it has saved."""

import msgspec

from econnector.eservices.portal.calls.around import Around, PersonAsked
from econnector.wire.call import Call

__all__ = [
    "HEALTH",
    "TREATMENT_PLAN",
    "Health",
    "MedicalEntry",
    "MedicalList",
    "PlanAsked",
    "PlanLine",
    "TreatmentPlan",
    "TreatmentPlanShown",
]


class MedicalEntry(msgspec.Struct):
    """One line of a list."""

    name: str
    detail: str = ""
    begins: str = ""
    ends: str = ""
    status: str = ""
    """Of a problem: active, resolved, inactive. Of a vaccine: given, refused, not-given, partly-given."""


class MedicalList(msgspec.Struct):
    """One list."""

    entries: list[MedicalEntry] = msgspec.field(default_factory=list)
    none: bool = False
    """Whether the office has noted that there are none; an empty list alone only says that nothing is noted."""


class TreatmentPlan(msgspec.Struct):
    """A plan that the office has saved."""

    number: int
    """TreatPlanNum."""
    date: str
    heading: str
    note: str = ""
    signed: str = ""
    line_count: int = 0
    patient_cents: int = 0
    """What the patient was estimated to pay."""


class PlanLine(msgspec.Struct):
    """One procedure of a plan, as it was on the plan's day."""

    text: str
    order: str = ""
    tooth: str = ""
    surface: str = ""
    fee_cents: int = 0
    insurance_cents: int = 0
    off_cents: int = 0
    """Discounts and write-offs."""
    patient_cents: int = 0


class Health(Around, kw_only=True):
    """A person's plans and lists."""

    plans: list[TreatmentPlan]
    """The newest first."""
    allergies: MedicalList
    medications: MedicalList
    problems: MedicalList
    vaccines: MedicalList


class PlanAsked(msgspec.Struct):
    """One treatment plan."""

    token: str
    plan: int


class TreatmentPlanShown(Around, kw_only=True):
    """One treatment plan with its lines."""

    plan: TreatmentPlan
    lines: list[PlanLine]


HEALTH = Call("portal.health", PersonAsked, Health, limit=10)
TREATMENT_PLAN = Call("portal.treatment-plan", PlanAsked, TreatmentPlanShown, limit=10)

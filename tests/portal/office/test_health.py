"""Treatment plans and medical lists: what is shown of them, and what "none" means."""

import pytest
from sqlalchemy import event

from econnector.base.errors import NotAllowed
from econnector.eservices.portal import calls
from econnector.opendental import tables
from tests.support.practice import Cast, PortalOffice


async def health(office: PortalOffice, token: str, person: int = 0) -> calls.Health:
    return await office.ask(calls.HEALTH, calls.PersonAsked(token, person))


async def test_only_saved_plans_are_shown(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    (plan,) = (await health(office, token)).plans
    assert (plan.number, plan.date, plan.heading, plan.line_count) == (1201, "2025-10-05", "Proposed treatment", 2)
    assert plan.patient_cents == 22999
    assert plan.signed == ""
    with pytest.raises(NotAllowed):
        await office.ask(calls.TREATMENT_PLAN, calls.PlanAsked(token, 1202))


async def test_a_plans_lines_are_those_of_its_day(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    shown = await office.ask(calls.TREATMENT_PLAN, calls.PlanAsked(token, 1201))
    assert shown.plan.note == "An estimate.\nAsk us."
    assert [(line.text, line.tooth, line.surface) for line in shown.lines] == [
        ("Crown", "14", "MOD"),
        ("Buildup", "14", "MOD"),
    ]
    money = [(line.fee_cents, line.insurance_cents, line.off_cents, line.patient_cents) for line in shown.lines]
    assert money == [(9999, 0, 0, 9999), (30000, 12000, 5000, 13000)]


async def test_lists_hold_what_is_in_force_and_no_private_remark(portal_office: PortalOffice) -> None:
    office = portal_office
    page = await health(office, (await office.sign_in(Cast.MARIA)).token)
    assert page.allergies == calls.MedicalList([], none=True)  # the other one is inactive
    assert [(one.name, one.detail, one.begins) for one in page.medications.entries] == [
        ("Fish oil", "", ""),
        ("Lisinopril 10 mg", "one a day", "2021-03-01"),
    ]
    assert [(one.name, one.detail, one.status) for one in page.problems.entries] == [
        ("Asthma", "", "active"),
        ("Flu", "", "resolved"),
    ]
    assert not page.problems.none  # there are some, whatever else is noted
    assert [(one.name, one.begins, one.status) for one in page.vaccines.entries] == [
        ("Tdap", "2024-05-06", "given"),
        ("Tdap", "2024-05-06", "refused"),
    ]
    assert b"remark" not in calls.HEALTH.encode(page)


async def test_an_empty_list_is_not_the_same_as_none(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    page = await health(office, token, Cast.ANA)
    assert page.allergies == page.medications == page.problems == page.vaccines == calls.MedicalList([], none=False)
    token = (await office.sign_in(Cast.GRETA)).token
    page = await health(office, token)
    assert [(one.name, one.detail) for one in page.allergies.entries] == [("Latex", "Rash")]
    assert not page.allergies.none


async def test_without_the_preference_a_row_called_none_is_a_row(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    await office.prefer("AllergiesIndicateNone", "")
    page = await health(office, (await office.sign_in(Cast.MARIA)).token)
    assert [one.name for one in page.allergies.entries] == ["None"]


async def test_looking_leaves_its_trace(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    await health(office, token, Cast.OTTO)
    await office.ask(calls.TREATMENT_PLAN, calls.PlanAsked(token, 1204))
    rows = [(row.PatNum, row.FKey, row.LogText) for row in await office.rows(tables.securitylog, PermType=75)]
    assert rows == [
        (Cast.MARIA, Cast.OTTO, "Patient portal: looked at the health page."),
        (Cast.MARIA, Cast.OTTO, "Patient portal: looked at the treatment plan."),
    ]


async def test_a_health_page_asks_three_questions_besides_who_asks(portal_office: PortalOffice) -> None:
    office, said = portal_office, list[str]()
    token = (await office.sign_in(Cast.MARIA)).token
    await health(office, token)
    event.listen(office.database._engine, "before_cursor_execute", lambda _c, _cursor, sql, *_rest: said.append(sql))
    await health(office, token)
    audit = [sql for sql in said if "securitylog" in sql or "NOW()" in sql or "datetime('now'" in sql]
    assert len([sql for sql in said if sql.lstrip("(").startswith("SELECT") and sql not in audit]) <= 3 + 3

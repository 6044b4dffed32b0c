"""Nobody sees another's chart: every call, by everybody who can sign in, about everybody there is.

Who may see whom is written down here by hand, once; a call that is added to the contract without a row here fails.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from econnector.base.errors import NotAllowed
from econnector.eservices.portal import calls
from econnector.opendental import tables
from econnector.wire.call import Call
from tests.support.practice import DOCUMENTS, PASSWORD, STATEMENTS, STRONG, Cast, PortalOffice
from tests.support.practice_visits import APPOINTMENTS, PLANS, SHOWN

MAY_SEE = {
    Cast.MARIA: {Cast.MARIA, Cast.LUIS, Cast.ANA, Cast.OTTO, Cast.ROSA},
    Cast.LUIS: {Cast.LUIS},
    Cast.ANA: {Cast.ANA},
    Cast.STEFAN: {Cast.STEFAN, Cast.OTTO, Cast.PAUL},
    Cast.OTTO: {Cast.OTTO},
    Cast.PAUL: {Cast.PAUL},
    Cast.ROSA: {Cast.ROSA},
    Cast.GRETA: {Cast.GRETA, Cast.HUGO},
    Cast.HUGO: {Cast.HUGO},
    Cast.NON_PATIENT: {Cast.NON_PATIENT},
    Cast.INACTIVE: {Cast.INACTIVE},
}
OPENABLE = [
    (number, person) for number, person, category, _ in DOCUMENTS if category in (STATEMENTS, 904) and number != 110
]
STRANGERS = [2**64 - 1, -1]

About = Callable[[str, int], msgspec.Struct]
ABOUT_A_PERSON: dict[str, tuple[Call[Any, Any], About]] = {
    "portal.home": (calls.HOME, calls.PersonAsked),
    "portal.appointments": (calls.APPOINTMENTS, calls.PersonAsked),
    "portal.health": (calls.HEALTH, calls.PersonAsked),
    "portal.care-summary": (calls.CARE_SUMMARY, calls.CareSummaryAsked),
    "portal.care-summary-history": (calls.CARE_SUMMARY_HISTORY, calls.PageAsked),
    "portal.statements": (calls.STATEMENTS, calls.PersonAsked),
    "portal.account": (calls.ACCOUNT, calls.PersonAsked),
    "portal.payments": (calls.PAYMENTS, calls.PageAsked),
    "portal.documents": (calls.DOCUMENTS, calls.PageAsked),
    "portal.who-looked": (calls.WHO_LOOKED, calls.PageAsked),
    "portal.messages": (calls.MESSAGES, calls.MessagesAsked),
    "portal.message-form": (calls.MESSAGE_FORM, calls.MessageFormAsked),
    "portal.sharing": (calls.SHARING, calls.SharingAsked),
}
ABOUT_A_DOCUMENT = {
    *("portal.statement-file", "portal.statement-archive", "portal.document-file", "portal.care-summary-file"),
}
"""All but the first are tried in `test_papers.py` and `test_summary.py`."""
ABOUT_AN_APPOINTMENT = {"portal.appointment", "portal.confirm-appointment"}
ABOUT_A_PLAN = {"portal.treatment-plan"}
ABOUT_A_MESSAGE = {"portal.message", "portal.message-file", "portal.message-send"}
ABOUT_ONES_OWN_DRAFT = {"portal.message-piece", "portal.message-drop"}
"""A draft is known by its writer and its name: nobody else's can be named."""
ABOUT_A_SHARE = {"portal.share", "portal.withdraw-share", "portal.open-share", "portal.shared-file"}
"""The last two are a stranger's; all are tried in `test_sharing.py` and `test_sharing_attacks.py`."""
ABOUT_A_PAYMENT = {
    *("portal.pay-form", "portal.pay", "portal.payment-state", "portal.payment-notice", "portal.forget-card"),
}
"""Whoever may see what an account owes may pay it; all are tried in `paying/`."""
ABOUT_ONESELF = {
    "portal.add-passkey",
    "portal.begin-passkey",
    "portal.change-sign-in",
    "portal.change-two-step",
    "portal.confirm-app",
    "portal.end-sessions",
    "portal.prepare-app",
    "portal.privacy",
    "portal.security",
    "portal.set-privacy",
    "portal.sign-out",
}
BEFORE_SIGNING_IN = {
    "portal.accept-invite",
    "portal.forgot",
    "portal.invite",
    "portal.practice",
    "portal.reset",
    "portal.second-step",
    "portal.sign-in",
    "portal.step",
}


async def give_access_to_all(office: PortalOffice) -> None:
    (greta,) = await office.rows(tables.userweb, FKey=Cast.GRETA)
    for person in MAY_SEE:
        await office.change(tables.userweb, {"Password": greta.Password}, FKey=person)


def who_asks(office: PortalOffice) -> dict[Cast, set[Cast]]:
    """Return whom each may see: everybody, or on a real database those with every kind of bond.

    Whom a row of a real database lets see whom is tried for all versions in `opendental/test_family.py`; here it is to
    show that every call's own statements say there what they say on SQLite.
    """
    few = (Cast.MARIA, Cast.STEFAN)
    return MAY_SEE if office.database.dialect == "sqlite" else {me: MAY_SEE[me] for me in few}


async def test_every_call_of_the_contract_has_its_place_here(portal_office_sqlite: PortalOffice) -> None:
    declared = {call.name for call in vars(calls).values() if isinstance(call, Call)}
    answered = {call.name for call, _ in portal_office_sqlite.answers}
    messages = {*ABOUT_A_MESSAGE, *ABOUT_ONES_OWN_DRAFT}
    visits = {*ABOUT_AN_APPOINTMENT, *ABOUT_A_PLAN, *ABOUT_A_SHARE, *ABOUT_A_PAYMENT}
    placed = {*visits, *messages, *ABOUT_A_PERSON, *ABOUT_A_DOCUMENT, *ABOUT_ONESELF, *BEFORE_SIGNING_IN}
    assert declared == answered == placed


async def test_every_call_about_every_person_by_everybody(portal_office_latest: PortalOffice) -> None:
    office = portal_office_latest
    await give_access_to_all(office)
    for me, mine in who_asks(office).items():
        token = (await office.sign_in(me, PASSWORD)).token
        for call, about in ABOUT_A_PERSON.values():
            for person in (*Cast, *STRANGERS):
                if person in mine:
                    answer = await office.ask(call, about(token, person))
                    assert answer.looking_at.number == person
                    assert {one.number for one in answer.people} == mine
                    continue
                with pytest.raises(NotAllowed) as caught:
                    await office.ask(call, about(token, person))
                assert caught.value.facts == {}


async def test_every_document_by_everybody(portal_office_latest: PortalOffice) -> None:
    office = portal_office_latest
    await give_access_to_all(office)
    for me, mine in who_asks(office).items():
        token = (await office.sign_in(me, PASSWORD)).token
        opened = set()
        for number, _, _, _ in DOCUMENTS:
            try:
                await office.download(calls.STATEMENT_FILE, calls.StatementFile(token, number))
            except NotAllowed as refused:
                assert refused.facts == {}  # noqa: PT017 - which ones are refused is asserted below
            else:
                opened.add(number)
        assert opened == {number for number, person in OPENABLE if person in mine}


async def test_every_appointment_and_plan_by_everybody(portal_office_latest: PortalOffice) -> None:
    office = portal_office_latest
    await give_access_to_all(office)
    shown = {number: person for number, person, status, *_ in APPOINTMENTS if status in SHOWN}
    saved = {number: person for number, person, status in PLANS if status == 0}
    for me, mine in who_asks(office).items():
        token = (await office.sign_in(me, PASSWORD)).token
        for number in (*(row[0] for row in APPOINTMENTS), *STRANGERS, 0):
            asked = calls.AppointmentAsked(token, number)
            if shown.get(number) in mine:
                page = await office.ask(calls.APPOINTMENT, asked)
                assert (page.appointment.number, page.looking_at.number) == (number, shown[number])
                continue
            with pytest.raises(NotAllowed) as caught:
                await office.ask(calls.APPOINTMENT, asked)
            assert caught.value.facts == {}
            with pytest.raises(NotAllowed) as caught:
                await office.ask(
                    calls.CONFIRM_APPOINTMENT, calls.ConfirmAppointment(token, number, "2026-11-24T14:30:00")
                )
            assert caught.value.facts == {}
        for number in (*(row[0] for row in PLANS), *STRANGERS, 0):
            if saved.get(number) in mine:
                plan = await office.ask(calls.TREATMENT_PLAN, calls.PlanAsked(token, number))
                assert (plan.plan.number, plan.looking_at.number) == (number, saved[number])
                continue
            with pytest.raises(NotAllowed) as caught:
                await office.ask(calls.TREATMENT_PLAN, calls.PlanAsked(token, number))
            assert caught.value.facts == {}
    assert await office.rows(tables.commlog) == []


async def test_no_list_names_a_document_of_anybody_else(portal_office_latest: PortalOffice) -> None:
    office = portal_office_latest
    await give_access_to_all(office)
    for me, mine in who_asks(office).items():
        token = (await office.sign_in(me, PASSWORD)).token
        for person in mine:
            page = await office.ask(calls.STATEMENTS, calls.PersonAsked(token, person))
            assert {item.document for item in page.items} <= {number for number, owner in OPENABLE if owner in mine}
            assert {item.person for item in page.items} <= mine


async def test_changing_the_sign_in_touches_ones_own_row_only(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    before = {row.UserWebNum: row for row in await office.rows(tables.userweb)}
    token = (await office.sign_in(Cast.MARIA)).token
    await office.ask(calls.CHANGE_SIGN_IN, calls.ChangeSignIn(token, PASSWORD, "maria.d", STRONG))
    after = {row.UserWebNum: row for row in await office.rows(tables.userweb)}
    assert {number for number in before if before[number] != after[number]} == {1000 + Cast.MARIA}

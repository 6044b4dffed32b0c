"""Who of a family sees what: the practice's rules, the word of the person concerned, and what each of them changes."""

import datetime as dt
from typing import Any

import msgspec
import pytest

from econnector.base.errors import NotAllowed, PageOff, SessionEnded, ValueRejected
from econnector.eservices.portal import calls
from econnector.opendental import tables
from econnector.storage.state import consent, portalrules
from econnector.storage.state.portalrules import TOPICS, Rules
from econnector.wire.call import Call
from tests.portal.office.test_matrix import ABOUT_A_PERSON
from tests.support.practice import Cast, PortalOffice


async def give_access(office: PortalOffice, *people: Cast) -> None:
    (maria,) = await office.rows(tables.userweb, FKey=Cast.MARIA)
    for person in people:
        await office.change(tables.userweb, {"Password": maria.Password}, FKey=person)


async def rule(office: PortalOffice, **rules: Any) -> None:
    await office.state.run(portalrules.write, msgspec.structs.replace(Rules(), **rules))


async def withdraw(office: PortalOffice, person: Cast, viewer: Cast, *topics: str) -> calls.Privacy:
    """Say that the viewer may see all but these topics."""
    token = (await office.sign_in(person)).token
    left: list[str] = [topic for topic in TOPICS if topic not in topics]
    return await office.ask(calls.SET_PRIVACY, calls.SetPrivacy(token, viewer, left))


async def seen_by(office: PortalOffice, viewer: Cast, call: Call[Any, Any] = calls.HOME) -> set[int]:
    token = (await office.sign_in(viewer)).token
    page = await office.ask(call, calls.PersonAsked(token))
    return {person.number for person in page.people}


async def test_nothing_is_different_until_somebody_decides_it(portal_office: PortalOffice) -> None:
    assert await portal_office.state.run(portalrules.read) == Rules()
    everybody = {Cast.MARIA, Cast.LUIS, Cast.ANA, Cast.OTTO, Cast.ROSA}
    assert await seen_by(portal_office, Cast.MARIA) == everybody
    assert await seen_by(portal_office, Cast.MARIA, calls.STATEMENTS) == everybody


async def test_the_page_names_who_sees_the_record_and_why(portal_office: PortalOffice) -> None:
    office = portal_office
    await give_access(office, Cast.OTTO, Cast.ROSA, Cast.LUIS, Cast.PAUL)
    found = {}
    for person in (Cast.MARIA, Cast.LUIS, Cast.OTTO, Cast.ROSA, Cast.PAUL):
        page = await office.ask(calls.PRIVACY, calls.Token((await office.sign_in(person)).token))
        found[person] = {(one.number, one.relation) for one in page.onlookers}
        assert all(topic.open and not topic.said for one in page.onlookers for topic in one.topics)
    assert found == {
        Cast.MARIA: set(),
        Cast.LUIS: {(Cast.MARIA, "family")},
        Cast.OTTO: {(Cast.MARIA, "guardian"), (Cast.STEFAN, "family")},
        Cast.ROSA: {(Cast.MARIA, "responsible")},
        Cast.PAUL: {(Cast.STEFAN, "family")},
    }


async def test_where_families_are_not_shared_the_account_holder_is_no_onlooker(portal_office: PortalOffice) -> None:
    await portal_office.prefer("FamPhiAccess", "0")
    page = await portal_office.ask(calls.PRIVACY, calls.Token((await portal_office.sign_in(Cast.LUIS)).token))
    assert page.onlookers == []


async def test_a_withdrawn_topic_closes_that_topic_alone(portal_office: PortalOffice) -> None:
    office = portal_office
    page = await withdraw(office, Cast.LUIS, Cast.MARIA, "account")
    (maria,) = page.onlookers
    assert {topic.topic: topic.open for topic in maria.topics} == {topic: topic != "account" for topic in TOPICS}
    token = (await office.sign_in(Cast.MARIA)).token
    home = await office.ask(calls.HOME, calls.PersonAsked(token, Cast.LUIS))
    assert home.looking_at.topics == sorted(set(TOPICS) - {"account"})
    with pytest.raises(NotAllowed):
        await office.ask(calls.STATEMENTS, calls.PersonAsked(token, Cast.LUIS))
    with pytest.raises(NotAllowed):
        await office.ask(calls.STATEMENT_FILE, calls.StatementFile(token, 102))
    listed = await office.ask(calls.STATEMENTS, calls.PersonAsked(token))
    assert 102 not in {item.document for item in listed.items}
    assert Cast.LUIS not in {person.number for person in listed.people}
    # Luis himself sees it as ever, and what he decided is his alone.
    own = await office.ask(calls.STATEMENTS, calls.PersonAsked((await office.sign_in(Cast.LUIS)).token))
    assert [item.document for item in own.items] == [102]
    assert Cast.ANA in {person.number for person in listed.people}


async def test_who_withdraws_everything_is_not_there_at_all_and_may_come_back(portal_office: PortalOffice) -> None:
    office = portal_office
    await withdraw(office, Cast.LUIS, Cast.MARIA, *TOPICS)
    assert Cast.LUIS not in await seen_by(office, Cast.MARIA)
    await withdraw(office, Cast.LUIS, Cast.MARIA)
    assert Cast.LUIS in await seen_by(office, Cast.MARIA)


async def test_a_word_leaves_its_trace_in_the_audit_trail_once(portal_office: PortalOffice) -> None:
    office = portal_office
    await withdraw(office, Cast.LUIS, Cast.MARIA, "health")
    await withdraw(office, Cast.LUIS, Cast.MARIA, "health")
    rows = [row for row in await office.rows(tables.securitylog, PatNum=Cast.LUIS) if row.PermType == 75]
    assert [(row.LogText, row.FKey) for row in rows] == [
        (f"Patient portal: withdrew from patient {int(Cast.MARIA)} the view of: health.", Cast.LUIS)
    ]


async def test_children_do_not_decide_and_the_age_is_the_practices(portal_office: PortalOffice) -> None:
    office = portal_office
    await give_access(office, Cast.ANA)
    with pytest.raises(ValueRejected):
        await withdraw(office, Cast.ANA, Cast.MARIA, "health")
    assert not await office.state.run(consent.given_by, int(Cast.ANA))


async def test_nobody_decides_about_people_who_are_no_onlookers(portal_office: PortalOffice) -> None:
    for stranger in (Cast.GRETA, Cast.LUIS, 0, 2**62):
        token = (await portal_office.sign_in(Cast.LUIS)).token
        with pytest.raises(NotAllowed):
            await portal_office.ask(calls.SET_PRIVACY, calls.SetPrivacy(token, stranger, []))


async def test_private_topics_close_at_full_age_until_the_person_opens_them(portal_office: PortalOffice) -> None:
    office = portal_office
    await rule(office, private=frozenset({"health", "account"}))
    token = (await office.sign_in(Cast.MARIA)).token
    people = {one.number: one for one in (await office.ask(calls.HOME, calls.PersonAsked(token))).people}
    assert people[Cast.LUIS].topics == ["appointments", "documents", "messages"]
    assert people[Cast.ANA].topics == sorted(TOPICS)
    assert people[Cast.MARIA].topics == sorted(TOPICS)
    await withdraw(office, Cast.LUIS, Cast.MARIA, "documents")
    people = {one.number: one for one in (await office.ask(calls.HOME, calls.PersonAsked(token))).people}
    assert people[Cast.LUIS].topics == ["account", "appointments", "health", "messages"]


async def test_a_word_stands_when_the_practice_raises_the_age(portal_office: PortalOffice) -> None:
    office = portal_office
    await office.change(tables.patient, {"Birthdate": dt.date(2007, 1, 1)}, PatNum=Cast.LUIS)
    await withdraw(office, Cast.LUIS, Cast.MARIA, "health")
    await rule(office, full_age=25)
    token = (await office.sign_in(Cast.MARIA)).token
    people = {one.number: one for one in (await office.ask(calls.HOME, calls.PersonAsked(token))).people}
    assert "health" not in people[Cast.LUIS].topics


@pytest.mark.causes("page-off")
async def test_a_page_that_is_off_is_off_for_everybody_at_the_next_click(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    await rule(office, off=frozenset({"account"}))
    for person in (0, Cast.ANA):
        with pytest.raises(PageOff):
            await office.ask(calls.STATEMENTS, calls.PersonAsked(token, person))
    with pytest.raises(PageOff):
        await office.ask(calls.STATEMENT_FILE, calls.StatementFile(token, 100))
    home = await office.ask(calls.HOME, calls.PersonAsked(token))
    assert (home.balance_known, home.statement_count, "account" in home.looking_at.topics) == (False, 0, False)
    await rule(office)
    assert (await office.ask(calls.STATEMENTS, calls.PersonAsked(token))).items


async def test_sessions_are_as_long_as_the_practice_says(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    await rule(office, idle_minutes=5, overall_hours=1)
    session = await office.sign_in(Cast.MARIA)
    assert (session.idle_seconds, session.left_seconds) == (300, 3600)
    office.clock.advance(299)
    await office.ask(calls.HOME, calls.PersonAsked(session.token))
    office.clock.advance(300)
    with pytest.raises(SessionEnded):
        await office.ask(calls.HOME, calls.PersonAsked(session.token))


@pytest.mark.parametrize(
    "wrong", [{"idle_minutes": 4}, {"overall_hours": 25}, {"full_age": 11}, {"off": frozenset("x")}]
)
async def test_rules_out_of_bounds_are_not_kept(portal_office_sqlite: PortalOffice, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"bounds|topic"):
        await rule(portal_office_sqlite, **wrong)


async def test_every_call_about_a_person_asks_that_persons_word(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    for call, about in ABOUT_A_PERSON.values():
        await office.ask(call, about(token, Cast.LUIS))
    await withdraw(office, Cast.LUIS, Cast.MARIA, *TOPICS)
    for call, about in ABOUT_A_PERSON.values():
        with pytest.raises(NotAllowed):
            await office.ask(call, about(token, Cast.LUIS))


async def test_every_call_about_a_topic_asks_whether_the_portal_has_it(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    await rule(office, off=frozenset(TOPICS))
    for name, (call, about) in ABOUT_A_PERSON.items():
        if name in {"portal.home", "portal.who-looked"}:
            assert (await office.ask(call, about(token, 0))).looking_at.topics == []
            continue
        with pytest.raises(PageOff):
            await office.ask(call, about(token, 0))

"""Every page knows how much waits to be read: as much as the mailbox behind its tab shows, and no more."""

from econnector.eservices.portal import calls
from econnector.opendental import tables
from tests.support.bank import PayingOffice, has_paid
from tests.support.cost import pages, params_of
from tests.support.practice import Cast, PortalOffice


async def counts(office: PortalOffice, token: str, person: Cast) -> dict[str, int]:
    """Return what each page of somebody's record says; looking at them reads nothing."""
    maria = person is Cast.MARIA
    examples = {"appointment": 1001 if maria else 1010, "plan": 1201 if maria else 1205, "payment": "4000000001"}
    shown = [call for call in pages() if call not in (calls.MESSAGE, calls.MESSAGE_FORM)]
    return {
        call.name: (await office.ask(call, params_of(call, token=token, person=int(person), **examples))).unread
        for call in shown
    }


async def test_every_page_says_how_much_is_unread_and_reading_it_counts_at_once(
    portal_office_sqlite: PortalOffice,
) -> None:
    office = PayingOffice(portal_office_sqlite).office
    await has_paid(office.front_desk, office.state)
    token = (await office.sign_in(Cast.MARIA)).token
    assert set((await counts(office, token, Cast.MARIA)).values()) == {1}
    # What is about Luis is counted on one's own pages and on his.
    await office.change(tables.emailmessage, {"SentOrReceived": 6, "PatNum": int(Cast.MARIA)}, EmailMessageNum=702)
    own = await counts(office, token, Cast.MARIA)
    assert set(own.values()) == {2}
    of_luis = await counts(office, token, Cast.LUIS)
    about_luis = {call.name for call in pages() if "person" in call.params.__struct_fields__}
    assert {of_luis[name] for name in of_luis.keys() & about_luis} == {1}
    assert (await office.ask(calls.MESSAGE, calls.MessageAsked(token, message=701))).unread == 1
    assert (await office.ask(calls.MESSAGE, calls.MessageAsked(token, message=701))).unread == 1
    assert (await office.ask(calls.HOME, calls.PersonAsked(token, Cast.LUIS))).unread == 1
    assert (await office.ask(calls.MESSAGE, calls.MessageAsked(token, Cast.LUIS, message=702))).unread == 0
    assert set((await counts(office, token, Cast.MARIA)).values()) == {0}


async def test_what_one_may_not_see_is_not_counted(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    await office.change(tables.emailmessage, {"SentOrReceived": 6, "PatNum": int(Cast.MARIA)}, EmailMessageNum=702)
    assert (await office.ask(calls.HOME, calls.PersonAsked(token))).unread == 2
    await office.prefer("FamPhiAccess", "0")
    assert (await office.ask(calls.HOME, calls.PersonAsked(token))).unread == 1
    assert (await office.ask(calls.MESSAGES, calls.MessagesAsked(token))).unread == 1

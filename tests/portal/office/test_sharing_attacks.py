"""Who has the mail alone, the code alone, a ticket of yesterday or a share that has ended, opens nothing."""

import asyncio
import base64
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import get_args

import msgspec
import pytest
from sqlalchemy import Table

from econnector.base.errors import CareSummaryNotSetUp, PreviewOnly, SessionEnded, ShareRejected
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import preview_answers
from econnector.eservices.portal.office.sharing_keys import Ticket
from econnector.office.access import tried
from econnector.opendental import passwords, tables
from econnector.opendental.schema import Schemas
from econnector.storage.state import portalrules, previews, summary_shares
from econnector.storage.state.portalrules import TOPICS, Rules, Topic
from econnector.storage.state.previews import Preview
from econnector.storage.state.sealing import Seal
from econnector.wire.call import Asked
from tests.portal.office.sharing import DOCTOR, FAR, SharingOffice
from tests.support.practice import Cast, PortalOffice

WRONG = "2222-2222"
NOBODYS = "0" * 32


@pytest.fixture
async def sharing(portal_office_sqlite: PortalOffice) -> AsyncIterator[SharingOffice]:
    office = await SharingOffice(portal_office_sqlite).begin()
    yield office
    await office.mails()


async def refused(doing: Awaitable[object]) -> str:
    """Return the reason that the office sees; the receiver sees none."""
    with pytest.raises(ShareRejected) as caught:
        await doing
    assert caught.value.public_facts() == {}
    return caught.value.facts["reason"]


async def test_five_wrong_codes_close_it_wherever_they_come_from(sharing: SharingOffice) -> None:
    share, link, code = await sharing.sent()
    ticket = (await sharing.open(link, code)).ticket
    reasons = [await refused(sharing.open(link, WRONG, f"203.0.113.{n}")) for n in range(5)]
    assert reasons == ["wrong code"] * 5
    assert await refused(sharing.download(ticket)) == "too many wrong codes"
    sharing.clock.advance(3600)
    sharing.token = (await sharing.office.sign_in(Cast.MARIA)).token
    assert await refused(sharing.open(link, code)) == "too many wrong codes"
    (item,) = (await sharing.page(share=share)).items
    assert (item.state, item.opened) == ("closed", 0)


async def test_many_guesses_at_once_are_no_more_than_five(sharing: SharingOffice) -> None:
    _, link, code = await sharing.sent()
    guesses = [sharing.open(link, f"2222-{n:04}", f"198.51.{n}.7") for n in range(30)]
    reasons = await asyncio.gather(*(refused(guess) for guess in guesses))
    assert 0 < reasons.count("wrong code") <= summary_shares.MOST_WRONG
    sharing.clock.advance(3600)
    assert await refused(sharing.open(link, code)) == "too many wrong codes"


async def test_a_right_code_uses_nothing_up_and_four_wrong_ones_do_no_harm(sharing: SharingOffice) -> None:
    _, link, code = await sharing.sent()
    for n in range(4):
        await refused(sharing.open(link, WRONG, f"203.0.113.{n}"))
    for _ in range(7):
        assert (await sharing.open(link, code)).ticket


async def test_links_cannot_be_tried_out_from_one_place_and_nobody_else_is_slowed(sharing: SharingOffice) -> None:
    _, link, code = await sharing.sent()
    reasons = [await refused(sharing.open(f"{n:032x}", code, "2001:db8:1:2::5")) for n in range(25)]
    assert reasons[0] == "no such link"
    assert await refused(sharing.open(link, code, "2001:db8:1:2::77")) == "slowed down"
    assert (await sharing.open(link, code, FAR)).ticket
    rows, _ = await tried(sharing.office.database, sharing.state, sharing.clock.now() - dt.timedelta(days=1), 50)
    assert {(row.outcome, row.reason) for row in rows if row.outcome != "in"} == {
        ("refused", "sent care summary: no such link"),
        ("slowed", "sent care summary: slowed down"),
    }
    assert not any(code in repr(row) or link in repr(row) or DOCTOR in repr(row) for row in rows)


@pytest.mark.causes("share-rejected")
async def test_a_wrong_code_and_an_unknown_link_are_the_same_answer_at_the_same_time(
    sharing: SharingOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    share, link, code = await sharing.sent()
    _, alive, its_code = await sharing.sent()
    await sharing.state.run(summary_shares.withdraw, share, Cast.MARIA, sharing.clock.now())
    sharing.answer_with(0.5)
    waited: list[float] = []
    sleep, mine = asyncio.sleep, asyncio.current_task()

    async def note(seconds: float, result: object = None) -> object:
        if asyncio.current_task() is not mine:
            return await sleep(seconds, result)
        waited.append(seconds)
        return await sleep(0, result)

    monkeypatch.setattr("econnector.eservices.portal.office.desk.asyncio.sleep", note)
    shown = set()
    for tried_link, tried_code in ((NOBODYS, WRONG), (link, code), (alive, WRONG), ("", ""), ("🦷\x00", "x" * 90)):
        with pytest.raises(ShareRejected) as caught:
            await sharing.open(tried_link, tried_code)
        shown.add((caught.value.code, caught.value.patient_text(), *caught.value.public_facts()))
    for ticket in ("", "x", "🦷", "A" * 300):
        await refused(sharing.download(ticket))
    assert len(shown) == 1
    assert [wait for wait in waited if wait] == [0.5] * 9
    assert (await sharing.open(alive, its_code)).ticket


async def test_a_link_of_another_office_opens_nothing_here(sharing: SharingOffice) -> None:
    _, link, code = await sharing.sent()
    ticket = (await sharing.open(link, code)).ticket
    sharing.seal = Seal()  # every machine has its own
    sharing.answer_with(0.001)
    assert await refused(sharing.open(link, code)) == "no such link"
    assert await refused(sharing.download(ticket)) == "no such ticket, or too old"
    (item,) = (await sharing.page()).items
    assert item.address == ""


async def test_a_ticket_is_nobodys_to_make_and_lasts_half_an_hour(sharing: SharingOffice) -> None:
    share, link, code = await sharing.sent()
    now = sharing.clock.now().timestamp()
    other_purpose = base64.urlsafe_b64encode(
        sharing.seal.seal("share-to:x", msgspec.json.encode(Ticket(share, now + 60)))
    ).decode()
    too_long = Ticket(share, now + 7 * 86400).written(sharing.seal)
    unknown = Ticket("AAAA-AAAA", now + 60).written(sharing.seal)
    for ticket in (share, link, other_purpose, too_long, unknown, Ticket(share, now).written(sharing.seal)):
        assert await refused(sharing.download(ticket)) == "no such ticket, or too old"
    good = (await sharing.open(link, code)).ticket
    sharing.clock.advance(30 * 60)
    assert await refused(sharing.download(good)) == "no such ticket, or too old"
    assert (await sharing.trail())[1:] == []


Deed = Callable[[SharingOffice], Awaitable[object]]


def changed(table: Table, values: dict[str, object], **where: object) -> Deed:
    return lambda office: office.office.change(table, values, **where)


def merged(chart: Cast) -> Deed:
    return lambda office: office.office.add(
        tables.patientlink, PatNumFrom=int(chart), PatNumTo=int(Cast.GRETA), LinkType=1
    )


def parted(chart: Cast) -> Deed:
    return changed(tables.patientlink, {"PatNumFrom": 0}, PatNumFrom=int(chart))


def leaving(*topics: Topic) -> Deed:
    """Let Luis leave these topics of his record to Maria, and no other."""

    async def deed(office: SharingOffice) -> None:
        luis = (await office.office.sign_in(Cast.LUIS)).token
        await office.ask(calls.SET_PRIVACY, calls.SetPrivacy(luis, Cast.MARIA, list(topics)))

    return deed


def switched(*off: Topic) -> Deed:
    return lambda office: office.state.run(portalrules.write, Rules(off=frozenset(off)))


LOGIN = {"UserWebNum": 1000 + Cast.MARIA}
DEEDS: dict[str, tuple[Deed, Deed]] = {
    "consent": (leaving("account"), leaving(*TOPICS)),
    "access removed": (
        changed(tables.userweb, {"Password": "None$$"}, **LOGIN),
        changed(tables.userweb, {"Password": passwords.make("Another 9 words here")}, **LOGIN),
    ),
    "a new password by the office": (
        changed(tables.userweb, {"RequirePasswordChange": 1}, **LOGIN),
        changed(tables.userweb, {"RequirePasswordChange": 0}, **LOGIN),
    ),
    "sign-in gone": (
        changed(tables.userweb, {"FKey": 0}, **LOGIN),
        changed(tables.userweb, {"FKey": int(Cast.MARIA)}, **LOGIN),
    ),
    "sender merged": (merged(Cast.MARIA), parted(Cast.MARIA)),
    "chart merged": (merged(Cast.LUIS), parted(Cast.LUIS)),
    "archived": (
        changed(tables.patient, {"PatStatus": 3}, PatNum=Cast.LUIS),
        changed(tables.patient, {"PatStatus": 0}, PatNum=Cast.LUIS),
    ),
    "of another family": (
        changed(tables.patient, {"Guarantor": int(Cast.GRETA)}, PatNum=Cast.LUIS),
        changed(tables.patient, {"Guarantor": int(Cast.MARIA)}, PatNum=Cast.LUIS),
    ),
    "switched off": (switched("health"), switched()),
}
"""What ends the sender's right, and what gives it back."""


async def test_what_ends_the_senders_right_ends_the_share_at_every_step(sharing: SharingOffice) -> None:
    _, link, code = await sharing.sent(Cast.LUIS)
    before = await sharing.trail(Cast.LUIS)
    for why, (deed, undone) in DEEDS.items():
        ticket = (await sharing.open(link, code)).ticket
        await deed(sharing)
        said = [await refused(sharing.open(link, code))]
        said += [await refused(sharing.download(ticket, kind)) for kind in get_args(calls.SharedKind)]
        assert {one.partition(" (")[0] for one in said} == {"its sender may not see this record any more"}, why
        await undone(sharing)
    assert await sharing.trail(Cast.LUIS) == before
    assert await sharing.office.rows(tables.securitylog, PermType=68) == []
    assert (await sharing.download(ticket, "pdf"))[1]


async def test_a_withdrawn_share_is_over_at_every_step(sharing: SharingOffice) -> None:
    share, link, code = await sharing.sent(Cast.LUIS)
    ticket = (await sharing.open(link, code)).ticket
    await sharing.ask(calls.WITHDRAW_SHARE, calls.WithdrawShare(sharing.token, share))
    assert await refused(sharing.open(link, code)) == "it was withdrawn"
    assert await refused(sharing.download(ticket)) == "it was withdrawn"


async def test_seven_days_and_not_a_second_more(sharing: SharingOffice) -> None:
    _, link, code = await sharing.sent()
    sharing.clock.advance(7 * 86400 - 60)
    opened = await sharing.open(link, code)
    assert opened.seconds == 60
    sharing.clock.advance(60)
    assert await refused(sharing.open(link, code)) == "too old"
    assert await refused(sharing.download(opened.ticket)) == "no such ticket, or too old"


async def test_a_new_password_of_the_senders_own_leaves_what_was_sent_open(sharing: SharingOffice) -> None:
    _, link, code = await sharing.sent()
    await sharing.office.change(tables.userweb, {"Password": passwords.make("Another 9 words here")}, FKey=Cast.MARIA)
    with pytest.raises(SessionEnded):
        await sharing.page()
    assert (await sharing.open(link, code)).ticket


async def test_who_presses_twice_gets_the_document_twice_and_both_are_noted(sharing: SharingOffice) -> None:
    _, link, code = await sharing.sent()
    opened = await asyncio.gather(sharing.open(link, code), sharing.open(link, code))
    got = await asyncio.gather(*(sharing.download(one.ticket, "pdf") for one in opened))
    assert [content[:4] for _, content in got] == [b"%PDF"] * 2
    (item,) = (await sharing.page()).items
    assert item.opened == 2
    assert len(await sharing.trail()) == 3


async def test_a_chart_that_lost_what_a_summary_needs_is_said_to_whoever_has_the_code(sharing: SharingOffice) -> None:
    _, link, code = await sharing.sent()
    ticket = (await sharing.open(link, code)).ticket
    await sharing.office.change(tables.patient, {"City": ""}, PatNum=Cast.ANA)
    with pytest.raises(CareSummaryNotSetUp):
        await sharing.download(ticket)
    (item,) = (await sharing.page()).items
    assert item.opened == 0


async def test_what_passes_hq_on_its_way_to_the_receiver_names_nobody(sharing: SharingOffice) -> None:
    share, link, code = await sharing.sent(note="Ana's new dentist")
    opened = await sharing.open(link, code)
    head, _ = await sharing.download(opened.ticket, "pdf")
    passed = msgspec.json.encode([opened, head]).decode()
    opaque = base64.urlsafe_b64decode(opened.ticket)
    for word in ("Ana", "Maria", "Delgado", "dentist", DOCTOR, share, link, code, f'"{int(Cast.ANA)}"'):
        assert word not in passed.replace(opened.ticket, "")
        assert word.encode() not in opaque


@pytest.mark.causes("preview-only")
async def test_a_preview_by_the_office_sends_opens_and_shows_nothing(sharing: SharingOffice) -> None:
    share, link, code = await sharing.sent()
    ticket = (await sharing.open(link, code)).ticket
    office = sharing.office
    now = office.clock.now()
    found = (await office.rows(tables.userweb, FKey=Cast.MARIA))[0]
    preview = Preview(7, 1000 + Cast.MARIA, int(Cast.MARIA), passwords.fingerprint(found.Password), now)
    token = await office.state.run(previews.begin, preview)
    answers = preview_answers(office.database, office.state, Schemas(), office.images, office.clock)

    async def ask(call: object, params: msgspec.Struct) -> object:
        known = answers.find(call.name)  # type: ignore[attr-defined]
        assert known is not None
        return await known[1](Asked(call.name, "7F3K-22QX", 10.0, 1), params)  # type: ignore[attr-defined]

    shown = await ask(calls.SHARING, calls.SharingAsked(token, Cast.ANA, share))
    assert isinstance(shown, calls.Sharing)
    assert (shown.items, shown.made) == ([], None)
    form = sharing.form()
    form.token = token
    before = await sharing.trail()
    for call, params in (
        (calls.SHARE, form),
        (calls.WITHDRAW_SHARE, calls.WithdrawShare(token, share)),
        (calls.OPEN_SHARE, calls.OpenShare(link, code)),
        (calls.SHARED_FILE, calls.SharedFile(ticket)),
    ):
        with pytest.raises(PreviewOnly):
            await ask(call, params)
    assert await sharing.trail() == before
    assert len(await sharing.mails()) == 1

"""What becomes of a payment that nobody comes back from, of one that is told twice, and of kept cards."""

import pytest

from econnector.base.errors import (
    NotAllowed,
    PaymentCredentialsRefused,
    PaymentGatewaySilent,
    PaymentNotMade,
    PreviewOnly,
)
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import preview_answers
from econnector.opendental import onlinepayments, tables
from econnector.opendental.schema import Schemas
from econnector.payments.contract import Card
from econnector.storage.state import payments
from tests.support.bank import PayingOffice
from tests.support.practice import Cast, PortalOffice

SILENT = PaymentGatewaySilent(processor="XWeb", address="pay.example.com", why="it took too long")
REFUSED = PaymentCredentialsRefused(
    processor="XWeb", clinic="the practice", which="AuthKey", words="Authentication Error"
)
TWO_DAYS = 48 * 3600.0


@pytest.fixture
async def paying(portal_office_sqlite: PortalOffice) -> PayingOffice:
    return await PayingOffice(portal_office_sqlite).begin()


async def booked(office: PayingOffice, number: str) -> list[object]:
    return await office.office.rows(tables.payment, ExternalId=number)


async def test_who_never_comes_back_has_paid_all_the_same(paying: PayingOffice) -> None:
    begun = await paying.pay()
    paying.bank.ends(begun.payment, "approved", 10_000)
    paying.restart()
    for _ in range(2):
        await paying.cashier.reconcile()
    assert len(await booked(paying, begun.payment)) == 1
    assert len(paying.letters.sent) == 1
    assert len(paying.bank.looks) == 1
    (watched,) = await paying.office.rows(tables.alertitem, Type=1)
    waiting = int(watched.Description)
    await paying.office.change(tables.payment, {"ProcessStatus": 1}, ExternalId=begun.payment)
    await paying.cashier.reconcile()
    (watched,) = await paying.office.rows(tables.alertitem, Type=1)
    assert int(watched.Description) == waiting - 1


@pytest.mark.parametrize(
    ("state", "cents", "said", "code"),
    [("partial", 4_000, "partial", "PartialApproval"), ("declined", 0, "declined", "Declined"),
     ("expired", 0, "expired", "ExpiredWithoutApproval")],
)  # fmt: skip
async def test_each_end_is_shown_and_noted(paying: PayingOffice, state: str, cents: int, said: str, code: str) -> None:
    begun = await paying.pay()
    paying.bank.ends(begun.payment, state, cents)  # type: ignore[arg-type]
    item = (await paying.shown(begun.payment)).item
    assert (item.state, item.paid_cents) == (said, cents)
    assert [row.PayAmt for row in await booked(paying, begun.payment)] == ([cents / 100] if cents else [])  # type: ignore[attr-defined]
    (answer,) = await paying.office.rows(tables.xwebresponse)
    assert (answer.XWebResponseCode, answer.PaymentNum > 0) == (code, cents > 0)
    assert len(paying.letters.sent) == (1 if cents else 0)
    if cents:
        assert "paid less than the $100.00" in next(iter(paying.letters.sent.values())).text


async def test_the_first_end_counts_but_money_that_moved_counts_more(paying: PayingOffice) -> None:
    number = await paying.paid()
    paying.bank.ends(number, "declined")
    assert (await paying.cashier.look(number, again=True)).state == "approved"  # type: ignore[union-attr]
    late = await paying.pay(2_000)
    paying.bank.ends(late.payment, "expired")
    assert (await paying.shown(late.payment)).item.state == "expired"
    paying.bank.ends(late.payment, "approved", 2_000)
    assert (await paying.cashier.look(late.payment, again=True)).state == "approved"  # type: ignore[union-attr]
    assert len(await booked(paying, late.payment)) == 1
    (answer,) = await paying.office.rows(tables.xwebresponse, OrderId=late.payment)
    assert answer.TransactionStatus == 3


async def test_what_was_never_begun_may_be_begun_again_by_the_same_form(paying: PayingOffice) -> None:
    form = paying.form()
    paying.bank.fails = REFUSED
    with pytest.raises(PaymentCredentialsRefused):
        await paying.office.ask(calls.PAY, form)
    await paying.cashier.reconcile()
    paying.bank.fails = None
    begun = await paying.office.ask(calls.PAY, form)
    assert begun.url
    paying.bank.ends(begun.payment, "approved", 10_000)
    assert (await paying.shown(begun.payment)).item.state == "paid"


async def test_a_processor_that_says_nothing_leaves_it_pending_until_it_speaks(paying: PayingOffice) -> None:
    begun = await paying.pay()
    paying.bank.fails = SILENT
    assert (await paying.shown(begun.payment)).item.state == "pending"
    await paying.cashier.reconcile()
    paying.clock.advance(TWO_DAYS + 60)
    for _ in range(2):
        await paying.cashier.reconcile()
    (told,) = [
        row for row in await paying.office.rows(tables.eservicesignal, Severity=4) if begun.payment in row.Description
    ]
    assert "$100.00" in told.Description
    assert begun.url not in told.Description
    paying.bank.fails = None
    paying.bank.ends(begun.payment, "approved", 10_000)
    await paying.cashier.reconcile()
    assert await booked(paying, begun.payment) == []  # from now on it is a person's question
    await paying.cashier.look(begun.payment, again=True)
    assert len(await booked(paying, begun.payment)) == 1


async def test_a_notice_that_is_proved_is_a_reason_to_look_and_no_other_is(paying: PayingOffice) -> None:
    begun = await paying.pay()
    paying.bank.ends(begun.payment, "approved", 10_000)
    for processor, body, signature in (
        ("xweb", begun.payment, "bad"), ("stripe", begun.payment, "good"), ("xweb", "1234567890", "good"), ("", "", ""),
    ):  # fmt: skip
        with pytest.raises(NotAllowed) as caught:
            await paying.office.ask(calls.PAYMENT_NOTICE, calls.PaymentNotice(processor, body.encode(), signature))
        assert caught.value.facts == {}
    assert paying.bank.looks == []
    for _ in range(2):
        notice = calls.PaymentNotice("xweb", begun.payment.encode(), "good")
        await paying.office.ask(calls.PAYMENT_NOTICE, notice)
    assert len(await booked(paying, begun.payment)) == 1


async def test_what_is_paid_is_pending_on_the_account_before_the_books_have_it(
    paying: PayingOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = await paying.pay(7_700)
    paying.bank.ends(begun.payment, "approved", 7_700)
    with monkeypatch.context() as broken:
        broken.setattr(onlinepayments, "post", lambda *_, **__: (_ for _ in ()).throw(SILENT))
        await paying.shown(begun.payment)
    assert await booked(paying, begun.payment) == []

    async def pending() -> list[int]:
        account = await paying.office.ask(calls.ACCOUNT, calls.PersonAsked(paying.token))
        listed = await paying.office.ask(calls.PAYMENTS, calls.PageAsked(paying.token))
        assert [one.cents for one in listed.items].count(7_700) == 1
        return [one.cents for one in account.pending if one.cents == 7_700]

    assert await pending() == [7_700]
    await paying.cashier.reconcile()
    assert len(await booked(paying, begun.payment)) == 1
    assert await pending() == [7_700]


async def test_the_practice_chooses_that_staff_post(portal_office: PortalOffice) -> None:
    office = await PayingOffice(portal_office).begin()
    await portal_office.state.run(payments.set_mode, "pending")
    await portal_office.prefer("OnlinePaymentsMarkAsProcessed", "1")
    number = await office.paid()
    (row,) = await booked(office, number)
    assert row.ProcessStatus == 2  # type: ignore[attr-defined]
    assert await portal_office.rows(tables.paysplit, PayNum=row.PayNum) == []  # type: ignore[attr-defined]
    await portal_office.state.run(payments.set_mode, "ledger")
    other = await office.paid(2_000)
    (row,) = await booked(office, other)
    splits = await portal_office.rows(tables.paysplit, PayNum=row.PayNum)  # type: ignore[attr-defined]
    assert (row.ProcessStatus, len(splits)) in {(1, 1), (2, 0)}  # type: ignore[attr-defined]
    assert (await office.shown(other)).item.posted is bool(splits)


# -- kept cards --------------------------------------------------------------------------------------------------------


async def kept(office: PayingOffice) -> calls.KeptCard:
    begun = await office.pay(3_000, keep_card=True)
    assert office.bank.pages[-1].keep_card
    office.bank.ends(begun.payment, "approved", 3_000, Card("alias-of-maria", "XXXXXXXXXXXX4242", "0329"))
    await office.shown(begun.payment)
    (card,) = (await office.form_shown()).cards
    return card


async def test_a_card_is_kept_charged_and_forgotten_by_its_owner_alone(portal_office: PortalOffice) -> None:
    office = await PayingOffice(portal_office).begin()
    card = await kept(office)
    assert (card.masked, card.expires, card.expired) == ("XXXXXXXXXXXX4242", "2029-03", False)
    (row,) = await portal_office.rows(tables.creditcard, XChargeToken="alias-of-maria")
    assert (row.PatNum, row.CCSource, row.Procedures) == (Cast.MARIA, 2, "")
    assert len(await portal_office.rows(tables.securitylog, PermType=213)) == 1
    greta = (await portal_office.sign_in(Cast.GRETA)).token
    with pytest.raises(PaymentNotMade) as caught:
        await office.pay(token=greta, card=card.card)
    assert caught.value.facts["rule"] == "card"
    with pytest.raises(NotAllowed):
        await portal_office.ask(calls.FORGET_CARD, calls.ForgetCard(greta, card.card))
    begun = await office.pay(4_500, card=card.card)
    assert begun.url == ""
    ((order, alias),) = office.bank.charges
    assert (order.cents, alias) == (4_500, "alias-of-maria")
    assert (await office.shown(begun.payment)).item.state == "paid"
    (answer,) = await portal_office.rows(tables.xwebresponse, OrderId=begun.payment)
    assert (answer.TransactionStatus, answer.Alias) == (6, "")
    await portal_office.ask(calls.FORGET_CARD, calls.ForgetCard(office.token, card.card))
    assert office.bank.forgotten == ["alias-of-maria"]
    assert (await office.form_shown()).cards == []
    with pytest.raises(NotAllowed):
        await portal_office.ask(calls.FORGET_CARD, calls.ForgetCard(office.token, card.card))


async def test_a_charge_that_is_not_answered_is_never_made_again(paying: PayingOffice) -> None:
    card = await kept(paying)
    form = paying.form(5_000, card=card.card)
    paying.bank.silent_after = True
    begun = await paying.office.ask(calls.PAY, form)
    paying.bank.silent_after = False
    assert (await paying.attempt(begun.payment)).state == "charging"
    paying.restart()
    assert await paying.office.ask(calls.PAY, form) == begun
    await paying.cashier.reconcile()
    assert len(paying.bank.charges) == 1
    assert (await paying.shown(begun.payment)).item.state == "paid"
    assert len(await booked(paying, begun.payment)) == 1


async def test_a_charge_that_never_arrived_is_given_up_and_not_sent_again(paying: PayingOffice) -> None:
    card = await kept(paying)
    form = paying.form(5_000, card=card.card)
    paying.bank.silent_after = True
    begun = await paying.office.ask(calls.PAY, form)
    del paying.bank.said[begun.payment]
    paying.clock.advance(300)
    await paying.cashier.reconcile()
    assert (await paying.shown(begun.payment)).item.state == "pending"
    paying.clock.advance(400)
    await paying.cashier.reconcile()
    assert (await paying.shown(begun.payment)).item.state == "failed"
    assert await paying.office.ask(calls.PAY, form) == begun
    assert len(paying.bank.charges) == 1


async def test_nothing_that_opens_anything_is_told(paying: PayingOffice, capfd: pytest.CaptureFixture[str]) -> None:
    await kept(paying)
    begun = await paying.pay(8_000)
    attempt = await paying.attempt(begun.payment)
    token = begun.url.partition("otk=")[2]
    assert token
    paying.bank.fails = SILENT
    await paying.shown(begun.payment)
    await paying.cashier.reconcile()
    raw = (paying.office.root.parent / "state.db").read_bytes() + (
        paying.office.root.parent / "state.db-wal"
    ).read_bytes()
    told = "".join(capfd.readouterr()) + repr(attempt) + repr(begun.payment) + str(SILENT)
    assert token not in told
    assert token.encode() not in raw
    assert b"alias-of-maria" not in raw
    rows = [str(row) for table in (tables.xwebresponse, tables.payment) for row in await paying.office.rows(table)]
    assert not [row for row in rows if token in row or "alias-of-maria" in row]


async def test_a_preview_pays_nothing_and_asks_no_processor(paying: PayingOffice) -> None:
    office = paying.office
    answers = preview_answers(
        office.database, office.state, Schemas(), office.images, office.clock, cashier=paying.cashier
    )
    office.answers = answers
    for call, params in (
        (calls.PAY, paying.form()),
        (calls.FORGET_CARD, calls.ForgetCard("t", 1)),
        (calls.PAYMENT_NOTICE, calls.PaymentNotice("xweb", b"1", "good")),
    ):
        with pytest.raises(PreviewOnly):
            await office.ask(call, params)  # type: ignore[misc]


async def test_what_is_unfinished_is_never_swept(paying: PayingOffice) -> None:
    begun = await paying.pay()
    number = await paying.paid(2_000)
    paying.clock.advance(731 * 86400)
    await paying.office.state.run(payments.sweep, paying.clock.now())
    assert (await paying.attempt(begun.payment)).state == "open"
    assert await paying.office.state.run(payments.by_number, number) is None


async def test_open_dental_is_told_of_no_answer_of_a_processor_that_it_does_not_know(paying: PayingOffice) -> None:
    paying.bank.name = "stripe"
    number = await paying.paid()
    (row,) = await booked(paying, number)
    assert row.PaymentSource == 13  # type: ignore[attr-defined]
    assert await paying.office.rows(tables.xwebresponse) == []


async def test_a_clinics_payment_is_that_clinics(paying: PayingOffice) -> None:
    await paying.office.change(tables.patient, {"ClinicNum": 5}, PatNum=int(Cast.MARIA))
    paying.tills.clinic = 5
    number = await paying.paid()
    (row,) = await booked(paying, number)
    assert row.ClinicNum == 5  # type: ignore[attr-defined]
    (answer,) = await paying.office.rows(tables.xwebresponse)
    assert answer.ClinicNum == 5
    assert [alert.Description for alert in await paying.office.rows(tables.alertitem, Type=1, ClinicNum=5)] == ["1"]


# -- when something changes on the way ---------------------------------------------------------------------------------


async def test_a_form_that_is_sent_again_after_the_processor_was_changed_is_asked_about_there(
    paying: PayingOffice,
) -> None:
    form = paying.form()
    paying.bank.fails = REFUSED
    with pytest.raises(PaymentCredentialsRefused):
        await paying.office.ask(calls.PAY, form)
    paying.bank.fails, paying.bank.name = None, "edgeexpress"
    begun = await paying.office.ask(calls.PAY, form)
    paying.bank.ends(begun.payment, "approved", 10_000)
    assert (await paying.shown(begun.payment)).item.state == "paid"
    (row,) = await booked(paying, begun.payment)
    assert row.PaymentSource == 12  # type: ignore[attr-defined]


async def test_what_is_open_is_asked_about_when_payments_are_switched_off(paying: PayingOffice) -> None:
    begun = await paying.pay()
    paying.bank.ends(begun.payment, "approved", 10_000)
    paying.tills.off = True
    await paying.cashier.reconcile()
    assert len(await booked(paying, begun.payment)) == 1


async def test_the_same_amount_is_asked_about_however_long_the_first_took(paying: PayingOffice) -> None:
    begun = await paying.pay()
    paying.clock.advance(590)
    paying.bank.ends(begun.payment, "approved", 10_000)
    assert (await paying.shown(begun.payment)).item.state == "paid"
    paying.clock.advance(60)
    with pytest.raises(PaymentNotMade) as caught:
        await paying.pay()
    assert caught.value.facts["rule"] == "again"


async def test_an_open_payment_is_asked_about_whatever_another_process_has_noted(paying: PayingOffice) -> None:
    begun = await paying.pay()
    paying.bank.ends(begun.payment, "approved", 10_000)
    # `office payments look` was at an earlier failed try of it.
    await paying.office.state.run(lambda state: payments.change(state, begun.payment, done=True))
    await paying.office.state.run(lambda state: payments.settled(state, begun.payment, "failed", payment=77))
    await paying.cashier.reconcile()
    (row,) = await booked(paying, begun.payment)
    assert (await paying.attempt(begun.payment)).payment == row.PayNum  # type: ignore[attr-defined]


async def test_a_charge_is_not_said_to_have_failed_because_the_books_are_away(
    paying: PayingOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = await kept(paying)
    with monkeypatch.context() as broken:
        broken.setattr(onlinepayments, "post", lambda *_, **__: (_ for _ in ()).throw(SILENT))
        begun = await paying.pay(5_000, card=card.card)
    assert (await paying.attempt(begun.payment)).state == "approved"
    await paying.cashier.reconcile()
    assert len(await booked(paying, begun.payment)) == 1


async def test_what_waits_for_staff_is_on_its_way_for_as_long_as_it_waits(paying: PayingOffice) -> None:
    await paying.office.state.run(payments.set_mode, "pending")
    number = await paying.paid()
    paying.clock.advance(5 * 86400)
    paying.token = (await paying.office.sign_in(Cast.MARIA)).token
    (item,) = (await paying.form_shown()).recent
    assert (item.payment, item.paid_cents, item.posted) == (number, 10_000, False)
    await paying.office.change(tables.payment, {"ProcessStatus": 1}, ExternalId=number)
    await paying.cashier.reconcile()
    assert (await paying.form_shown()).recent == []


async def test_a_payment_follows_its_account_into_the_chart_that_it_was_merged_into(paying: PayingOffice) -> None:
    begun = await paying.pay()
    link = {"PatNumFrom": int(Cast.MARIA), "PatNumTo": int(Cast.BEN), "LinkType": 1}
    await paying.office.add(tables.patientlink, **link)
    paying.bank.ends(begun.payment, "approved", 10_000)
    for _ in range(2):
        await paying.cashier.reconcile()
    (row,) = await booked(paying, begun.payment)
    assert row.PatNum == Cast.BEN  # type: ignore[attr-defined]


async def test_what_is_posted_is_on_its_way_until_the_balance_counts_it(portal_office: PortalOffice) -> None:
    office = await PayingOffice(portal_office).begin()
    today = f"{office.clock.now().astimezone():%Y-%m-%d}"
    await portal_office.prefer("DateLastAging", today)
    number = await office.paid()
    assert [one.posted for one in (await office.form_shown()).recent] == [False]
    await portal_office.prefer("DateLastAging", "2999-01-01")
    splits = await portal_office.rows(tables.paysplit, PayNum=(await office.attempt(number)).payment)
    assert [one.posted for one in (await office.form_shown()).recent] == [bool(splits)]


async def test_after_a_long_weekend_without_internet_what_was_paid_is_booked(paying: PayingOffice) -> None:
    begun = await paying.pay()
    paying.bank.ends(begun.payment, "approved", 10_000)
    paying.clock.advance(3 * 86400)
    paying.restart()
    paying.bank.fails = SILENT
    for _ in range(2):
        await paying.cashier.reconcile()
    paying.token = (await paying.office.sign_in(Cast.MARIA)).token
    assert (await paying.form_shown()).recent == []
    paying.bank.fails = None
    paying.clock.advance(3601)
    await paying.cashier.reconcile()
    assert len(await booked(paying, begun.payment)) == 1
    told = await paying.office.rows(tables.eservicesignal, Severity=4)
    assert len([row for row in told if begun.payment in row.Description]) == 1


async def test_a_card_that_staff_charge_regularly_is_not_the_patients_to_delete(paying: PayingOffice) -> None:
    card = await kept(paying)
    await paying.office.change(tables.creditcard, {"ChargeAmt": 50.0}, CreditCardNum=card.card)
    assert (await paying.form_shown()).cards == []
    with pytest.raises(NotAllowed):
        await paying.office.ask(calls.FORGET_CARD, calls.ForgetCard(paying.token, card.card))

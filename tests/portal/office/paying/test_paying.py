"""Paying on the processor's page: from the form to the practice's books, once."""

import asyncio
import re

import pytest

from econnector.base.errors import NotAllowed, PaymentGatewaySilent, PaymentNotMade, PaymentsOff
from econnector.eservices.portal import calls
from econnector.opendental import tables
from tests.support.bank import PayingOffice
from tests.support.practice import Cast, PortalOffice

SILENT = PaymentGatewaySilent(processor="XWeb", address="pay.example.com", why="it took too long")


@pytest.fixture
async def paying(portal_office_sqlite: PortalOffice) -> PayingOffice:
    return await PayingOffice(portal_office_sqlite).begin()


async def test_what_is_paid_on_the_page_waits_for_staff_and_is_shown_at_once(portal_office: PortalOffice) -> None:
    office = await PayingOffice(portal_office).begin()
    form = await office.form_shown(document=100)
    assert (form.holder_name, form.balance_cents, form.statement_cents) == ("Maria Delgado", 14225, 13125)
    assert (form.processor, form.sandbox, form.may_keep, form.cards, form.recent) == ("XWeb", True, True, [], [])
    begun = await office.pay(13125, document=100)
    assert re.fullmatch(r"[1-9][0-9]{9}", begun.payment)
    (order,) = office.bank.pages
    assert (order.number, order.cents, order.back) == (
        begun.payment, 13125, f"https://portal.example.com/o/bright/portal/pay/{begun.payment}",
    )  # fmt: skip
    (answer,) = await portal_office.rows(tables.xwebresponse)
    assert (answer.PatNum, answer.OrderId, answer.TransactionStatus, answer.ResponseCode) == (11, order.number, 1, 102)
    assert (answer.XWebResponseCode, answer.PaymentNum, answer.OTK, answer.HpfUrl) == ("Pending", 0, "", "")
    pending = (await office.shown(begun.payment)).item
    assert (pending.state, pending.cents, pending.paid_cents, pending.url) == ("pending", 13125, 0, begun.url)
    office.bank.ends(begun.payment, "approved", 13125)
    assert (await office.shown(begun.payment)).item.state == "pending"  # asked a moment ago
    office.clock.advance(6)
    shown = await office.shown(begun.payment)
    item = shown.item
    assert (item.state, item.paid_cents, item.card, item.brand) == ("paid", 13125, "XXXXXXXXXXXX1111", "Visa")
    assert (shown.holder_name, shown.receipt_mailed, item.by_name, item.url) == (
        "Maria Delgado", True, "Maria Delgado", "",
    )  # fmt: skip
    (payment,) = await portal_office.rows(tables.payment, ExternalId=begun.payment)
    assert (payment.PatNum, payment.PayAmt, payment.PayType, payment.PaymentSource) == (11, 131.25, 71, 2)
    assert payment.PayNote.split("\r\n")[:3] == [
        "Paid online in the patient portal by Maria Delgado", "Amount: $131.25", "Card Number: XXXXXXXXXXXX1111 Visa",
    ]  # fmt: skip
    splits = await portal_office.rows(tables.paysplit, PayNum=payment.PayNum)
    sealed = "SecurityHash" in (await columns(portal_office, "paysplit"))
    assert len(splits) == (0 if sealed else 1)
    assert payment.ProcessStatus == 2
    assert item.posted is not sealed
    (answer,) = await portal_office.rows(tables.xwebresponse)
    assert (answer.TransactionStatus, answer.ResponseCode, answer.XWebResponseCode) == (3, 0, "Approval")
    assert (answer.PaymentNum, answer.Amount, answer.ApprovalCode) == (payment.PayNum, 131.25, "0K4711")
    (logged,) = await portal_office.rows(tables.securitylog, PermType=15)
    assert logged.LogText == f"XWeb payment by Maria Delgado, $131.25 (online payment {begun.payment})"
    assert len(await portal_office.rows(tables.securityloghash, SecurityLogNum=logged.SecurityLogNum)) == 1
    assert len(await portal_office.rows(tables.eservicelog, EServiceAction=17, PatNum=11)) == 1
    assert await portal_office.rows(tables.signalod, IType=111)
    (alert,) = await portal_office.rows(tables.alertitem, Type=1)
    waiting = len(await portal_office.rows(tables.payment, ProcessStatus=2))
    assert (alert.Description, alert.FormToOpen, alert.ClinicNum) == (f"{waiting}", 2, 0)
    (letter,) = office.letters.sent.values()
    assert letter.to == ["maria@example.com"]
    assert letter.subject == "Bright Smile Dental: receipt for your payment"
    assert f"Amount: $131.25\nPayment number: {begun.payment}\nCard: Visa XXXXXXXXXXXX1111\n" in letter.text
    assert "Maria" not in letter.text
    account = await portal_office.ask(calls.ACCOUNT, calls.PersonAsked(office.token))
    assert [one.standing for one in account.pending if one.cents == 13125] == ["pending"]
    assert account.payable
    assert [look.what for look in (await looked(office)).items if look.what == "paid"] == ["paid"]


async def columns(office: PortalOffice, table: str) -> set[str]:
    from econnector.opendental.schema import inspect  # noqa: PLC0415

    return set((await office.database.run(inspect)).columns[table])


async def looked(office: PayingOffice) -> calls.WhoLooked:
    return await office.office.ask(calls.WHO_LOOKED, calls.PageAsked(office.token))


async def test_the_same_form_is_one_payment_and_a_changed_one_is_refused(paying: PayingOffice) -> None:
    form = paying.form()
    begun = await asyncio.gather(*(paying.office.ask(calls.PAY, form) for _ in range(3)))
    assert len({(one.payment, one.url) for one in begun}) == 1
    assert len(paying.bank.pages) == 1
    form.cents += 1
    with pytest.raises(PaymentNotMade) as caught:
        await paying.office.ask(calls.PAY, form)
    assert caught.value.facts["rule"] == "changed"


@pytest.mark.causes("payment-not-made")
@pytest.mark.parametrize("cents", [99, 0, -5, 1_000_001])
async def test_an_amount_has_bounds(paying: PayingOffice, cents: int) -> None:
    with pytest.raises(PaymentNotMade) as caught:
        await paying.pay(cents)
    assert caught.value.facts["rule"] == "amount"


async def test_the_same_amount_twice_is_asked_about(paying: PayingOffice) -> None:
    await paying.paid()
    with pytest.raises(PaymentNotMade) as caught:
        await paying.pay()
    assert caught.value.facts["rule"] == "again"
    assert (await paying.pay(again=True)).url
    paying.clock.advance(601)
    assert (await paying.pay()).url


async def test_nobody_pays_an_account_that_they_do_not_see(paying: PayingOffice) -> None:
    for person in (Cast.GRETA, Cast.PAUL, Cast.STEFAN, Cast.BEN):
        with pytest.raises(NotAllowed):
            await paying.pay(person=int(person))
    with pytest.raises(NotAllowed):
        await paying.pay(document=104)
    luis = await paying.office.sign_in(Cast.LUIS, "Tooth4Fairy")
    with pytest.raises(NotAllowed):
        await paying.pay(token=luis.token)
    assert paying.bank.pages == []
    rosa = await paying.pay(person=int(Cast.ROSA))
    assert (await paying.attempt(rosa.payment)).holder == Cast.ROSA


async def test_a_payment_is_shown_to_nobody_else(paying: PayingOffice) -> None:
    number = await paying.paid()
    greta = await paying.office.sign_in(Cast.GRETA, "Tooth4Fairy")
    for wanted in (number, "1234567890", "x"):
        with pytest.raises(NotAllowed):
            await paying.shown(wanted, greta.token)


async def test_where_payments_are_off_nothing_is_offered(paying: PayingOffice) -> None:
    paying.tills.off = True
    with pytest.raises(PaymentsOff):
        await paying.form_shown()
    with pytest.raises(PaymentsOff):
        await paying.pay()
    assert not (await paying.office.ask(calls.ACCOUNT, calls.PersonAsked(paying.token))).payable

"""What ended unpaid is asked about again: on most processors' pages another card can be tried after a decline."""

import pytest

from econnector.opendental import tables
from econnector.payments.contract import State
from tests.support.bank import PayingOffice
from tests.support.practice import PortalOffice


@pytest.mark.parametrize("first", ["declined", "expired"])
async def test_another_card_after_a_decline_is_found_and_posted_once(
    portal_office_sqlite: PortalOffice, first: State
) -> None:
    office = await PayingOffice(portal_office_sqlite).begin()
    number = (await office.pay()).payment
    office.bank.ends(number, first)
    assert (await office.shown(number)).item.state == first
    office.bank.ends(number, "approved", 10_000)
    for _ in range(3):
        office.clock.advance(61)
        await office.cashier.reconcile()
    assert (await office.attempt(number)).state == "approved"
    assert len(await portal_office_sqlite.rows(tables.payment, ExternalId=number)) == 1
    assert (await office.shown(number)).item.state == "paid"


async def test_a_processor_is_asked_ever_more_rarely_and_not_for_ever(portal_office_sqlite: PortalOffice) -> None:
    office = await PayingOffice(portal_office_sqlite).begin()
    number = (await office.pay()).payment
    office.bank.ends(number, "declined")
    await office.shown(number)
    before = len(office.bank.looks)
    for _ in range(26 * 6):
        office.clock.advance(600)
        await office.cashier.reconcile()
    assert 5 <= len(office.bank.looks) - before <= 10
    assert not await portal_office_sqlite.rows(tables.payment, ExternalId=number)

"""What each adapter makes of each behaviour of a processor, over real HTTP to the sandbox in a process of its own."""

import asyncio
import datetime as dt
import signal

import msgspec
import pytest

from econnector.base.clock import ManualClock, SystemClock
from econnector.base.errors import PaymentCredentialsRefused, PaymentGatewayRefused, PaymentGatewaySilent
from econnector.demo.gateway.books import BOOKS, Books
from econnector.payments.contract import Card, Outcome
from tests.payments.conftest import BACK, Account, new_order
from tests.support.gateway import Gateway

WRONG = {
    "edgeexpress": ("auth_key", "A" * 32, "EdgeExpressAuthKey"),
    "xweb": ("xweb_id", "800000001234", "XWebID …1234"),
    "stripe": ("secret_key", "sk_test_TypedWronglyToday", "payments.stripe_key …oday"),
}


async def test_a_payment_on_the_processors_page(account: Account) -> None:
    order = new_order()
    begun = await account.gateway.begin(order)
    assert begun.url.startswith(account.process.url)
    minutes = (begun.until - SystemClock().now()) / dt.timedelta(minutes=1)
    assert 5 < minutes < 35
    assert (await account.gateway.look(order, begun.token)).state == "pending"
    assert account.process.pay(begun.url) == BACK
    outcome = await account.gateway.look(order, begun.token)
    assert (outcome.state, outcome.cents, outcome.code, outcome.brand) == ("approved", 12_345, 0, "Visa")
    assert outcome.transaction
    assert outcome.approval
    assert outcome.card is not None
    assert (outcome.card.masked, outcome.card.expires, outcome.card.alias) == ("XXXXXXXXXXXX4242", "0829", "")
    assert account.process.charged()[order.number] == 12_345


async def test_what_is_begun_twice_is_charged_once(account: Account) -> None:
    order = new_order()
    begun = [await account.gateway.begin(order), await account.gateway.begin(order)]
    for each in begun:
        account.process.pay(each.url)
    assert (await account.gateway.look(order, begun[0].token)).cents == 12_345
    assert account.process.charged()[order.number] == 12_345


@pytest.mark.parametrize(
    ("card", "state", "cents"),
    [("4000000000000002", "declined", 0), ("4000000000000069", "declined", 0), ("4000000000000077", "partial", 6_172)],
)
async def test_less_than_everything(account: Account, card: str, state: str, cents: int) -> None:
    order = new_order()
    begun = await account.gateway.begin(order)
    account.process.pay(begun.url, card)
    outcome = await account.gateway.look(order, begun.token)
    if account.name == "stripe" and state == "declined":
        state = "expired"  # its own page lets people try again; the sandbox's ends
    assert (outcome.state, outcome.cents) == (state, cents)
    assert account.process.charged().get(order.number, 0) == cents


async def test_a_page_that_is_left(account: Account) -> None:
    order = new_order()
    begun = await account.gateway.begin(order)
    assert account.process.leave(begun.url) == BACK
    outcome = await account.gateway.look(order, begun.token)
    assert (outcome.state, outcome.code, outcome.cents) == ("expired", 101, 0)
    account.process.pay(begun.url)
    assert order.number not in account.process.charged()


async def test_an_answer_that_takes_its_time_and_one_that_goes_back_on_itself(account: Account) -> None:
    states = {
        "4000000000000119": ["pending"] * 3 + ["approved"],
        "4000000000000143": ["approved", "pending", "approved"],
    }
    for card, wanted in states.items():
        order = new_order()
        begun = await account.gateway.begin(order)
        account.process.pay(begun.url, card)
        assert [(await account.gateway.look(order, begun.token)).state for _ in wanted] == wanted
        assert account.process.charged()[order.number] == 12_345


async def test_a_processor_that_never_answers(account: Account) -> None:
    order, hasty = new_order(), account.open(seconds=0.5)
    begun = await account.gateway.begin(order)
    account.process.pay(begun.url, "4000000000000127")
    for _ in range(2):
        with pytest.raises(PaymentGatewaySilent) as silent:
            await hasty.look(order, begun.token)
        assert account.process.url.removeprefix("http://") in silent.value.office_text()
    assert (await account.gateway.look(order, begun.token)).state == "approved"


async def test_a_kept_card_is_charged_once_and_forgotten(account: Account) -> None:
    card, order = await account.kept(), new_order(4_500)
    outcomes = [await account.gateway.charge(order, card) for _ in range(2)]
    outcomes.append(await account.gateway.look(order, ""))
    assert [(each.state, each.cents) for each in outcomes] == [("approved", 4_500)] * 3
    assert len({each.transaction for each in outcomes}) == 1
    assert account.process.charged()[order.number] == 4_500
    assert outcomes[0].card == card
    await account.gateway.forget(card)
    await account.gateway.forget(card)
    later = new_order(4_600)
    with pytest.raises(PaymentGatewayRefused):
        await account.gateway.charge(later, card)
    assert (await account.gateway.look(later, "")).state == "unknown"


async def test_a_kept_card_whose_charge_is_never_answered(account: Account) -> None:
    card, hasty = await account.kept(), account.open(seconds=0.5)
    charged, lost = new_order(127), new_order(128)
    for order in (charged, lost):
        with pytest.raises(PaymentGatewaySilent):
            await hasty.charge(order, card)
    assert (await account.gateway.look(charged, "")).cents == 127
    assert (await account.gateway.look(lost, "")).state == "unknown"
    assert account.process.charged().get(lost.number) is None


async def test_a_kept_card_is_declined_or_pays_a_part(account: Account) -> None:
    card = await account.kept()
    assert (await account.gateway.charge(new_order(102), card)).state == "declined"
    partial: Outcome = await account.gateway.charge(new_order(107), card)
    assert (partial.state, partial.cents) == ("partial", 53)


@pytest.mark.causes("payment-credentials-refused")
async def test_wrong_credentials_are_named_and_never_said(account: Account) -> None:
    name, value, said = WRONG[account.name]
    stranger = Account(account.process, account.name, **{name: value})
    for ask in (stranger.gateway.check(), stranger.gateway.begin(new_order())):
        with pytest.raises(PaymentCredentialsRefused) as refused:
            await ask
        assert said in refused.value.office_text()
        assert value not in repr(refused.value.facts)
    await account.gateway.check()


@pytest.mark.causes("payment-gateway-silent")
async def test_a_processor_that_is_not_there(account: Account) -> None:
    away = Account(Gateway(account.process.folder), account.name)
    with pytest.raises(PaymentGatewaySilent, match="nothing accepts connections there"):
        await away.gateway.begin(new_order())


@pytest.mark.causes("payment-gateway-refused")
async def test_an_order_that_nobody_has_heard_of(account: Account) -> None:
    assert (await account.gateway.look(new_order(), "")).state == "unknown"
    with pytest.raises(PaymentGatewayRefused):
        await account.gateway.charge(new_order(), Card("made-up/alias"))


@pytest.mark.parametrize("name", ["xweb", "stripe"])
async def test_an_answer_about_another_order_is_not_believed(process: Gateway, name: str) -> None:
    account, order = Account(process, name), new_order()
    begun = await account.gateway.begin(order)
    process.pay(begun.url)
    with pytest.raises(PaymentGatewaySilent, match="another order"):
        await account.gateway.look(new_order(), begun.token)


async def test_xweb_forgets_its_keys_after_a_day_and_never_what_it_charged(process: Gateway) -> None:
    account, order = Account(process, "xweb"), new_order()
    begun = await account.gateway.begin(order)
    process.pay(begun.url)
    assert (await account.gateway.look(order, "a-key-of-yesterday")).cents == 12_345
    assert (await account.gateway.look(new_order(), "a-key-of-yesterday")).state == "unknown"


@pytest.mark.parametrize("account", ["edgeexpress", "stripe"], indirect=True)
async def test_a_page_that_is_left_alone_ends(account: Account) -> None:
    order = new_order()
    begun = await account.gateway.begin(order)
    later = account.open(ManualClock(begun.until + dt.timedelta(minutes=6)))
    assert (await later.look(order, begun.token)).state == "expired"
    account.process.pay(begun.url)
    # Stripe's page is ended for good. EdgeExpress's is not ours to end: who pays there late, has paid.
    paid = account.name == "edgeexpress"
    assert (await later.look(order, begun.token)).state == ("approved" if paid else "expired")
    assert (order.number in account.process.charged()) is paid


async def test_a_page_whose_time_is_over_takes_no_card(account: Account) -> None:
    order = new_order()
    begun = await account.gateway.begin(order)
    books = Books(account.process.folder / BOOKS)
    paper = books.find(order.number)
    assert paper is not None
    paper.until = 0
    books.keep(paper)
    books.close()
    account.process.pay(begun.url)
    wanted = {"edgeexpress": ("pending", 102)}.get(account.name, ("expired", 101))  # it never says so itself
    outcome = await account.gateway.look(order, begun.token)
    assert (outcome.state, outcome.code) == wanted
    assert order.number not in account.process.charged()


async def test_many_at_once(account: Account) -> None:
    orders = [new_order(2_000 + each) for each in range(8)]
    begun = await asyncio.gather(*(account.gateway.begin(each) for each in orders))
    await asyncio.gather(*(asyncio.to_thread(account.process.pay, each.url) for each in begun))
    found = await asyncio.gather(
        *(account.gateway.look(order, each.token) for order, each in zip(orders, begun, strict=True))
    )
    assert [each.cents for each in found] == [order.cents for order in orders]


async def test_a_charge_is_found_behind_many_others(process: Gateway) -> None:
    account = Account(process, "stripe")
    card, order = await account.kept(), new_order()
    await account.gateway.charge(order, card)
    for cents in range(3_000, 3_012):
        await account.gateway.charge(new_order(cents), card)
    assert (await account.gateway.look(order, "")).cents == 12_345


async def test_nothing_secret_is_said(account: Account, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    order = new_order(keep_card=True)
    begun = await account.gateway.begin(order)
    account.process.pay(begun.url)
    outcome = await account.gateway.look(order, begun.token)
    said = repr((order, begun, outcome, account.credentials, account.gateway, outcome.description)) + caplog.text
    assert outcome.card is not None
    values = [str(each) for each in msgspec.structs.asdict(account.credentials).values()]
    keys = [each for each in values if any(letter.isdigit() for letter in each)]
    for secret in (*keys, begun.token, begun.url, outcome.card.alias):
        assert secret not in said


def test_it_is_killed_and_knows_everything_still(process: Gateway) -> None:
    before = process.charged()
    process.stop(signal.SIGKILL)
    process.start()
    assert before
    assert process.charged() == before

"""Accounts at the sandbox, as real processes and real HTTP, by each of the three adapters."""

import itertools
import uuid
from collections.abc import Iterator

import msgspec
import pytest

from econnector.base.clock import ManualClock, SystemClock
from econnector.demo.gateway import scripts
from econnector.payments.contract import Card, Gateway, Order
from econnector.payments.credentials import Credentials, StripeCredentials, XWebCredentials
from econnector.payments.opening import open_gateway
from econnector.payments.way import Way
from tests.support import gateway as sandbox

BACK = "http://127.0.0.1:9/portal/payments/1?a=1&b=2"
_NUMBERS = itertools.count(4_100_000_001)

XWEB = XWebCredentials(
    program="Xcharge",
    clinic="the practice",
    xweb_id=scripts.XWEB_ID,
    auth_key=scripts.AUTH_KEY,
    terminal_id=scripts.TERMINAL_ID,
)
ACCOUNTS: dict[str, Credentials] = {
    "edgeexpress": msgspec.structs.replace(XWEB, program="EdgeExpress"),
    "xweb": XWEB,
    "stripe": StripeCredentials(secret_key=scripts.STRIPE_KEY, webhook_secret=scripts.WEBHOOK_SECRET),
}


class Account:
    """One account at the sandbox."""

    def __init__(self, process: sandbox.Gateway, name: str, **changed: str) -> None:
        self.process, self.name = process, name
        self.credentials = msgspec.structs.replace(ACCOUNTS[name], **changed)
        self.gateway = self.open()

    def open(self, clock: ManualClock | SystemClock | None = None, seconds: float = 60.0) -> Gateway:
        """Open it again: seen at another time, or by somebody less patient."""
        return open_gateway(self.credentials, Way(gateway=self.process.url, seconds=seconds), clock or SystemClock())

    async def kept(self) -> Card:
        """Return a card that is kept there."""
        order = new_order(keep_card=True)
        begun = await self.gateway.begin(order)
        self.process.pay(begun.url)
        card = (await self.gateway.look(order, begun.token)).card
        assert card is not None
        return card


def new_order(cents: int = 12_345, *, keep_card: bool = False) -> Order:
    """Return an order that nobody has seen yet."""
    return Order(number=str(next(_NUMBERS)), key=str(uuid.uuid4()), cents=cents, back=BACK, keep_card=keep_card)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sandbox.Gateway]:
    """The sandbox."""
    with sandbox.gateway_process(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture(params=list(ACCOUNTS))
def account(process: sandbox.Gateway, request: pytest.FixtureRequest) -> Account:
    """An account, by each adapter."""
    return Account(process, request.param)

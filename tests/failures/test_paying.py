"""The card processor does not take the office's credentials: nothing is charged, and the office reads which of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from econnector.demo.gateway.scripts import AUTH_KEY, TERMINAL_ID, XWEB_ID
from tests.failures.test_reaching import asked, until_ok
from tests.failures.world import World
from tests.portal.web.test_paying import filled
from tests.support.gateway import Gateway, gateway_process

PAY = "/o/smile/portal/pay"
WRONG = "A" * 32


@pytest.fixture
def processor(tmp_path: Path) -> Iterator[Gateway]:
    (tmp_path / "gateway").mkdir()
    with gateway_process(tmp_path / "gateway") as running:
        yield running


async def linked(world: World, **values: str) -> None:
    """Set up EdgeExpress under Program Links, as the practice's staff does."""
    row = "(ProgramNum, ProgName, ProgDesc, Enabled) VALUES (901, 'EdgeExpress', '', 1)"
    await asked(world, f"INSERT OR REPLACE INTO program {row}")
    row = "(DefNum, Category, ItemName, IsHidden) VALUES (971, 10, 'Credit Card', 0)"
    await asked(world, f"INSERT OR REPLACE INTO definition {row}")
    for name, value in values.items():
        where = {"program": 901, "name": name}
        await asked(world, "DELETE FROM programproperty WHERE ProgramNum = :program AND PropertyDesc = :name", **where)
        await asked(
            world,
            "INSERT INTO programproperty (ProgramNum, PropertyDesc, PropertyValue, ComputerName, ClinicNum)"
            " VALUES (:program, :name, :value, '', 0)",
            value=value,
            **where,
        )


@pytest.mark.causes(
    "payment-credentials-refused",
    row="payment: payment gateway refused the office's credentials",
    sees="patient, history, doctor, again",
)
async def test_a_key_that_the_processor_does_not_know(world: World, processor: Gateway) -> None:
    await linked(
        world,
        EdgeExpressIsOnlinePaymentsEnabled="1",
        EdgeExpressXWebID=XWEB_ID,
        EdgeExpressAuthKey=WRONG,
        EdgeExpressTerminalID=TERMINAL_ID,
        EdgeExpressPaymentType="971",
    )
    await world.enrol(f'[payments]\ngateway = "{processor.url}"\n')
    async with world.working():
        await world.sign_in()
        shown = await world.browser.get(PAY)
        assert shown.status_code == 200
        page = await world.browser.post(PAY, data=filled(shown, amount="12.00"))
        assert page.status_code == 503
        assert "Nothing was charged" in page.text
        assert "payment-credentials-refused" in page.text
        assert "AuthKey" not in page.text
        met = await world.noted(page)
        assert (met.code, "EdgeExpressAuthKey" in str(met.facts)) == ("payment-credentials-refused", True)
        assert WRONG not in str(met.facts)
        finding = await world.finding("payments")
        assert (finding.state, finding.code) == ("problem", "payment-credentials-refused")
        assert "EdgeExpressAuthKey" in finding.text
        await linked(world, EdgeExpressAuthKey=AUTH_KEY)
        again = await world.browser.post(PAY, data=filled(await world.browser.get(PAY), amount="12.00"))
        assert again.status_code == 303
        await until_ok(world, "payments")
        assert processor.charged() == {}

"""What the doctor finds about the card processor: off on purpose, in order, or which credential of which clinic."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from econnector.office.doctor import payments
from econnector.office.doctor.check import Finding, examine
from econnector.office.doctor.scene import Scene
from tests.support.gateway import Gateway, gateway_process
from tests.support.whole import built

WRONG = "A" * 32
EDGE = "(SELECT ProgramNum FROM program WHERE ProgName='EdgeExpress')"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway_process(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture
def practice(tmp_path: Path) -> Path:
    return Path(shutil.copytree(built(), tmp_path / "office"))


def sql(practice: Path, *statements: str) -> None:
    with sqlite3.connect(practice / "practice.sqlite", timeout=60) as database:
        for statement in statements:
            database.execute(statement)


def put(name: str, value: str, clinic: int = 0) -> str:
    """Return the statement that sets a property."""
    if not clinic:
        return f"UPDATE programproperty SET PropertyValue='{value}' WHERE PropertyDesc='{name}'"
    columns = "ProgramNum, PropertyDesc, PropertyValue, ComputerName, ClinicNum, IsMasked, IsHighSecurity"
    return f"INSERT INTO programproperty ({columns}) VALUES ({EDGE}, '{name}', '{value}', '', {clinic}, 0, 0)"


async def found(practice: Path, **more: object) -> Finding:
    flags = {f"payments.{name}": value for name, value in more.items()}
    scene = Scene(practice / "office.toml", flags)
    try:
        return (await examine(scene, payments.CHECKS))[0]
    finally:
        await scene.close()


async def test_a_processor_that_takes_the_credentials_is_in_order_and_nothing_is_charged(
    practice: Path, process: Gateway
) -> None:
    finding = await found(practice, gateway=process.url)
    assert (finding.state, finding.code) == ("ok", "")
    assert finding.details == ["EdgeExpress for the practice: takes the credentials"]
    assert "no real money" in finding.text
    assert process.charged() == {}


async def test_a_wrong_key_is_named_and_not_said(practice: Path, process: Gateway) -> None:
    sql(practice, put("EdgeExpressAuthKey", WRONG))
    finding = await found(practice, gateway=process.url)
    assert (finding.state, finding.code) == ("problem", "payment-credentials-refused")
    assert "EdgeExpressAuthKey of 32 characters" in finding.text
    assert "Authentication Error" in finding.text
    assert WRONG not in repr(finding)
    assert "EdgeExpress" in " ".join(finding.remedy)


async def test_a_clinics_own_credentials_are_tried_as_well(practice: Path, process: Gateway) -> None:
    sql(
        practice,
        "UPDATE preference SET ValueString='0' WHERE PrefName='EasyNoClinics'",
        "INSERT INTO clinic (ClinicNum, Description) VALUES (4, 'Uptown')",
        put("EdgeExpressXWebID", "800000000004", 4),
    )
    finding = await found(practice, gateway=process.url)
    assert (finding.state, finding.code) == ("problem", "payment-credentials-incomplete")
    assert "the clinic Uptown: the property EdgeExpressAuthKey is empty" in finding.text
    assert "EdgeExpress for the practice: takes the credentials" in finding.details


async def test_payments_that_are_off_on_purpose_are_no_problem(practice: Path) -> None:
    sql(practice, put("EdgeExpressIsOnlinePaymentsEnabled", "0"))
    finding = await found(practice, gateway="http://127.0.0.1:9")
    assert finding.state == "ok"
    assert "not used" in finding.text


async def test_a_processor_that_is_not_there(practice: Path, process: Gateway) -> None:
    finding = await found(practice, gateway="http://127.0.0.1:9")
    assert (finding.state, finding.code) == ("problem", "payment-gateway-silent")
    assert "127.0.0.1:9" in finding.text
    assert (await found(practice, gateway="http://gateway.example")).code == "setting-invalid"
    assert (await found(practice, gateway=process.url)).state == "ok"


async def test_stripe(practice: Path, process: Gateway) -> None:
    finding = await found(practice, gateway=process.url, processor="stripe")
    assert (finding.state, finding.code) == ("problem", "payment-credentials-incomplete")
    assert "payments.stripe_key is empty" in finding.text
    key = practice / "stripe.secret"
    key.write_text("sk_test_TypedWronglyToday\n")
    key.chmod(0o600)
    finding = await found(practice, gateway=process.url, processor="stripe", stripe_key_file=str(key))
    assert (finding.state, finding.code) == ("problem", "payment-credentials-refused")
    assert "payments.stripe_key …oday" in finding.text
    key.write_text("sk_test_SandboxOpensNothing0001\n")
    finding = await found(practice, gateway=process.url, processor="stripe", stripe_key_file=str(key))
    assert finding.state == "ok"
    key.chmod(0o644)
    scene = Scene(practice / "office.toml", {"payments.stripe_key_file": str(key)})
    assert scene.settings_failure is not None
    assert "stripe_key_file" in scene.settings_failure.office_text()
    await scene.close()


async def test_a_database_that_is_away_is_another_checks_business(practice: Path) -> None:
    (practice / "practice.sqlite").write_bytes(b"no database")
    assert (await found(practice)).state == "unknown"

"""Credentials are judged before anything is sent, and never said."""

from pathlib import Path

import msgspec
import pytest

from econnector.base.errors import PaymentCredentialsIncomplete, SettingInvalid
from econnector.payments.credentials import StripeCredentials, XWebCredentials
from econnector.payments.opening import open_gateway
from econnector.payments.way import Way, encrypted
from tests.payments.conftest import XWEB


@pytest.mark.causes("payment-credentials-incomplete")
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"xweb_id": ""}, "the property XWebID is empty"),
        ({"xweb_id": "80000000900"}, "the property XWebID is not 12 digits (it has 11 characters)"),
        ({"auth_key": "short"}, "the property AuthKey is not 32 letters and digits (it has 5 characters)"),
        ({"terminal_id": "8000900x"}, "the property TerminalID is not 8 digits (it has 8 characters)"),
        ({"terminal_id": "\u0668" * 8}, "the property TerminalID is not 8 digits (it has 8 characters)"),
        ({"auth_key": "", "terminal_id": ""}, "the property AuthKey is empty and the property TerminalID is empty"),
        ({"program": "EdgeExpress", "auth_key": ""}, "the property EdgeExpressAuthKey is empty"),
    ],
)
def test_what_is_missing_is_named(changed: dict[str, str], said: str) -> None:
    credentials: XWebCredentials = msgspec.structs.replace(XWEB, **changed)
    with pytest.raises(PaymentCredentialsIncomplete) as incomplete:
        open_gateway(credentials, Way())
    text = incomplete.value.office_text()
    assert said in text
    assert "the practice" in text
    for secret in (XWEB.auth_key, "short", "8000900x"):
        assert secret not in text


@pytest.mark.parametrize(
    ("key", "secret", "said"),
    [
        ("", "", "payments.stripe_key is empty"),
        ("pk_test_0123456789", "", "payments.stripe_key is not"),
        ("sk_test_0123456789 ", "", "payments.stripe_key has blanks around it"),
        ("sk_test_0123456789", "0123456789", "payments.stripe_webhook_secret is not"),
    ],
)
def test_stripes_settings_are_named(key: str, secret: str, said: str) -> None:
    with pytest.raises(PaymentCredentialsIncomplete) as incomplete:
        open_gateway(StripeCredentials(secret_key=key, webhook_secret=secret), Way())
    assert said in incomplete.value.office_text()


@pytest.mark.parametrize(
    ("url", "yes"),
    [
        ("https://ee.paygateway.com", True),
        ("http://127.0.0.1:8450", True),
        ("http://localhost:1", True),
        ("http://[::1]:1", True),
        ("http://ee.paygateway.com", False),
        ("http://127.0.0.1.example.com", False),
        ("https://user:secret@example.com", False),
        ("https://exa mple.com", False),
        ("https://[::1", False),
        ("https://a:99999", False),
        ("file:///etc/passwd", False),
        ("https://", False),
        ("", False),
    ],
)
def test_only_what_nobody_can_read_on_the_way(url: str, yes: bool) -> None:
    assert encrypted(url) is yes


def test_an_address_or_authority_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match=r"payments\.gateway"):
        open_gateway(XWEB, Way(gateway="http://gw.example.com"))
    with pytest.raises(SettingInvalid, match=r"payments\.ca"):
        open_gateway(XWEB, Way(ca=tmp_path / "none.pem"))

"""What a connector signs, and that nothing else passes for it."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnector.base.errors import UnsealFailed
from econnector.link.identity import Claim, Identity

IDENTITY = Identity.make()
CLAIM = Claim(
    hq="hq.example.com",
    nonce=b"n" * 32,
    install_id="0" * 32,
    machine="FRONT-DESK",
    version="1.2.3",
    low=1,
    high=2,
    public_key=IDENTITY.public_key,
)


def test_a_signature_holds_for_what_was_signed() -> None:
    assert CLAIM.signed_by(IDENTITY.sign(CLAIM))
    assert dataclasses.replace(CLAIM, hq="HQ.Example.COM").signed_by(IDENTITY.sign(CLAIM))


@pytest.mark.parametrize(
    "change",
    [
        {"hq": "hq.example.org"},
        {"hq": "hq.example.com:8443"},
        {"nonce": b"m" * 32},
        {"install_id": "1" * 32},
        {"machine": "BACK-ROOM"},
        {"version": "1.2.4"},
        {"low": 2},
        {"high": 3},
        {"public_key": Identity.make().public_key},
        {"public_key": b""},
        {"machine": "FRONT-DESK1", "version": ".2.3"},
    ],
    ids=" ".join,
)
def test_a_signature_does_not_hold_for_anything_else(change: dict[str, str | bytes | int]) -> None:
    assert not dataclasses.replace(CLAIM, **change).signed_by(IDENTITY.sign(CLAIM))  # type: ignore[arg-type]


@given(st.binary(max_size=80))
def test_nothing_that_is_no_signature_passes(signature: bytes) -> None:
    assert not CLAIM.signed_by(signature)


def test_an_identity_is_kept_by_its_secret_and_does_not_show_it() -> None:
    again = Identity.load(IDENTITY.secret())
    assert again.public_key == IDENTITY.public_key
    assert CLAIM.signed_by(again.sign(CLAIM))
    assert IDENTITY.secret().hex() not in repr(IDENTITY)


def test_a_secret_of_another_length_cannot_be_opened() -> None:
    with pytest.raises(UnsealFailed):
        Identity.load(b"short")

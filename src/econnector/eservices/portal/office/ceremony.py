"""What the WebAuthn library does for passkeys; imported when the first one is used, because it takes 5 MB."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import webauthn
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from econnector.base.errors import PasskeyRejected
from econnector.storage.state.second_steps import Passkey

__all__ = ["answered", "create", "get", "made"]

T = TypeVar("T")

_PREFERRED = UserVerificationRequirement.PREFERRED


def create(  # noqa: PLR0913, PLR0917 - what a passkey is made of
    host: str, practice: str, names: tuple[str, str], handle: bytes, challenge: bytes, have: Sequence[str]
) -> str:
    """Return the options to make a passkey, as JSON.

    `names` are the user's name and the person's, `have` the credentials that are known already.
    """
    user_name, name = names
    options = webauthn.generate_registration_options(
        rp_id=host,
        rp_name=practice or host,
        user_name=user_name,
        user_display_name=name or user_name,
        user_id=handle,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=_PREFERRED
        ),
        exclude_credentials=_descriptors(have),
    )
    return webauthn.options_to_json(options)


def get(host: str, challenge: bytes, have: Sequence[str]) -> str:
    """Return the options to use one of these credentials, as JSON."""
    options = webauthn.generate_authentication_options(
        rp_id=host, challenge=challenge, allow_credentials=_descriptors(have), user_verification=_PREFERRED
    )
    return webauthn.options_to_json(options)


def made(answer: str, challenge: bytes, host: str, origin: str) -> tuple[str, bytes, int]:
    """Return credential, public key and count of a passkey that the browser has made. Raises `PasskeyRejected`."""
    done = _guarded(
        lambda: webauthn.verify_registration_response(
            credential=answer, expected_challenge=challenge, expected_rp_id=host, expected_origin=origin
        )
    )
    return bytes_to_base64url(done.credential_id), done.credential_public_key, done.sign_count


def answered(answer: str, challenge: bytes, origin: str, passkey: Passkey) -> int:
    """Return the count of a passkey that has answered the challenge. Raises `PasskeyRejected`."""
    done = _guarded(
        lambda: webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=passkey.host,
            expected_origin=origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.count,
        )
    )
    return done.new_sign_count


def _guarded(work: Callable[[], T]) -> T:
    try:
        return work()
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        # Its text may hold what was sent.
        raise PasskeyRejected(reason=type(error).__name__) from None


def _descriptors(credentials: Sequence[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=webauthn.base64url_to_bytes(one)) for one in credentials]

"""What Stripe posts when something became of a payment: believed only with its signature, and a reason to look."""

import datetime as dt
import hashlib
import hmac
from typing import Any, Final

import msgspec

__all__ = ["Notice", "verify_notice"]

TOLERANCE: Final = 300
"""Seconds that its clock and ours may differ; older notices may be somebody's copy."""
LARGEST: Final = 64 * 1024
_MOST_PARTS = 20


class Notice(msgspec.Struct, frozen=True):
    """One notice."""

    event: str
    """Its id: the same notice may come several times."""
    order: str
    """`Order.number`."""


class _Object(msgspec.Struct, frozen=True):
    client_reference_id: str | None = ""
    metadata: dict[str, Any] | None = None


class _Data(msgspec.Struct, frozen=True):
    object: _Object


class _Event(msgspec.Struct, frozen=True):
    id: str
    data: _Data


def verify_notice(body: bytes, signature: str, secret: str, now: dt.datetime) -> Notice | None:
    """Return whom a notice is about; None where it is not Stripe's, too old, or about no order of ours.

    `signature` is the header `Stripe-Signature`, `secret` the endpoint's (`whsec_…`). Never raises.
    """
    if not secret or len(body) > LARGEST or not _signed(body, signature, secret, now):
        return None
    try:
        event = msgspec.json.decode(body, type=_Event)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    about = event.data.object
    number = about.client_reference_id or str((about.metadata or {}).get("order", ""))
    return Notice(event.id, number) if number else None


def _signed(body: bytes, signature: str, secret: str, now: dt.datetime) -> bool:
    """Return whether any of the signatures is right: while a secret is changed, there are two."""
    parts = [part.strip().partition("=") for part in signature.split(",", _MOST_PARTS)[:_MOST_PARTS]]
    times = [value for name, _, value in parts if name == "t"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit() and len(times[0]) <= 12):  # noqa: PLR2004
        return False
    if abs(now.timestamp() - int(times[0])) > TOLERANCE:
        return False
    right = hmac.new(secret.encode(), times[0].encode() + b"." + body, hashlib.sha256).hexdigest().encode()
    given = [value.encode("utf-8", "replace") for name, _, value in parts if name == "v1"]
    return any(hmac.compare_digest(right, each) for each in given)

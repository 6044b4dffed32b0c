"""Form tokens that need no store: an HMAC under a secret that only the browser's cookie and this request hold.

Signed in, the secret is the session's token, so the form token dies with the session; before that, it is a random
value in a cookie of its own. Each token carries a fresh salt, so that two pages never show the same text, and may carry
a note: whose page it is on.
"""

import hashlib
import hmac
import secrets

__all__ = ["mint", "note_of", "salt_of", "valid"]

_NOTED = "~"


def mint(secret: str, purpose: str, note: str = "") -> str:
    """Return a form token that `valid` accepts for the same secret and purpose (the office's name).

    `note` (letters and digits) is sealed with it, and can be read by everybody.
    """
    salt = secrets.token_urlsafe(12) + (f"{_NOTED}{note}" if note else "")
    return f"{salt}.{_seal(secret, purpose, salt)}"


def valid(secret: str, purpose: str, given: str) -> bool:
    """Return whether `given` was minted for this secret and purpose; takes the same time either way."""
    salt, _, seal = given.partition(".")
    right = _seal(secret, purpose, salt)
    return bool(secret) and hmac.compare_digest(right.encode(), seal.encode("utf-8", "replace"))


def salt_of(token: str) -> str:
    """Return what tells this form token from all others, without what makes it valid."""
    return token.partition(".")[0]


def note_of(token: str) -> str:
    """Return the note of a token, valid or not; empty where it has none."""
    return salt_of(token).partition(_NOTED)[2]


def _seal(secret: str, purpose: str, salt: str) -> str:
    text = f"form\0{purpose}\0{salt}".encode("utf-8", "replace")
    return hmac.new(secret.encode("utf-8", "replace"), text, hashlib.sha256).hexdigest()

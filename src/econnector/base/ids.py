"""Identifiers that people read aloud, and ones that machines keep."""

import random
import secrets

__all__ = ["new_code", "new_id", "new_reference", "new_token", "tidy_code"]

# Crockford's alphabet without look-alikes: a reference is read over the phone.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


def new_reference() -> str:
    """Return a correlation id such as `7F3K-22QX`: what a person reads to the office."""
    # Every call on a link gets one, so it has to cost little; nobody gains anything by guessing it.
    one, two, three, four = (_PAIRS[int(random.random() * len(_PAIRS))] for _ in range(4))  # noqa: S311
    return f"{one}{two}-{three}{four}"


def new_id() -> str:
    """Return 128 random bits as 32 hexadecimal characters, for keys that only machines see."""
    return secrets.token_hex(16)


def new_token() -> str:
    """Return 256 random bits as URL-safe text, for a secret that is handed to somebody."""
    return secrets.token_urlsafe(32)


def new_code() -> str:
    """Return a secret such as `7F3K2-2QX9M` (49 bits) that a person copies by hand: for few tries only."""
    first, second = ("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(2))
    return f"{first}-{second}"


def tidy_code(typed: str) -> str:
    """Return a code as `new_code` makes it, without its dash, from how somebody typed it: case and blanks are free."""
    return "".join(letter for letter in typed.upper() if letter.isascii() and letter.isalnum())

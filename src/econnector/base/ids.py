"""Identifiers that people read aloud, and ones that machines keep."""

import random
import re
import secrets

__all__ = ["new_code", "new_id", "new_reference", "new_token", "references_in", "tidy_code"]

# Crockford's alphabet without look-alikes: a reference is read over the phone.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_REFERENCE = re.compile(rf"(?<![A-Z0-9])([{_ALPHABET}]{{4}})[^A-Z0-9]{{0,3}}([{_ALPHABET}]{{4}})(?![A-Z0-9])")
_LETTERS = 8
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


def new_reference() -> str:
    """Return a correlation id such as `7F3K-22QX`: what a person reads to the office."""
    # Every call on a link gets one, so it has to cost little; nobody gains anything by guessing it.
    some, pairs, many = random.random, _PAIRS, len(_PAIRS)
    one, two = pairs[int(some() * many)], pairs[int(some() * many)]
    return f"{one}{two}-{pairs[int(some() * many)]}{pairs[int(some() * many)]}"


def references_in(typed: str) -> list[str]:
    """Return what may be meant by a reference that somebody typed, pasted or scanned: case, blanks, words are free."""
    found = [f"{first}-{second}" for first, second in _REFERENCE.findall(typed.upper())]
    plain = tidy_code(typed)
    return found or ([f"{plain[:4]}-{plain[4:]}"] if len(plain) == _LETTERS else [])


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

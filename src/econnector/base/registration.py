"""The registration key's shape: 15 random characters and one that checks them (ISO/IEC 7064, MOD 37,36).

The check finds every single mistyped character and nearly every exchange of neighbours on the machine where the key is
typed, before HQ is asked. Of the 36 letters and digits new keys use neither O nor I, so that a typed O or I can only
mean 0 or 1.
"""

import re
import secrets

from econnector.base.errors import KeyUnknown

__all__ = ["checked_key", "new_key", "shown"]

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CLEAR = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_LENGTH = 16
_BETWEEN = re.compile(r"[\s\-\u2010-\u2015]+")
_MEANT = str.maketrans("OI", "01")


def new_key() -> str:
    """Return a new registration key without hyphens: about 76 random bits and the check character."""
    while True:
        key = "".join(secrets.choice(_CLEAR) for _ in range(_LENGTH - 1))
        check = _check(key)
        if check in _CLEAR:
            return key + check


def checked_key(typed: str) -> str:
    """Return the key that was typed, in its plain form: 16 characters, upper case, no hyphens.

    Raises `KeyUnknown` for anything that cannot be a key, without repeating it: it may be another secret.
    """
    key = _BETWEEN.sub("", typed).upper().translate(_MEANT)
    if len(key) != _LENGTH or any(letter not in _CLEAR for letter in key) or _check(key[:-1]) != key[-1]:
        raise KeyUnknown
    return key


def shown(key: str) -> str:
    """Return a plain key as people read it: XXXX-XXXX-XXXX-XXXX."""
    return "-".join(key[at : at + 4] for at in range(0, _LENGTH, 4))


def _check(first: str) -> str:
    product = 36
    for letter in first:
        product = (product + _LETTERS.index(letter)) % 36 or 36
        product = product * 2 % 37
    return _LETTERS[(37 - product) % 36]

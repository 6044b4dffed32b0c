"""Which user names a patient may choose. Whether one is taken is the office's to say."""

import unicodedata

from econnector.eservices.portal.rules_password import Broken

__all__ = ["LONGEST", "SHORTEST", "broken_name_rules", "tidy"]

SHORTEST = 4
LONGEST = 100
_LAST_OF_THREE_BYTES = 0xFFFF


def tidy(user_name: str) -> str:
    """Return the name as it is kept: composed characters (NFC), no blanks around it."""
    return unicodedata.normalize("NFC", user_name).strip()


def broken_name_rules(user_name: str) -> list[Broken]:
    """Return the rules that a tidied `user_name` breaks.

    Open Dental itself asks only for a name that is not blank and not taken. Ours keep it typeable, and inside
    the characters that its three-byte utf8 columns can hold.
    """
    found = []
    if len(user_name) < SHORTEST:
        found.append(Broken("length", f"Use at least {SHORTEST} characters for the user name."))
    if len(user_name) > LONGEST:
        found.append(Broken("too-long", f"Use at most {LONGEST} characters for the user name."))
    if any(not _holdable(letter) for letter in user_name[: LONGEST + 1]):
        found.append(Broken("characters", "Use letters, digits, blanks and signs for the user name, but no pictures."))
    return found


def _holdable(letter: str) -> bool:
    return ord(letter) <= _LAST_OF_THREE_BYTES and unicodedata.category(letter)[0] != "C"

"""Which new passwords a patient may choose.

NIST SP 800-63B-4 section 3.1.1.2: at least 15 characters where the password is the only factor, at least 64
allowed, every printing character and space allowed and normalised, no composition rule of our own, and a
comparison with common, expected and compromised values. Open Dental's own minimum also holds, because its
windows enforce it: eight characters, an upper-case letter, a lower-case letter, a digit.
"""

import functools
import importlib.resources
import re
import unicodedata
from collections.abc import Callable, Iterator

import msgspec

__all__ = ["LONGEST", "SHORTEST", "About", "Broken", "broken_rules", "normalised"]

SHORTEST = 15
LONGEST = 256

_FEWEST_DIFFERENT = 5
_MOST_PIECES = 3
_SHORTEST_RUN = 3
_SHORTEST_NAME = 4
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "01234567890")
_KEYS = tuple(row[::way] for row in (*_ROWS, "abcdefghijklmnopqrstuvwxyz") for way in (1, -1))
_LOOK_ALIKES = str.maketrans("013457@$!+", "oleastasit")
_LONGEST_NUMBER = 8
_REPEATED = re.compile(r"(.+?)\1+", re.DOTALL)


class About(msgspec.Struct, frozen=True):
    """Who chooses the password: what it must not be made of."""

    user_name: str = ""
    names: tuple[str, ...] = ()
    """First, last and preferred name."""
    practice: str = ""


class Broken(msgspec.Struct, frozen=True):
    """One rule that a password breaks."""

    rule: str
    """A stable word."""
    why: str
    """A sentence for the person who typed it."""


def normalised(password: str) -> str:
    """Return the form in which a new password is hashed (NFKC); nothing is cut off."""
    return unicodedata.normalize("NFKC", password)


def broken_rules(password: str, about: About) -> list[Broken]:
    """Return every rule that `password` breaks; an empty list means that it may be taken."""
    if len(password) > LONGEST:
        return [Broken("too-long", f"Use at most {LONGEST} characters.")]
    text = normalised(password)
    return [Broken(rule, why) for rule, why, broken in _RULES if broken(text, about)]


def _too_short(text: str, _: About) -> bool:
    return len(text) < SHORTEST


def _not_printing(text: str, _: About) -> bool:
    # Control, surrogate, unassigned: not typed by people, and not the same on every machine.
    return any(unicodedata.category(letter) in {"Cc", "Cs", "Cn"} for letter in text)


def _no_upper(text: str, _: About) -> bool:
    return not re.search("[A-Z]", text)


def _no_lower(text: str, _: About) -> bool:
    return not re.search("[a-z]", text)


def _no_digit(text: str, _: About) -> bool:
    return not re.search("[0-9]", text)


def _letters(text: str) -> str:
    """Return `text` without case, accents, blanks and signs."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


def _holds_name(text: str, about: About) -> bool:
    plain = _letters(text)
    words = {_letters(about.user_name), *(_letters(name) for name in about.names)}
    return any(len(word) >= _SHORTEST_NAME and word in plain for word in words)


def _holds_practice(text: str, about: About) -> bool:
    title = _letters(about.practice)
    return len(title) >= _SHORTEST_NAME and title in _letters(text)


def _repeats(text: str, _: About) -> bool:
    plain = text.casefold()
    return bool(plain) and (len(set(plain)) < _FEWEST_DIFFERENT or bool(_REPEATED.fullmatch(plain)))


def _expected(text: str, about: About) -> bool:
    """Say whether the whole of `text` is a few words, runs or numbers that a guessing program tries first."""
    words = _words() | {_letters(word) for name in about.names for word in name.split()}
    words |= {_letters(word) for word in about.practice.split()}
    plain = unicodedata.normalize("NFKD", text).casefold()
    return _pieces("".join(letter for letter in plain if not unicodedata.combining(letter)), words) <= _MOST_PIECES


@functools.cache
def _words() -> frozenset[str]:
    lines = importlib.resources.files(__package__).joinpath("expected_words.txt").read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def _pieces(text: str, words: set[str] | frozenset[str]) -> int:
    """Return the fewest different pieces that `text` is made of; more than `_MOST_PIECES` when it is not."""
    beyond = _MOST_PIECES + 1
    read = text.translate(_LOOK_ALIKES)
    best: list[frozenset[str] | None] = [frozenset()] + [None] * len(text)
    for start in range(len(text)):
        so_far = best[start]
        if so_far is None:
            continue
        for end in _ends(text, read, start, words):
            # A piece of one or two characters makes nothing harder to guess.
            joined = so_far | {text[start:end]} if end - start >= _SHORTEST_RUN else so_far
            known = best[end]
            if len(joined) < beyond and (known is None or len(joined) < len(known)):
                best[end] = joined
    whole = best[-1]
    return beyond if whole is None else len(whole)


def _ends(text: str, read: str, start: int, words: set[str] | frozenset[str]) -> Iterator[int]:
    """Yield where a piece that begins at `start` may end: a sign, a word, a number, a run of keys or letters.

    `read` is `text` with look-alikes read as letters.
    """
    if text[start].isascii() and not text[start].isalnum():
        yield start + 1
    yield from (start + len(word) for word in words if word and read.startswith(word, start))
    for end in range(start + 1, min(start + _LONGEST_NUMBER, len(text)) + 1):
        if not text[end - 1].isdigit():
            break
        yield end
    runs = (*(_run(text, start, row) for row in _KEYS), len(text) - len(text[start:].lstrip(text[start])))
    yield from (end for end in runs if end - start >= _SHORTEST_RUN)


def _run(text: str, start: int, row: str) -> int:
    """Return how far `text` follows `row` from `start`, round and round."""
    at = row.find(text[start])
    end = start
    while at >= 0 and end < len(text) and text[end] == row[at % len(row)]:
        end, at = end + 1, at + 1
    return end


_RULES: tuple[tuple[str, str, Callable[[str, About], bool]], ...] = (
    ("length", f"Use at least {SHORTEST} characters; a few unrelated words are easy to remember.", _too_short),
    ("characters", "Leave out control characters such as tabs and line breaks.", _not_printing),
    ("upper", "Your dentist's program also needs a capital letter (A to Z).", _no_upper),
    ("lower", "Your dentist's program also needs a small letter (a to z).", _no_lower),
    ("digit", "Your dentist's program also needs a digit (0 to 9).", _no_digit),
    ("name", "Leave out your name and your user name.", _holds_name),
    ("practice", "Leave out the name of the practice.", _holds_practice),
    ("repeated", "It repeats itself too much; that is quick to guess.", _repeats),
    (
        "expected",
        "It is made of words or rows of keys that are tried first; add something unexpected.",
        _expected,
    ),
)

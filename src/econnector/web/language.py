"""Which language a page speaks: the browser's wish first, then the practice's own."""

import re
from dataclasses import dataclass

__all__ = ["ENGLISH", "SPOKEN", "Language", "choose"]

SPOKEN = ("en", "es")
"""The languages the texts exist in."""

_TAG = re.compile(r"^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$")
_MOST_WISHES = 20  # a browser sends a handful; more is somebody trying


@dataclass(frozen=True, slots=True)
class Language:
    """One of the spoken languages, with the region that decides how numbers are written."""

    words: str
    """One of `SPOKEN`: which texts are used, and the page's `lang`."""
    region: str = ""
    """Upper-case ISO 3166, such as `US`; empty when nobody said."""

    @property
    def tag(self) -> str:
        """The BCP 47 tag for `lang` and Content-Language."""
        return f"{self.words}-{self.region}" if self.region else self.words


ENGLISH = Language("en", "US")


def choose(wishes: str, practice: str = "en-US") -> Language:
    """Return the language for an Accept-Language header; `practice` (a tag) decides where no wish can be met.

    A wish without a region takes the practice's, because the money shown is the practice's.
    """
    own = _read(practice) or ENGLISH
    for tag in _by_weight(wishes):
        wished = _read(tag)
        if wished:
            return wished if wished.region else Language(wished.words, own.region)
    return own


def _by_weight(header: str) -> list[str]:
    """Return the tags of an Accept-Language header, most wanted first (RFC 9110, section 12.5.4)."""
    weighed: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")[:_MOST_WISHES]):
        tag, _, rest = part.strip().partition(";")
        weight = _weight(rest)
        if weight > 0:
            weighed.append((-weight, place, tag.strip()))
    return [tag for _, _, tag in sorted(weighed)]


def _weight(text: str) -> float:
    found = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", text)
    return float(found[1]) if found else 1.0


def _read(tag: str) -> Language | None:
    if not _TAG.match(tag):
        return None
    words, *rest = tag.split("-")
    if words.lower() not in SPOKEN:
        return None
    region = next((part.upper() for part in rest if len(part) == 2 and part.isalpha()), "")  # noqa: PLR2004 - ISO 3166
    return Language(words.lower(), region)

"""Persons and organisations in CDA: names, postal addresses, phones.

A US address needs a state of USPS's and a ZIP code in both editions; a foreign one needs its country and nothing else.
What an address without a country has instead of a state or a ZIP code stands with the street, so that nothing is lost.
"""

import re
import urllib.parse
from typing import Final
from xml.etree.ElementTree import Element

from econnector.documents.ccd.elements import clean, element, null, text
from econnector.opendental.summary.records import Address, Name, Phone

__all__ = ["address", "email", "full_name", "is_npi", "person_name", "phone", "telecoms"]

_STATES: Final = re.compile(
    "A[AEKLPRSZ]|C[AOT]|D[CE]|F[LM]|G[AU]|HI|I[ADLN]|K[SY]|LA|M[ADEHINOPST]|N[CDEHJMVY]|O[HKR]|P[ARW]|RI|S[CD]|T[NX]"
    "|UT|V[AIT]|W[AIVY]"
)
_US: Final = frozenset({"", "US", "USA", "UNITED STATES", "UNITED STATES OF AMERICA"})
_ZIP: Final = re.compile(r"(\d{5})(?:-?(\d{4}))?")
_USES: Final = {"home": "HP", "mobile": "MC", "work": "WP"}
_EXTENSION: Final = re.compile(r"\s*(?:x|ext|#)\D*(\d+)\D*$", re.IGNORECASE)
_NPI: Final = re.compile(r"[12]\d{9}", re.ASCII)
_DOMESTIC: Final = 10
"""Digits of a North American number without the leading 1."""


def person_name(name: Name, preferred: str = "", tag: str = "name", **attributes: str) -> Element:
    """Return a person's name; what they want to be called is a given name marked CL."""
    given = [part for one in name.given if (part := clean(one))]
    return element(
        tag,
        text("prefix", name.prefix) if clean(name.prefix) else None,
        *([text("given", one) for one in given] or [null("given", "UNK")]),
        text("given", preferred, qualifier="CL") if clean(preferred) else None,
        text("family", name.family),
        text("suffix", name.suffix) if clean(name.suffix) else None,
        **attributes,
    )


def full_name(name: Name) -> str:
    """Return a name as it is read: `Ana L O'Hara, DMD`."""
    parts = " ".join(part for one in (name.prefix, *name.given, name.family) if (part := clean(one)))
    suffix = clean(name.suffix)
    return f"{parts}, {suffix}" if parts and suffix else parts or suffix


def address(place: Address, use: str) -> Element:
    """Return a postal address; `use` is HP for a home, WP for a workplace. Without anything recorded, it is unknown."""
    lines = [part for one in place.lines if (part := clean(one))]
    city, state, code, country = (clean(one) for one in (place.city, place.state, place.zip, place.country))
    if not any((*lines, city, state, code)):
        return null("addr", "UNK")
    if country.upper().replace(".", "") in _US:
        return _domestic(lines, city, state, code, use)
    return element(
        "addr",
        _street(lines),
        text("city", city),
        text("state", state) if state else None,
        text("postalCode", code) if code else None,
        text("country", country),
        use=use,
    )


def _domestic(lines: list[str], city: str, state: str, code: str, use: str) -> Element:
    usps = state.upper() if _STATES.fullmatch(state.upper()) else ""
    digits = _ZIP.fullmatch(code)
    known = "-".join(part for part in digits.groups() if part) if digits else ""
    odd = " ".join(one for one, fits in ((state, usps), (code, known)) if not fits).strip()
    return element(
        "addr",
        _street([*lines, odd] if odd else lines),
        text("city", city),
        text("state", usps),
        text("postalCode", known),
        text("country", "US" if usps or known else ""),
        use=use,
    )


def _street(lines: list[str]) -> Element:
    """One line of the street: C-CDA 3.0 takes no more, where R2.1 took four."""
    return text("streetAddressLine", ", ".join(lines))


def is_npi(number: str) -> bool:
    """Return whether it is a National Provider Identifier: ten digits, the last by Luhn over 80840 and the others."""
    if not _NPI.fullmatch(number):
        return False
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(f"80840{number}")))
    return sum(one // 10 + one % 10 for one in doubled) % 10 == 0


def phone(number: str, use: str) -> Element:
    """Return a phone number as an address to dial (RFC 3966), or that it is unknown; `use` is HP, MC or WP."""
    plain = clean(number)
    extension = _EXTENSION.search(plain)
    digits = re.sub(r"[^0-9]", "", plain[: extension.start()] if extension else plain)
    if not digits:
        return null("telecom", "UNK")
    if not plain.startswith("+") and len(digits.removeprefix("1")) == _DOMESTIC:
        national = digits.removeprefix("1")
        dialled = f"+1-{national[:3]}-{national[3:6]}-{national[6:]}"
    else:
        dialled = "+" * plain.startswith("+") + digits
    tail = f";ext={extension[1]}" if extension else ""
    return element("telecom", value=f"tel:{dialled}{tail}", use=use)


def email(where: str) -> Element | None:
    """Return an email address, None where there is none."""
    plain = "".join(clean(where).split())
    return element("telecom", value=f"mailto:{urllib.parse.quote(plain, safe='@+!')}") if plain else None


def telecoms(phones: tuple[Phone, ...], mail: str = "") -> list[Element]:
    """Return how somebody is reached; one that is unknown where nothing is recorded."""
    found = [phone(one.number, _USES[one.use]) for one in phones]
    found = [one for one in found if one.get("value")]
    letter = email(mail)
    return [*found, *([] if letter is None else [letter])] or [null("telecom", "UNK")]

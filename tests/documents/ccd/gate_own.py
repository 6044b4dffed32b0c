"""What neither schema nor Schematron finds: references into nothing, ids twice, entries without words, codes that
cannot be.
"""

import re
from collections import Counter
from collections.abc import Callable
from typing import Final

from lxml import etree

__all__ = ["faults"]

_CDA = "{urn:hl7-org:v3}"
_EDITIONS = ("", "2015-08-01", "2024-05-01")
"""What the header's templates are dated in C-CDA R1.1, R2.1 and 3.0."""
_STATEMENTS = {
    f"{_CDA}{name}" for name in ("act", "encounter", "observation", "procedure", "substanceAdministration", "supply")
}


def faults(root: etree._Element) -> list[str]:
    """Return what is wrong with a document, as lines to read."""
    return [
        *_undeclared(root),
        *_twice(root),
        *_dangling(root),
        *(found for section in root.iter(f"{_CDA}section") for found in _wordless(section)),
        *_codes(root),
        *_languages(root),
    ]


def _undeclared(root: etree._Element) -> list[str]:
    """A document that does not say what it is wakes no rule."""
    declared = {(one.get("root"), one.get("extension", "")) for one in root.findall(f"{_CDA}templateId")}
    wanted = ((f"2.16.840.1.113883.10.20.22.1.{kind}", date) for kind in "12" for date in _EDITIONS)
    return [f"the document does not declare {name}:{date}" for name, date in wanted if (name, date) not in declared]


def _twice(root: etree._Element) -> list[str]:
    """Ids of the narrative, and ids of entries: CDA's `id` of a statement names one thing."""
    names = Counter(one.get("ID") for one in root.iter() if one.get("ID"))
    things = Counter(
        (one.get("root"), one.get("extension"))
        for statement in root.iter()
        if statement.tag in _STATEMENTS or statement.tag == f"{_CDA}organizer"
        for one in statement.findall(f"{_CDA}id")
        if one.get("root")
    )
    return [f"ID {name} stands {count} times" for name, count in names.items() if count > 1] + [
        f"id {thing} stands {count} times" for thing, count in things.items() if count > 1
    ]


def _dangling(root: etree._Element) -> list[str]:
    known = {one.get("ID") for one in root.iter()}
    values = (one.get("value", "") for one in root.iter(f"{_CDA}reference"))
    return [f"reference {one} leads nowhere" for one in values if one.startswith("#") and one[1:] not in known]


def _wordless(section: etree._Element) -> list[str]:
    """Every entry, and every statement of an organizer, must lead to words of its own section."""
    text = section.find(f"{_CDA}text")
    words = (
        set()
        if text is None
        else {f"#{one.get('ID')}" for one in text.iter() if "".join(map(str, one.itertext())).strip()}
    )
    code = section.find(f"{_CDA}code")
    name = "?" if code is None else code.get("code")
    found = []
    for entry in section.findall(f"{_CDA}entry"):
        organizer = entry.find(f"{_CDA}organizer")
        for one in [entry] if organizer is None else organizer.findall(f"{_CDA}component"):
            values = [reference.get("value") for reference in one.iter(f"{_CDA}reference")]
            if not values:
                found.append(f"section {name}: an entry has no words")
            found += [f"section {name}: {value} is not in its words" for value in values if value not in words]
    return found


def _codes(root: etree._Element) -> list[str]:
    found = []
    for one in root.iter():
        code, system = one.get("code"), one.get("codeSystem", "")
        if code is not None and system in _FORMS and not _FORMS[system](code):
            found.append(f"{one.tag.removeprefix(_CDA)} {code!r} is no code of {system}")
        number = one.get("extension", "") if one.tag == f"{_CDA}id" and one.get("root") == _NPI else ""
        if number and not _npi(number):
            found.append(f"{number!r} is no NPI")
    return found


def _languages(root: etree._Element) -> list[str]:
    codes = (one.get("code", "") for one in root.iter(f"{_CDA}languageCode"))
    return [f"{one!r} is no language" for one in codes if one and not re.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", one)]


def _form(pattern: str) -> Callable[[str], bool]:
    return lambda code: re.fullmatch(pattern, code) is not None


def _npi(code: str) -> bool:
    """Return whether a national provider identifier has its check digit (Luhn over 80840 and the number)."""
    return re.fullmatch(r"[12]\d{9}", code) is not None and _luhn(f"80840{code}")


def _loinc(code: str) -> bool:
    """LOINC's check digit is that of Luhn over the number before the dash."""
    return re.fullmatch(r"\d{1,7}-\d", code) is not None and _luhn(code.replace("-", ""))


def _luhn(digits: str) -> bool:
    doubled = (int(one) * (1 + place % 2) for place, one in enumerate(reversed(digits)))
    return sum(one - 9 if one > 9 else one for one in doubled) % 10 == 0


def _snomed(code: str) -> bool:
    """SNOMED CT's identifiers end in Verhoeff's check digit."""
    if not re.fullmatch(r"[1-9]\d{5,17}", code):
        return False
    check = 0
    for place, digit in enumerate(reversed(code)):
        check = _times(check, _turned(int(digit), place))
    return check == 0


def _times(one: int, other: int) -> int:
    """Multiply in the dihedral group of the pentagon."""
    mirrored = (one < 5) != (other < 5)
    return (one + other if one < 5 else one - other) % 5 + 5 * mirrored


def _turned(digit: int, place: int) -> int:
    for _ in range(place % 8):
        digit = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)[digit]
    return digit


_NPI = "2.16.840.1.113883.4.6"
_FORMS: Final[dict[str, Callable[[str], bool]]] = {
    "2.16.840.1.113883.6.96": _snomed,
    "2.16.840.1.113883.6.1": _loinc,
    "2.16.840.1.113883.6.88": _form(r"[1-9]\d{0,7}"),
    "2.16.840.1.113883.6.90": _form(r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?"),
    "2.16.840.1.113883.6.103": _form(r"(\d{3}|V\d{2}|E\d{3})(\.\d{1,2})?"),
    "2.16.840.1.113883.6.12": _form(r"\d{4}[0-9A-Z]"),
    "2.16.840.1.113883.6.13": _form(r"D\d{4}"),
    "2.16.840.1.113883.6.285": _form(r"[A-Z]\d{4}"),
    "2.16.840.1.113883.12.292": _form(r"\d{2,3}"),
    "2.16.840.1.113883.4.9": _form(r"[0-9A-Z]{10}"),
    "2.16.840.1.113883.6.238": _form(r"\d{4}-\d"),
    "2.16.840.1.113883.6.101": _form(r"[0-9A-Z]{9}X"),
}
"""What a code of each system looks like, by the system's OID."""

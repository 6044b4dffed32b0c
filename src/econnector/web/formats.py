"""Dates in words and money as the reader writes it.

Times are the office's local time as the contract gives them (ISO 8601 without zone); nothing is converted.
"""

import datetime as dt

from markupsafe import Markup, escape

from econnector.web.language import Language

__all__ = ["clock", "coded", "day", "dialled", "duration", "is_moment", "moment", "money", "phone"]

_DAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "es": ("lun", "mar", "mié", "jue", "vie", "sáb", "dom"),
}
_MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "es": ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"),
}
_DURATIONS = {
    "en": {"second": ("second", "seconds"), "minute": ("minute", "minutes"), "hour": ("hour", "hours")},
    "es": {"second": ("segundo", "segundos"), "minute": ("minuto", "minutos"), "hour": ("hora", "horas")},
}
# Spanish as written in these countries separates thousands with a comma, like English.
_COMMA_THOUSANDS = frozenset({"", "US", "MX", "PR", "GT", "HN", "NI", "PA", "PE", "SV", "DO"})
# Where people say half past two in the afternoon.
_HALF_DAYS = frozenset({"", "US", "CA", "AU", "NZ", "PH", "MX", "PR", "CO", "GT", "HN", "NI", "PA", "SV", "DO"})
_HALVES = {"en": ("AM", "PM"), "es": ("a.\N{NO-BREAK SPACE}m.", "p.\N{NO-BREAK SPACE}m.")}
_MINUS = "\N{MINUS SIGN}"
_NO_BREAK = "\N{NO-BREAK SPACE}"


def day(text: str, language: Language) -> str:
    """Return an ISO 8601 date (or the date of a moment) as `Tue 24 Nov 2026`; other text as it is."""
    try:
        when = dt.date.fromisoformat(text[:10])
    except ValueError:
        return text
    return f"{_day_name(when, language)} {when.day} {_month_name(when, language)} {when.year}"


def moment(text: str, language: Language) -> str:
    """Return an ISO 8601 date and time as `Tue 24 Nov 2026, 9:05 AM` (see `clock`); a bare date as `day` does."""
    if not is_moment(text):
        return text
    if "T" not in text and " " not in text:
        return day(text, language)
    return f"{day(text, language)}, {clock(text, language)}"


def clock(text: str, language: Language) -> str:
    """Return the time of day of an ISO 8601 moment: `2:30 PM`, or `14:30` where days are not halved."""
    try:
        when = dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    if language.region not in _HALF_DAYS:
        return f"{when.hour}:{when.minute:02}"
    before, after = _HALVES[language.words]
    return f"{when.hour % 12 or 12}:{when.minute:02}{_NO_BREAK}{before if when.hour < 12 else after}"  # noqa: PLR2004 - noon


def is_moment(text: str) -> bool:
    """Return whether `text` is an ISO 8601 date or moment, written with dashes."""
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    return text[4:5] == "-"  # bare digits could be a phone number


def money(cents: int, language: Language) -> str:
    """Return an amount in the practice's dollars: `$1,234.50`, or `1.234,50 $` where that is the custom."""
    whole, rest = divmod(abs(cents), 100)
    sign = _MINUS if cents < 0 else ""
    if language.words == "en" or language.region in _COMMA_THOUSANDS:
        return f"{sign}${whole:,}.{rest:02}"
    grouped = f"{whole:,}".replace(",", ".")
    return f"{sign}{grouped},{rest:02}{_NO_BREAK}$"


def phone(text: str) -> str:
    """Return a North American number as people write it: `(503) 555-0100`; any other as it is.

    Open Dental keeps the practice's phone as bare digits (preference PracticePhone).
    """
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit()):
        return text
    code, number = (digits[0], digits[1:]) if len(digits) == 11 and digits[0] == "1" else ("", digits)  # noqa: PLR2004
    if len(number) != 10:  # noqa: PLR2004 - area code, exchange, line
        return text
    return f"{code} ({number[:3]}) {number[3:6]}-{number[6:]}".strip()


def coded(text: str) -> Markup:
    """Return HTML of a sentence in which commands stand between backticks: they become code."""
    parts = [escape(part) for part in text.split("`")]
    if len(parts) % 2 == 0:  # one backtick without its other
        return escape(text)
    return Markup().join(
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts)
    )


def dialled(phone: str) -> str:
    """Return a phone number as a `tel:` address has it: digits, and a leading plus."""
    plus = "+" if phone.strip().startswith("+") else ""
    return plus + "".join(letter for letter in phone if letter in "0123456789")


def duration(seconds: int, language: Language) -> str:
    """Return a length of time in its largest fitting unit: `45 seconds`, `20 minutes`, `1 hour`."""
    for unit, length in (("hour", 3600), ("minute", 60)):
        if seconds >= length and seconds % length == 0:
            return _counted(seconds // length, unit, language)
    if seconds >= 120:  # noqa: PLR2004 - from two minutes on, seconds say nothing
        return _counted(seconds // 60, "minute", language)
    return _counted(seconds, "second", language)


def _counted(number: int, unit: str, language: Language) -> str:
    one, many = _DURATIONS[language.words][unit]
    return f"{number} {one if number == 1 else many}"


def _day_name(when: dt.date, language: Language) -> str:
    return _DAYS[language.words][when.weekday()]


def _month_name(when: dt.date, language: Language) -> str:
    return _MONTHS[language.words][when.month - 1]

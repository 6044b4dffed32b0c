"""What stands in a column, made fit to be told: texts, numbers, codes, moments.

Practices' tables hold what thirty years of typing, converting and importing left there: NULLs, blanks, control
characters, a code with a space in it, words where a code belongs, "no date" in three forms. It is put right here and
nowhere else.
"""

import datetime as dt
import math
import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from econnector.opendental.summary.records import CodeSystemName, Period

__all__ = ["FIRST_YEAR", "Zone", "amount", "dated", "day_of", "inside", "measure", "number", "plain", "tidy_code"]

FIRST_YEAR = 1880
"""Earlier years are Open Dental's "no date"."""

_D = TypeVar("_D", bound=dt.date)
# XML 1.0 knows no other characters; the second range of controls is allowed and means nothing in a text.
_UNTOLD = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WRITTEN_BREAK = re.compile(r"\\r\\n|\\n")
_FORMS: Final[Mapping[CodeSystemName, re.Pattern[str]]] = {
    "SNOMEDCT": re.compile(r"[1-9]\d{5,17}"),
    "RXNORM": re.compile(r"[1-9]\d{0,8}"),
    "ICD10CM": re.compile(r"[A-Z]\d[0-9A-Z](\.?[0-9A-Z]{1,4})?"),
    "ICD9CM": re.compile(r"(\d{3}|V\d{2}|E\d{3})(\.?\d{1,2})?"),
    "CVX": re.compile(r"\d{1,3}"),
    "CDT": re.compile(r"D\d{4}"),
    "CPT": re.compile(r"\d{4}[0-9A-Z]"),
    "HCPCS": re.compile(r"[A-Z]\d{4}"),
    "LOINC": re.compile(r"\d{1,7}-\d"),
    "UNII": re.compile(r"[0-9A-Z]{10}"),
    "CDCREC": re.compile(r"\d{4}-\d"),
}
"""What a code of each system looks like. What looks otherwise is a word somebody typed, and no code."""

_MOST, _MOST_MEASURED = 1e12, 1e5
"""No laboratory's number, and no height, weight or dose, is larger."""
_DAY = 86_400
_HL7: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(\d{2})?(\d{2})?(\d{2})?(?:\.\d+)?([+-]\d{2}:?\d{2})?")


def plain(value: object) -> str:
    """Return a text without control characters, its white space as single blanks; NULL is ''."""
    text = _WRITTEN_BREAK.sub(" ", "" if value is None else str(value))
    return " ".join(_UNTOLD.sub(" ", text).split())


def number(value: object) -> int:
    """Return a setting's or a column's number; 0 for what is none."""
    text = plain(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0  # noqa: PLR2004 - a bigint's


def tidy_code(system: CodeSystemName, value: object) -> str:
    """Return a code of `system` as it is written, without blanks; '' for what cannot be one."""
    text = "".join(plain(value).split()).upper()
    return text if _FORMS[system].fullmatch(text) else ""


def measure(value: Any) -> float:
    """Return what was measured; 0.0 for nothing, and for what cannot have been measured."""
    found = amount(value)
    return found if found is not None and 0 < found < _MOST_MEASURED else 0.0


def amount(value: Any) -> float | None:
    """Return a number of ordinary size, rid of what single precision adds to it; None where it is none."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return round(found, 6) if math.isfinite(found) and abs(found) < _MOST else None


def dated(when: _D | None) -> _D | None:
    """Return a day or moment; None for "no date", which is any year before `FIRST_YEAR`."""
    return None if when is None or when.year < FIRST_YEAR else when


def day_of(moment: dt.datetime | None) -> dt.date | None:
    """Return the calendar day of an office time; None for none."""
    return moment.date() if moment else None


def inside(period: Period, begins: dt.date | None, ends: dt.date | None = None) -> bool:
    """Return whether what lasted from `begins` to `ends` touches the period; what has no date at all does.

    With `begins` alone it is that one day. With `ends` alone the beginning is open.
    """
    begins, ends = dated(begins), dated(ends)
    if begins is None and ends is None:
        return True
    last = ends or begins
    before = period.first is not None and last is not None and last < period.first
    after = period.last is not None and begins is not None and begins > period.last
    return not (before or after)


class Zone(msgspec.Struct, frozen=True):
    """The office's clock: its time of now, and how far that is from UTC.

    The database tells of each of its times how far it was from UTC (`times.UnixTime`). For what it cannot tell, a time
    that came as a text, the machine's rules hold where they agree with the database now, else the offset of now.
    """

    now: dt.datetime
    """Naive, office time."""
    seconds: int
    """East of UTC."""

    @classmethod
    def of(cls, now: dt.datetime, unix: int | None) -> "Zone":
        """Return the zone of an office whose clock says `now` (naive) at the moment `unix`."""
        return cls(now, _offset(now, unix) or 0)

    @property
    def today(self) -> dt.date:
        """The office's day."""
        return self.now.date()

    @property
    def moment(self) -> dt.datetime:
        """Now, with its offset."""
        return self.now.replace(tzinfo=dt.timezone(dt.timedelta(seconds=self.seconds)))

    def at(self, moment: dt.datetime | None, unix: int | None = None) -> dt.datetime | None:
        """Return an office time with its offset; `unix` is the same moment, counted by the database."""
        if moment is None:
            return None
        offset = _offset(moment, unix)
        if offset is None and self._is_machines:
            offset = _machines_offset(moment)
        return moment.replace(tzinfo=dt.timezone(dt.timedelta(seconds=self.seconds if offset is None else offset)))

    def read(self, text: object) -> dt.datetime | None:
        """Return the moment that HL7 writes as `20210304101500-0600`; None for less than a day, and for what is none.

        A day without a time is its midnight.
        """
        written = plain(text).split("^")[0].strip()
        match = _HL7.fullmatch(written)
        try:
            if match is None:
                found = dt.datetime.fromisoformat(written) if "-" in written else None
                return found if found is None or found.tzinfo else self.at(found)
            parts = [int(part or 0) for part in match.groups()[:6]]
            moment = dt.datetime(*parts)  # type: ignore[arg-type] # noqa: DTZ001 - the offset comes below
            offset = _written_offset(match[7])
        except ValueError:
            return None
        return self.at(moment) if offset is None else moment.replace(tzinfo=dt.timezone(offset))

    @property
    def _is_machines(self) -> bool:
        return _machines_offset(self.now) == self.seconds


def _offset(moment: dt.datetime, unix: int | None) -> int | None:
    # 0 is what MySQL says of a time that it cannot count.
    if not unix:
        return None
    seconds = round(moment.replace(tzinfo=dt.UTC).timestamp() - unix)
    return seconds // 60 * 60 if abs(seconds) < _DAY else None


def _machines_offset(moment: dt.datetime) -> int | None:
    """Return how far a naive time is from UTC by this machine's rules; None where they do not reach that far."""
    try:
        offset = moment.astimezone().utcoffset()
    except (OSError, OverflowError, ValueError):  # at both ends of time, and on Windows before 1970
        return None
    return None if offset is None else round(offset.total_seconds()) // 60 * 60


def _written_offset(text: str | None) -> dt.timedelta | None:
    if not text:
        return None
    digits = text[1:].replace(":", "")
    length = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -length if text[0] == "-" else length

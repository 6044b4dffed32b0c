"""An appointment as a calendar file (iCalendar, RFC 5545).

Calendars are shared at work and at home, so it tells no more than the appointment card on a refrigerator door: when,
how long, where, and whom to call; not who is seen, by whom, or for what.
"""

import datetime as dt
import hashlib
import re

from econnector.eservices.portal.calls import Appointment

__all__ = ["calendar_file", "calendar_name"]

_WIDTH = 75
"""Octets of a line, its end not counted (3.1)."""
_DEFAULT_MINUTES = 30
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


def calendar_file(  # noqa: PLR0913 - what an entry shows
    appointment: Appointment, *, office: str, title: str, summary: str, description: str, now: dt.datetime
) -> bytes:
    """Return the file.

    `office` and the appointment's number make the entry's identity: saved again after it was moved, it replaces the
    first. `now` is aware. Times are in UTC; where the office could not tell, they are "floating": the local time of
    whoever reads it.
    """
    local = dt.datetime.fromisoformat(appointment.at)
    begins, mark = (dt.datetime.fromisoformat(appointment.utc), "Z") if appointment.utc else (local, "")
    ends = begins + dt.timedelta(minutes=appointment.minutes or _DEFAULT_MINUTES)
    stamp = f"{now.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"
    where = ", ".join(part for part in (appointment.place or title, appointment.address) if part)
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//eConnector//Patient Portal//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{_identity(office, appointment.number)}",
        f"DTSTAMP:{stamp}",
        f"DTSTART:{begins:%Y%m%dT%H%M%S}{mark}",
        f"DTEND:{ends:%Y%m%dT%H%M%S}{mark}",
        f"SUMMARY:{_text(summary)}",
        f"LOCATION:{_text(where)}",
        f"DESCRIPTION:{_text(description)}",
        "CLASS:PRIVATE",
        "STATUS:CONFIRMED",
        "TRANSP:OPAQUE",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return b"".join(_folded(line) for line in lines)


def calendar_name(appointment: Appointment) -> str:
    """Return the file's name."""
    return f"appointment-{appointment.at[:10]}.ics"


def _identity(office: str, number: int) -> str:
    return f"{hashlib.sha256(f'{office}/{number}'.encode()).hexdigest()[:32]}@econnector"


def _text(text: str) -> str:
    """Return a text value: nothing in it can begin a line of its own."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")).translate(_ESCAPES)


def _folded(line: str) -> bytes:
    """Return a line in pieces of at most 75 octets, no character cut in two."""
    pieces, piece = [], b""
    for letter in line:
        octets = letter.encode()
        if len(piece) + len(octets) > _WIDTH:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece]) + b"\r\n"

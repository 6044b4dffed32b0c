"""Preference EConnectorStatistics: which machines said lately that they are this office's eConnector.

A list with one entry per machine, as JSON. Open Dental's own eConnector keeps it compressed in a form that only it can
read; its reader also takes plain JSON, which is what we write. What cannot be read is never written over.
"""

import datetime as dt
from typing import Any

import msgspec
from sqlalchemy import Connection

from econnector.opendental import preferences, writes
from econnector.opendental.schema import Schema
from econnector.opendental.tables import preference

__all__ = ["KEPT", "MULTIPLE_WITHIN", "NAME", "Entry", "merged", "parse", "put", "read"]

NAME = "EConnectorStatistics"
MULTIPLE_WITHIN = dt.timedelta(hours=3)
"""Two machines with younger entries are two eConnectors of one office (alert 11)."""
KEPT = dt.timedelta(hours=23)
"""How long another machine's entry is passed on."""
_MACHINE, _AT = "EConnectorComputerName", "DateTimeNow"


class Entry(msgspec.Struct, frozen=True):
    """One machine's word."""

    machine: str
    at: dt.datetime | None
    """Naive, office time; None if it cannot be read."""
    raw: dict[str, Any] = {}
    """Everything that it said."""


def parse(text: str) -> list[Entry] | None:
    """Return the entries of a preference's text; None if it is in Open Dental's own form."""
    if not text.strip():
        return []
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    found = [found] if isinstance(found, dict) else found
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        return None
    return [Entry(str(each.get(_MACHINE) or ""), _moment(each.get(_AT)), each) for each in found]


def read(connection: Connection) -> list[Entry] | None:
    """Return the entries; None if they are in Open Dental's own form."""
    return parse(preferences.read(connection, NAME))


def merged(entries: list[Entry], own: Entry) -> str:
    """Return the preference's new text: our entry first, then other machines' that are younger than `KEPT`.

    An entry whose time cannot be read is passed on: it is not ours to drop.
    """
    at = own.at or dt.datetime.max  # noqa: DTZ901 - office time has no zone
    others = [each for each in entries if each.machine.casefold() != own.machine.casefold()]
    kept = [each.raw for each in others if each.at is None or at - each.at < KEPT]
    mine = own.raw | {_MACHINE: own.machine, _AT: at.isoformat(timespec="seconds")}
    return msgspec.json.encode([mine, *kept]).decode()


def put(connection: Connection, schema: Schema, own: Entry) -> list[Entry] | None:
    """Write our entry; return those of other machines that are younger than `MULTIPLE_WITHIN`.

    None, and nothing written, if the preference is in Open Dental's own form. When another machine writes at the same
    moment, its text stays and ours follows the next time.
    """
    text = preferences.read(connection, NAME)
    entries = parse(text)
    if entries is None:
        return None
    new, here = merged(entries, own), preference.c.PrefName == NAME
    if text:
        writes.update(connection, schema, preference, {"ValueString": new}, here, preference.c.ValueString == text)
    else:
        preferences.write(connection, schema, NAME, new)
    at = own.at or dt.datetime.max  # noqa: DTZ901 - office time has no zone
    others = [each for each in entries if each.machine.casefold() != own.machine.casefold()]
    return [each for each in others if each.at is not None and at - each.at < MULTIPLE_WITHIN]


def _moment(value: object) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found.astimezone().replace(tzinfo=None) if found.tzinfo else found

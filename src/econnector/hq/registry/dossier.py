"""All that HQ knows of one office."""

import datetime as dt

import msgspec
import sqlalchemy as sa

from econnector.hq.registry import connectors, contacts, deeds, fleet, history, offices
from econnector.hq.registry.connectors import Installation
from econnector.hq.registry.contacts import Listed
from econnector.hq.registry.deeds import Deed
from econnector.hq.registry.fleet import Line, Wanted
from econnector.hq.registry.history import Event
from econnector.hq.registry.offices import Inactive, Office, inactive_reason
from econnector.hq.registry.tables import notices, outages

__all__ = ["Dossier", "Outage", "Told", "read"]

_EVENTS, _LETTERS = 50, 20


class Outage(msgspec.Struct, frozen=True):
    """A time during which the office could not serve its patients, long enough that its contacts are told."""

    began: dt.datetime
    ended: dt.datetime | None
    cause: str
    code: str
    reference: str


class Told(msgspec.Struct, frozen=True):
    """A letter to one of its contacts."""

    made_at: dt.datetime
    kind: str
    address: str
    state: str
    sent_at: dt.datetime | None
    error: str


class Dossier(msgspec.Struct, frozen=True):
    """One office, whole."""

    office: Office
    line: Line
    inactive: Inactive | None
    """Why the key is not active, if it is not."""
    move_until: dt.datetime | None
    """Until then another machine may take over; None when none may."""
    machines: list[Installation]
    contacts: list[Listed]
    outages: list[Outage]
    told: list[Told]
    events: list[Event]
    deeds: list[Deed]


def read(connection: sa.Connection, name: str, now: dt.datetime) -> Dossier:
    """Return the office with this name. Raises `OfficeUnknown`."""
    office = offices.get(connection, name)
    return Dossier(
        office=office,
        line=fleet.look(connection, Wanted(office=name), now).lines[0],
        inactive=inactive_reason(office.disabled_at, office.disabled_reason, office.support_ends, now),
        move_until=office.move_until if office.move_until and office.move_until > now else None,
        machines=connectors.installations(connection, office.id),
        contacts=contacts.every(connection, office.id),
        outages=_outages(connection, office.id),
        told=_told(connection, office.id),
        events=history.recent(connection, office.id, _EVENTS),
        deeds=deeds.recent(connection, name, _EVENTS),
    )


def _outages(connection: sa.Connection, office: int) -> list[Outage]:
    columns = [outages.c[name] for name in Outage.__struct_fields__]
    wanted = sa.select(*columns).where(outages.c.office_id == office).order_by(outages.c.began.desc())
    return [Outage(*row) for row in connection.execute(wanted.limit(_LETTERS))]


def _told(connection: sa.Connection, office: int) -> list[Told]:
    columns = [notices.c[name] for name in Told.__struct_fields__]
    newest = (notices.c.made_at.desc(), notices.c.id.desc())
    wanted = sa.select(*columns).where(notices.c.office_id == office).order_by(*newest)
    return [Told(*row) for row in connection.execute(wanted.limit(_LETTERS))]

"""Table updatehistory: when Open Dental itself was updated."""

import datetime as dt

from sqlalchemy import Connection, func, select

from econnector.opendental.tables import updatehistory

__all__ = ["last_update"]


def last_update(connection: Connection) -> dt.datetime | None:
    """Return when the newest update was done, by the database's clock; None if there was none."""
    newest: dt.datetime | None = connection.scalar(select(func.max(updatehistory.c.DateTimeUpdated)))
    return newest

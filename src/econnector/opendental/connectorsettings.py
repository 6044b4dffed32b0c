"""The three settings of Open Dental's eConnector window, which stand in its preferences.

=====================================  ==========================================================================
EServiceListenerEnabled                `1` or `0`; the row came with 23.1 as `0`, and 23.3.1 set it to `1`
SendEmailsInDiffProcess                `1` yes; `0` nobody has said, `2` no: unchecked, it only goes from 1 to 2
EConnectorCleanupLoggerIntervalDays    0 to 36500; 0 or blank is never
=====================================  ==========================================================================
"""

import msgspec
from sqlalchemy import Connection

from econnector.base.errors import ValueRejected
from econnector.opendental import cachesignals, preferences
from econnector.opendental.schema import Schema

__all__ = ["LOG_DAYS", "MOST_LOG_DAYS", "ConnectorSettings", "check", "read", "save"]

LISTENER = "EServiceListenerEnabled"
MAIL_PROCESS = "SendEmailsInDiffProcess"
LOG_DAYS = "EConnectorCleanupLoggerIntervalDays"
MOST_LOG_DAYS = 36500
_YES, _NO = "1", "2"
_LISTENER_CAME, _LISTENER_ON = (23, 1), (23, 3)


class ConnectorSettings(msgspec.Struct, frozen=True):
    """The three settings of Open Dental's eConnector window, which stand in its database."""

    listener: bool
    """Enable eServices Listener (`EServiceListenerEnabled`)."""
    mail_process: bool
    """Send emails with a different process (`SendEmailsInDiffProcess`)."""
    log_days: int
    """Delete logs older than this many days (`EConnectorCleanupLoggerIntervalDays`), 0 for never."""


def read(connection: Connection, schema: Schema) -> ConnectorSettings:
    """Return them as they are now."""
    found = preferences.read_many(connection, (LISTENER, MAIL_PROCESS), **{LOG_DAYS: "30"})
    days = found[LOG_DAYS].strip()
    return ConnectorSettings(
        listener=found[LISTENER] == _YES if found[LISTENER] else _listens(schema),
        mail_process=found[MAIL_PROCESS].strip() == _YES,
        log_days=int(days) if days.isdecimal() else 0,
    )


def _listens(schema: Schema) -> bool:
    """Return what no row means: on where the setting does not exist yet, else what the version would have added."""
    version = schema.numbers[:2]
    return version < _LISTENER_CAME or version >= _LISTENER_ON


def check(settings: ConnectorSettings) -> None:
    """Raise `ValueRejected` for days that Open Dental would not take."""
    if not 0 <= settings.log_days <= MOST_LOG_DAYS:
        why = f"Enter a value between 0 and {MOST_LOG_DAYS} for the days after which logs are deleted; 0 is never."
        raise ValueRejected(field="log-days", why=why)


def save(connection: Connection, schema: Schema, new: ConnectorSettings) -> list[str]:
    """Write what differs and tell the workstations; return the changes in words, none if there was nothing to do.

    Raises `ValueRejected`, and then nothing is written. Workstations are told before and after: each statement may be
    the last one before the power fails, and told once too often does no harm.
    """
    check(new)
    old = read(connection, schema)
    values = _values(connection, schema, old, new)
    if not values:
        return []
    cachesignals.tell(connection, schema, cachesignals.Kind.PREFERENCES)
    for name, value in values.items():
        preferences.write(connection, schema, name, value)
    cachesignals.tell(connection, schema, cachesignals.Kind.PREFERENCES)
    return _words(old, new)


def _values(connection: Connection, schema: Schema, old: ConnectorSettings, new: ConnectorSettings) -> dict[str, str]:
    """Return the preferences to write."""
    values = {}
    if new.listener != old.listener:
        if schema.numbers[:2] < _LISTENER_CAME and not preferences.read(connection, LISTENER):
            # The update to 23.1 adds the row without looking, and Open Dental does not start with two of them.
            why = f"Open Dental {schema.version} has no setting for the eServices Listener; it came with 23.1."
            raise ValueRejected(field="listener", why=why)
        values[LISTENER] = _YES if new.listener else "0"
    if new.mail_process != old.mail_process:
        values[MAIL_PROCESS] = _YES if new.mail_process else _NO
    if new.log_days != old.log_days:
        values[LOG_DAYS] = str(new.log_days)
    return values


def _words(old: ConnectorSettings, new: ConnectorSettings) -> list[str]:
    pairs = (
        ("Enable eServices Listener", _shown(old.listener), _shown(new.listener)),
        ("Send emails with a different process", _shown(old.mail_process), _shown(new.mail_process)),
        ("Delete logs older than (days)", str(old.log_days), str(new.log_days)),
    )
    return [f"{name}: {before} to {after}" for name, before, after in pairs if before != after]


def _shown(value: bool) -> str:
    return "on" if value else "off"

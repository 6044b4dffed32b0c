"""Table signalod: tells workstations that something they keep in memory has changed.

Without it they show old settings until they are restarted, nothing worse. They look every few seconds and clear old
rows away themselves.
"""

import enum

from sqlalchemy import Connection

from econnector.opendental import times, writes
from econnector.opendental.schema import Schema
from econnector.opendental.tables import signalod

__all__ = ["Kind", "tell"]


class Kind(enum.IntEnum):
    """What has changed (Open Dental's InvalidType)."""

    PREFERENCES = 5
    PROVIDERS = 22
    ALERTS = 72
    CLINIC_PREFERENCES = 75
    MESSAGES = 76
    BILLING_LIST = 111


def tell(connection: Connection, schema: Schema, kind: Kind) -> None:
    """Let every workstation read everything of this kind again."""
    values = {
        "DateViewing": None,
        "SigDateTime": times.now(connection),
        "FKey": 0,
        "FKeyType": "Undefined",
        "IType": int(kind),
        "RemoteRole": 0,
        "MsgValue": "",
    }
    writes.insert(connection, schema, signalod, values)

"""What an installation writes into Open Dental's database: the Update Server, and the audit rows for both."""

from typing import Any

from econnector.office.desk import Who, note
from econnector.office.install.survey import UPDATE_SERVER
from econnector.opendental import audit, cachesignals, preferences
from econnector.opendental.schema import Schemas

__all__ = ["note_consent", "take_over"]

LISTENER_TYPE = "ListenerServiceProxy"
"""What this connector is among Open Dental's ListenerServiceTypes: it dials out, through HQ."""


def note_consent(connection: Any, schemas: Schemas, who: Who, machine: str) -> None:
    """Write into the audit trail that eServices may go through this machine, in Open Dental's own words."""
    text = f"eConnector status automatically set to {LISTENER_TYPE}."
    note(connection, schemas, audit.Permission.SERVICES_SETUP, text, who, machine)


def take_over(connection: Any, schemas: Schemas, name: str, who: Who, machine: str) -> bool:
    """Name this machine as Update Server where none is named; return whether that changed anything.

    Workstations are told before and after: each statement may be the last one before the power fails.
    """
    if preferences.read(connection, UPDATE_SERVER).strip():
        return False
    schema = schemas(connection)
    cachesignals.tell(connection, schema, cachesignals.Kind.PREFERENCES)
    preferences.write(connection, schema, UPDATE_SERVER, name)
    cachesignals.tell(connection, schema, cachesignals.Kind.PREFERENCES)
    text = f"{audit.INSTALLED}{name} the Update Server."
    note(connection, schemas, audit.Permission.SERVICES_SETUP, text, who, machine)
    return True

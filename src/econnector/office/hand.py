"""What everything that the office does for a patient's portal stands on: who may, and the trace it leaves.

The trace goes before a change that holds at once, so that there is always one; who is stopped between the two does it
again, and there are two traces of it. What may still be refused while it is written has its trace at once after it: a
password or code that is cut off there (`access`, `invites`) is one that nobody has seen, a text (`notices`) is of no
patient.
"""

import datetime as dt
from typing import Any, Final

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import AccessAsItWas, PermissionMissing
from econnector.office.desk import Who
from econnector.opendental import audit, patients
from econnector.opendental.patients import Patient
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database

__all__ = ["WITHIN", "Hand", "chart_of", "need_setup"]

WITHIN: Final = 15.0
"""Seconds that the practice's database may take."""


class Hand:
    """One practice, as the person at the window or at the command line acts on it."""

    def __init__(
        self, database: Database, state: Database, schemas: Schemas, machine: str, clock: Clock = SYSTEM
    ) -> None:
        """`machine` goes into the audit rows."""
        self._database, self._state, self._schemas = database, state, schemas
        self._machine, self._clock = machine, clock

    def today(self) -> dt.date:
        """Return the office's day."""
        return self._clock.now().astimezone().date()

    def note(self, connection: Any, who: Who, number: int, text: str) -> None:
        """Write into Open Dental's audit trail what `who` does, about the patient `number` (a PatNum, 0 for none)."""
        by = "" if who.user else f" (command line, operating-system account {who.name})"
        audit.record(
            connection,
            self._schemas(connection),
            audit.Permission.SERVICES_SETUP,
            f"{audit.PORTAL_CHANGED}{text}{by}",
            user=who.user,
            patient=number,
            computer=self._machine,
            source=audit.NO_SOURCE,
        )


def need_setup(who: Who) -> None:
    """Raise `PermissionMissing` for who may not set up eServices."""
    if not who.may_setup:
        raise PermissionMissing(user=who.name, permission="EServicesSetup")


def chart_of(connection: Any, number: int) -> Patient:
    """Return the chart of a PatNum. Raises `AccessAsItWas` for one who can have no access."""
    found = patients.by_numbers(connection, [number])
    if not found:
        raise AccessAsItWas(why="This chart can have no access: it is missing, archived, merged or not a patient's.")
    return found[0]

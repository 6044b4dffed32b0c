"""What every answer to a partner's program needs: the practice's database, the images, the keys, and the trace."""

import platform
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from econnector.base.clock import Clock
from econnector.eservices.api.calls import Right
from econnector.eservices.api.office.keys import Keys, Partner
from econnector.opendental import audit
from econnector.opendental.imagestore import ImageStore
from econnector.opendental.schema import Schema
from econnector.storage.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Desk", "SchemaOf"]

log = structlog.get_logger(__name__)

_MEND_AGAIN = 120.0
"""Seconds after which nothing can be in the making that an earlier connector began."""

SchemaOf = Callable[["Connection"], Schema]
"""Gives the schema of now; raises `VersionsDiffer` or `UpdateRunning`."""


class Desk:
    """Where the API's answers are given."""

    def __init__(
        self, database: Database, state: Database, schema_of: SchemaOf, images: ImageStore, clock: Clock
    ) -> None:
        """Nothing is opened before the first question."""
        self.database, self.schema_of, self.images, self.clock = database, schema_of, images, clock
        self.keys = Keys(state, clock)
        self._mends = [clock.monotonic(), clock.monotonic() + _MEND_AGAIN]

    async def admit(self, key: str, right: Right) -> Partner:
        """Return who asks. Raises `ApiKeyRefused`, `ApiRightMissing`."""
        partner = await self.keys.partner(key)
        partner.need(right)
        return partner

    def note(self, connection: "Connection", partner: Partner, text: str, patient: int = 0) -> None:
        """Write into Open Dental's audit trail what a program reads, of a patient (a PatNum) or of nobody alone.

        It is there before anything leaves the office. The text says what was read, never what stood in it.
        """
        schema = self.schema_of(connection)
        if self._mends and self.clock.monotonic() >= self._mends[0]:
            self._mends.pop(0)
            if rows := audit.mend(connection, schema, platform.node()):
                log.info("audit rows finished", rows=rows)
        audit.record(
            connection,
            schema,
            audit.Permission.COPY,
            f"{audit.API}{partner.name} (key {partner.number}) {text}",
            patient=patient,
            computer=platform.node(),
            source=audit.API_SOURCE,
        )

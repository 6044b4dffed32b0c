"""What a person in the office does with the eConnector: look, acknowledge, stop monitoring, change its settings.

The window and the commands do the same through it, so that both say and write the same (od-connector 1.5, 1.6, 2.1).
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import Failure, PermissionMissing
from econnector.base.settings import Loaded
from econnector.office.addresses import database_place
from econnector.office.explain import NextStep, ServiceStatus, away, explain
from econnector.office.left import Left, read_file
from econnector.office.settings import Settings
from econnector.opendental import audit, connectorsettings, signals, users, writes
from econnector.opendental.connectorsettings import ConnectorSettings
from econnector.opendental.schema import Schemas
from econnector.opendental.signals import Signal
from econnector.opendental.uptime import Uptime, uptime
from econnector.opendental.users import User
from econnector.storage.database import Database

__all__ = ["ConnectorSettings", "Desk", "NextStep", "ServiceStatus", "Who", "desk_of", "note", "who_is"]

_WITHIN = 10.0


class Who(msgspec.Struct, frozen=True):
    """The person who does it."""

    user: int
    """Open Dental's UserNum; 0 at the command line, where the right to read the database's password is the right."""
    name: str
    may_setup: bool
    """Open Dental's permission EServicesSetup: acknowledge, install, save settings."""
    may_admin: bool
    """Open Dental's permission SecurityAdmin: stop monitoring."""


def who_is(user: User) -> Who:
    """Return a user of Open Dental as the one who does it. Who must change the password first may only look."""
    setup, admin = users.Permission.SERVICES_SETUP, users.Permission.SECURITY_ADMIN
    may = not user.must_change
    return Who(user.number, user.name, may_setup=may and user.may(setup), may_admin=may and user.may(admin))


async def _nothing_left() -> Left:
    return Left()


class Desk:
    """One practice's eConnector, as the person before it sees it. Every method may raise the database's failures."""

    def __init__(
        self,
        database: Database,
        schemas: Schemas,
        machine: str,
        left: Callable[[], Awaitable[Left]] = _nothing_left,
        clock: Clock = SYSTEM,
    ) -> None:
        """`machine` goes into the audit rows; `left` reads what the connector of this machine left behind."""
        self._database, self._schemas, self._machine = database, schemas, machine
        self._left, self._clock = left, clock

    async def status(self) -> ServiceStatus:
        """Return how the service stands; a database that cannot be asked is said, not raised."""
        try:
            seen = await self._database.run(signals.look, within=_WITHIN)
        except Failure as failure:
            return away(failure)
        return explain(seen, await self._left(), self._clock.now())

    async def history(self) -> list[Signal]:
        """Return the rows of the last 30 days, newest first."""
        return await self._database.run(signals.history, within=_WITHIN)

    async def uptime(self) -> Uptime:
        """Return when it worked in the last 30 days, for a strip per day and hour."""
        return await self._database.run(uptime, within=_WITHIN)

    async def acknowledge(self, who: Who) -> int:
        """Mark every error of every eService as seen, remove the alert, and return how many there were.

        Raises `PermissionMissing`.
        """
        _need(who, "EServicesSetup", have=who.may_setup)
        return await self._database.run(_acknowledge, self._schemas, who, self._machine, within=_WITHIN)

    async def stop_monitoring(self, who: Who) -> None:
        """Say that the service is not in use, so that nobody is alarmed any more.

        Workstations notice within a minute; the next heartbeat of a connector that runs ends it. Raises
        `PermissionMissing`.
        """
        _need(who, "SecurityAdmin", have=who.may_admin)
        await self._database.run(_stop_monitoring, self._schemas, who, self._machine, within=_WITHIN)

    async def signed_in(self, user: User) -> None:
        """Note that somebody signed in to the window, beside Open Dental's own rows of who logged on."""
        await self._database.run(_signed_in, self._schemas, user, self._machine, within=_WITHIN)

    async def service_changed(self, who: Who, text: str, within: float = _WITHIN) -> None:
        """Note what somebody did with a service of this machine, such as `OpenDentalEConnector: stopped`."""
        await self._database.run(_service_changed, self._schemas, who, self._machine, text, within=within)

    async def settings(self) -> ConnectorSettings:
        """Return the three settings."""
        return await self._database.run(_settings, self._schemas, within=_WITHIN)

    async def save(self, who: Who, settings: ConnectorSettings) -> bool:
        """Write what differs; return whether anything did. Raises `PermissionMissing` and `ValueRejected`."""
        _need(who, "EServicesSetup", have=who.may_setup)
        return await self._database.run(_save, self._schemas, who, self._machine, settings, within=_WITHIN)


@contextlib.asynccontextmanager
async def desk_of(loaded: Loaded[Settings]) -> AsyncIterator[Desk]:
    """Open the desk of the practice in these settings, for one command."""
    place = database_place(loaded)
    database = Database(place.url, password=place.password, ca=place.ca, workers=1, guard=writes.guard)
    try:
        yield Desk(database, Schemas(), loaded.value.machine_name, lambda: read_file(loaded))
    finally:
        await database.close()


def _need(who: Who, permission: str, *, have: bool) -> None:
    if not have:
        raise PermissionMissing(user=who.name, permission=permission)


def _acknowledge(connection: Any, schemas: Schemas, who: Who, machine: str) -> int:
    schema = schemas(connection)
    count = signals.acknowledge(connection, schema)
    if count:
        text = f"{audit.ACKNOWLEDGED}{count}"
        note(connection, schemas, audit.Permission.SERVICES_SETUP, text, who, machine)
    return count


def _stop_monitoring(connection: Any, schemas: Schemas, who: Who, machine: str) -> None:
    signals.stop_monitoring(connection, schemas(connection))
    note(connection, schemas, audit.Permission.SECURITY_ADMIN, audit.STOPPED_MONITORING, who, machine)


def _signed_in(connection: Any, schemas: Schemas, user: User, machine: str) -> None:
    text = f"User: {user.name}{audit.SIGNED_IN}"
    note(connection, schemas, audit.Permission.USER_LOG_ON_OFF, text, who_is(user), machine)


def _service_changed(connection: Any, schemas: Schemas, who: Who, machine: str, text: str) -> None:
    words = f"{audit.SERVICE_CHANGED}{text}"
    note(connection, schemas, audit.Permission.SERVICES_SETUP, words, who, machine)


def _settings(connection: Any, schemas: Schemas) -> ConnectorSettings:
    return connectorsettings.read(connection, schemas(connection))


def _save(connection: Any, schemas: Schemas, who: Who, machine: str, settings: ConnectorSettings) -> bool:
    changes = connectorsettings.save(connection, schemas(connection), settings)
    if changes:
        text = f"{audit.SETTINGS_CHANGED}{'; '.join(changes)}"
        note(connection, schemas, audit.Permission.SERVICES_SETUP, text, who, machine)
    return bool(changes)


def note(  # noqa: PLR0913, PLR0917 - an audit row is one thing
    connection: Any, schemas: Schemas, permission: audit.Permission, text: str, who: Who, machine: str
) -> None:
    """Write into Open Dental's audit trail what `who` did at this machine, about no patient.

    Should the process die over the row, it gets its hash later if `text` begins with one of `audit`'s beginnings.
    """
    by = "" if who.user else f" (command line, operating-system account {who.name})"
    schema = schemas(connection)
    audit.mend(connection, schema, machine)
    audit.record(connection, schema, permission, text + by, user=who.user, computer=machine, source=audit.NO_SOURCE)

"""Once an hour, the connector's word in Open Dental's database that it is this office's; and who else says so."""

import contextlib
from typing import Any

import psutil
import structlog

from econnector.base.errors import Failure
from econnector.base.version import version
from econnector.office.heartbeat import Heartbeat
from econnector.office.practice import Practice
from econnector.office.service.accounts import current
from econnector.opendental import alerts, statistics, times
from econnector.opendental.schema import Schemas
from econnector.opendental.statistics import Entry

__all__ = ["LOOK_SECONDS", "Statistics"]

log = structlog.get_logger(__name__)

LOOK_SECONDS = 3600.0
_WITHIN = 10.0


class Statistics:
    """Keeps the connector's own entry, and raises the alert for other machines' (od-connector 4.6)."""

    def __init__(self, practice: Practice, heartbeat: Heartbeat, machine: str) -> None:
        """Nothing is written while another machine is this office's connector: `heartbeat` knows."""
        self._practice, self._heartbeat, self._machine = practice, heartbeat, machine
        self.foreign = False
        """The preference is in Open Dental's own form: its eConnector has run within the last hours, or long ago."""

    async def look(self) -> None:
        """Do it once."""
        await self._heartbeat.allowed.wait()
        await self._practice.opened.wait()
        facts = {"EConnectorDomainUserName": current(), "EConnectorIP": _address(), "EConnectorVersion": version()}
        others = await self._practice.database.run(_put, self._practice.schemas, self._machine, facts, within=_WITHIN)
        if others is None and not self.foreign:
            log.info("the statistics preference is in Open Dental's own form and is left alone")
        self.foreign = others is None


def _put(connection: Any, schemas: Schemas, machine: str, facts: dict[str, str]) -> list[Entry] | None:
    schema = schemas(connection)
    others = statistics.put(connection, schema, Entry(machine, times.now(connection), dict(facts)))
    if others:
        names = ", ".join(sorted({machine, *(each.machine for each in others)}))
        text = f"More than one eConnector works for this database: {names}. Uninstall all but one."
        alerts.raise_once(connection, schema, alerts.Kind.MULTIPLE_CONNECTORS, text)
    return others


def _address() -> str:
    """Return this machine's first address in its network, empty if it has none."""
    with contextlib.suppress(OSError, Failure):
        found = [entry.address for entries in psutil.net_if_addrs().values() for entry in entries]
        return next((each for each in found if each.count(".") == 3 and not each.startswith(("127.", "169.254."))), "")  # noqa: PLR2004 - IPv4
    return ""

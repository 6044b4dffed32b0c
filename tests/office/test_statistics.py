"""The connector says once an hour that it is this office's, and raises the alert when another machine says so too."""

import datetime as dt
import json

from sqlalchemy import Connection, text

from econnector.opendental import preferences, statistics, times
from econnector.opendental.schema import inspect
from econnector.storage.database import Database
from tests.hq.running import RunningHq
from tests.office.connector import Connector
from tests.office.test_office import enrolled, live, until


async def test_a_second_machine_is_seen_and_told_once(connector: Connector, hq: RunningHq, practice: str) -> None:
    await enrolled(connector, hq, practice)
    database = Database(practice)

    def another(connection: Connection) -> str:
        at = times.now(connection) - dt.timedelta(hours=1)
        entry = {"EConnectorComputerName": "SERVER", "DateTimeNow": at.isoformat(), "PublicIP": "203.0.113.7"}
        preferences.write(connection, inspect(connection), statistics.NAME, json.dumps([entry]))
        return at.isoformat()

    def alerts(connection: Connection) -> list[str]:
        return list(connection.scalars(text("SELECT Description FROM alertitem WHERE Type = 11")))

    async def machines() -> list[str]:
        return [each.machine for each in await database.run(statistics.read) or []]

    try:
        said = await database.run(another)
        async with live(connector) as office:
            await until(office.heartbeats)

            async def both() -> bool:
                return await machines() == ["FRONT-DESK", "SERVER"]

            await until(both)
        found = await database.run(statistics.read) or []
        assert found[1].raw["DateTimeNow"] == said
        (alert,) = await database.run(alerts)
        assert "FRONT-DESK, SERVER" in alert
    finally:
        await database.close()

"""What an unchanged Open Dental sees: `stock_view.sql` asks the queries of its window, monitor, menu and audit trail.

The connector's side of every state is our own code; the other side is that script alone, on the real tables.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from econnector.office.desk import ConnectorSettings, Desk, Who
from econnector.opendental import alerts, schema, signals, writes
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from tests.support.mariadb import Version, shared_server

pytestmark = pytest.mark.shared

SCRIPT = Path(__file__).with_name("stock_view.sql").read_text("utf-8")
QUERIES = dict(re.findall(r"-- name: (\w+)\n(.*?;)\n", SCRIPT, re.DOTALL))
EMPTIED = ("alertitem", "alertread", "alertsub", "eservicesignal", "signalod", "securitylog", "updatehistory")
ADMIN = Who(1, "Admin", may_setup=True, may_admin=True)
YELLOW, RED = (13, 1, 3, 9), (12, 3, 3, 9)
"""Type, severity, actions and window of the alerts: an error was posted; the eConnector is down."""
MINUTE, HOUR = 60, 3600


class Stock:
    """A practice of which one side is ours and the other Open Dental's."""

    def __init__(self, name: str) -> None:
        self.server, self.name = shared_server(), name
        self.ours = Database(self.server.url(name), guard=writes.guard)
        self.desk = Desk(self.ours, Schemas(), "FRONT-DESK")

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return self.server.sql(statement, *values, database=self.name)

    def see(self, query: str) -> list[tuple[Any, ...]]:
        """Ask what Open Dental asks."""
        return self.sql(QUERIES[query])

    async def status(self) -> str:
        """Return Open Dental's word, once ours is the same."""
        word = str(self.see("status")[0][0])
        assert (await self.desk.status()).word == word
        assert bool(self.see("refuses")[0][0]) == (word in {"None", "NotEnabled", "Critical"})
        return word

    def alerts(self) -> list[tuple[int, ...]]:
        return [tuple(int(value) for value in row[:4]) for row in self.see("alerts")]

    def history(self) -> list[tuple[int, int]]:
        """Return severity and colour of the grid's rows, newest first."""
        return [(int(row[1]), int(row[2])) for row in self.see("history")]

    async def beat(self) -> None:
        await self.ours.run(_do, signals.beat)

    async def stopped(self) -> None:
        await self.ours.run(_do, signals.stopped)

    def pass_time(self, seconds: int) -> None:
        """Let time pass: every row is that much older."""
        self.sql(f"UPDATE eservicesignal SET SigDateTime = SigDateTime - INTERVAL {seconds} SECOND")
        self.sql(f"UPDATE updatehistory SET DateTimeUpdated = DateTimeUpdated - INTERVAL {seconds} SECOND")

    def monitor(self) -> None:
        """Do what every workstation's monitor does each minute: Critical raises the alert, once."""
        if self.see("status")[0][0] == "Critical" and not self.sql("SELECT 1 FROM alertitem WHERE Type = 12"):
            self.sql(
                "INSERT INTO alertitem (ClinicNum, Description, Type, Severity, Actions, FormToOpen, FKey, ItemValue,"
                " UserNum) VALUES (-1, 'eConnector needs to be restarted', 12, 3, 3, 9, 0, '', 0)"
            )

    def read_alerts(self) -> None:
        self.sql("INSERT INTO alertread (AlertItemNum, UserNum) SELECT AlertItemNum, 1 FROM alertitem")


def _do(connection: Connection, what: Any) -> None:
    what(connection, schema.inspect(connection))


def _subscribed(version: Version) -> Path:
    """Return the files of the real database whose user Admin has subscribed to the alerts of eServices."""
    server = shared_server()

    def subscribe(name: str) -> None:
        for table in EMPTIED:
            server.sql(f"TRUNCATE {table}", database=name)
        server.sql("INSERT INTO alertsub (UserNum, ClinicNum, AlertCategoryNum) VALUES (1, -1, 2)", database=name)

    return server.prepared(version, schema.NEEDED, "subscribed", subscribe)


@pytest.fixture(params=["21.1", "24.3"])
async def stock(request: pytest.FixtureRequest) -> AsyncIterator[Stock]:
    """The real database, seen from both sides."""
    with shared_server().lent(_subscribed(request.param)) as name:
        made = Stock(name)
        yield made
        await made.ours.close()


def test_the_script_only_reads_and_runs_as_a_whole() -> None:
    plain = re.sub(r"--.*", "", SCRIPT)
    statements = [one.strip() for one in plain.split(";") if one.strip()]
    assert len(statements) == len(QUERIES)
    for statement in statements:
        writes.guard(statement)


async def test_never_used(stock: Stock) -> None:
    assert await stock.status() == "None"
    assert (stock.history(), stock.alerts(), stock.see("heartbeat")) == ([], [], [(0,)])
    stock.monitor()
    assert stock.alerts() == [], "nobody is alarmed for a service that was never used"


async def test_working_until_six_minutes_without_a_heartbeat(stock: Stock) -> None:
    await stock.beat()
    assert (await stock.status(), stock.history(), stock.see("heartbeat")) == ("Working", [(2, 0), (2, 0)], [(1,)])
    for _ in range(3):
        stock.pass_time(5 * MINUTE)
        assert await stock.status() == "Working"
        await stock.beat()
    assert stock.history() == [(2, 0), (2, 0)], "no row per heartbeat"
    anchor, rolling = stock.see("history")[1][0], stock.see("history")[0][0]
    assert (rolling - anchor).total_seconds() >= 15 * MINUTE, "the two rows say how long it has worked"
    stock.monitor()
    assert stock.alerts() == []


async def test_silent_is_critical_and_the_next_heartbeat_takes_the_alert_away(stock: Stock) -> None:
    await stock.beat()
    stock.pass_time(7 * MINUTE)
    assert await stock.status() == "Critical"
    stock.monitor()
    stock.monitor()
    assert stock.alerts() == [RED]
    stock.read_alerts()
    await stock.beat()
    assert (await stock.status(), stock.alerts(), stock.history()) == ("Working", [], [(2, 0), (2, 0)])
    assert stock.sql("SELECT COUNT(*) FROM alertread") == [(0,)]


async def test_stopped_is_critical_at_once_and_the_recovery_is_an_error_to_acknowledge(stock: Stock) -> None:
    await stock.beat()
    await stock.stopped()
    assert (await stock.status(), stock.history()) == ("Critical", [(5, 0), (2, 0), (2, 0)])
    stock.monitor()
    stock.pass_time(HOUR + 5 * MINUTE + 30)
    await stock.beat()
    assert await stock.status() == "Error"
    assert stock.alerts() == [YELLOW], "down no longer, but somebody should look"
    assert stock.history() == [(2, 0), (4, 1), (2, 0), (5, 0), (2, 0), (2, 0)]
    assert "critical for 1:05" in stock.see("history")[1][3]
    stock.read_alerts()
    assert await stock.desk.acknowledge(ADMIN) == 1
    assert (await stock.status(), stock.alerts()) == ("Working", [])
    assert stock.history()[1] == (4, 0), "no longer yellow"
    assert stock.sql("SELECT COUNT(*) FROM alertread") == [(0,)]
    assert await stock.desk.acknowledge(ADMIN) == 0


async def test_an_acknowledged_error_that_is_newest_shows_until_the_next_heartbeat(stock: Stock) -> None:
    await stock.beat()
    stock.pass_time(MINUTE)
    await stock.ours.run(_report_error)
    assert (await stock.status(), stock.alerts()) == ("Error", [YELLOW])
    await stock.desk.acknowledge(ADMIN)
    assert (await stock.status(), stock.alerts(), stock.see("status")[0][1]) == ("Error", [], 0)
    stock.pass_time(MINUTE)
    await stock.beat()
    assert await stock.status() == "Working"


def _report_error(connection: Connection) -> None:
    signals.report_error(connection, schema.inspect(connection), "something to look at")


async def test_an_error_of_another_eservice_counts_but_does_not_stand_in_this_history(stock: Stock) -> None:
    await stock.beat()
    stock.sql(
        "INSERT INTO eservicesignal (ServiceCode, ReasonCategory, ReasonCode, Severity, Description, SigDateTime, Tag,"
        " IsProcessed) VALUES (2, 0, 0, 4, 'Texting failed', NOW(), '', 0)"
    )
    assert (await stock.status(), stock.history()) == ("Error", [(2, 0), (2, 0)])
    told = await stock.desk.status()
    assert ("another eService (number 2)" in told.why, "Texting failed" in told.why) == (True, True)
    assert await stock.desk.acknowledge(ADMIN) == 1
    assert await stock.status() == "Working"


async def test_after_stop_monitoring_nobody_is_alarmed_until_the_next_heartbeat(stock: Stock) -> None:
    await stock.beat()
    await stock.ours.run(_report_error)
    await stock.desk.stop_monitoring(ADMIN)
    assert await stock.status() == "NotEnabled", "errors that wait count no longer"
    stock.pass_time(HOUR)
    stock.monitor()
    assert (await stock.status(), stock.alerts()) == ("NotEnabled", [YELLOW])
    await stock.stopped()
    assert await stock.status() == "NotEnabled", "a stop does not bring the alarm back"
    await stock.beat()
    assert await stock.status() == "Error", "a connector that runs is monitored; the error still waits"
    await stock.desk.acknowledge(ADMIN)
    assert await stock.status() == "Working"


@pytest.mark.parametrize(("minutes", "word"), [(3, "Working"), (20, "Error")])
async def test_an_update_explains_a_stop_for_ten_minutes(stock: Stock, minutes: int, word: str) -> None:
    await stock.beat()
    await stock.stopped()
    stock.pass_time(2 * MINUTE)
    stock.sql("INSERT INTO updatehistory (DateTimeUpdated, ProgramVersion) VALUES (NOW(), '24.3.11.0')")
    assert await stock.status() == "Critical"
    stock.pass_time(minutes * MINUTE)
    await stock.beat()
    assert (await stock.status(), stock.alerts()) == (word, [] if word == "Working" else [YELLOW])


async def test_what_the_connector_reports_itself_is_an_alert_there(stock: Stock) -> None:
    await stock.beat()
    await stock.ours.run(_raise, alerts.Kind.MULTIPLE_CONNECTORS)
    await stock.ours.run(_raise, alerts.Kind.CLOCKS_DIFFER)
    await stock.ours.run(_raise, alerts.Kind.CLOCKS_DIFFER)
    assert [row[:3] for row in stock.alerts()] == [(11, 3, 5), (24, 3, 5)]


def _raise(connection: Connection, kind: alerts.Kind) -> None:
    alerts.raise_once(connection, schema.inspect(connection), kind, "both times")


async def test_saved_settings_are_what_the_window_reads_and_every_workstation_reads_them_again(stock: Stock) -> None:
    before = await stock.desk.settings()
    assert not await stock.desk.save(ADMIN, before)
    assert (stock.see("caches"), stock.see("audit")) == ([], [])
    assert await stock.desk.save(ADMIN, ConnectorSettings(before.listener, mail_process=True, log_days=0))
    found = dict(stock.see("settings"))
    assert (found["SendEmailsInDiffProcess"], found["EConnectorCleanupLoggerIntervalDays"]) == ("1", "0")
    assert {row[:4] for row in stock.see("caches")} == {(5, 0, "Undefined", 0)}
    assert [(row[0], row[1], row[3], row[4], row[5]) for row in stock.see("audit")] == [(91, 1, "FRONT-DESK", 0, 1)]


async def test_every_deed_stands_in_the_audit_trail_with_its_hash(stock: Stock) -> None:
    await stock.beat()
    await stock.ours.run(_report_error)
    await stock.desk.acknowledge(ADMIN)
    await stock.desk.stop_monitoring(Who(0, "Zoë", may_setup=True, may_admin=True))
    stopped, acknowledged = stock.see("audit")
    assert (stopped[0], stopped[1], stopped[5]) == (24, 0, 1)
    assert "command line, operating-system account Zoë" in stopped[2]
    assert (acknowledged[0], acknowledged[1], acknowledged[3], acknowledged[5]) == (91, 1, "FRONT-DESK", 1)
    assert "command line" not in acknowledged[2]

"""The desk: who may do what, what is left behind, and a database that is away."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection, text

from econnector.base.errors import DatabaseAway, PermissionMissing
from econnector.office.desk import ConnectorSettings, Desk, Who, who_is
from econnector.opendental import schema, signals, writes
from econnector.opendental.schema import Schemas
from econnector.opendental.users import Permission, User
from econnector.storage.database import Database

SETUP, ADMIN = Permission.SERVICES_SETUP, Permission.SECURITY_ADMIN
LOOKER = Who(5, "frontdesk", may_setup=False, may_admin=False)
NEW = ConnectorSettings(listener=False, mail_process=True, log_days=1)


@pytest.fixture
async def database(practice: str) -> AsyncIterator[Database]:
    """A practice whose connector works, and has an error."""
    made = Database(practice, guard=writes.guard)
    await made.run(_busy)
    yield made
    await made.close()


def _busy(connection: Connection) -> None:
    found = schema.inspect(connection)
    signals.beat(connection, found)
    signals.report_error(connection, found, "something")


async def rows(database: Database) -> list[tuple[object, ...]]:
    words = "SELECT PermType, UserNum, CompName, LogText FROM securitylog ORDER BY SecurityLogNum"
    return await database.run(lambda connection: [tuple(row) for row in connection.execute(text(words))])


@pytest.mark.causes("permission-missing")
async def test_who_lacks_a_permission_may_look_and_change_nothing(database: Database) -> None:
    desk = Desk(database, Schemas(), "FRONT-DESK")
    before, settings = await desk.history(), await desk.settings()
    setup_only, admin_only = Who(6, "a", may_setup=True, may_admin=False), Who(7, "b", may_setup=False, may_admin=True)
    for who in (LOOKER, admin_only):
        with pytest.raises(PermissionMissing, match="EServicesSetup"):
            await desk.acknowledge(who)
        with pytest.raises(PermissionMissing, match="EServicesSetup"):
            await desk.save(who, NEW)
    for who in (LOOKER, setup_only):
        with pytest.raises(PermissionMissing, match="SecurityAdmin"):
            await desk.stop_monitoring(who)
    assert (await desk.history(), await desk.settings(), await rows(database)) == (before, settings, [])
    assert (await desk.status()).word == "Error"
    assert len((await desk.uptime()).days) == 30


async def test_deeds_are_done_once_and_noted_with_who_and_where(database: Database) -> None:
    desk = Desk(database, Schemas(), "FRONT-DESK")
    boss = who_is(User(1, "Admin", frozenset({SETUP, ADMIN})))
    await desk.signed_in(User(1, "Admin", frozenset({SETUP, ADMIN})))
    assert (await desk.acknowledge(boss), await desk.acknowledge(boss)) == (1, 0)
    assert (await desk.save(boss, NEW), await desk.save(boss, NEW)) == (True, False)
    assert await desk.settings() == NEW
    await desk.stop_monitoring(boss)
    assert (await desk.status()).word == "NotEnabled"
    found = await rows(database)
    assert [row[:3] for row in found] == [(number, 1, "FRONT-DESK") for number in (83, 91, 91, 24)]
    assert "acknowledged: 1" in str(found[1][3])


def test_rights_come_from_groups_and_wait_for_a_new_password() -> None:
    assert who_is(User(2, "noah", frozenset({SETUP}))) == Who(2, "noah", may_setup=True, may_admin=False)
    assert who_is(User(2, "noah", frozenset({ADMIN}))) == Who(2, "noah", may_setup=False, may_admin=True)
    must = User(2, "noah", frozenset({SETUP, ADMIN}), must_change=True)
    assert who_is(must) == Who(2, "noah", may_setup=False, may_admin=False)


async def test_a_database_that_is_away_is_said_by_the_status_and_raised_by_the_rest() -> None:
    gone = Database("mysql://nobody@127.0.0.1:1/none", guard=writes.guard)
    desk = Desk(gone, Schemas(), "FRONT-DESK")
    told = await desk.status()
    assert (told.severity, told.word, told.state) == (None, "Unknown", "problem")
    assert told.next_step.text
    with pytest.raises(DatabaseAway):
        await desk.history()
    with pytest.raises(DatabaseAway):
        await desk.stop_monitoring(Who(1, "Admin", may_setup=True, may_admin=True))
    await gone.close()

"""The office is reached and its database is not, on a real server: stopped, closed to us, short of a right, frozen."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from econnector.eservices.portal.calls import HOME
from econnector.office.doctor import database
from tests.failures.test_reaching import until_ok
from tests.failures.world import World
from tests.support.mariadb import MariaDb

pytestmark = pytest.mark.shared


async def told(world: World, code: str, *inside: str) -> None:
    """Assert that the patient is told kindly, and the office what really is the matter."""
    met = await world.noted(await world.refused(code))
    assert (met.code, met.call) == (code, HOME.name)
    assert all(each in str(met.facts) for each in inside), met.facts


@pytest.mark.causes("database-away", row="unreachable: database server down", sees="patient, history, doctor, again")
async def test_a_server_that_is_stopped(served: World, server: MariaDb) -> None:
    await served.enrol()
    async with served.working():
        await served.sign_in()
        server.stop()
        try:
            await told(served, "database-away", str(server.port))
            finding = await served.finding("database")
            assert (finding.state, finding.code) == ("problem", "database-away")
            assert str(server.port) in finding.text
        finally:
            server.start()
        await served.until_it_works()
        await until_ok(served, "database")


def _other_password(server: MariaDb, _: str) -> None:
    server.sql("ALTER USER connector@'%' IDENTIFIED BY 'another'")


def _no_rights(server: MariaDb, database: str) -> None:
    server.sql(f"REVOKE ALL ON {database}.* FROM connector@'%'")


@pytest.mark.causes(
    "database-refused", row="unreachable: wrong database credentials", sees="patient, history, doctor, again"
)
@pytest.mark.parametrize("change", [_other_password, _no_rights])
async def test_a_server_that_does_not_let_us_in(
    served: World, server: MariaDb, change: Callable[[MariaDb, str], None]
) -> None:
    name = served.database.rpartition("/")[2]
    await served.enrol()
    async with served.working():
        await served.sign_in()
        change(server, name)
        server.restart()  # who is in already stays in until then
        await told(served, "database-refused", "connector")
        finding = await served.finding("database")
        assert (finding.state, finding.code) == ("problem", "database-refused")
        assert finding.remedy
        server.create_user("connector", "right", f"SELECT, INSERT, UPDATE, DELETE ON {name}.*")
        await served.until_it_works()
        await until_ok(served, "database")


@pytest.mark.causes("database-refused")
async def test_a_right_that_is_taken_away_is_found_and_reading_goes_on(served: World, server: MariaDb) -> None:
    name = served.database.rpartition("/")[2]
    await served.enrol()
    async with served.working():
        await served.sign_in()
        server.sql(f"REVOKE INSERT, UPDATE ON {name}.* FROM connector@'%'")
        finding = await served.finding("database")
        assert (finding.state, finding.code) == ("problem", "database-refused")
        assert "INSERT" in finding.text
        assert "UPDATE" in finding.text
        server.sql(f"GRANT INSERT, UPDATE ON {name}.* TO connector@'%'")
        await served.until_it_works()
        await until_ok(served, "database")


@contextlib.asynccontextmanager
async def far_away(port: int, seconds: list[float]) -> AsyncIterator[int]:
    """Relay to a port of this machine, every answer so much later; yield the relay's port."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, late: bool) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                await asyncio.sleep(seconds[0] if late else 0)
                writer.write(data)
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(carry(reader, ours, late=False), carry(theirs, writer, late=True))

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.mark.causes(
    "office-too-slow", row="unreachable: database too slow (time limit)", sees="patient, history, doctor, again"
)
async def test_a_server_that_takes_too_long(served: World, server: MariaDb, monkeypatch: pytest.MonkeyPatch) -> None:
    late = [0.0]
    async with far_away(server.port, late) as port:
        served.database = served.database.replace(f":{server.port}/", f":{port}/")
        await served.enrol()
        async with served.working():
            await served.sign_in()
            await served.until_it_works()
            with monkeypatch.context() as hurry:
                hurry.setattr(HOME, "limit", 1.0)
                hurry.setattr(database, "SLOW_SECONDS", 0.1)
                late[0] = 0.3
                page = await served.refused("office-too-slow")
                assert (await served.noted(page)).call == HOME.name
                finding = await served.finding("database-latency")
                assert finding.state == "attention"
                assert "ms" in finding.text
                assert finding.remedy
                late[0] = 0.0
            await served.until_it_works()
            await until_ok(served, "database-latency")

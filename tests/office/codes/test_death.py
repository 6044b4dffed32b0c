"""A process that is killed while it imports: the next run makes the table exactly right."""

import asyncio
import contextlib
import random
import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from econnector.office.codes import batches
from econnector.office.codes.importer import Codes, Wanted
from econnector.opendental.schema import Schemas
from econnector.storage.state.base import open_state
from econnector.storage.state.code_imports import Progress
from tests.office.codes.conftest import ADA, Practice, another_program, codes_file, until_waiting
from tests.office.codes.dying import BATCH, GATHERED, POINTS

ROOT = Path(__file__).resolve().parents[3]
on_mariadb = pytest.mark.parametrize("practice", [pytest.param("24.3", marks=pytest.mark.shared)], indirect=True)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH", BATCH)


async def _process(
    practice: Practice, file: Path, point: str, times: int, least_bytes: int = 10**9
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.office.codes.dying", practice.url, str(_state(practice)), str(file)),
        *(point, str(times), str(least_bytes)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )


def _state(practice: Practice) -> Path:
    """Return the state of those who die: a state has one process at a time."""
    return practice.folder / "dying.db"


async def _finish(practice: Practice, file: Path) -> Progress:
    """Import in this process, after those who died if there were any."""
    wanted = Wanted("SNOMEDCT", file, release="one", accept_terms=True)
    async with contextlib.AsyncExitStack() as left:
        codes = practice.codes
        if _state(practice).exists():
            state = await open_state(_state(practice))
            left.push_async_callback(state.close)
            codes = Codes(practice.database, state, Schemas(), "FRONT-DESK", practice.folder)
        async with await codes.prepare(ADA, wanted) as work:
            return await work.run()


@on_mariadb
async def test_killed_within_a_batch_and_before_its_place_is_kept_nothing_is_lost_or_twice(practice: Practice) -> None:
    file, rows = codes_file(practice, 95)
    within, before_keeping = POINTS
    for point, times in ((within, 1), (before_keeping, 1), (within, 2), (before_keeping, 3)):
        process = await _process(practice, file, point, times)
        assert await asyncio.wait_for(process.wait(), 120) == -signal.SIGKILL
        there = await practice.rows("snomed", "SnomedCode", "Description")
        assert len(there) < len(rows)
        assert len(set(there)) == len(there)
        assert await practice.version("SNOMEDCT") == ""
    done = await _finish(practice, file)
    assert (done.status, done.line, done.bad) == ("complete", 95, 8)
    assert await practice.rows("snomed", "SnomedCode", "Description") == rows
    assert await practice.version("SNOMEDCT") == "one"


@on_mariadb
async def test_killed_with_rows_gathered_beside_the_table_nothing_is_lost_or_twice(practice: Practice) -> None:
    file, rows = codes_file(practice, 95)
    for point, there in zip(GATHERED, (0, len(rows)), strict=True):
        process = await _process(practice, file, point, 1, least_bytes=0)
        assert await asyncio.wait_for(process.wait(), 120) == -signal.SIGKILL
        assert len(await practice.rows("snomed", "SnomedCode")) == there
        assert await practice.version("SNOMEDCT") == ""
    done = await _finish(practice, file)
    assert (done.status, done.line, done.added, done.bad) == ("complete", 95, 0, 8)
    assert await practice.rows("snomed", "SnomedCode", "Description") == rows


@on_mariadb
@pytest.mark.parametrize("least_bytes", [10**9, 0], ids=["in batches", "gathered"])
async def test_killed_at_any_moment_nothing_is_lost_or_twice(practice: Practice, least_bytes: int) -> None:
    file, rows = codes_file(practice, 3000)
    for _ in range(2):
        process = await _process(practice, file, "nowhere", 0, least_bytes)
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 120) == b"begun\n"
        await asyncio.sleep(random.uniform(0, 0.4))
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await asyncio.wait_for(process.wait(), 60)
    await _finish(practice, file)
    assert await practice.rows("snomed", "SnomedCode", "Description") == rows


@on_mariadb
async def test_what_a_dead_process_left_running_on_the_server_is_waited_for(practice: Practice) -> None:
    file, rows = codes_file(practice, 30)
    with another_program(practice) as left, left.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK(MD5(CONCAT(DATABASE(), '.snomed')), 0)")
        assert cursor.fetchone() == (1,)
        going_on = asyncio.create_task(_finish(practice, file))
        await until_waiting(practice, "get_lock")
        cursor.execute("INSERT INTO snomed (SnomedCode, Description) VALUES (%s, %s)", rows[0])
    done = await asyncio.wait_for(going_on, 60)
    assert (done.status, done.line) == ("complete", 30)
    assert await practice.rows("snomed", "SnomedCode", "Description") == rows


async def test_what_somebody_else_imported_meanwhile_is_not_imported_again(practice: Practice) -> None:
    file, rows = codes_file(practice, 95)
    wanted = Wanted("SNOMEDCT", file, release="one", accept_terms=True)
    async with await practice.codes.prepare(ADA, wanted) as work:
        await work.run(lambda progress: work.cancel() if progress.line == 30 else None)
    there = set(await practice.rows("snomed", "SnomedCode", "Description"))
    missing = [dict(zip(("code", "words"), row, strict=True)) for row in rows if row not in there]
    insert = text("INSERT INTO snomed (SnomedCode, Description) VALUES (:code, :words)")
    await practice.database.run(lambda connection: connection.execute(insert, missing))
    done = await _finish(practice, file)
    assert done.status == "complete"
    assert await practice.rows("snomed", "SnomedCode", "Description") == rows


@on_mariadb
async def test_other_tables_are_read_and_written_while_a_batch_is_on_its_way(practice: Practice) -> None:
    file, rows = codes_file(practice, 40)
    with another_program(practice) as reader, reader.cursor() as cursor:
        cursor.execute("LOCK TABLES snomed READ")
        importing = asyncio.create_task(_finish(practice, file))
        await until_waiting(practice, "INSERT INTO snomed")
        await practice.run("CVX", "998\tsomething else\n")
        assert await practice.rows("cvx", "CvxCode", "Description") == [("998", "something else")]
        assert await practice.database.run(lambda connection: Schemas()(connection).version)
        assert not importing.done()
    assert (await asyncio.wait_for(importing, 60)).status == "complete"
    assert await practice.rows("snomed", "SnomedCode", "Description") == rows

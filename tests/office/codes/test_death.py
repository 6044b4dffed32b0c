"""A process that is killed while it imports: the next run makes the table exactly right."""

import asyncio
import contextlib
import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql  # type: ignore[import-untyped]
import pytest
from sqlalchemy import Connection, text

from econnector.office.codes import batches
from econnector.office.codes.importer import Codes, Wanted
from econnector.opendental.schema import Schemas
from econnector.storage.state.base import open_state
from econnector.storage.state.code_imports import Progress
from tests.office.codes.conftest import ADA, Practice
from tests.office.codes.dying import BATCH, POINTS

ROOT = Path(__file__).resolve().parents[3]
on_mariadb = pytest.mark.parametrize("practice", [pytest.param("24.3", marks=pytest.mark.shared)], indirect=True)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH", BATCH)


def _file(practice: Practice, lines: int) -> tuple[Path, list[tuple[str, str]]]:
    """Write a file in which every seventh line repeats an earlier code and every eleventh is bad; return its rows."""
    rows, text = dict[str, str](), ""
    for number in range(1, lines + 1):
        code = str(1000 + (number // 2 if number % 7 == 0 else number))
        text += "a line without a tab\n" if number % 11 == 0 else f"{code}\tO'Hara's \\ finding {number}\n"
        if number % 11:
            rows.setdefault(code, f"O'Hara's \\ finding {number}")
    file = practice.folder / "codes.txt"
    file.write_text(text, "utf-8")
    return file, sorted(rows.items(), key=str)


async def _process(practice: Practice, file: Path, point: str, times: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.office.codes.dying", practice.url, str(_state(practice)), str(file)),
        *(point, str(times)),
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
    file, rows = _file(practice, 95)
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
async def test_killed_at_any_moment_nothing_is_lost_or_twice(practice: Practice) -> None:
    file, rows = _file(practice, 3000)
    for _ in range(2):
        process = await _process(practice, file, "nowhere", 0)
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
    file, rows = _file(practice, 30)
    with _connection(practice) as left, left.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK(MD5(CONCAT(DATABASE(), '.snomed')), 0)")
        assert cursor.fetchone() == (1,)
        going_on = asyncio.create_task(_finish(practice, file))
        await _until_waiting(practice, "get_lock")
        cursor.execute("INSERT INTO snomed (SnomedCode, Description) VALUES (%s, %s)", rows[0])
    done = await asyncio.wait_for(going_on, 60)
    assert (done.status, done.line) == ("complete", 30)
    assert await practice.rows("snomed", "SnomedCode", "Description") == rows


async def test_what_somebody_else_imported_meanwhile_is_not_imported_again(practice: Practice) -> None:
    file, rows = _file(practice, 95)
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
    file, rows = _file(practice, 40)
    with _connection(practice) as reader, reader.cursor() as cursor:
        cursor.execute("LOCK TABLES snomed READ")
        importing = asyncio.create_task(_finish(practice, file))
        await _until_waiting(practice, "INSERT INTO snomed")
        await practice.run("CVX", "998\tsomething else\n")
        assert await practice.rows("cvx", "CvxCode", "Description") == [("998", "something else")]
        assert await practice.database.run(lambda connection: Schemas()(connection).version)
        assert not importing.done()
    assert (await asyncio.wait_for(importing, 60)).status == "complete"
    assert await practice.rows("snomed", "SnomedCode", "Description") == rows


@contextlib.contextmanager
def _connection(practice: Practice) -> Iterator[Any]:
    """Be another program at the same server."""
    place = practice.url.rpartition("@")[2]
    host, port = place.partition("/")[0].split(":")
    connection = pymysql.connect(
        host=host, port=int(port), user="root", database=place.partition("/")[2], autocommit=True
    )
    with connection:
        yield connection


async def _until_waiting(practice: Practice, words: str) -> None:
    def waiting(connection: Connection) -> object:
        found = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE :words AND db = DATABASE()"
        return connection.scalar(text(f"{found} AND id <> CONNECTION_ID()"), {"words": f"%{words}%"})

    async with asyncio.timeout(60):
        while not await practice.database.run(waiting):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.02)

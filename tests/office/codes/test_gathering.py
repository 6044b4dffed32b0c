"""The first import of a large file: rows gathered beside the table and put into it at once, or the ordinary way."""

import asyncio
import itertools
import time
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from econnector.base.errors import CodeFileUnreadable, DatabaseAway
from econnector.office.codes import batches, gathering
from econnector.office.codes.importer import Codes, Wanted
from econnector.opendental import gathered, writes
from econnector.opendental.preferences import write
from econnector.opendental.schema import Schemas, inspect
from econnector.storage.database import Database
from econnector.storage.state import code_imports
from tests.office.codes.conftest import ADA, Practice, another_program, codes_file, until_waiting
from tests.support.mariadb import shared_server

pytestmark = pytest.mark.shared
on_mariadb = pytest.mark.parametrize("practice", ["24.3"], indirect=True)
SNOMED = ("SnomedCode", "Description")
PUT = "INSERT INTO snomed (SnomedCode, Description) SELECT"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH", 10)
    monkeypatch.setattr(gathering, "LEAST_BYTES", 0)


@pytest.fixture
def puts(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each attempt to put rows into the table at once went well."""
    original: Callable[..., Any] = gathered.put
    seen: list[bool] = []

    def put(*args: Any, **more: Any) -> Any:
        done = original(*args, **more)
        seen.append(done is not None)
        return done

    monkeypatch.setattr(gathered, "put", put)
    return seen


@pytest.fixture
async def short(practice: Practice) -> AsyncIterator[Codes]:
    """The importer over a database whose statements may take a second."""
    database = Database(practice.url, guard=writes.guard, statement_seconds=1.0)
    yield Codes(database, practice.state, Schemas(), "FRONT-DESK", practice.folder)
    await database.close()


def _wanted(file: Path, **more: Any) -> Wanted:
    return Wanted("SNOMEDCT", file, release="one", accept_terms=True, **more)


@on_mariadb
@pytest.mark.parametrize("most_others", [50_000, 3])
async def test_every_line_arrives_as_it_does_batch_by_batch(
    practice: Practice, puts: list[bool], monkeypatch: pytest.MonkeyPatch, most_others: int
) -> None:
    monkeypatch.setattr(gathering, "MOST_OTHERS", most_others)
    file, rows = codes_file(practice, 95)
    async with await practice.codes.prepare(ADA, _wanted(file)) as work:
        done = await work.run()
    assert (done.status, done.line, done.added, done.bad) == ("complete", 95, len(rows), 8)
    assert (done.gathered, done.putting, done.same) == (0, False, 95 - len(rows) - 8)
    assert puts == [True]
    assert await practice.rows("snomed", *SNOMED) == rows
    assert len(await practice.codes.bad_lines("SNOMEDCT")) == 8
    assert await practice.version("SNOMEDCT") == "one"
    again = await practice.run("SNOMEDCT", file.read_text("utf-8"))
    assert (again.added, again.changed, puts) == (0, 0, [True])


@on_mariadb
async def test_of_a_code_that_stands_twice_the_last_text_is_taken_where_old_ones_are_not_kept(
    practice: Practice, puts: list[bool]
) -> None:
    done = await practice.run("SNOMEDCT", "1\tfirst\n2\tZoë \\ 'x' 𝔸\n1\tlast\n", keep_old=False)
    assert (done.added, done.changed, puts) == (2, 1, [True])
    there = dict(await practice.rows("snomed", *SNOMED))
    assert there["1"] == "last"
    assert there["2"].startswith("Zoë \\ 'x' ")


@on_mariadb
async def test_a_wish_to_cancel_puts_what_is_gathered_and_the_next_one_goes_on_there(
    practice: Practice, puts: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, rows = codes_file(practice, 95)
    original: Callable[..., None] = gathered.add
    attempts, adding = _attempts(monkeypatch), itertools.count()

    def add(*args: Any) -> None:
        original(*args)
        end = time.monotonic() + 60
        waits = next(adding) > 0
        while waits and not attempts[-1].stopped and time.monotonic() < end:
            time.sleep(0.01)

    monkeypatch.setattr(gathered, "add", add)
    async with await practice.codes.prepare(ADA, _wanted(file)) as work:
        stopped = await work.run(lambda progress: work.cancel() if progress.gathered else None)
    assert (stopped.status, stopped.line, puts) == ("cancelled", 20, [True])
    first = {line.split("\t")[-1] for line in file.read_text("utf-8").splitlines()[:20]}
    assert await practice.rows("snomed", *SNOMED) == [row for row in rows if row[1] in first]
    assert await practice.version("SNOMEDCT") == ""
    async with await practice.codes.prepare(ADA, _wanted(file)) as work:
        done = await work.run()
    assert (done.status, done.added + done.same + done.bad, puts) == ("complete", 95, [True])
    assert await practice.rows("snomed", *SNOMED) == rows


def _attempts(monkeypatch: pytest.MonkeyPatch) -> list[gathering.Gathering]:
    """Return the list that every attempt will be in; nobody else may stop them."""
    made: list[gathering.Gathering] = []
    original: Callable[..., None] = gathering.Gathering.__init__

    def init(self: gathering.Gathering, *args: Any) -> None:
        original(self, *args)
        made.append(self)

    monkeypatch.setattr(gathering.Gathering, "__init__", init)
    return made


@on_mariadb
async def test_putting_may_take_longer_than_a_statement_may_and_is_told_meanwhile(
    practice: Practice, short: Codes, puts: list[bool]
) -> None:
    file, rows = codes_file(practice, 40)
    with another_program(practice) as reader, reader.cursor() as cursor:
        cursor.execute("LOCK TABLES snomed READ")
        async with await short.prepare(ADA, _wanted(file)) as work:
            importing = asyncio.create_task(work.run())
            await until_waiting(practice, PUT, seconds=2.5)
            told = await practice.state.run(code_imports.find, "SNOMEDCT")
            assert told is not None
            assert (told.line, told.reached, told.putting) == (0, 40, True)
            cursor.execute("UNLOCK TABLES")
            done = await asyncio.wait_for(importing, 60)
    assert (done.status, puts) == ("complete", [True])
    assert await practice.rows("snomed", *SNOMED) == rows


@on_mariadb
async def test_a_statement_that_the_server_kills_sends_the_import_the_ordinary_way(
    practice: Practice, puts: list[bool]
) -> None:
    file, rows = codes_file(practice, 40)
    done = await _disturbed(practice, file, "KILL QUERY")
    assert (done.status, done.line, puts) == ("complete", 40, [])
    assert await practice.rows("snomed", *SNOMED) == rows


@on_mariadb
async def test_a_connection_that_is_lost_ends_the_import_and_the_next_one_begins_again(
    practice: Practice, puts: list[bool]
) -> None:
    file, rows = codes_file(practice, 40)
    with pytest.raises(DatabaseAway):
        await _disturbed(practice, file, "KILL")
    (row,) = [row for row in await practice.codes.listed() if row.system.name == "SNOMEDCT"]
    assert row.progress is not None
    assert (row.progress.status, row.progress.line, row.progress.bad) == ("failed", 0, 0)
    async with await practice.codes.prepare(ADA, _wanted(file)) as work:
        done = await work.run()
    assert (done.status, done.bad, puts) == ("complete", 3, [True])
    assert await practice.rows("snomed", *SNOMED) == rows


async def _disturbed(practice: Practice, file: Path, kill: str) -> Any:
    """Import, and do that to the connection while it puts the rows into the table."""
    with another_program(practice) as reader, reader.cursor() as cursor:
        cursor.execute("LOCK TABLES snomed READ")
        async with await practice.codes.prepare(ADA, _wanted(file)) as work:
            importing = asyncio.create_task(work.run())
            await until_waiting(practice, PUT)
            found = "SELECT id FROM information_schema.processlist WHERE info LIKE %s AND db = DATABASE()"
            cursor.execute(f"{found} AND id <> CONNECTION_ID()", (f"{PUT}%",))
            (number,) = cursor.fetchone()
            cursor.execute(f"{kill} {number}")
            cursor.execute("UNLOCK TABLES")
            return await asyncio.wait_for(importing, 60)


async def _not_myisam(practice: Practice) -> None:
    shared_server().sql("ALTER TABLE snomed ENGINE=InnoDB", database=practice.url.rpartition("/")[2])


async def _random_keys(practice: Practice) -> None:
    await practice.database.run(lambda connection: write(connection, inspect(connection), "RandomPrimaryKeys", "1"))


async def _no_right(practice: Practice) -> None:
    name = practice.url.rpartition("/")[2]
    shared_server().create_user("nowhere", "pw", f"SELECT, INSERT, UPDATE, DELETE ON {name}.*")
    practice.codes = Codes(
        Database(shared_server().url(name, "nowhere", "pw"), guard=writes.guard),
        practice.state,
        Schemas(),
        "FRONT-DESK",
        practice.folder,
    )


@on_mariadb
@pytest.mark.parametrize("cause", [_not_myisam, _random_keys, _no_right])
async def test_where_it_brings_nothing_or_may_not_be_the_import_goes_the_ordinary_way(
    practice: Practice, puts: list[bool], cause: Callable[[Practice], Any]
) -> None:
    file, rows = codes_file(practice, 95)
    await cause(practice)
    async with await practice.codes.prepare(ADA, _wanted(file)) as work:
        done = await work.run()
    assert (done.status, done.added, done.bad, puts) == ("complete", len(rows), 8, [])
    assert await practice.rows("snomed", *SNOMED) == rows


@on_mariadb
async def test_what_another_program_has_written_meanwhile_is_compared_and_not_doubled(
    practice: Practice, puts: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, rows = codes_file(practice, 95)
    original: Callable[..., None] = gathered.add

    def add(connection: Any, *args: Any) -> None:
        original(connection, *args)
        if not puts:
            connection.execute(text("INSERT INTO snomed (SnomedCode, Description) VALUES (:code, 'theirs')"), theirs)
            puts.append(False)

    theirs = {"code": rows[0][0]}
    monkeypatch.setattr(gathered, "add", add)
    async with await practice.codes.prepare(ADA, _wanted(file)) as work:
        done = await work.run()
    assert (done.status, done.added, puts) == ("complete", len(rows) - 1, [False, False])
    assert await practice.rows("snomed", *SNOMED) == sorted([(rows[0][0], "theirs"), *rows[1:]])


@on_mariadb
async def test_a_part_that_a_killed_statement_left_is_compared_and_not_doubled(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, rows = codes_file(practice, 95)

    def put(connection: Any, *_rest: Any, **_more: Any) -> None:
        some = "SELECT SnomedCode, Description FROM gathered_snomed LIMIT 10"  # of more than ten lines
        connection.execute(text(f"INSERT INTO snomed (SnomedCode, Description) {some}"))
        raise gathered.NotGathered(1317)

    monkeypatch.setattr(gathered, "put", put)
    async with await practice.codes.prepare(ADA, _wanted(file)) as work:
        done = await work.run()
    assert (done.status, done.added, done.line) == ("complete", len(rows) - 10, 95)
    assert await practice.rows("snomed", *SNOMED) == rows


@on_mariadb
async def test_a_file_that_breaks_off_leaves_the_table_empty(practice: Practice, puts: list[bool]) -> None:
    archive = practice.folder / "snomed.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("s.txt", "".join(f"{number}\t{number**9}\n" for number in range(9000)))
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2] + bytes(64) + whole[len(whole) // 2 + 64 :])
    async with await practice.codes.prepare(ADA, _wanted(archive)) as work:
        with pytest.raises(CodeFileUnreadable):
            await work.run()
    kept = await practice.state.run(code_imports.find, "SNOMEDCT")
    assert kept is not None
    assert (kept.status, kept.line, kept.gathered, puts) == ("failed", 0, 0, [])
    assert await practice.rows("snomed", *SNOMED) == []

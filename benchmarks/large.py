"""`make bench-large`: what a page costs with 500 patients and with 500,000, asked in turn within one run.

Fails when a page takes over 1.3 times as long with the many, or when the server's slow-query log has an entry: a
statement that took over 0.1 s or read many rows without an index.
"""

import argparse
import asyncio
import contextlib
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import report
from benchmarks.generated import PASSWORD, holder, load, user_name
from econnector.eservices.portal.calls import SIGN_IN, SignIn
from econnector.office.access import Access, Wanted
from econnector.opendental import writes
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state.base import open_state
from tests.support.cost import Said, overheard, pages, params_of
from tests.support.mariadb import MariaDb
from tests.support.practice import PortalOffice

FEW = 500
ROUNDS, VISITORS, TRIES = 50, 10, 3
MOST = 1.3
_SLOW_SECONDS, _SLOW_ROWS = 0.1, 1000
_FLAGS = (
    "--key-buffer-size=512M",
    "--myisam-sort-buffer-size=512M",
    "--bulk-insert-buffer-size=64M",
    f"--long-query-time={_SLOW_SECONDS}",
    "--log-queries-not-using-indexes=1",
    f"--min-examined-row-limit={_SLOW_ROWS}",
)
_STEPS = {
    "find a patient by the beginning of the last name": "Fisch",
    "find a patient by both names": "Fischerwood Ann",
    "find a patient by birth date": "1980-03-04",
    "find a patient by number": "401",
}


class Asked(msgspec.Struct):
    """What was measured of one thing at both sizes."""

    what: str
    few: list[float]
    many: list[float]
    scans: str = ""

    @property
    def ratio(self) -> float:
        """Median with many over median with few."""
        return statistics.median(self.many) / statistics.median(self.few)

    def row(self, target: str) -> dict[str, Any]:
        """Return the report's row."""
        few, many = (statistics.median(times) * 1000 for times in (self.few, self.many))
        return {
            "what": self.what,
            "ours": f"{many:.2f} ms" + (f"; reads the whole of {self.scans}" if self.scans else ""),
            "beside": f"{few:.2f} ms with {FEW} patients",
            "ratio": self.ratio,
            "target": target,
        }


class Practice:
    """A practice of one size, with its office."""

    def __init__(self, server: "Server", name: str, patients: int, office: PortalOffice) -> None:
        """`name`: of its database."""
        self.server, self.name, self.patients, self.office = server, name, patients, office
        self.access = Access(office.database, office.state, Schemas(), "bench")
        self._visitors: list[dict[str, Any]] = []

    async def sign_in(self) -> list[float]:
        """Sign in the visitors, who are spread over the practice; return how long each took, in seconds."""
        took = []
        for number in range(VISITORS):
            person = holder(self.patients, number / VISITORS)
            began = time.perf_counter()
            session = await self.office.ask(SIGN_IN, SignIn(user_name(person), PASSWORD, "127.0.0.1", "bench"))
            took.append(time.perf_counter() - began)
            known = {"appointment": 2 * person - 1, "message": (person + 1) // 2, "plan": (person + 1) // 2}
            self._visitors.append({"token": session.token, "person": 0, **known})
        return took

    async def ask(self, call: Any, number: int) -> float:
        """Ask for a page as one of the visitors; return how long it took, in seconds."""
        params = params_of(call, **self._visitors[number % VISITORS])
        began = time.perf_counter()
        await self.office.ask(call, params)
        return time.perf_counter() - began

    def scans(self, said: Sequence[Said]) -> str:
        """Return which of the tables that grow are read whole, by the server's own word."""
        found: set[str] = set()
        for one in said:
            if one.statement.startswith("SELECT"):
                rows = self.server.rows(f"EXPLAIN {one.statement}", one.values, self.name)
                whole = [row for row in rows if row["type"] in {"ALL", "index"} and not row["table"].startswith("<")]
                found |= {row["table"] for row in whole if int(row["rows"] or 0) > _SLOW_ROWS}
        return ", ".join(sorted(found))


class Server(MariaDb):
    """A server that tells which statements were slow."""

    def rows(self, statement: str, values: Any, database: str) -> list[dict[str, Any]]:
        """Return the rows of a statement by the names of their columns."""
        import pymysql  # type: ignore[import-untyped]  # noqa: PLC0415 - a driver of the tests' own

        connection = pymysql.connect(
            unix_socket=str(self.socket), user="root", database=database, cursorclass=pymysql.cursors.DictCursor
        )
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    @contextlib.contextmanager
    def watched(self) -> Any:
        """Yield a list that holds the slow-query log's entries of the block once it is over."""
        file = self.folder / f"slow-{time.monotonic_ns()}"
        entries: list[str] = []
        self.sql("SET GLOBAL slow_query_log_file = %s", str(file))
        self.sql("SET GLOBAL slow_query_log = 1")
        try:
            yield entries
        finally:
            self.sql("SET GLOBAL slow_query_log = 0")
            entries += re.findall(r"# Query_time.*?(?=\n# (?:Time|User@Host)|\Z)", file.read_text(), re.DOTALL)


async def _office(server: Server, name: str, folder: Path) -> PortalOffice:
    url = server.url(name)
    state = await open_state(folder / "state.db")
    return PortalOffice(Database(url, guard=writes.guard), Database(url, statement_seconds=60), state, folder)


async def _in_turn(
    what: str,
    few: Callable[[int], Awaitable[float]],
    many: Callable[[int], Awaitable[float]],
    rounds: int,
    tries: int = 1,
) -> Asked:
    """Measure; what is over the bar is measured again, as whatever else the machine does only ever adds to it."""
    best: Asked | None = None
    for _ in range(tries):
        asked = await _once(what, few, many, rounds)
        best = asked if best is None or asked.ratio < best.ratio else best
        if best.ratio <= MOST:
            break
    assert best is not None
    _say(f"{what}: {best.ratio:.2f}")
    return best


async def _once(
    what: str, few: Callable[[int], Awaitable[float]], many: Callable[[int], Awaitable[float]], rounds: int
) -> Asked:
    asked = Asked(what, [], [])
    for number in range(-VISITORS, rounds):
        for ask, times in ((few, asked.few), (many, asked.many)):
            took = await ask(number)
            if number >= 0:  # the first of each visitor only warms up
                times.append(took)
    return asked


async def _pages(few: Practice, many: Practice) -> list[Asked]:
    found = []
    for call in pages():
        asked = await _in_turn(
            f"page {call.name.removeprefix('portal.')}",
            lambda number, call=call: few.ask(call, number),  # type: ignore[misc]
            lambda number, call=call: many.ask(call, number),  # type: ignore[misc]
            ROUNDS,
            TRIES,
        )
        with overheard(many.office.state.server) as said:
            await many.ask(call, 0)
        asked.scans = many.scans(said)
        found.append(asked)
    return found


async def _window(few: Practice, many: Practice) -> list[Asked]:
    async def timed(work: Awaitable[Any]) -> float:
        began = time.perf_counter()
        await work
        return time.perf_counter() - began

    found = []
    for what, typed in _STEPS.items():
        asked = await _in_turn(
            f"office window: {what}",
            lambda _, typed=typed: timed(few.access.search(typed)),  # type: ignore[misc]
            lambda _, typed=typed: timed(many.access.search(typed)),  # type: ignore[misc]
            5,
        )
        found.append(asked)
    wanted = Wanted(days=7, youngest=0)
    found.append(
        await _in_turn(
            "office window: preview of giving access to all who come within 7 days",
            lambda _: timed(few.access.preview(wanted)),
            lambda _: timed(many.access.preview(wanted)),
            5,
        )
    )
    return found


async def _measure(server: Server, sizes: tuple[int, int], folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    practices = []
    for size in sizes:
        name, seconds = load(server, size)
        room = Path(tempfile.mkdtemp(dir=folder))
        _say(f"{size:,} patients loaded in {seconds:.0f} s")
        practices.append(Practice(server, name, size, await _office(server, name, room)))
    few, many = practices
    signing = Asked("sign-in (no index on user names)", await few.sign_in(), await many.sign_in())
    _say("pages")
    with server.watched() as slow:
        found = await _pages(few, many)
    _say("the office's window")
    with server.watched() as slow_window:
        window = await _window(few, many)
    for statement in sorted({entry[entry.find("SELECT") :].partition(" IN (")[0][:400] for entry in slow_window}):
        _say(f"read much or took long in the office's window: {statement}")
    wrong = [f"{one.what}: {one.ratio:.2f} times as long" for one in found if one.ratio > MOST]
    wrong += [f"slow-query log: {entry[:2500]}" for entry in slow]
    rows = [one.row(f"≤ {MOST}") for one in found] + [one.row("–") for one in (signing, *window)]
    rows.append({"what": "entries in the slow-query log while pages were asked", "ours": str(len(slow)), "target": "0"})
    for practice in practices:
        for opened in (practice.office.state, practice.office.database, practice.office.front_desk):
            await opened.close()
    return rows, wrong


def _say(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr, flush=True)


def main() -> int:
    """Measure; return 1 if something grows with the practice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=500_000, help="of the large practice")
    many = parser.parse_args().patients
    began = time.perf_counter()
    server = Server(*_FLAGS)
    try:
        with tempfile.TemporaryDirectory() as folder:
            rows, wrong = asyncio.run(_measure(server, (FEW, many), Path(folder)))
    finally:
        server.close()
    report.write(rows, time.perf_counter() - began, report.LARGE, f"{many:,} patients beside {FEW}")
    for line in wrong:
        _say(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

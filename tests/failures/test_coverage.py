"""docs/errors.md tells of every failure what causes it: no code without a test, no row of what people meet unproved."""

from pathlib import Path

import pytest

from econnector.base.errors import CATALOGUE, Failure, walk
from scripts.errors_page import ROOT, SEES, Cause, Mark, causes, marks, page, rows

pytest_plugins = ["pytester"]
TOLD = ROOT.parent / "shared" / "design" / "failures.md"
MARKS = marks()
CAUSED = causes(MARKS)


@pytest.mark.parametrize("kind", list(walk()), ids=lambda kind: kind.code)
def test_every_failure_is_told_with_its_remedy_and_really_caused(kind: type[Failure]) -> None:
    assert kind.remedy
    assert CAUSED.get(kind.code), f'no test has the mark `@pytest.mark.causes("{kind.code}")`'


def test_every_failure_stands_on_the_page() -> None:
    lines = set(page().splitlines())
    assert {f"## {kind.code}: {kind.title}" for kind in walk()} <= lines


@pytest.mark.parametrize("cause", rows(), ids=lambda cause: cause.name)
def test_every_cause_of_what_people_meet_is_proved_whole(cause: Cause) -> None:
    proved = {what for mark in MARKS if mark.row == cause.name for what in mark.sees}
    assert set(cause.needs) <= proved, f"nothing proves: {', '.join(set(cause.needs) - proved)}"
    assert set(cause.needs) == set(SEES) or cause.why


def test_no_row_of_the_design_is_left_out() -> None:
    if not TOLD.exists():
        pytest.skip("the design is not here")
    lines = [line for line in TOLD.read_text("utf-8").splitlines() if line.startswith("| ")][1:]
    told = [line.split(" | ")[0].removeprefix("| ") for line in lines]
    assert told == list(dict.fromkeys(row.today for row in rows()))


def test_marks_name_what_is_there() -> None:
    names = {row.name for row in rows()}
    for mark in MARKS:
        assert set(mark.codes) <= CATALOGUE.keys(), mark.test
        assert mark.row in names | {""}, mark.test
        assert mark.sees <= SEES.keys(), mark.test
        assert bool(mark.row) == bool(mark.sees), f"{mark.test}: a row needs what is seen of it"
        assert mark.codes or mark.row, mark.test


@pytest.mark.parametrize("mark", [mark for mark in MARKS if mark.aside], ids=lambda mark: mark.test)
def test_what_happens_in_another_process_is_named_where_it_is_looked_for(mark: Mark) -> None:
    for code in mark.codes:
        kind = CATALOGUE[code]
        assert any(word in mark.body for word in (f"'{code}'", f"code {code}", kind.__name__, kind.title)), code


def test_the_page_is_the_same_from_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = page()
    monkeypatch.chdir(tmp_path)
    assert page() == before


# -- the marks themselves ----------------------------------------------------------------------------------------------

HONEST = """
import pytest
from econnector.base.errors import DatabaseAway, failure_from
from econnector.storage.database import Database
from econnector.storage.server import ping

LIST = [pytest.param(1, marks=pytest.mark.causes("database-away"))]

@pytest.mark.causes("database-away")
@pytest.mark.parametrize("port", LIST)
async def test_real(port, anyio_backend):
    database = Database(f"mysql://nobody@127.0.0.1:{port}/none")
    with pytest.raises(DatabaseAway):
        await database.run(ping)
    await database.close()

@pytest.mark.causes("database-away")
def test_made():
    DatabaseAway()

@pytest.mark.causes("database-away")
def test_read_off_a_link():
    failure_from("database-away", "7F3K-22QX", {})

@pytest.mark.causes("database-away", aside=True)
def test_aside():
    pass
"""


def test_a_mark_that_promises_too_much_fails(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nmarkers = causes\nanyio_mode = auto")
    pytester.makeconftest(
        "from tests.support.causing import Causing\ndef pytest_configure(config):\n"
        "    config.pluginmanager.register(Causing())\n"
    )
    pytester.makepyfile(HONEST)
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:timeout", "-p", "no:xdist")
    done.assert_outcomes(passed=2, failed=2)
    done.stdout.fnmatch_lines(["*it caused no database-away, which its mark promises*"])
    assert {mark.test.partition("::")[2] for mark in marks(pytester.path)} == {
        "test_real",
        "test_made",
        "test_read_off_a_link",
        "test_aside",
    }

"""Sessions live an hour without use and a day at most, survive restarts, and can be ended."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from econnector.base.clock import ManualClock
from econnector.storage.database import Database
from econnector.storage.state import sessions
from econnector.storage.state.base import open_state


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_state(tmp_path / "state.db")
    yield opened
    await opened.close()


async def begin(state: Database, clock: ManualClock, patient: int = 7) -> sessions.Opened:
    return await state.run(
        lambda connection: sessions.open_session(
            connection, clock.now(), login=1, patient=patient, password="f", address="198.51.100.7", agent="Firefox"
        )
    )


async def alive(state: Database, clock: ManualClock, token: str) -> str:
    return (await state.run(sessions.find, token, clock.now()))[1] or "alive"


async def test_an_hour_without_use_ends_it_for_good(state: Database) -> None:
    clock = ManualClock()
    opened = await begin(state, clock)
    clock.advance(3599)
    assert await alive(state, clock, opened.token) == "alive"
    clock.advance(3600)
    assert await alive(state, clock, opened.token) == "idle"
    clock.advance(-3600)
    assert await alive(state, clock, opened.token) == "idle"


async def test_a_day_ends_it_however_much_it_is_used(state: Database) -> None:
    clock = ManualClock()
    opened = await begin(state, clock)
    for _ in range(47):
        clock.advance(1800)
        assert await alive(state, clock, opened.token) == "alive"
    assert opened.session.left(clock.now()).total_seconds() == 1800
    clock.advance(1800)
    assert await alive(state, clock, opened.token) == "old"


async def test_a_restart_ends_none(tmp_path: Path) -> None:
    clock = ManualClock()
    state = await open_state(tmp_path / "state.db")
    opened = await begin(state, clock)
    await state.close()
    state = await open_state(tmp_path / "state.db")
    found, _ = await state.run(sessions.find, opened.token, clock.now())
    assert found == opened.session
    await state.close()


async def test_the_file_holds_no_token(tmp_path: Path) -> None:
    state = await open_state(tmp_path / "state.db")
    opened = await begin(state, ManualClock())
    await state.close()
    file = sqlite3.connect(tmp_path / "state.db")
    rows = file.execute("select * from portal_session").fetchall()
    file.close()
    assert len(rows) == 1
    assert opened.token not in str(rows)


async def test_signing_out_twice_is_the_same_as_once(state: Database) -> None:
    clock = ManualClock()
    opened = await begin(state, clock)
    assert await state.run(sessions.end, opened.token, "signed out", clock.now()) == opened.session
    assert await state.run(sessions.end, opened.token, "signed out", clock.now()) is None
    assert await alive(state, clock, opened.token) == "signed out"


async def test_one_is_revoked_by_its_number_in_the_access_list(state: Database) -> None:
    clock = ManualClock()
    one, other = await begin(state, clock), await begin(state, clock)
    for was_alive in (True, False):
        assert await state.run(sessions.revoke, one.session.number, "revoked", clock.now()) is was_alive
    assert await alive(state, clock, one.token) == "revoked"
    assert await alive(state, clock, other.token) == "alive"


async def test_all_of_a_patient_end_but_the_one_that_is_kept(state: Database) -> None:
    clock = ManualClock()
    kept, other, stranger = await begin(state, clock), await begin(state, clock), await begin(state, clock, 8)
    ended = await state.run(
        lambda connection: sessions.end_all(connection, 7, "password changed", clock.now(), but=kept.session.number)
    )
    assert ended == 1
    assert await alive(state, clock, kept.token) == "alive"
    assert await alive(state, clock, other.token) == "password changed"
    assert await alive(state, clock, stranger.token) == "alive"


@pytest.mark.parametrize("token", ["", "x", "' OR 1=1 --", "\0", "😀", "\ud800", "x" * 10_000])
async def test_a_made_up_token_is_unknown(state: Database, token: str) -> None:
    clock = ManualClock()
    await begin(state, clock)
    assert await alive(state, clock, token) == "unknown"


async def test_the_access_list_says_from_where_until_it_is_swept(state: Database) -> None:
    clock = ManualClock()
    await begin(state, clock)
    clock.advance(10)
    await state.run(sessions.end_all, 7, "revoked", clock.now())
    newer = await begin(state, clock)
    rows = await state.run(sessions.listed, 7)
    assert [(row.address, row.agent, row.ended_why) for row in rows] == [
        ("198.51.100.7", "Firefox", ""),
        ("198.51.100.7", "Firefox", "revoked"),
    ]
    clock.advance(sessions.KEEP.total_seconds())
    assert await state.run(sessions.sweep, clock.now()) == 0
    clock.advance(sessions.OVERALL.total_seconds() + 1)
    assert await state.run(sessions.sweep, clock.now()) == 2
    assert await alive(state, clock, newer.token) == "unknown"


async def test_a_clock_that_was_set_back_does_not_make_a_session_live_longer(state: Database) -> None:
    clock = ManualClock()
    opened = await begin(state, clock)
    clock.advance(-7200)
    assert await alive(state, clock, opened.token) == "old"

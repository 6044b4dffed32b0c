"""The state file: for one connector, for one account, gone from nobody's hands but its owner's."""

import asyncio
import os
import stat
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from econnector.base.errors import StateLocked, StateNewer
from econnector.storage.state import meta, versions
from econnector.storage.state.base import join_state, metadata, open_state
from econnector.storage.state.versions import Step

HOLD = """
import asyncio, sys
from econnector.storage.state.base import open_state
async def main():
    await open_state(sys.argv[1])
    print("held", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_every_store_beside_it_has_its_tables(tmp_path: Path) -> None:
    state = await open_state(tmp_path / "state.db")
    found = await state.run(lambda c: c.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all())
    assert set(metadata.tables) <= set(found)
    assert metadata.tables
    await state.close()


@pytest.mark.skipif(os.name == "nt", reason="on Windows the folder's own rights count")
async def test_folder_and_file_are_for_this_account_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "state.db"
    state = await open_state(path)
    assert {file.name for file in path.parent.iterdir()} >= {"state.db", "state.db.lock"}
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    await state.close()


async def test_commits_survive_a_power_cut_and_readers_are_not_shut_out(tmp_path: Path) -> None:
    state = await open_state(tmp_path / "state.db")
    assert await state.run(lambda c: c.scalar(text("PRAGMA journal_mode"))) == "wal"
    assert await state.run(lambda c: c.scalar(text("PRAGMA synchronous"))) == 2
    await state.close()


async def test_a_second_one_in_the_same_process_is_refused_until_the_first_closes(tmp_path: Path) -> None:
    first = await open_state(tmp_path / "state.db")
    with pytest.raises(StateLocked, match="another process"):
        await open_state(tmp_path / "state.db")
    await first.close()
    await (await open_state(tmp_path / "state.db")).close()


async def test_a_second_process_is_refused_and_a_killed_one_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLD, str(path), stdout=asyncio.subprocess.PIPE)
    assert holder.stdout is not None
    assert (await holder.stdout.readline()).strip() == b"held"
    with pytest.raises(StateLocked):
        await open_state(path)
    holder.kill()
    await holder.wait()
    await (await open_state(path)).close()


async def test_a_file_that_is_no_state_and_a_folder_that_cannot_be_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"this is no database at all, but a text of some length" * 100)
    with pytest.raises(StateLocked, match="damaged"):
        await open_state(tmp_path / "state.db")
    with pytest.raises(StateLocked, match="exists"):
        await open_state(tmp_path / "state.db" / "state.db")


def execute(connection: Connection, sql: str) -> list[tuple[object, ...]]:
    result = connection.execute(text(sql))
    return [tuple(row) for row in result] if result.returns_rows else []


def adding(name: str, *, breaks: bool = False) -> Step:
    """Return a step that adds a column to what the connector knows about itself."""
    return Step(lambda connection: execute(connection, f"ALTER TABLE meta ADD COLUMN {name} TEXT"), breaks)


async def columns(path: Path) -> set[object]:
    state = await join_state(path)
    found = await state.run(execute, "SELECT name FROM pragma_table_info('meta')")
    await state.close()
    return {row[0] for row in found}


async def test_a_file_of_an_earlier_version_is_brought_up_to_date_step_by_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.db"
    state = await open_state(path)
    await state.run(meta.write, "office", "smile")
    for name in ("state-steps", "state-needs", "state-written-by"):
        await state.run(meta.forget, name)  # as before files had versions
    await state.run(execute, "DROP TABLE answered")
    await state.close()
    monkeypatch.setattr(versions, "STEPS", (adding("one"),))
    assert await columns(path) >= {"name", "value", "one"}
    monkeypatch.setattr(versions, "STEPS", (adding("one"), adding("two"), adding("three")))
    for opens in (open_state, join_state, open_state):
        state = await opens(path)
        assert await state.run(meta.read, "office") == "smile"
        assert await state.run(execute, "SELECT * FROM answered") == []
        await state.close()
    assert await columns(path) >= {"name", "value", "one", "two", "three"}


async def test_a_new_file_needs_no_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "STEPS", (adding("one"),))
    assert await columns(tmp_path / "state.db") == {"name", "value"}
    assert await columns(tmp_path / "state.db") == {"name", "value"}, "its tables are of this version already"


async def test_steps_are_all_done_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.db"
    await (await open_state(path)).close()
    monkeypatch.setattr(versions, "STEPS", (adding("one"), Step(lambda c: execute(c, "DROP TABLE nothing"), True)))
    with pytest.raises(StateLocked):
        await open_state(path)
    monkeypatch.setattr(versions, "STEPS", ())
    assert await columns(path) == {"name", "value"}


@pytest.mark.causes("state-newer")
async def test_a_file_of_a_later_version_is_refused_with_its_name_or_used_where_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.db"
    await (await open_state(path)).close()
    monkeypatch.setattr(versions, "version", lambda: "9.9.9")
    monkeypatch.setattr(versions, "STEPS", (adding("one"),))
    await (await open_state(path)).close()
    monkeypatch.setattr(versions, "version", lambda: "1.0.0")
    monkeypatch.setattr(versions, "STEPS", ())
    await (await open_state(path)).close()  # a column more does no harm: an update can be rolled back

    monkeypatch.setattr(versions, "version", lambda: "9.9.9")
    monkeypatch.setattr(versions, "STEPS", (adding("one"), adding("two", breaks=True)))
    await (await open_state(path)).close()
    monkeypatch.setattr(versions, "version", lambda: "1.0.0")
    monkeypatch.setattr(versions, "STEPS", (adding("one"),))
    for opens in (open_state, join_state):
        with pytest.raises(StateNewer, match=r"was written by eConnector 9\.9\.9; this is 1\.0\.0"):
            await opens(path)

"""Imports of code systems in the state file."""

from pathlib import Path

from econnector.storage.state import code_imports, meta
from econnector.storage.state.base import open_state
from econnector.storage.state.code_imports import Progress


async def test_a_file_from_before_imports_were_gathered_is_read_and_written(tmp_path: Path) -> None:
    state = await open_state(tmp_path / "state.db")
    await state.run(code_imports.begin, Progress("CVX", "a file", "00", "one", line=5))
    for column in ("gathered", "putting"):
        await state.run(lambda c, name: c.exec_driver_sql(f"ALTER TABLE code_import DROP COLUMN {name}"), column)
    await state.run(meta.write, "state-steps", "0")
    await state.close()
    state = await open_state(tmp_path / "state.db")
    found = await state.run(code_imports.find, "CVX")
    assert found == Progress("CVX", "a file", "00", "one", line=5)
    found.gathered, found.putting = 7, True
    await state.run(code_imports.keep, found)
    kept = await state.run(code_imports.find, "CVX")
    assert (kept, found.reached) == (found, 12)
    await state.close()

"""Which version a state file has, and how one of an earlier version is brought up to date.

New tables need nothing here: `open_state` makes whatever is missing. A change of a table that was ever released is a
`Step` at the end of `STEPS`; a step that is released is never changed again. Everything runs in one transaction, so
that a file is of the one version or of the other, whatever dies meanwhile.
"""

from collections.abc import Callable
from typing import NamedTuple

import sqlalchemy as sa

from econnector.base.errors import StateNewer
from econnector.base.version import version
from econnector.storage.state import code_imports, meta
from econnector.storage.state.base import metadata

__all__ = ["STEPS", "Step", "prepare"]

_STEPS, _NEEDED, _BY = "state-steps", "state-needs", "state-written-by"


class Step(NamedTuple):
    """One change of the tables of earlier versions."""

    change: Callable[[sa.Connection], object]
    breaks: bool
    """Whether earlier versions cannot work with what it leaves. A column more does not break them: they name theirs,
    and an update that is rolled back goes on with the file."""


STEPS: tuple[Step, ...] = (Step(code_imports.add_gathered, breaks=False),)
"""In the order in which they were released."""


def prepare(connection: sa.Connection, path: object) -> None:
    """Bring the file at `path` up to date, and make the tables that are missing.

    Raises `StateNewer` when a later version of eConnector has left it so that this one cannot work with it.
    """
    fresh = not sa.inspect(connection).has_table(meta.META.name)
    if fresh:
        metadata.create_all(connection)
        _write(connection, 0)
        return
    done, needed = _number(connection, _STEPS), _number(connection, _NEEDED)
    if needed > len(STEPS):
        raise StateNewer(path=path, wrote=meta.read(connection, _BY, "a later version"), here=version())
    for step in STEPS[done:]:
        step.change(connection)
    metadata.create_all(connection)
    if done < len(STEPS) or not meta.read(connection, _BY):
        _write(connection, needed)


def _number(connection: sa.Connection, name: str) -> int:
    return int(meta.read(connection, name, "0"))


def _write(connection: sa.Connection, needed: int) -> None:
    breaking = [number for number, step in enumerate(STEPS, 1) if step.breaks]
    meta.write(connection, _STEPS, str(len(STEPS)))
    meta.write(connection, _NEEDED, str(max([needed, *breaking])))
    meta.write(connection, _BY, version())

"""Imports of code systems: how far each one is, the lines that could not be read, and whose terms were accepted.

An import that was cut off goes on behind `line`: what was written up to there is in the practice's database.
"""

import datetime as dt
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from econnector.storage.state.base import metadata

__all__ = [
    "CANCELLED",
    "COMPLETE",
    "FAILED",
    "IMPORTING",
    "MOST_BAD",
    "BadLine",
    "Progress",
    "accept",
    "accepted",
    "add_gathered",
    "bad_lines",
    "begin",
    "cancel",
    "cancel_wanted",
    "every",
    "find",
    "keep",
    "uncancel",
]

IMPORTING, COMPLETE, CANCELLED, FAILED = "importing", "complete", "cancelled", "failed"
MOST_BAD = 1000
"""How many bad lines are kept; the rest is counted."""

_IMPORTS = sa.Table(
    "code_import",
    metadata,
    sa.Column("system", sa.String(64), primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("version", sa.String(255), nullable=False),
    sa.Column("keep_old", sa.Boolean, nullable=False),
    sa.Column("was_empty", sa.Boolean, nullable=False),
    sa.Column("line", sa.BigInteger, nullable=False),
    sa.Column("share", sa.Float, nullable=False),
    sa.Column("added", sa.BigInteger, nullable=False),
    sa.Column("changed", sa.BigInteger, nullable=False),
    sa.Column("same", sa.BigInteger, nullable=False),
    sa.Column("shortened", sa.BigInteger, nullable=False),
    sa.Column("bad", sa.BigInteger, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("failure", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("gathered", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("putting", sa.Boolean, nullable=False, server_default="0"),
)
_BAD = sa.Table(
    "code_bad_line",
    metadata,
    sa.Column("system", sa.String(64), primary_key=True),
    sa.Column("line", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("reason", sa.Text, nullable=False),
)
_TERMS = sa.Table(
    "code_terms",
    metadata,
    sa.Column("system", sa.String(64), primary_key=True),
    sa.Column("terms", sa.String(64), primary_key=True),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)
_CANCEL = sa.Table(
    "code_cancel",
    metadata,
    sa.Column("system", sa.String(64), primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
)


class BadLine(msgspec.Struct, frozen=True):
    """A line that could not be read."""

    line: int
    """From 1."""
    reason: str


class Progress(msgspec.Struct):
    """How far an import is: the columns of `code_import`, in their order."""

    system: str
    source: str
    """The file's name, or where it came from, for people."""
    digest: str
    """SHA-256 of the file: a resumed import goes on only with the same one."""
    version: str
    keep_old: bool = True
    was_empty: bool = False
    """Whether the table held nothing when the import began."""
    line: int = 0
    """Lines done."""
    share: float = 0.0
    """Of the file, from 0 to 1."""
    added: int = 0
    changed: int = 0
    same: int = 0
    shortened: int = 0
    """Texts that were longer than their column."""
    bad: int = 0
    seconds: float = 0.0
    """Time that it took so far."""
    status: str = IMPORTING
    failure: str = ""
    """What went wrong, in a sentence."""
    at: float = 0.0
    """When this was written, as a timestamp."""
    gathered: int = 0
    """Lines behind `line` that are gathered beside the table: lost, with what was counted of them, at a death."""
    putting: bool = False
    """Whether what was gathered is being put into the table."""

    @property
    def reached(self) -> int:
        """Lines done and gathered."""
        return self.line + self.gathered

    @property
    def rate(self) -> float:
        """Lines a second."""
        done = self.gathered or self.added + self.changed + self.same + self.bad
        return done / self.seconds if self.seconds else 0.0


def find(connection: sa.Connection, system: str) -> Progress | None:
    """Return the last import of a system, None when there was none."""
    row = connection.execute(sa.select(_IMPORTS).where(_IMPORTS.c.system == system)).first()
    return Progress(*row) if row else None


def every(connection: sa.Connection) -> dict[str, Progress]:
    """Return the last import of each system."""
    return {row.system: Progress(*row) for row in connection.execute(sa.select(_IMPORTS))}


def add_gathered(connection: sa.Connection) -> None:
    """Bring the table of a file from before imports were gathered up to date."""
    for column in ("gathered", "putting"):
        connection.exec_driver_sql(f"ALTER TABLE code_import ADD COLUMN {column} BIGINT NOT NULL DEFAULT 0")


def begin(connection: sa.Connection, progress: Progress) -> None:
    """Begin an import anew: what is known of an earlier one of the system is forgotten."""
    connection.execute(sa.delete(_IMPORTS).where(_IMPORTS.c.system == progress.system))
    connection.execute(sa.delete(_BAD).where(_BAD.c.system == progress.system))
    connection.execute(sa.insert(_IMPORTS).values(**msgspec.structs.asdict(progress)))


def keep(connection: sa.Connection, progress: Progress, bad: Sequence[BadLine] = ()) -> None:
    """Keep how far it is, and the lines that could not be read since."""
    values = msgspec.structs.asdict(progress)
    connection.execute(sa.update(_IMPORTS).where(_IMPORTS.c.system == progress.system).values(**values))
    kept = connection.scalar(sa.select(sa.func.count()).select_from(_BAD).where(_BAD.c.system == progress.system)) or 0
    for one in bad[: max(0, MOST_BAD - kept)]:
        connection.execute(sa.insert(_BAD).values(system=progress.system, line=one.line, reason=one.reason))


def bad_lines(connection: sa.Connection, system: str) -> list[BadLine]:
    """Return the first lines of the last import that could not be read."""
    rows = connection.execute(sa.select(_BAD).where(_BAD.c.system == system).order_by(_BAD.c.line))
    return [BadLine(row.line, row.reason) for row in rows]


def accept(connection: sa.Connection, system: str, terms: str, who: str, now: dt.datetime) -> None:
    """Record that somebody accepted the terms (their digest); who was first stays."""
    if not accepted(connection, system, terms):
        connection.execute(sa.insert(_TERMS).values(system=system, terms=terms, who=who, at=now.timestamp()))


def accepted(connection: sa.Connection, system: str, terms: str) -> str:
    """Return who accepted these terms, empty when nobody has."""
    here = (_TERMS.c.system == system) & (_TERMS.c.terms == terms)
    return connection.scalar(sa.select(_TERMS.c.who).where(here)) or ""


def cancel(connection: sa.Connection, system: str, now: dt.datetime) -> None:
    """Ask whichever process imports the system to stop."""
    uncancel(connection, system)
    connection.execute(sa.insert(_CANCEL).values(system=system, at=now.timestamp()))


def cancel_wanted(connection: sa.Connection, system: str) -> bool:
    """Return whether somebody wants the import of the system to stop."""
    return connection.execute(sa.select(_CANCEL).where(_CANCEL.c.system == system)).first() is not None


def uncancel(connection: sa.Connection, system: str, before: dt.datetime | None = None) -> None:
    """Drop the wish to stop; only one from `before` that moment, where it is said."""
    here = _CANCEL.c.system == system
    older = here if before is None else here & (_CANCEL.c.at < before.timestamp())
    connection.execute(sa.delete(_CANCEL).where(older))

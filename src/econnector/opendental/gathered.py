"""The rows of a code system gathered beside its table, and put into it by one statement.

MyISAM puts rows that come to a table in parts into its index one by one, the dearest thing about them; a statement
that fills an empty table has the index sorted once, and readers see the table empty until it is done. What is gathered
lies in a temporary table without an index, which the server drops when the connection ends, however that ends.

Killed while it fills the table, the server empties that again or leaves a part there: never a row that is not whole.
"""

import contextlib
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from econnector.opendental import coderows
from econnector.opendental.coderows import Line, Written
from econnector.opendental.codesystems import CodeSystem
from econnector.opendental.schema import Schema
from econnector.storage.database import allowing

__all__ = ["NotGathered", "add", "alone", "put", "serves"]

_PUT_SECONDS = 900.0
"""For millions of rows on an old machine; a cancelled one is killed as any statement is."""
_AT_ONCE = 10_000
_ENGINE = text("SELECT engine FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = :name")


class NotGathered(Exception):  # noqa: N818 - it says what happened
    """The server has something against it, by its own number; nothing is known of the table."""


def serves(connection: Connection, schema: Schema, system: CodeSystem) -> bool:
    """Return whether rows of the system had better be gathered, and may be.

    Only for an empty table of MyISAM, whose readers are let in meanwhile; not where keys are drawn at random: those
    practices copy every statement to other servers.
    """
    if connection.dialect.name != "mysql" or schema.random_keys is not None:
        return False
    engine = connection.scalar(_ENGINE, {"name": coderows.table_of(system).name})
    lets_in = str(connection.scalar(text("SELECT @@concurrent_insert"))).upper()
    return str(engine).lower() == "myisam" and lets_in not in {"0", "NEVER"} and coderows.is_empty(connection, system)


@contextlib.contextmanager
def alone(connection: Connection, system: CodeSystem) -> Iterator[None]:
    """Gather within. Raises `DatabaseBusy` while another process writes the system's rows, and `NotGathered`.

    What was gathered and not put is lost at the end, and the connection with it.
    """
    table, columns = coderows.table_of(system).name, ", ".join(system.columns)
    try:
        with coderows.alone(connection, system):
            connection.exec_driver_sql(
                f"CREATE TEMPORARY TABLE gathered_{table} ENGINE=MyISAM SELECT {columns} FROM {table} LIMIT 0"  # noqa: S608 - names of our own tables
            )
            yield
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        raise NotGathered(error.orig.args[0] if error.orig and error.orig.args else "") from None
    finally:
        if not connection.invalidated:
            connection.invalidate()


def add(connection: Connection, system: CodeSystem, lines: Sequence[Line]) -> None:
    """Gather lines; none of their codes was gathered before."""
    if not lines:
        return
    columns, marks = ", ".join(system.columns), ", ".join("%s" for _ in system.columns)
    name = coderows.table_of(system).name
    connection.exec_driver_sql(f"INSERT INTO gathered_{name} ({columns}) VALUES ({marks})", list(lines))  # noqa: S608 - as above


def put(
    connection: Connection, schema: Schema, system: CodeSystem, others: Sequence[Line], *, keep_old: bool
) -> Written | None:
    """Put what was gathered into the table, then write `others` as `coderows.write` does; return what became of them.

    None, with nothing done, if the table is not empty any more.
    """
    if not coderows.is_empty(connection, system):
        return None
    table, columns = coderows.table_of(system).name, ", ".join(system.columns)
    with allowing(connection, _PUT_SECONDS):
        # Columns that no line has get what `writes.insert` gives them: under Open Dental's sql_mode the server's own.
        done = connection.exec_driver_sql(
            f"INSERT INTO {table} ({columns}) SELECT {columns} FROM gathered_{table}"  # noqa: S608 - as above
        )
    written = Written(added=done.rowcount)
    for start in range(0, len(others), _AT_ONCE):
        some = coderows.compared(connection, schema, system, others[start : start + _AT_ONCE], keep_old=keep_old)
        written.added += some.added
        written.changed += some.changed
        written.same += some.same
    return written

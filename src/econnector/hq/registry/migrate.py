"""The registry's migrations, run by HQ itself: at every start and by `econnector hq migrate`. Only one at a time."""

import contextlib
import logging
from collections.abc import Iterator
from importlib import resources
from typing import TYPE_CHECKING

import sqlalchemy as sa

from econnector.base.errors import RegistryOutdated
from econnector.hq.registry.tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config

    from econnector.hq.registry.database import Registry

__all__ = ["NEWEST", "check", "prepare", "upgrade"]

NEWEST = "0003"
"""The revision of `tables.py`. Whoever has it needs no Alembic: 30 MB and most of a second."""

_LOCK = 0x65436F6E  # "eCon"; any number that nothing else in the database locks
_LOCK_SECONDS = 60


def upgrade(registry: "Registry") -> tuple[str, str]:
    """Bring the tables to `NEWEST`; return the revisions before and after ("" for an empty database).

    Waits while another HQ does the same. Raises `RegistryAway`, and `RegistryOutdated` if the database is newer.
    """
    with registry.translated(), registry.engine.connect() as connection:
        before = _revision(connection)
        connection.rollback()
        if before != NEWEST:
            with _alone(connection):
                _migrate(connection)
    return before, NEWEST


def _migrate(connection: sa.Connection) -> None:
    from alembic import command  # noqa: PLC0415 - see NEWEST
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    before = _revision(connection)
    if before == NEWEST:
        return  # another HQ was quicker
    config = _config()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if before and before not in known:
        raise RegistryOutdated(found=before, needed=NEWEST)
    _only_ours(connection, before)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()


def check(registry: "Registry") -> None:
    """Raise `RegistryOutdated` unless the tables have the revision `NEWEST`, `RegistryAway` if nobody can tell."""
    with registry.translated(), registry.engine.connect() as connection:
        found = _revision(connection)
    if found != NEWEST:
        raise RegistryOutdated(found=found or "none (it is empty)", needed=NEWEST)


def prepare(registry: "Registry") -> None:
    """Make the tables in an empty database; otherwise do as `check` does."""
    with registry.translated(), registry.engine.connect() as connection:
        empty = not _revision(connection)
    if empty:
        upgrade(registry)
    check(registry)


def _config() -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - see NEWEST

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(resources.files("econnector.hq.registry") / "migrations"))
    return config


def _revision(connection: sa.Connection) -> str:
    """Return the revision the tables have, or "" where there is none."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")) or "")


def _only_ours(connection: sa.Connection, before: str) -> None:
    """Refuse a database without revision that has tables of our names: somebody else's, or half made by MySQL."""
    theirs = [] if before else sorted(set(sa.inspect(connection).get_table_names()) & set(metadata.tables))
    if theirs:
        found = f"none, but holds the tables {', '.join(theirs)} (another program's, or a first start was cut short)"
        raise RegistryOutdated(found=found, needed=f"{NEWEST} or an empty database")


@contextlib.contextmanager
def _alone(connection: sa.Connection) -> Iterator[None]:
    """Hold the database's own lock; it falls with the connection, so that a killed HQ leaves none behind."""
    kind = connection.dialect.name
    if kind == "sqlite":
        yield  # BEGIN IMMEDIATE is the lock
        return
    if kind == "postgresql":
        connection.exec_driver_sql(f"SET lock_timeout = '{_LOCK_SECONDS}s'")
        connection.execute(sa.select(sa.func.pg_advisory_lock(_LOCK)))
    else:
        connection.execute(sa.select(sa.func.get_lock(f"econnector-{_LOCK}", _LOCK_SECONDS)))
    connection.commit()
    try:
        yield
    finally:
        if kind == "postgresql":
            connection.rollback()
            connection.execute(sa.select(sa.func.pg_advisory_unlock(_LOCK)))
            connection.exec_driver_sql("RESET lock_timeout")
        else:
            connection.execute(sa.select(sa.func.release_lock(f"econnector-{_LOCK}")))
        connection.commit()

"""A MariaDB server of our own with Open Dental's tables and the demo's practice."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Index, MetaData, Table, insert
from sqlalchemy.sql.sqltypes import Text

from econnector.opendental.tables import metadata, preference
from econnector.opendental.tables.making import columns_at, exists_at
from econnector.storage.database import Database
from tests.support.mariadb import MariaDb

__all__ = ["fill"]

VERSION = "24.3.10.0"


def _create(connection: Connection) -> None:
    made = MetaData()
    for table in metadata.sorted_tables:
        if not exists_at(table, VERSION):
            continue
        copy = Table(table.name, made, *(_copy(column) for column in columns_at(table, VERSION)))
        for index in table.indexes:
            named = [copy.c.get(c.name) for c in index.columns]
            if all(c is not None and not isinstance(c.type, Text) for c in named):
                Index(f"{table.name}_{index.name}"[:60], *named)  # type: ignore[arg-type]
    made.create_all(connection)
    connection.execute(insert(preference).values(PrefName="DataBaseVersion", ValueString=VERSION, Comments=""))


def _copy(column: Column[Any]) -> Column[Any]:
    if column.primary_key:
        return Column(column.name, column.type, primary_key=True, autoincrement=column.autoincrement)
    return Column(column.name, column.type, nullable=column.nullable, server_default=column.server_default)


async def _prepare(url: str) -> None:
    database = Database(url, statement_seconds=60)
    try:
        await database.run(_create, within=120)
    finally:
        await database.close()


def fill(server: MariaDb, folder: Path) -> str:
    """Create the tables and the practice; return the database's URL. `folder` gets images and settings."""
    url = server.url(server.create_database())
    asyncio.run(_prepare(url))
    command = [sys.executable, "-m", "econnector", "demo", "--build", str(folder), "--database", url]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return url

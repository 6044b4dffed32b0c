"""The practice's database: a copy of a real one where it is here, else the tables that this software knows."""

from sqlalchemy import MetaData, Table
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateTable

from econnector.opendental.tables import metadata
from econnector.opendental.tables.making import columns_at, exists_at
from tests.support.mariadb import DUMP, VERSIONS, MariaDb

__all__ = ["empty_practice"]

_VERSION = VERSIONS["24.3"]


def empty_practice(server: MariaDb, name: str) -> str:
    """Make an empty Open Dental database of this name; return what it was made of."""
    if DUMP.exists():
        server.open_dental("21.1", name)
        return "Open Dental's own schema"
    server.create_database(name)
    for table in metadata.sorted_tables:
        if exists_at(table, _VERSION):
            columns = (column._copy() for column in columns_at(table, _VERSION))
            # As in most practices: what was written is there when a statement has ended, and nothing can be taken back.
            made = CreateTable(Table(table.name, MetaData(), *columns, mysql_engine="MyISAM"))
            server.sql(str(made.compile(dialect=mysql.dialect())).replace("%", "%%"), database=name)
    server.sql("INSERT INTO preference (PrefName, ValueString) VALUES ('DataBaseVersion', %s)", _VERSION, database=name)
    return f"the tables that we know, of {_VERSION}"

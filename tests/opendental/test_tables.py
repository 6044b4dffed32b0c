"""The tables as we wrote them down, against the real database and against SQLite."""

import re

import pytest
from sqlalchemy import Column, Connection, create_engine, insert, select, text
from sqlalchemy.dialects import mysql

from econnector.opendental import schema
from econnector.opendental.tables import metadata, preference, statement, userweb
from econnector.opendental.tables.making import columns_at, create_all, exists_at
from tests.support.mariadb import shared_server


def ours(column: Column[object]) -> tuple[str, bool, str | None]:
    kind = str(column.type.compile(mysql.dialect())).lower()
    kind = kind.replace(" precision", "").replace("integer", "int")
    kind = re.sub(r" collate \w+| character set \w+", "", kind)
    default = column.server_default
    return kind, bool(column.nullable), None if default is None else str(default.arg)  # type: ignore[attr-defined]


def theirs(row: dict[str, object]) -> tuple[str, bool, str | None]:
    kind = re.sub(r"\b(tiny|small|big|)int\(\d+\)", r"\1int", str(row["column_type"]))
    default = row["column_default"]
    words = None if default in (None, "NULL") else str(default).strip("'").removesuffix("()")
    return kind, row["is_nullable"] == "YES", "CURRENT_TIMESTAMP" if words == "current_timestamp" else words


@pytest.mark.shared
def test_every_table_of_21_1_is_exactly_the_real_one() -> None:
    server = shared_server()
    name = server.open_dental("21.1")
    rows = server.sql(
        "SELECT table_name, column_name, column_type, is_nullable, column_default FROM information_schema.columns"
        " WHERE table_schema = %s",
        name,
    )
    real: dict[str, dict[str, tuple[str, bool, str | None]]] = {}
    for table, column, kind, nullable, default in rows:
        facts = {"column_type": kind, "is_nullable": nullable, "column_default": default}
        real.setdefault(table, {})[column] = theirs(facts)
    wrong = []
    for table in metadata.sorted_tables:
        if exists_at(table, "21.1.9.0"):
            mine = {column.name: ours(column) for column in columns_at(table, "21.1.9.0")}
            found = real[table.name]
            wrong += [
                (table.name, c, mine.get(c), found.get(c))
                for c in mine.keys() | found.keys()
                if mine.get(c) != found.get(c)
            ]
    server.drop_database(name)
    assert wrong == []


def sqlite() -> Connection:
    return create_engine("sqlite://").connect()


@pytest.mark.parametrize("version", ["21.1.9.0", "22.2.1.0", "24.3.10.0"])
def test_a_practice_on_sqlite_has_what_the_version_has(version: str) -> None:
    with sqlite() as connection:
        create_all(connection, version)
        for table in metadata.sorted_tables:
            found = (
                connection.execute(text("SELECT name FROM pragma_table_info(:t)"), {"t": table.name}).scalars().all()
            )
            expected = [column.name for column in columns_at(table, version)] if exists_at(table, version) else []
            assert found == expected


def test_marks_tell_versions_apart() -> None:
    def names(table: str, version: str) -> set[str]:
        return {column.name for column in columns_at(metadata.tables[table], version)}

    assert "LimitedCustomFamily" not in names("statement", "22.4.99.0")
    assert "LimitedCustomFamily" in names("statement", "23.1.0")
    assert "AptNum" in names("patientportalinvite", "22.1.40.0")
    assert "AptNum" not in names("patientportalinvite", "22.2.1.0")
    assert not exists_at(metadata.tables["eform"], "24.1.99.0")


def test_sqlite_fills_and_compares_as_mysql_does() -> None:
    with sqlite() as connection:
        create_all(connection, "24.3.10.0")
        connection.execute(insert(userweb).values(UserName="Kim Ng"))
        row = connection.execute(select(userweb).where(userweb.c.UserName == "KIM NG")).one()
        assert (row.UserWebNum, row.FKey, row.Password, row.DateTimeLastLogin) == (1, 0, "", None)
        connection.execute(insert(statement).values(PatNum=1))
        assert connection.execute(select(statement.c.DateTStamp, statement.c.DateSent)).one()[1] is None
        connection.execute(insert(preference).values(PrefName="DataBaseVersion", ValueString="24.3.10.0"))
        assert schema.inspect(connection).has("document", "PrintHeading")

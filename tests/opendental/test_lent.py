"""Tests share copies of the real database: whatever one does to its copy, the next finds it as it was."""

import pytest

from econnector.opendental import schema
from tests.support.mariadb import shared_server

pytestmark = pytest.mark.shared
SEEN = ("alertitem", "preference", "patient", "statement", "userweb", "loginattempt")
DEEDS = (
    "INSERT INTO alertitem (Description, ItemValue, Type) VALUES ('left over', '', 1)",
    "UPDATE preference SET ValueString = 'changed' WHERE PrefName = 'PracticeTitle'",
    "ALTER TABLE patient ADD COLUMN Later INT",
    "DROP TABLE statement",
    "CREATE TABLE leftover (id INT PRIMARY KEY) ENGINE=MyISAM",
    "ALTER TABLE userweb ENGINE=InnoDB",
    "TRUNCATE loginattempt",
)


def test_what_one_did_to_a_lent_database_is_gone_for_the_next() -> None:
    server = shared_server()

    def look() -> list[object]:
        tables = server.sql("SHOW TABLES", database=name)
        facts: list[object] = [sorted(tables)]
        for table in SEEN:
            facts.append(server.sql(f"SHOW CREATE TABLE {table}", database=name))
            facts.append(server.sql(f"CHECKSUM TABLE {table}", database=name)[0][1])
        return facts

    folder = server.prepared("21.1", schema.NEEDED, "lent", lambda _name: None)
    with server.lent(folder) as name:
        before, first = look(), name
        for each in DEEDS:
            server.sql(each, database=name)
    with server.lent(folder) as name:
        assert name == first
        assert look() == before
    with server.lent(folder) as name, server.lent(folder) as other:
        assert name != other

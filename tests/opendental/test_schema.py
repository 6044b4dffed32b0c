"""What a practice's database has, what it may lack, and what may be written into it."""

import datetime as dt

import pytest
from sqlalchemy import Connection, Table, insert, select

from econnector.base.errors import UpdateRunning, VersionsDiffer
from econnector.opendental import keys, schema, times, writes
from econnector.opendental.schema import Schemas
from econnector.opendental.tables import alertitem, metadata, patient, signalod, userweb
from tests.opendental.conftest import Practice


async def setting(practice: Practice, name: str, value: str) -> None:
    await practice.sql("DELETE FROM preference WHERE PrefName = :name", name=name)
    await practice.sql("INSERT INTO preference (PrefName, ValueString) VALUES (:name, :value)", name=name, value=value)


async def test_later_columns_are_known_where_they_are(practice: Practice) -> None:
    old = practice.schema.version.startswith("21.1")
    assert practice.schema.has("patient", "Birthdate")
    assert practice.schema.has(patient, "SecurityHash") is not old
    assert practice.schema.has("eservicelog", "Note") is not old
    assert practice.schema.length("eservicelog", "LogGuid") == (16 if old else 36)
    assert not practice.schema.has("nosuch")


async def test_a_missing_column_is_named(practice: Practice) -> None:
    await practice.sql("ALTER TABLE userweb DROP COLUMN RequirePasswordChange")
    await practice.sql("DROP TABLE guardian")
    with pytest.raises(VersionsDiffer) as caught:
        await practice.inspect()
    text = caught.value.office_text()
    assert "userweb.RequirePasswordChange" in text
    assert "table guardian" in text
    assert practice.schema.version in text
    assert "userweb" not in caught.value.patient_text()


@pytest.mark.parametrize("version", ["20.5.64.0", "19.2.1.0", "", "nonsense"])
async def test_a_database_older_than_21_1_is_refused(practice: Practice, version: str) -> None:
    await setting(practice, "DataBaseVersion", version)
    with pytest.raises(VersionsDiffer, match=r"21\.1"):
        await practice.inspect()


@pytest.mark.parametrize(("name", "value"), [("UpdateInProgressOnComputerName", "SERVER1"), ("CorruptedDatabase", "1")])
async def test_nothing_is_served_while_an_update_runs_or_after_one_broke(
    practice: Practice, name: str, value: str
) -> None:
    await setting(practice, name, value)
    with pytest.raises(UpdateRunning):
        await practice.inspect()
    await setting(practice, name, "" if name.startswith("Update") else "0")
    await practice.inspect()


async def test_the_schema_is_read_again_when_the_version_changes(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema_of = Schemas()
    first = await practice.guarded.run(schema_of)
    assert await practice.guarded.run(schema_of) is first
    monkeypatch.setattr(schema, "_CHECK_SECONDS", 0.0)
    schema_of = Schemas()
    await practice.guarded.run(schema_of)
    await practice.sql("ALTER TABLE userweb ADD COLUMN Newer INT")
    assert not (await practice.guarded.run(schema_of)).has("userweb", "Newer")
    await setting(practice, "DataBaseVersion", "25.1.1.0")
    assert (await practice.guarded.run(schema_of)).has("userweb", "Newer")
    await setting(practice, "UpdateInProgressOnComputerName", "SERVER1")
    with pytest.raises(UpdateRunning):
        await practice.guarded.run(schema_of)


async def test_random_keys_are_drawn_from_the_servers_range(practice: Practice) -> None:
    await setting(practice, "RandomPrimaryKeys", "1")
    await practice.inspect()
    assert practice.schema.random_keys == keys.KeyRange()
    number = await practice.run(writes.insert, signalod, {"IType": 5})
    assert number >= 10_000
    if practice.free.dialect == "mysql":
        await practice.sql(
            "INSERT INTO replicationserver (Descript, ServerId, RangeStart, RangeEnd, AtoZpath, UpdateBlocked,"
            " SlaveMonitor) SELECT 'a', @@server_id, 500000, 500009, '', 0, ''"
        )
        await practice.inspect()
        drawn = [await practice.run(writes.insert, signalod, {"IType": 5}) for _ in range(10)]
        assert sorted(drawn) == list(range(500_000, 500_010))
        with pytest.raises(RuntimeError, match="no free key"):
            await practice.run(writes.insert, signalod, {"IType": 5})


async def test_keys_are_numbered_by_the_server_otherwise(practice: Practice) -> None:
    first = await practice.run(writes.insert, signalod, {"IType": 5})
    assert await practice.run(writes.insert, signalod, {"IType": 5}) == first + 1


async def test_an_insert_fills_what_may_not_be_null_and_leaves_out_what_is_not_there(practice: Practice) -> None:
    number = await practice.run(
        writes.insert, alertitem, {"Type": 24, "SecDateTEntry": dt.datetime.fromisoformat("2024-05-01")}
    )
    [row] = await practice.sql(
        "SELECT ClinicNum, Description, UserNum FROM alertitem WHERE AlertItemNum = :n", n=number
    )
    assert row == (0, "", 0)


async def test_an_insert_refuses_text_the_server_would_cut_and_columns_nobody_knows(practice: Practice) -> None:
    with pytest.raises(ValueError, match="255 characters"):
        await practice.run(writes.insert, signalod, {"FKeyType": "x" * 256})
    with pytest.raises(KeyError, match="Nonsense"):
        await practice.run(writes.insert, signalod, {"Nonsense": 1})


async def test_an_update_needs_a_condition_and_says_how_many_rows(practice: Practice) -> None:
    number = await practice.run(writes.insert, alertitem, {"Type": 24})
    with pytest.raises(ValueError, match="condition"):
        await practice.free.run(lambda c: writes.update(c, practice.schema, alertitem, {"Type": 11}))
    here = alertitem.c.AlertItemNum == number
    assert await practice.free.run(lambda c: writes.update(c, practice.schema, alertitem, {"Type": 11}, here)) == 1
    newer = {"SecDateTEntry": None}
    expected = 1 if practice.schema.has("alertitem", "SecDateTEntry") else 0
    assert await practice.free.run(lambda c: writes.update(c, practice.schema, alertitem, newer, here)) == expected


DATES = ["0001-01-01 00:00:00", "0000-00-00 00:00:00", "0001-01-01 08:30:00"]


@pytest.mark.parametrize("stored", DATES)
async def test_every_form_of_no_date_is_none(practice: Practice, stored: str) -> None:
    await practice.sql("DELETE FROM userweb")
    await practice.sql(
        "INSERT INTO userweb (FKey, FKeyType, UserName, Password, PasswordResetCode, DateTimeLastLogin,"
        " RequireUserNameChange, RequirePasswordChange) VALUES (1, 1, 'a', '', '', :at, 0, 0)",
        at=stored,
    )
    assert await practice.free.run(_last_login) is None
    dated = select(userweb.c.FKey).where(times.is_dated(userweb.c.DateTimeLastLogin))
    assert await practice.free.run(lambda c: c.execute(dated).all()) == []
    await practice.sql("DELETE FROM patient")
    await practice.sql("INSERT INTO patient (LName, Birthdate, SchoolName) VALUES ('x', :at, '')", at=stored[:10])
    assert await practice.free.run(lambda c: c.scalars(select(patient.c.Birthdate)).all()) == [None]


def _last_login(connection: Connection) -> dt.datetime | None:
    found: dt.datetime | None = connection.scalar(select(userweb.c.DateTimeLastLogin))
    return found


async def test_dates_and_none_are_written_as_open_dental_writes_them(practice: Practice) -> None:
    await practice.sql("DELETE FROM userweb")
    at = dt.datetime.fromisoformat("2024-02-29T23:59:59.900")
    for moment, stored in ((at, "2024-02-29 23:59:59"), (None, "0001-01-01 00:00:00")):
        await practice.sql("DELETE FROM userweb")
        await practice.free.run(writes.insert, practice.schema, userweb, {"FKey": 1, "DateTimeLastLogin": moment})
        [(text,)] = await practice.sql("SELECT CAST(DateTimeLastLogin AS CHAR(19)) FROM userweb")
        assert text == stored
        assert await practice.free.run(_last_login) == (None if moment is None else at.replace(microsecond=0))
    dated = select(userweb.c.FKey).where(userweb.c.DateTimeLastLogin < dt.datetime.fromisoformat("2024-03-01"))
    assert len(await practice.free.run(lambda c: c.execute(dated).all())) == 1


def test_a_time_with_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        times.OdDateTime().process_bind_param(dt.datetime(2024, 1, 1, tzinfo=dt.UTC), None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "table", ["patient", "appointment", "paysplit", "claimproc", "userod", "definition", "document"]
)
async def test_the_guard_refuses_every_table_that_is_not_listed(practice: Practice, table: str) -> None:
    target: Table = metadata.tables[table]
    statement = insert(target).values({target.primary_key.columns[0].name: 99})
    with pytest.raises(writes.WriteRefused):
        await practice.guarded.run(lambda c: c.execute(statement).rowcount)


ALLOWED = [
    "SELECT 1",
    " select *\n from patient where LName = 'INSERT'",
    "SHOW VARIABLES",
    "INSERT INTO signalod (IType) VALUES (%s)",
    "INSERT INTO `alertitem` (`Type`) VALUES (%s)",
    "UPDATE preference SET ValueString=%s WHERE PrefName=%s",
    "DELETE FROM alertitem WHERE AlertItemNum = %s",
    "CREATE TEMPORARY TABLE gathered_snomed ENGINE=MyISAM SELECT SnomedCode, Description FROM snomed LIMIT 0",
    "INSERT INTO gathered_snomed (SnomedCode, Description) VALUES (%s, %s)",
    "INSERT INTO snomed (SnomedCode, Description) SELECT SnomedCode, Description FROM gathered_snomed",
]
REFUSED = [
    "INSERT INTO patient (LName) VALUES (%s)",
    "INSERT INTO signalod (IType) VALUES (1) ON DUPLICATE KEY UPDATE IType = 2",
    "REPLACE INTO preference (PrefName) VALUES ('x')",
    "UPDATE patient SET LName = ''",
    "UPDATE preference, patient SET LName = ''",
    "UPDATE preference JOIN patient SET LName = ''",
    "UPDATE securitylog SET LogText = ''",
    "DELETE FROM preference WHERE PrefName = 'x'",
    "DELETE FROM alertitem",
    "DELETE alertitem FROM alertitem, patient WHERE 1",
    "DROP TABLE signalod",
    "TRUNCATE signalod",
    "ALTER TABLE signalod ADD x INT",
    "CREATE TABLE x (y INT)",
    "SELECT * FROM patient INTO OUTFILE '/tmp/x'",
    "SELECT * FROM patient FOR UPDATE",
    "SELECT 1; DROP TABLE patient",
    "UPDATE preference SET ValueString = 'x'; DROP TABLE patient",
    "/* x */ DROP TABLE patient",
    "WITH x AS (SELECT 1) DELETE FROM patient",
    "LOCK TABLES patient WRITE",
    "LOAD DATA INFILE 'x' INTO TABLE patient",
    "SET GLOBAL sql_mode=''",
    "CALL something()",
    "GRANT ALL ON *.* TO x",
    "KILL 5",
    "",
    "CREATE TABLE gathered_snomed ENGINE=MyISAM SELECT SnomedCode FROM snomed LIMIT 0",
    "CREATE TEMPORARY TABLE snomed ENGINE=MyISAM SELECT SnomedCode FROM snomed LIMIT 0",
    "CREATE TEMPORARY TABLE gathered_snomed ENGINE=MyISAM SELECT SSN FROM patient LIMIT 0",
    "CREATE TEMPORARY TABLE gathered_patient ENGINE=MyISAM SELECT SSN FROM patient LIMIT 0",
    "CREATE TEMPORARY TABLE gathered_snomed ENGINE=MyISAM SELECT SnomedCode FROM snomed LIMIT 0; DROP TABLE patient",
    "INSERT INTO gathered_patient (SSN) VALUES (%s)",
    "INSERT INTO gathered_snomed (SnomedCode) SELECT SSN FROM patient",
    "DROP TABLE gathered_snomed",
]


@pytest.mark.parametrize("sql", ALLOWED)
def test_the_guard_lets_reading_and_listed_writing_through(sql: str) -> None:
    writes.guard(sql)


@pytest.mark.parametrize("sql", REFUSED)
def test_the_guard_refuses_whatever_else(sql: str) -> None:
    with pytest.raises(writes.WriteRefused):
        writes.guard(sql)


def test_every_writable_table_is_known_and_has_a_reason_and_no_seal() -> None:
    for name, rule in writes.WRITABLE.items():
        assert rule.why
        assert rule.may <= {"insert", "update", "delete"}
        assert "SecurityHash" not in metadata.tables[name].columns


def test_the_needed_tables_are_all_described() -> None:
    assert set(schema.NEEDED) <= set(metadata.tables)

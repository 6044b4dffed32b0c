"""Alerts, audit rows, cache signals, preferences and the practice's entry, on every form of practice."""

import datetime as dt
from typing import Literal

import pytest
from sqlalchemy import Connection, delete, select, text, update

from econnector.base.errors import DatabaseBusy
from econnector.opendental import alerts, audit, cachesignals, preferences, schema, signals, times, updates, writes
from econnector.opendental import practice as entry
from econnector.opendental.audit import Action, Permission
from econnector.opendental.schema import Schema
from econnector.opendental.tables import clinic, payment, paysplit, provider, securitylog, securityloghash
from econnector.storage.database import Database
from tests.opendental.conftest import Practice
from tests.support.mariadb import shared_server


def test_the_hash_beside_an_audit_row_follows_open_dentals_recipe() -> None:
    at = dt.datetime.fromisoformat("2024-11-05 14:03:22")
    assert audit.log_hash(175, 0, at, "Log in successful", 42) == "TaLEvmQEQSugqEs58DWn5wZqg5yloQDqTUGpB/57LTo="


@pytest.mark.parametrize(
    "words", ["Log in successful", "Jos\u00e9 read it", "with emoji \U0001f600", "", "quote ' and %s"]
)
async def test_an_audit_row_has_a_hash_of_what_the_server_kept(practice: Practice, words: str) -> None:
    number = await practice.run(_record, words)

    def read(connection: Connection) -> tuple[object, ...]:
        row = connection.execute(select(securitylog).where(securitylog.c.SecurityLogNum == number)).one()
        made = connection.scalar(select(securityloghash.c.LogHash).where(securityloghash.c.SecurityLogNum == number))
        assert made == audit.log_hash(row.PermType, row.UserNum, row.LogDateTime, row.LogText, row.PatNum)
        assert abs(times.now(connection) - row.LogDateTime) < dt.timedelta(minutes=2)
        return row.PermType, row.PatNum, row.FKey, row.LogSource, row.CompName, row.UserNum

    assert await practice.free.run(read) == (75, 12, 34, 6, "FRONTDESK", 0)


def _record(connection: Connection, schema: Schema, words: str) -> int:
    return audit.record(
        connection, schema, Permission.PATIENT_PORTAL, words, patient=12, about=34, computer="FRONTDESK"
    )


async def test_an_audit_row_that_the_connector_was_killed_over_gets_its_hash_later(practice: Practice) -> None:
    def killed(connection: Connection, schema: Schema) -> list[int]:
        ago = {"ours": 60, "young": 0, "old": 60 * 24 * 8, "elsewhere": 60, "office": 60}
        numbers = []
        for name, minutes in ago.items():
            number = _record(connection, schema, name)
            values = {
                "LogDateTime": times.now(connection) - dt.timedelta(minutes=minutes),
                "CompName": "OTHER" if name == "elsewhere" else "FRONTDESK",
                "LogSource": 0 if name == "office" else 6,
            }
            connection.execute(update(securitylog).where(securitylog.c.SecurityLogNum == number).values(values))
            connection.execute(delete(securityloghash).where(securityloghash.c.SecurityLogNum == number))
            numbers.append(number)
        return numbers

    def sealed(connection: Connection) -> list[int]:
        rows = connection.execute(select(securitylog, securityloghash.c.LogHash).join_from(
            securitylog, securityloghash, securitylog.c.SecurityLogNum == securityloghash.c.SecurityLogNum
        )).all()  # fmt: skip
        assert all(
            row.LogHash == audit.log_hash(row.PermType, row.UserNum, row.LogDateTime, row.LogText, row.PatNum)
            for row in rows
            if row.SecurityLogNum in numbers
        )
        return [row.SecurityLogNum for row in rows if row.SecurityLogNum in numbers]

    numbers = await practice.free.run(killed, practice.schema)
    mend = lambda connection, schema: audit.mend(connection, schema, "FRONTDESK")  # noqa: E731
    assert await practice.run(mend) == 1
    assert await practice.free.run(sealed) == numbers[:1]
    assert await practice.run(mend) == 0


CUT_OFF = {
    f"User: Ada{audit.SIGNED_IN}": Permission.USER_LOG_ON_OFF,
    f"{audit.SERVICE_CHANGED}x": Permission.SERVICES_SETUP,
    f"{audit.SETTINGS_CHANGED}x": Permission.SERVICES_SETUP,
    f"{audit.PORTAL_CHANGED}x": Permission.SERVICES_SETUP,
    f"{audit.INSTALLED}x": Permission.SERVICES_SETUP,
    f"{audit.CODES_CHANGED}x": Permission.SERVICES_SETUP,
}
OPEN_DENTALS = {
    "User: Ada has logged on.": Permission.USER_LOG_ON_OFF,
    "eConnector status automatically set to x": Permission.SERVICES_SETUP,
}


async def test_a_deed_at_the_desk_that_was_cut_off_gets_its_hash_and_open_dentals_own_rows_do_not(
    practice: Practice,
) -> None:
    def killed(connection: Connection, schema: Schema) -> None:
        for text_, kind in (CUT_OFF | OPEN_DENTALS).items():
            number = audit.record(connection, schema, kind, text_, user=3, computer="FRONTDESK", source=0)
            earlier = times.now(connection) - dt.timedelta(minutes=5)
            here = securitylog.c.SecurityLogNum == number
            connection.execute(update(securitylog).where(here).values(LogDateTime=earlier))
        connection.execute(delete(securityloghash))

    await practice.free.run(killed, practice.schema)
    assert await practice.run(lambda connection, schema: audit.mend(connection, schema, "FRONTDESK")) == len(CUT_OFF)
    assert await practice.sql(
        "SELECT UserNum, LogText FROM securitylog INNER JOIN securityloghash"
        " ON securityloghash.SecurityLogNum = securitylog.SecurityLogNum ORDER BY LogText"
    ) == [(3, words) for words in sorted(CUT_OFF, key=str.casefold)]


async def test_activity_is_noted_whatever_length_the_session_column_has(practice: Practice) -> None:
    session = "0123456789abcdef0123456789abcdef0123"

    def note(connection: Connection, schema: Schema) -> int:
        return audit.note_activity(connection, schema, Action.SIGNED_IN, patient=5, session=session)

    await practice.run(note)
    kept = 16 if practice.schema.version.startswith("21.1") else 36
    found = await practice.sql("SELECT EServiceType, EServiceAction, LogGuid, PatNum FROM eservicelog WHERE PatNum = 5")
    assert found == [(5, 16, session[:kept], 5)]


LOOKS = {
    alerts.Kind.ONLINE_PAYMENTS: (0, 1, 3, 2),
    alerts.Kind.MULTIPLE_CONNECTORS: (-1, 3, 5, 0),
    alerts.Kind.CONNECTOR_DOWN: (-1, 3, 3, 9),
    alerts.Kind.CONNECTOR_ERROR: (0, 1, 3, 9),
    alerts.Kind.MAIL_FAILS: (0, 2, 5, 0),
    alerts.Kind.CLOCKS_DIFFER: (-1, 3, 5, 0),
}


@pytest.mark.parametrize("kind", list(alerts.Kind))
async def test_an_alert_is_there_once_until_it_is_cleared(practice: Practice, kind: alerts.Kind) -> None:
    assert await practice.run(alerts.raise_once, kind, "Look at the eConnector.")
    assert not await practice.run(alerts.raise_once, kind, "Look again.")
    found = await practice.sql(
        "SELECT ClinicNum, Severity, Actions, FormToOpen, Type, Description, FKey, ItemValue, UserNum FROM alertitem"
    )
    assert found == [(*LOOKS[kind], int(kind), "Look at the eConnector.", 0, "", 0)]
    if practice.schema.has("alertitem", "SecDateTEntry"):
        [(entered,)] = await practice.sql("SELECT SecDateTEntry FROM alertitem")
        assert str(entered) > "2020"
    assert await practice.guarded.run(alerts.clear, kind) == 1
    assert await practice.guarded.run(alerts.clear, kind) == 0


async def test_a_long_alert_text_is_cut_and_not_lost(practice: Practice) -> None:
    await practice.run(alerts.raise_once, alerts.Kind.CLOCKS_DIFFER, "x" * 5000)
    assert await practice.sql("SELECT LENGTH(Description) FROM alertitem") == [(2000,)]


async def test_a_cache_signal_is_dated_now_and_for_everybody(practice: Practice) -> None:
    await practice.run(cachesignals.tell, cachesignals.Kind.PREFERENCES)
    [(viewing, at, *rest)] = await practice.sql(
        "SELECT DateViewing, SigDateTime, IType, FKey, FKeyType, RemoteRole, MsgValue FROM signalod"
    )
    assert str(viewing) == "0001-01-01"
    assert str(at)[:4] == str((await practice.guarded.run(times.now)).year)
    assert rest == [5, 0, "Undefined", 0, ""]


async def test_preferences_are_read_written_and_added(practice: Practice) -> None:
    run = practice.guarded.run
    assert await run(preferences.read, "NoSuchPreference", "30") == "30"
    await practice.run(preferences.write, "NoSuchPreference", "60")
    await practice.run(preferences.write, "NoSuchPreference", "90'; --")
    assert await run(preferences.read, "NoSuchPreference") == "90'; --"
    assert await run(preferences.read_many, ["NoSuchPreference", "Other"]) == {
        "NoSuchPreference": "90'; --",
        "Other": "",
    }
    count = "SELECT COUNT(*) FROM preference WHERE PrefName = 'NoSuchPreference'"
    assert await practice.sql(count) == [(1,)]


async def test_the_practices_entry_is_read(practice: Practice) -> None:
    for name, value in (("PracticeTitle", " Bright Dental "), ("PracticePhone", "5035550100"), ("EasyNoClinics", "0")):
        await practice.run(preferences.write, name, value)
    await practice.sql("DELETE FROM provider")
    await practice.sql("DELETE FROM clinic")
    for number, first, last, suffix, hidden in (
        (1, "Ada", "Lee", "DDS", 0),
        (2, "", "Hall", None, 0),
        (3, "No", "Body", "", 1),
    ):
        values = {"ProvNum": number, "FName": first, "LName": last, "Suffix": suffix, "IsHidden": hidden}
        await practice.free.run(writes.insert, practice.schema, provider, values)
    for number, name, hidden, order in ((1, "North", 0, 2), (2, "South", 0, 1), (3, "Old", 1, 0)):
        values = {"ClinicNum": number, "Description": name, "IsHidden": hidden, "ItemOrder": order}
        await practice.free.run(writes.insert, practice.schema, clinic, values)
    found = entry.practice(await practice.guarded.run(preferences.read_many, entry.SETTINGS))
    assert (found.title, found.phone, found.has_clinics) == ("Bright Dental", "5035550100", True)
    assert await practice.guarded.run(entry.provider_names) == {1: "Ada Lee, DDS", 2: "Hall"}
    assert list((await practice.guarded.run(entry.clinic_names)).items()) == [(2, "South"), (1, "North")]


async def test_the_last_update_is_the_newest_one(practice: Practice) -> None:
    assert await practice.guarded.run(updates.last_update) is None
    await practice.sql(
        "INSERT INTO updatehistory (DateTimeUpdated, ProgramVersion) VALUES"
        " ('2024-05-01 10:00:00', '24.3.10.0'), ('2024-06-01 10:00:00', '24.3.11.0')"
    )
    assert await practice.guarded.run(updates.last_update) == dt.datetime.fromisoformat("2024-06-01 10:00:00")


@pytest.mark.shared
@pytest.mark.parametrize("version", ["21.1", "24.3"])
async def test_reading_and_writing_what_is_listed_are_rights_enough(
    version: Literal["21.1", "24.3"],
) -> None:
    server = shared_server()
    name = server.open_dental(version, tables={*schema.NEEDED, *writes.WRITABLE, "replicationserver"})
    grants = [f"{', '.join(rule.may)} ON {name}.{table}" for table, rule in writes.WRITABLE.items()]
    server.create_user("connector", "secret", f"SELECT ON {name}.*", *grants)
    database = Database(server.url(name, "connector"), password="secret", guard=writes.guard)
    found = await database.run(schema.inspect)
    await database.run(signals.beat, found)
    await database.run(signals.stopped, found)
    await database.run(signals.report_error, found, "x")
    await database.run(signals.acknowledge, found)
    await database.run(_record, found, "x")
    await database.run(cachesignals.tell, found, cachesignals.Kind.PREFERENCES)
    await database.run(preferences.write, found, "EConnectorCleanupLoggerIntervalDays", "31")
    await database.run(preferences.write, found, "NoSuchPreference", "1")
    with pytest.raises(DatabaseBusy):
        await database.run(lambda connection: connection.scalar(text("SELECT SLEEP(30)")), within=0.1)
    await database.close()
    server.drop_database(name)


async def test_a_row_is_inserted_unless_it_is_there(practice: Practice) -> None:
    def twice(connection: Connection, schema: Schema) -> list[bool]:
        values = {"PatNum": 5, "PayAmt": 12.34, "PayDate": dt.date(2026, 1, 2), "PayNote": "n", "ExternalId": "4711"}
        same = payment.c.PatNum == 5, payment.c.ExternalId == "4711"
        return [writes.insert_unless(connection, schema, payment, values, *same) for _ in range(2)]

    assert await practice.run(twice) == [True, False]
    rows = await practice.sql("SELECT PatNum, PayAmt, Receipt, ProcessStatus FROM payment WHERE ExternalId = '4711'")
    assert rows == [(5, 12.34, "", 0)]


async def test_a_split_is_written_only_where_its_rows_have_no_seal(practice: Practice) -> None:
    def split(connection: Connection, schema: Schema) -> None:
        with writes.splitting(schema):
            writes.insert_unless(connection, schema, paysplit, {"PayNum": 77, "SplitAmt": 1.0}, paysplit.c.PayNum == 77)

    def change(connection: Connection, schema: Schema) -> None:
        with writes.splitting(schema):
            connection.execute(update(paysplit).values(SplitAmt=2.0))

    if practice.schema.has("paysplit", "SecurityHash"):
        with pytest.raises(writes.WriteRefused):
            await practice.run(split)
        return
    await practice.run(split)
    assert await practice.sql("SELECT SplitAmt FROM paysplit WHERE PayNum = 77") == [(1.0,)]
    with pytest.raises(writes.WriteRefused):
        await practice.run(change)

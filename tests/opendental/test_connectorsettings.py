"""The three settings of Open Dental's eConnector window: what no row means, what is written, who hears of it."""

import pytest

from econnector.base.errors import ValueRejected
from econnector.opendental import connectorsettings
from econnector.opendental.connectorsettings import ConnectorSettings
from econnector.storage.database import Database
from tests.opendental.conftest import Practice

MAIL, LISTENER, DAYS = "SendEmailsInDiffProcess", "EServiceListenerEnabled", "EConnectorCleanupLoggerIntervalDays"


async def put(practice: Practice, name: str, value: str | None) -> None:
    await practice.sql("DELETE FROM preference WHERE PrefName = :name", name=name)
    if value is not None:
        words = "INSERT INTO preference (PrefName, ValueString) VALUES (:name, :value)"
        await practice.sql(words, name=name, value=value)


async def got(practice: Practice, name: str) -> str | None:
    rows = await practice.sql("SELECT ValueString FROM preference WHERE PrefName = :name", name=name)
    assert len(rows) <= 1, "two rows of one name keep Open Dental from starting"
    return rows[0][0] if rows else None


async def told(practice: Practice) -> int:
    rows = await practice.sql("SELECT IType FROM signalod")
    assert {row[0] for row in rows} <= {5}
    return len(rows)


async def be(practice: Practice, version: str) -> None:
    await practice.sql("UPDATE preference SET ValueString = :v WHERE PrefName = 'DataBaseVersion'", v=version)
    await practice.inspect()


async def test_the_listener_without_a_row_is_as_the_version_would_have_it(practice: Practice) -> None:
    for version, on in (("21.1.9.0", True), ("23.1.0.0", False), ("23.2.40.0", False), ("23.3.1.0", True)):
        await be(practice, version)
        await put(practice, LISTENER, None)
        assert (await practice.run(connectorsettings.read)).listener is on, version
        for value, is_on in (("1", True), ("0", False)):
            await put(practice, LISTENER, value)
            assert (await practice.run(connectorsettings.read)).listener is is_on


async def test_the_mail_process_goes_from_yes_to_no_and_unknown_stays_unknown(practice: Practice) -> None:
    cases = [
        ("0", False, "0"),
        ("2", False, "2"),
        ("1", False, "2"),
        ("0", True, "1"),
        ("2", True, "1"),
        ("1", True, "1"),
    ]
    for before, wanted, after in cases:
        await practice.sql("DELETE FROM signalod")
        await put(practice, MAIL, before)
        now = await practice.run(connectorsettings.read)
        assert now.mail_process is (before == "1")
        changes = await practice.run(connectorsettings.save, ConnectorSettings(now.listener, wanted, now.log_days))
        assert (await got(practice, MAIL), bool(changes)) == (after, before != after)
        assert bool(await told(practice)) == bool(changes), "nobody is told of what did not change"


async def test_days_without_a_number_are_never(practice: Practice) -> None:
    cases = [(None, 30), ("", 0), ("0", 0), (" 7 ", 7), ("36500", 36500), ("x", 0), ("-3", 0)]
    for text, days in cases:
        await put(practice, DAYS, text)
        assert (await practice.run(connectorsettings.read)).log_days == days


async def test_days_that_open_dental_would_refuse_write_nothing(practice: Practice) -> None:
    before = await practice.run(connectorsettings.read)
    for days in (-1, 36501, 10**9):
        with pytest.raises(ValueRejected, match="between 0 and 36500"):
            await practice.run(connectorsettings.save, ConnectorSettings(not before.listener, True, days))
    assert (await practice.run(connectorsettings.read), await told(practice)) == (before, 0)


async def test_everything_is_saved_at_once_and_told_in_words(practice: Practice) -> None:
    await be(practice, "23.3.1.0")
    for name, value in ((LISTENER, "1"), (MAIL, "0"), (DAYS, "30")):
        await put(practice, name, value)
    new = ConnectorSettings(listener=False, mail_process=True, log_days=36500)
    assert await practice.run(connectorsettings.save, new) == [
        "Enable eServices Listener: on to off",
        "Send emails with a different process: off to on",
        "Delete logs older than (days): 30 to 36500",
    ]
    assert [await got(practice, name) for name in (LISTENER, MAIL, DAYS)] == ["0", "1", "36500"]
    assert await practice.run(connectorsettings.read) == new
    assert await practice.run(connectorsettings.save, new) == []


async def test_a_version_that_does_not_know_the_listener_gets_no_row_of_it(practice: Practice) -> None:
    await be(practice, "22.4.50.0")
    await put(practice, LISTENER, None)
    now = await practice.run(connectorsettings.read)
    with pytest.raises(ValueRejected, match=r"came with 23\.1"):
        await practice.run(connectorsettings.save, ConnectorSettings(False, now.mail_process, 90))
    assert (await got(practice, LISTENER), await practice.run(connectorsettings.read)) == (None, now)
    assert await practice.run(connectorsettings.save, ConnectorSettings(now.listener, now.mail_process, 90))
    assert await got(practice, DAYS) == "90"


class _PowerCut(Exception):  # noqa: N818 - it is none of ours
    pass


async def _save_until(practice: Practice, new: ConnectorSettings, writes_left: int) -> bool:
    """Save, with the power failing before the write after so many; return whether it came to its end."""
    left = writes_left

    def cut(sql: str) -> None:
        nonlocal left
        left -= not sql.lstrip().startswith("SELECT")
        if left < 0:
            raise _PowerCut

    database = Database(practice.guarded._backend.engine.url.render_as_string(), guard=cut)
    try:
        await database.run(lambda connection: connectorsettings.save(connection, practice.schema, new))
    except _PowerCut:
        return False
    finally:
        await database.close()
    return True


async def test_a_save_that_is_cut_off_is_finished_by_the_next_and_nobody_misses_it(practice: Practice) -> None:
    await be(practice, "23.3.1.0")
    now = await practice.run(connectorsettings.read)
    new = ConnectorSettings(not now.listener, not now.mail_process, now.log_days + 1)
    done, writes = False, 0
    while not done:
        done = await _save_until(practice, new, writes)
        if await practice.run(connectorsettings.read) != now:
            assert await told(practice), "workstations hear of what was written, even if it was the last thing done"
        writes += 1
        assert writes < 20
    assert (await practice.run(connectorsettings.read), writes > 1) == (new, True)

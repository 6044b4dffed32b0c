"""Keys: what opens an office's records, for how long, and what nobody finds of them afterwards."""

import datetime as dt
import re
from pathlib import Path

import pytest
import structlog
from sqlalchemy import text

from econnector.base.errors import ApiKeyRefused, ApiRightMissing, Failure, PermissionMissing, ValueRejected
from econnector.eservices.api import calls
from econnector.eservices.api.calls import RIGHTS, Right
from econnector.office.desk import Who
from econnector.opendental import tables
from econnector.storage.state import api_keys
from tests.api.conftest import ME, ApiOffice

OPENED_BY: dict[str, Right] = {
    "api.appointments": "schedule",
    "api.documents": "documents",
    "api.document": "documents",
}


async def refused(office: ApiOffice, key: str) -> bool:
    """Return whether nothing is told to this key, not even that the office is there; every answer must be the same."""
    answers = await office.every(key)
    kinds = {type(answer) for answer in answers.values()}
    if ApiKeyRefused in kinds:
        assert kinds == {ApiKeyRefused}
        assert {str(answer.facts) for answer in answers.values()} == {"{}"}
        return True
    return False


@pytest.mark.causes("api-right-missing")
@pytest.mark.parametrize("right", RIGHTS)
async def test_a_key_with_one_right_gets_nothing_of_the_other(office: ApiOffice, right: Right) -> None:
    made = await office.key(right)
    answers = await office.every(made.key)
    assert answers.pop("api.status").rights == [right]
    for name, answer in answers.items():
        if OPENED_BY[name] == right:
            assert not isinstance(answer, Exception), name
        else:
            assert isinstance(answer, ApiRightMissing), name
            assert answer.public_facts() == {"right": OPENED_BY[name]}
    assert len(await office.traces()) == sum(opens == right for opens in OPENED_BY.values())


@pytest.mark.causes("api-key-refused")
async def test_every_key_that_is_not_the_one_is_refused_alike(office: ApiOffice) -> None:
    made, other = await office.key("schedule"), await office.key("documents")
    head, number, secret = made.key.split("_", 2)
    swapped = secret.swapcase()
    wrong = [
        *("", "eck_", made.number, secret, made.key.upper(), made.key + "A", made.key[:-1], f" {made.key}"),
        *(f"{made.key}\n", f"{head}_{number}_{swapped}", f"{head}_{other.number}_{secret}", f"eck_{'2' * 8}_{secret}"),
        *(f"{head}_{number}_{'é' * 43}", f"{head}_{number}_' OR '1'='1", "x" * 100_000),
    ]
    for key in wrong:
        assert await refused(office, key), key
    assert not await refused(office, made.key)


async def test_a_key_of_another_office_opens_nothing(office: ApiOffice, other_office: ApiOffice) -> None:
    theirs = await other_office.key(*RIGHTS)
    assert await refused(office, theirs.key)
    assert not await refused(other_office, theirs.key)


async def test_a_removed_key_is_refused_within_seconds_and_for_good(office: ApiOffice) -> None:
    made, stays = await office.key(*RIGHTS), await office.key("schedule")
    assert not await refused(office, made.key)
    assert await office.keys.remove(ME, made.number) == "Bright Recall"
    office.behind.clock.advance(5.0)
    assert await refused(office, made.key)
    office.start()
    assert await refused(office, made.key)
    assert not await refused(office, stays.key)
    with pytest.raises(ValueRejected):
        await office.keys.remove(ME, made.number)


async def test_a_key_that_was_good_is_looked_up_once_in_five_seconds_and_a_bad_one_each_time(
    office: ApiOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, looked = await office.key("schedule"), []
    find = api_keys.find

    def counting(connection: object, number: str) -> api_keys.Kept | None:
        looked.append(number)
        return find(connection, number)  # type: ignore[arg-type]

    monkeypatch.setattr(api_keys, "find", counting)
    for _ in range(3):
        await office.ask(calls.STATUS, calls.StatusAsked(made.key))
    assert looked == [made.number]
    office.behind.clock.advance(5.0)
    await office.ask(calls.STATUS, calls.StatusAsked(made.key))
    assert looked == [made.number] * 2
    head, number, _ = made.key.split("_", 2)
    for _ in range(3):
        with pytest.raises(ApiKeyRefused):
            await office.ask(calls.STATUS, calls.StatusAsked(f"{head}_{number}_{'x' * 43}"))
    assert looked == [made.number] * 5


async def test_the_last_use_is_noted_once_a_day(office: ApiOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    made, noted = await office.key("schedule"), []
    note = api_keys.note_used

    def counting(connection: object, number: str, day: str) -> None:
        noted.append(day)
        note(connection, number, day)  # type: ignore[arg-type]

    monkeypatch.setattr(api_keys, "note_used", counting)
    assert [each.used for each in await office.keys.every()] == [""]
    for seconds in (0, 6, 6, 43_200, 6):
        office.behind.clock.advance(seconds)
        await office.ask(calls.STATUS, calls.StatusAsked(made.key))
    assert noted == ["2026-01-02", "2026-01-03"]
    assert [each.used for each in await office.keys.every()] == ["2026-01-03"]


async def test_a_use_that_cannot_be_noted_keeps_nobody_from_reading(office: ApiOffice) -> None:
    made = await office.key("schedule")
    full = "CREATE TRIGGER full BEFORE UPDATE ON api_key BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
    await office.behind.state.run(lambda connection: connection.execute(text(full)).close())
    with structlog.testing.capture_logs() as entries:
        assert (await office.ask(calls.STATUS, calls.StatusAsked(made.key))).rights == ["schedule"]
    assert [entry["key"] for entry in entries if "not noted" in entry["event"]] == [made.number]
    assert [each.used for each in await office.keys.every()] == [""]


def _all_of(folder: Path) -> bytes:
    """Return the state file, with what is not yet in it."""
    return b"".join(file.read_bytes() for file in folder.glob("state.db*"))


async def test_a_secret_stands_nowhere_once_it_was_shown(office: ApiOffice, tmp_path: Path) -> None:
    made = await office.key(*RIGHTS)
    secret = made.key.split("_", 2)[2]
    failures: list[Failure] = []
    with structlog.testing.capture_logs() as entries:
        await office.every(made.key)
        await office.keys.remove(ME, made.number)
        office.behind.clock.advance(5.0)
        failures += (await office.every(made.key)).values()
    kept = _all_of(tmp_path)
    assert made.number.encode() in kept
    assert secret.encode() not in kept
    told = [repr(made), str(entries), *(f"{failure!r} {failure.facts}" for failure in failures)]
    told += [str(row) for row in await office.rows(tables.securitylog)]
    assert not [text for text in told if secret in text]


async def test_making_and_removing_a_key_leaves_a_trace_of_who_did_it(office: ApiOffice) -> None:
    made = await office.key("schedule")
    await office.keys.remove(Who(7, "pat", may_setup=True, may_admin=False), made.number)
    rows = await office.rows(tables.securitylog, PermType=91)
    by = " (command line, operating-system account me)"
    assert [(row.UserNum, row.LogSource, row.LogText) for row in rows] == [
        (0, 0, f"API: key {made.number} made for Bright Recall, which may read: schedule.{by}"),
        (7, 0, f"API: key {made.number} of Bright Recall removed."),
    ]
    assert len(await office.rows(tables.securityloghash)) == len(rows)


@pytest.mark.causes("permission-missing")
async def test_who_may_not_set_up_makes_and_removes_none(office: ApiOffice) -> None:
    made, nobody = await office.key("schedule"), Who(7, "pat", may_setup=False, may_admin=True)
    with pytest.raises(PermissionMissing):
        await office.keys.add(nobody, "Mine", ["schedule"])
    with pytest.raises(PermissionMissing):
        await office.keys.remove(nobody, made.number)
    assert [each.removed for each in await office.keys.every()] == [None]


@pytest.mark.causes("value-rejected")
@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "Lab\u202e", "Lab\x1b[2J"])
async def test_a_name_of_no_use_is_refused(office: ApiOffice, name: str) -> None:
    with pytest.raises(ValueRejected):
        await office.keys.add(ME, name, ["schedule"])
    with pytest.raises(ValueRejected):
        await office.keys.add(ME, "Lab", [])
    assert await office.keys.every() == []


async def test_there_are_not_more_keys_than_a_person_can_look_after(office: ApiOffice) -> None:
    made = [await office.key("schedule") for _ in range(api_keys.MOST)]
    assert len({each.key for each in made}) == api_keys.MOST
    assert all(re.fullmatch(r"eck_[2-9a-z]{8}_[A-Za-z0-9_-]{43}", each.key) for each in made)
    with pytest.raises(ValueRejected):
        await office.key("schedule")
    await office.keys.remove(ME, made[0].number)
    await office.key("schedule")


async def test_a_row_that_a_killed_connector_left_without_its_hash_gets_it(office: ApiOffice) -> None:
    made = await office.key("schedule")
    await office.ask(calls.APPOINTMENTS, calls.AppointmentsAsked(made.key))
    (row,) = await office.rows(tables.securitylog, LogSource=23)
    hashes = tables.securityloghash
    gone = hashes.delete().where(hashes.c.SecurityLogNum == row.SecurityLogNum)
    await office.behind.front_desk.run(lambda connection: connection.execute(gone).rowcount)
    older = row.LogDateTime - dt.timedelta(minutes=5)
    await office.behind.change(tables.securitylog, {"LogDateTime": older}, SecurityLogNum=row.SecurityLogNum)
    office.start()
    await office.ask(calls.APPOINTMENTS, calls.AppointmentsAsked(made.key))
    assert len(await office.traces()) == 2

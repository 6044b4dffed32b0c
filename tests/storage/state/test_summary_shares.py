"""What the state file knows of care summaries that were sent, and what ends them."""

import asyncio
import datetime as dt
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection

from econnector.storage.database import Database
from econnector.storage.state import outbox, summary_shares
from econnector.storage.state.base import open_state
from econnector.storage.state.summary_shares import MOST_A_DAY, MOST_OPEN, MOST_OPENED, MOST_WRONG, Share

NOW = dt.datetime(2026, 11, 21, 14, 0, tzinfo=dt.UTC)
SHARE = Share(
    number="7F3K-22QX", draft="d", content="c", link="l", salt="s", login=1011, sender=11, about=13, session="n",
    to=b"sealed", mail="<m@x>", sent=NOW,
)  # fmt: skip


def another(number: int, **changes: object) -> Share:
    unlike = {"number": f"7F3K-{number:04}", "draft": f"d{number}", "link": f"l{number}"}
    return msgspec.structs.replace(SHARE, **(unlike | changes))


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_state(tmp_path / "state.db")
    yield opened
    await opened.close()


async def found(state: Database) -> Share:
    share = await state.run(summary_shares.by_number, SHARE.number)
    assert share is not None
    return share


async def test_a_plan_is_written_once_and_found_as_it_was(state: Database) -> None:
    assert await state.run(summary_shares.plan, SHARE) == SHARE
    again = msgspec.structs.replace(SHARE, number="AAAA-AAAA", link="other")
    assert await state.run(summary_shares.plan, again) == SHARE
    for finding, key in ((summary_shares.find, "l"), (summary_shares.by_draft, "d")):
        assert await state.run(finding, key) == SHARE
    assert await state.run(summary_shares.find, "other") is None
    assert repr(SHARE) == "Share(7F3K-22QX)"


async def test_many_wrong_codes_at_once_are_no_way_around_the_five(state: Database) -> None:
    await state.run(summary_shares.plan, SHARE)
    done = await asyncio.gather(*(state.run(summary_shares.try_code, SHARE.number) for _ in range(40)))
    assert sum(done) == MOST_WRONG
    assert (await found(state)).standing(NOW) == "closed"


async def test_a_right_code_takes_only_its_own_try_back(state: Database) -> None:
    await state.run(summary_shares.plan, SHARE)
    for _ in range(MOST_WRONG - 1):
        assert await state.run(summary_shares.try_code, SHARE.number)
    for _ in range(3):
        assert await state.run(summary_shares.try_code, SHARE.number)
        await state.run(summary_shares.right, SHARE.number)
    assert (await found(state)).wrong == MOST_WRONG - 1
    assert await state.run(summary_shares.try_code, "nobody's") is False


async def test_it_ends_after_seven_days_and_a_clock_that_was_set_back_keeps_none_alive(state: Database) -> None:
    await state.run(summary_shares.plan, SHARE)
    share = await found(state)
    moments = [NOW + dt.timedelta(seconds=seconds) for seconds in (-3600, -61, -59, 0, 7 * 86400 - 1, 7 * 86400)]
    assert [share.standing(moment) for moment in moments] == ["old", "old", "open", "open", "open", "old"]


async def test_downloads_are_counted_and_bounded(state: Database) -> None:
    await state.run(summary_shares.plan, SHARE)
    later = [NOW + dt.timedelta(minutes=minute) for minute in range(MOST_OPENED)]
    for moment in later:
        assert (await found(state)).standing(moment) == "open"
        await state.run(summary_shares.note_opened, SHARE.number, moment)
    share = await found(state)
    assert (share.opened, share.opened_first, share.opened_last) == (MOST_OPENED, later[0], later[-1])
    assert share.standing(later[-1]) == "used-up"


async def test_what_is_withdrawn_ends_and_its_letter_never_leaves(state: Database) -> None:
    await state.run(summary_shares.plan, SHARE)
    at = NOW.timestamp()
    mail = outbox.Mail(
        message_id=SHARE.mail, recipient="dr@example.com", purpose="portal", subject="s", text="the link",
        created=at, due=at, until=at + 86400,
    )  # fmt: skip
    await state.run(outbox.put, mail)
    await state.run(summary_shares.withdraw, SHARE.number, 13, NOW)
    await state.run(summary_shares.withdraw, SHARE.number, 11, NOW + dt.timedelta(hours=1))
    share = await found(state)
    assert (share.withdrawn, share.withdrawn_by, share.standing(NOW)) == (NOW, 13, "withdrawn")
    assert await state.run(outbox.take, mail.lane, at) is None
    assert await state.run(outbox.state_of, SHARE.mail) == outbox.REMOVED


async def test_one_sender_can_have_so_many_open_and_send_so_many_a_day(state: Database) -> None:
    def fill(connection: Connection) -> list[str]:
        seen = []
        for number in range(MOST_A_DAY):
            seen.append(summary_shares.crowded(connection, SHARE.sender, NOW))
            summary_shares.plan(connection, another(number))
            if number >= MOST_OPEN - 1:
                summary_shares.withdraw(connection, another(number).number, 11, NOW)
        summary_shares.plan(connection, another(100, about=11, sent=NOW - dt.timedelta(days=2)))
        day_after = NOW + dt.timedelta(days=1)
        return [
            *seen,
            summary_shares.crowded(connection, SHARE.sender, NOW),
            summary_shares.crowded(connection, SHARE.sender, day_after),
            summary_shares.crowded(connection, SHARE.sender, NOW + dt.timedelta(days=8)),
            summary_shares.crowded(connection, 12, NOW),
        ]

    assert await state.run(fill) == [""] * MOST_A_DAY + ["often", "open", "", ""]


async def test_the_list_is_of_one_person_and_where_asked_for_of_one_sender(state: Database) -> None:
    rows: list[dict[str, object]] = [{}, {"sender": 12}, {"about": 11}, {"sent": NOW + dt.timedelta(seconds=1)}]
    for number, values in enumerate(rows):
        await state.run(summary_shares.plan, another(number, **values))
    everybody = [share.number for share in await state.run(summary_shares.listed, 13, 0, 10)]
    mine = [share.number for share in await state.run(summary_shares.listed, 13, 11, 10)]
    assert everybody == ["7F3K-0003", "7F3K-0000", "7F3K-0001"]
    assert mine == ["7F3K-0003", "7F3K-0000"]
    assert len(await state.run(summary_shares.listed, 13, 0, 2)) == 2


async def test_what_a_dead_connector_left_is_found_finished_or_forgotten(state: Database) -> None:
    await state.run(summary_shares.plan, SHARE)
    assert await state.run(summary_shares.unfinished, NOW) == []
    assert await state.run(summary_shares.unfinished, NOW + dt.timedelta(minutes=2)) == [SHARE]
    await state.run(summary_shares.finish, SHARE.number)
    assert await state.run(summary_shares.unfinished, NOW + dt.timedelta(minutes=2)) == []
    await state.run(summary_shares.forget, SHARE.number)
    assert (await found(state)).done
    await state.run(summary_shares.plan, another(2))
    await state.run(summary_shares.forget, another(2).number)
    assert await state.run(summary_shares.by_draft, "d2") is None


async def test_rows_stay_for_two_years_and_plans_for_a_day(state: Database, tmp_path: Path) -> None:
    await state.run(summary_shares.plan, SHARE)
    await state.run(summary_shares.finish, SHARE.number)
    await state.run(summary_shares.plan, another(2))
    assert await state.run(summary_shares.sweep, NOW + dt.timedelta(days=1)) == 0
    assert await state.run(summary_shares.sweep, NOW + dt.timedelta(days=1, seconds=1)) == 1
    assert await state.run(summary_shares.sweep, NOW + dt.timedelta(days=730)) == 0
    assert await state.run(summary_shares.sweep, NOW + dt.timedelta(days=731)) == 1
    with sqlite3.connect(tmp_path / "state.db") as connection:
        assert connection.execute("SELECT * FROM summary_share").fetchall() == []

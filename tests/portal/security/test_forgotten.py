"""A new password by mail: what it needs, what it must not tell, and how it is attacked."""

import asyncio
import datetime as dt
import sqlite3
from collections.abc import Awaitable
from pathlib import Path

import pytest

from econnector.base.errors import CodeRejected, LoginFailed, PasswordRejected, SessionEnded
from econnector.eservices.portal import calls
from econnector.opendental import tables
from econnector.storage.state import reset_codes
from tests.portal.security.conftest import MAILBOX, MailedOffice
from tests.support.practice import HOME, PASSWORD, STRONG, Cast, user_name
from tests.support.saying import said

MARIA = user_name(Cast.MARIA)


async def ask_for_code(office: MailedOffice, name: str = MARIA, address: str = HOME) -> None:
    assert await office.ask(calls.FORGOT, calls.Forgot(name, address)) == calls.Nothing()


async def refused(office: MailedOffice, code: str, name: str = MARIA, address: str = HOME) -> str:
    with pytest.raises(CodeRejected) as caught:
        await office.ask(calls.RESET, calls.Reset(name, code, STRONG, address))
    assert caught.value.public_facts() == {}
    return caught.value.facts["reason"]


async def test_a_code_by_mail_gives_a_new_password_and_ends_every_session(office: MailedOffice) -> None:
    before = await office.office.sign_in(Cast.MARIA)
    await ask_for_code(office, f" {MARIA.upper()} ")
    (mail,) = await office.mails()
    assert (mail.recipient, mail.purpose, mail.patient) == (MAILBOX, "portal", 0)
    assert mail.until - mail.created == pytest.approx(15 * 60)
    assert mail.subject == "Bright Smile Dental: your code"
    assert "Maria" not in mail.text
    code = await office.code()
    await office.ask(calls.RESET, calls.Reset(MARIA, f" {code.lower()} ", STRONG, HOME))
    with pytest.raises(SessionEnded):
        await office.ask(calls.HOME, calls.PersonAsked(before.token))
    with pytest.raises(LoginFailed):
        await office.office.sign_in(Cast.MARIA)
    assert (await office.office.sign_in(Cast.MARIA, STRONG)).person == Cast.MARIA
    told = (await office.mails())[-1]
    assert (told.recipient, told.patient) == (MAILBOX, Cast.MARIA)
    assert "the password was changed" in told.text
    texts = [row.LogText for row in await office.office.rows(tables.securitylog, PermType=75)]
    assert "Patient portal: asked for a code by mail to choose a new password." in texts
    assert "Patient portal: chose a new password with a code." in texts


async def test_a_password_that_breaks_the_rules_costs_no_code(small: MailedOffice) -> None:
    await ask_for_code(small)
    code = await small.code()
    for weak in ("short", "Maria Delgado 12345", PASSWORD):
        with pytest.raises(PasswordRejected):
            await small.ask(calls.RESET, calls.Reset(MARIA, code, weak, HOME))
    await small.ask(calls.RESET, calls.Reset(MARIA, code, STRONG, HOME))


async def test_a_code_works_once_for_fifteen_minutes_and_for_its_own_name(small: MailedOffice) -> None:
    await ask_for_code(small)
    code = await small.code()
    assert await refused(small, code, user_name(Cast.LUIS)) == "wrong, used or too old"
    small.clock.advance(15 * 60)
    assert await refused(small, code) == "wrong, used or too old"
    await ask_for_code(small)
    other = await small.code()
    await small.ask(calls.RESET, calls.Reset(MARIA, other, STRONG, HOME))
    assert await refused(small, other) == "wrong, used or too old"
    assert await refused(small, code) == "wrong, used or too old"  # one that was used takes the others with it


async def test_a_clock_that_was_set_back_keeps_no_code_alive(small: MailedOffice) -> None:
    def good(seconds: float) -> Awaitable[bool]:
        return small.state.run(reset_codes.is_good, "login:1", "digest", now + dt.timedelta(seconds=seconds))

    now = small.clock.now()
    assert await small.state.run(reset_codes.ask, "login:1", HOME, "digest", now)
    assert [await good(seconds) for seconds in (-3600, -61, -59, 0, 899, 900)] == [
        False,
        False,
        True,
        True,
        True,
        False,
    ]


@pytest.mark.causes("code-rejected")
async def test_a_code_that_is_used_twice_at_once_counts_once(small: MailedOffice) -> None:
    await ask_for_code(small)
    code = await small.code()
    tries = [small.ask(calls.RESET, calls.Reset(MARIA, code, f"{STRONG} {n}", HOME)) for n in range(4)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert len([one for one in done if one == calls.Nothing()]) == 1
    assert len([one for one in done if isinstance(one, CodeRejected)]) == 3


@pytest.mark.parametrize("blank", ["", " ", "\u00a0", "-"])
async def test_open_dentals_own_code_is_taken_and_never_a_blank_one(office: MailedOffice, blank: str) -> None:
    await office.office.change(tables.userweb, {"PasswordResetCode": blank.strip()}, FKey=Cast.MARIA)
    assert await refused(office, blank) == "wrong, used or too old"
    await office.office.change(tables.userweb, {"PasswordResetCode": "48151623"}, FKey=Cast.MARIA)
    assert await refused(office, "48151624") == "wrong, used or too old"
    await office.ask(calls.RESET, calls.Reset(MARIA, " 48151623 ", STRONG, HOME))
    (row,) = await office.office.rows(tables.userweb, FKey=Cast.MARIA)
    assert row.PasswordResetCode == ""
    assert await refused(office, "48151623") == "wrong, used or too old"


async def test_a_password_from_before_13_1_has_a_way_out(small: MailedOffice) -> None:
    await small.office.change(tables.userweb, {"Password": PASSWORD}, FKey=Cast.MARIA)
    with pytest.raises(LoginFailed):
        await small.office.sign_in(Cast.MARIA)
    await ask_for_code(small)
    await small.ask(calls.RESET, calls.Reset(MARIA, await small.code(), STRONG, HOME))
    assert (await small.office.sign_in(Cast.MARIA, STRONG)).person == Cast.MARIA


NOBODY = [("Nobody99", ""), (user_name(Cast.ANA), ""), (user_name(Cast.LUIS), ""), (user_name(Cast.DEAD), "x@y.zz")]


async def test_nobody_learns_who_has_access_by_words_or_mail(small: MailedOffice) -> None:
    for name, mailbox in NOBODY:
        if mailbox:
            await small.office.change(tables.patient, {"Email": mailbox}, PatNum=Cast.DEAD)
        with said() as logs:
            await ask_for_code(small, name)
        assert not next(one for one in logs if one["event"] == "code asked for")["mailed"]
        assert name not in str(logs)
        assert isinstance(await refused(small, "22222-22222", name), str)
    assert await small.mails() == []


async def test_every_answer_leaves_on_the_same_beat(small: MailedOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    # The clock of the office stands still, so what an answer waits is exactly a beat, whatever it did before.
    small.answer_with(0.5)
    waited: list[float] = []
    sleep = asyncio.sleep
    mine = asyncio.current_task()

    async def note(seconds: float, result: object = None) -> object:
        if asyncio.current_task() is not mine:  # another thread's loop, of what an earlier test left running
            return await sleep(seconds, result)
        waited.append(seconds)
        return await sleep(0, result)

    monkeypatch.setattr("econnector.eservices.portal.office.desk.asyncio.sleep", note)
    for name in (MARIA, *(name for name, _ in NOBODY)):
        await ask_for_code(small, name)
        await refused(small, "22222-22222", name)
    await ask_for_code(small, MARIA, "no address at all")
    assert [wait for wait in waited if wait] == [0.5] * (2 * 5 + 1)


async def test_asking_is_slowed_down_per_name_and_per_address_without_saying_so(small: MailedOffice) -> None:
    for _ in range(reset_codes.PER_ACCOUNT + 5):
        await ask_for_code(small, address="203.0.113.1")
    assert len(await small.mails()) == reset_codes.PER_ACCOUNT
    first = await small.code()
    small.clock.advance(3600)
    for number in range(reset_codes.PER_ADDRESS + 3):
        await ask_for_code(small, f"Nobody{number}", "2001:db8:1:2::5")
    await ask_for_code(small, address="2001:db8:1:2::77")  # the same household
    assert len(await small.mails()) == reset_codes.PER_ACCOUNT
    await ask_for_code(small, address=HOME)
    assert len(await small.mails()) == reset_codes.PER_ACCOUNT + 1
    assert await small.code() != first


async def test_guessing_a_code_is_slowed_down_and_the_right_one_does_not_help_meanwhile(small: MailedOffice) -> None:
    await ask_for_code(small)
    code = await small.code()
    reasons = [await refused(small, f"22222-{n:05}", address="203.0.113.1") for n in range(8)]
    assert reasons[:5] == ["wrong, used or too old"] * 5
    assert "slowed down" in reasons
    assert await refused(small, code, address="203.0.113.1") == "slowed down"


async def test_the_state_file_holds_no_code(small: MailedOffice, tmp_path: Path) -> None:
    await ask_for_code(small)
    code = await small.code()
    with sqlite3.connect(tmp_path / "state.db") as connection:
        rows = connection.execute("SELECT * FROM portal_reset_code").fetchall()
    assert len(rows) == 1
    assert code not in str(rows)
    assert code.replace("-", "") not in str(rows)


async def test_spanish_patients_read_spanish(small: MailedOffice) -> None:
    await small.office.change(tables.patient, {"Language": "spa"}, PatNum=Cast.MARIA)
    await ask_for_code(small)
    assert (await small.mails())[0].subject == "Bright Smile Dental: su código"


async def test_a_changed_user_name_or_password_is_told(small: MailedOffice) -> None:
    token = (await small.office.sign_in(Cast.MARIA)).token
    await small.ask(calls.CHANGE_SIGN_IN, calls.ChangeSignIn(token, PASSWORD, "maria.d", STRONG))
    assert len(await small.mails()) == 2
    assert {"user name" in mail.text for mail in await small.mails()} == {True, False}

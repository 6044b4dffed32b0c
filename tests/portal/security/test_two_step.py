"""Two-step sign-in by code: setting it up, signing in with it, and how it is attacked."""

import asyncio
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

import msgspec
import pyotp
import pytest

from econnector.base.errors import (
    ChangeRequired,
    Failure,
    NotAllowed,
    PasskeyRejected,
    PasswordRejected,
    SecondStepRejected,
    SessionEnded,
    TooManyTries,
    TwoStepRequired,
)
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import codes
from econnector.opendental import tables
from econnector.opendental.passwords import make
from econnector.storage.state import half_sign_ins, portal_policy, second_steps
from econnector.storage.state.sealing import Seal, Unsealable
from econnector.wire.call import Call
from tests.portal.security.conftest import MailedOffice
from tests.support.practice import HOME, PASSWORD, STRONG, Cast

ELSEWHERE = "203.0.113.9"


class Phone:
    """An app with codes; its clock is `ahead` of the office's by so many seconds."""

    def __init__(self, office: MailedOffice, secret: str, ahead: float = 0.0) -> None:
        self.office, self.app, self.ahead = office, pyotp.TOTP(secret), ahead

    def code(self) -> str:
        return self.app.at(int(self.office.clock.now().timestamp() + self.ahead))


async def set_up(office: MailedOffice, person: Cast = Cast.MARIA, ahead: float = 0.0) -> tuple[Phone, list[str]]:
    """Turn two-step sign-in on; return the phone and the recovery codes."""
    token = (await office.office.sign_in(person)).token
    app = await office.ask(calls.PREPARE_APP, calls.PrepareApp(token))
    phone = Phone(office, app.secret, ahead)
    made = await office.ask(calls.CONFIRM_APP, calls.ConfirmApp(token, phone.code()))
    office.clock.advance(30)
    return phone, made.codes


async def ticket(office: MailedOffice, person: Cast = Cast.MARIA, address: str = HOME) -> str:
    session = await office.office.sign_in(person, address=address)
    assert (session.token, session.person, session.user_name) == ("", 0, "")
    assert session.ticket
    return session.ticket


async def step(office: MailedOffice, waiting: str, code: str, address: str = HOME) -> calls.Session:
    return await office.ask(calls.SECOND_STEP, calls.SecondStep(waiting, code, address=address, agent="Firefox"))


async def security(office: MailedOffice, token: str) -> calls.Security:
    return await office.ask(calls.SECURITY, calls.Token(token))


async def test_an_app_is_set_up_and_asked_for_from_then_on(office: MailedOffice) -> None:
    phone, recovery = await set_up(office)
    assert len(set(recovery)) == codes.RECOVERY_CODES
    waiting = await ticket(office)
    assert await office.ask(calls.STEP, calls.StepAsked(waiting, "portal.example.com")) == calls.Step(code=True)
    session = await step(office, waiting, phone.code())
    shown = await security(office, session.token)
    assert (shown.app, shown.codes_left, shown.on, shown.looking_at.number) == (True, 10, True, Cast.MARIA)
    assert len(await office.office.rows(tables.securitylog, PermType=175)) == 2  # with the one that set it up
    (mail,) = await office.mails()
    assert "two-step sign-in was turned on" in mail.text
    assert phone.app.secret not in mail.text


async def test_what_waits_for_the_second_step_opens_nothing(small: MailedOffice) -> None:
    await set_up(small)
    waiting = await ticket(small)
    asked: tuple[tuple[Call[Any, Any], msgspec.Struct], ...] = (
        (calls.HOME, calls.PersonAsked(waiting)),
        (calls.SECURITY, calls.Token(waiting)),
        (calls.CHANGE_SIGN_IN, calls.ChangeSignIn(waiting, PASSWORD, "maria.x", "")),
        (calls.PREPARE_APP, calls.PrepareApp(waiting, PASSWORD)),
        (calls.END_SESSIONS, calls.EndSessions(waiting)),
    )
    for call, params in asked:
        with pytest.raises(SessionEnded):
            await small.ask(call, params)
    (row,) = await small.office.rows(tables.userweb, FKey=Cast.MARIA)
    before = row.DateTimeLastLogin
    assert len(await small.office.rows(tables.securitylog, PermType=175)) == 1
    await ticket(small)
    (row,) = await small.office.rows(tables.userweb, FKey=Cast.MARIA)
    assert row.DateTimeLastLogin == before


async def test_every_session_has_a_token_of_its_own_and_a_ticket_works_once(small: MailedOffice) -> None:
    phone, recovery = await set_up(small)
    waiting = await ticket(small)
    first = await step(small, waiting, phone.code())
    assert waiting != first.token
    with pytest.raises(SessionEnded):
        await step(small, waiting, recovery[0])
    with pytest.raises(SessionEnded):
        await step(small, "made-up-by-somebody-else", recovery[0])
    with pytest.raises(SessionEnded):
        await step(small, first.token, recovery[0])
    later = await ticket(small)
    small.clock.advance(half_sign_ins.GOOD_FOR.total_seconds())
    with pytest.raises(SessionEnded):
        await step(small, later, phone.code())


@pytest.mark.causes("second-step-rejected")
async def test_a_code_never_counts_twice(small: MailedOffice) -> None:
    phone, _ = await set_up(small)
    used = phone.code()
    await step(small, await ticket(small), used)
    for _ in range(2):
        with pytest.raises(SecondStepRejected):
            await step(small, await ticket(small), used)
        small.clock.advance(30)  # still within the window
    waiting = [await ticket(small), await ticket(small)]
    small.clock.advance(60)
    both = await asyncio.gather(*(step(small, one, phone.code()) for one in waiting), return_exceptions=True)
    assert sorted(isinstance(one, calls.Session) for one in both) == [False, True]


async def test_the_code_that_set_it_up_and_an_older_one_do_not_sign_in(small: MailedOffice) -> None:
    phone, _ = await set_up(small)
    small.clock.advance(-30)
    confirming = phone.code()
    small.clock.advance(30)
    with pytest.raises(SecondStepRejected):
        await step(small, await ticket(small), confirming)
    await step(small, await ticket(small), phone.code())
    with pytest.raises(SecondStepRejected):
        await step(small, await ticket(small), confirming)


@pytest.mark.parametrize("ahead", [-600, -95, 45, 590])
async def test_a_phone_whose_clock_is_wrong_works_and_may_be_put_right(small: MailedOffice, ahead: float) -> None:
    phone, _ = await set_up(small, ahead=ahead)
    await step(small, await ticket(small), phone.code())
    small.clock.advance(60)
    phone.ahead += 30  # it drifts on
    await step(small, await ticket(small), phone.code())
    small.clock.advance(1200)
    phone.ahead = 0
    await step(small, await ticket(small), phone.code())


async def test_a_code_of_long_ago_or_to_come_does_not_count(small: MailedOffice) -> None:
    phone, _ = await set_up(small)
    for off in (-90, 90, 3600):
        phone.ahead = off
        with pytest.raises(SecondStepRejected):
            await step(small, await ticket(small), phone.code())


async def test_a_recovery_code_works_once_and_is_told(small: MailedOffice) -> None:
    _, recovery = await set_up(small)
    session = await step(small, await ticket(small), f" {recovery[3].lower()} ")
    assert (await security(small, session.token)).codes_left == 9
    with pytest.raises(SecondStepRejected):
        await step(small, await ticket(small), recovery[3])
    await step(small, await ticket(small), recovery[4].replace("-", ""))
    assert sum("recovery code" in mail.text for mail in await small.mails()) == 2
    waiting = [await ticket(small), await ticket(small)]
    both = await asyncio.gather(*(step(small, one, recovery[5]) for one in waiting), return_exceptions=True)
    assert sorted(isinstance(one, calls.Session) for one in both) == [False, True]


async def test_recovery_codes_are_their_owners_and_new_ones_end_the_old(small: MailedOffice) -> None:
    phone, recovery = await set_up(small)
    await small.office.change(tables.userweb, {"Password": make(PASSWORD)}, FKey=Cast.LUIS)
    _, others = await set_up(small, Cast.LUIS)
    with pytest.raises(SecondStepRejected):
        await step(small, await ticket(small), others[0])
    token = (await step(small, await ticket(small), phone.code())).token
    made = await small.ask(calls.CHANGE_TWO_STEP, calls.ChangeTwoStep(token, "codes"))
    assert set(made.codes).isdisjoint(recovery)
    with pytest.raises(SecondStepRejected):
        await step(small, await ticket(small), recovery[0])
    await step(small, await ticket(small), made.codes[0])


async def test_guesses_count_over_all_tickets_and_lock_nobody_out_at_home(small: MailedOffice) -> None:
    phone, recovery = await set_up(small)
    await step(small, await ticket(small), phone.code())  # home is known now
    kinds: list[type[Failure]] = []
    for number in range(12):
        waiting = await ticket(small, address=ELSEWHERE)
        with pytest.raises(Failure) as caught:
            await step(small, waiting, f"{number:06}", ELSEWHERE)
        kinds.append(caught.type)
        assert caught.value.public_facts() == {}
    assert kinds[:5] == [SecondStepRejected] * 5
    assert kinds[-1] is TooManyTries
    with pytest.raises(TooManyTries):
        await step(small, await ticket(small, address=ELSEWHERE), recovery[0], ELSEWHERE)
    small.clock.advance(60)
    await step(small, await ticket(small), phone.code())


@pytest.mark.parametrize(
    "typed", ["", " ", "0", "００００００", "1" * 300, "\ud800", "'; DROP TABLE", "000000\n000000"]
)
async def test_whatever_is_typed_is_refused(small: MailedOffice, typed: str) -> None:
    await set_up(small)
    waiting = (await small.office.sign_in(Cast.MARIA)).ticket
    params = calls.SecondStep(waiting, typed.encode("utf-8", "replace").decode())
    with pytest.raises(SecondStepRejected):
        await small.ask(calls.SECOND_STEP, params)


async def test_a_session_that_is_not_fresh_needs_the_password(small: MailedOffice) -> None:
    token = (await small.office.sign_in(Cast.MARIA)).token
    assert not (await security(small, token)).password_needed
    small.clock.advance(600)
    assert (await security(small, token)).password_needed
    for password in ("", "wrong"):
        with pytest.raises(PasswordRejected):
            await small.ask(calls.PREPARE_APP, calls.PrepareApp(token, password))
    app = await small.ask(calls.PREPARE_APP, calls.PrepareApp(token, PASSWORD))
    assert await small.ask(calls.PREPARE_APP, calls.PrepareApp(token, again=True)) == app
    with pytest.raises(SecondStepRejected):
        await small.ask(calls.CONFIRM_APP, calls.ConfirmApp(token, "000000"))
    await small.ask(calls.CONFIRM_APP, calls.ConfirmApp(token, Phone(small, app.secret).code()))
    for what in ("off", "codes"):
        with pytest.raises(PasswordRejected):
            await small.ask(calls.CHANGE_TWO_STEP, calls.ChangeTwoStep(token, what))
    await small.ask(calls.CHANGE_TWO_STEP, calls.ChangeTwoStep(token, "off", password=PASSWORD))
    assert not (await security(small, token)).on
    assert (await small.office.sign_in(Cast.MARIA)).token


async def test_an_app_that_is_being_set_up_asks_for_nothing_and_is_forgotten(small: MailedOffice) -> None:
    token = (await small.office.sign_in(Cast.MARIA)).token
    app = await small.ask(calls.PREPARE_APP, calls.PrepareApp(token))
    assert (await small.office.sign_in(Cast.MARIA)).token
    small.clock.advance(second_steps.PENDING.total_seconds())
    with pytest.raises(SecondStepRejected):
        await small.ask(calls.CONFIRM_APP, calls.ConfirmApp(token, Phone(small, app.secret).code()))


@pytest.mark.causes("two-step-required")
async def test_required_means_before_anything_else_and_is_read_live(office: MailedOffice) -> None:
    token = (await office.office.sign_in(Cast.MARIA)).token
    await office.ask(calls.HOME, calls.PersonAsked(token))
    await office.state.run(portal_policy.set_two_step, "required")
    with pytest.raises(ChangeRequired) as caught:
        await office.ask(calls.HOME, calls.PersonAsked(token))
    assert caught.value.public_facts() == {"need": "two-step"}
    assert (await security(office, token)).two_step == "required"
    app = await office.ask(calls.PREPARE_APP, calls.PrepareApp(token))
    await office.ask(calls.CONFIRM_APP, calls.ConfirmApp(token, Phone(office, app.secret).code()))
    await office.ask(calls.HOME, calls.PersonAsked(token))
    with pytest.raises(TwoStepRequired):
        await office.ask(calls.CHANGE_TWO_STEP, calls.ChangeTwoStep(token, "off"))
    assert (await security(office, token)).on


async def test_off_offers_nothing_new_and_takes_nothing_away(small: MailedOffice) -> None:
    phone, _ = await set_up(small)
    await small.state.run(portal_policy.set_two_step, "off")
    session = await step(small, await ticket(small), phone.code())
    await small.ask(calls.CHANGE_TWO_STEP, calls.ChangeTwoStep(session.token, "off"))
    with pytest.raises(NotAllowed):
        await small.ask(calls.PREPARE_APP, calls.PrepareApp(session.token))
    with pytest.raises(NotAllowed):
        await small.ask(calls.BEGIN_PASSKEY, calls.BeginPasskey(session.token, "portal.example.com"))


async def test_a_new_password_by_mail_does_not_go_round_the_second_step(small: MailedOffice) -> None:
    await set_up(small)
    await small.ask(calls.FORGOT, calls.Forgot("maria4011", HOME))
    await small.ask(calls.RESET, calls.Reset("maria4011", await small.code(), STRONG, HOME))
    session = await small.office.sign_in(Cast.MARIA, STRONG)
    assert (session.token, bool(session.ticket)) == ("", True)


@pytest.mark.parametrize("stored", ["None$$", make(STRONG)])
async def test_what_the_office_changes_between_the_steps_counts(small: MailedOffice, stored: str) -> None:
    phone, _ = await set_up(small)
    waiting = await ticket(small)
    await small.office.change(tables.userweb, {"Password": stored}, FKey=Cast.MARIA)
    with pytest.raises(SessionEnded):
        await step(small, waiting, phone.code())


async def test_the_office_can_take_it_away_from_who_lost_everything(small: MailedOffice) -> None:
    await set_up(small)
    waiting = await ticket(small)
    assert await small.state.run(second_steps.forget, 1000 + Cast.MARIA)
    with pytest.raises(SessionEnded):
        await small.ask(calls.STEP, calls.StepAsked(waiting))
    assert (await small.office.sign_in(Cast.MARIA)).token


async def test_the_state_file_alone_opens_nothing(small: MailedOffice, tmp_path: Path) -> None:
    phone, recovery = await set_up(small)
    waiting = await ticket(small)
    dump = "\n".join(sqlite3.connect(tmp_path / "state.db").iterdump())
    for secret in (phone.app.secret, phone.app.secret.encode().hex(), waiting, *recovery):
        assert secret.lower() not in dump.lower()


async def test_another_machines_key_reads_nothing_and_lets_nobody_in(small: MailedOffice) -> None:
    phone, _ = await set_up(small)
    small.seal = Seal()
    small.answer_with(0.001)
    with pytest.raises(SecondStepRejected):
        await step(small, await ticket(small), phone.code())


def test_the_key_is_kept_for_its_owner_only_and_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    sealed = Seal(folder).seal("app:1", b"secret")
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o077 == 0
    again = Seal(folder)
    assert again.open("app:1", sealed) == b"secret"
    for purpose, text in (("app:2", sealed), ("app:1", sealed[:-1] + b"\0"), ("app:1", b"")):
        with pytest.raises(Unsealable):
            again.open(purpose, text)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root makes files for others")
def test_a_key_that_root_needs_first_belongs_to_the_account_whose_folder_it_is(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12346)
    sealed = Seal(tmp_path).seal("app:1", b"secret")
    (file,) = tmp_path.iterdir()
    found = file.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o077) == (12345, 12346, 0)
    assert file.suffix == ".secret"  # what systemd seals for root, nobody else opens
    assert Seal(tmp_path).open("app:1", sealed) == b"secret"


async def test_sessions_are_ones_own_to_see_and_end(office: MailedOffice) -> None:
    other = await office.office.sign_in(Cast.GRETA)
    (foreign,) = (await security(office, other.token)).sessions
    phone, tablet = [await office.office.sign_in(Cast.MARIA) for _ in range(2)]
    shown = (await security(office, tablet.token)).sessions
    assert [(one.current, one.alive, one.address, one.agent) for one in shown] == [
        (True, True, HOME, "Firefox"),
        (False, True, HOME, "Firefox"),
    ]
    for number in (foreign.number, "0" * 32, "%"):
        with pytest.raises(NotAllowed) as caught:
            await office.ask(calls.END_SESSIONS, calls.EndSessions(tablet.token, number))
        assert caught.value.facts == {}
    await office.ask(calls.END_SESSIONS, calls.EndSessions(tablet.token, shown[1].number))
    with pytest.raises(SessionEnded):
        await security(office, phone.token)
    third = await office.office.sign_in(Cast.MARIA)
    await office.ask(calls.END_SESSIONS, calls.EndSessions(third.token))
    for session in (tablet, third):
        with pytest.raises(SessionEnded):
            await security(office, session.token)
    await security(office, other.token)
    (last, *_) = await office.office.rows(tables.securitylog, LogText="Patient portal: signed out everywhere.")
    assert (last.PatNum, last.FKey) == (Cast.MARIA, Cast.MARIA)


@pytest.mark.causes("passkey-rejected")
@pytest.mark.parametrize("host", ["", "127.0.0.1", "::1", "evil.com/", "UPPER.example", "a" * 300])
async def test_no_passkey_is_made_for_what_is_no_host(small: MailedOffice, host: str) -> None:
    token = (await small.office.sign_in(Cast.MARIA)).token
    with pytest.raises(PasskeyRejected):
        await small.ask(calls.BEGIN_PASSKEY, calls.BeginPasskey(token, host))
    with pytest.raises(PasskeyRejected):
        await small.ask(calls.ADD_PASSKEY, calls.AddPasskey(token, "{}", host, f"https://{host}"))


async def test_a_passkey_of_somebody_else_cannot_be_removed(small: MailedOffice) -> None:
    token = (await small.office.sign_in(Cast.MARIA)).token
    for number in ("", "0" * 32):
        with pytest.raises(NotAllowed):
            await small.ask(calls.CHANGE_TWO_STEP, calls.ChangeTwoStep(token, "drop-passkey", number))

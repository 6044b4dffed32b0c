"""A new password by mail, for who forgot the old one, or has one that is too old to be read (13.1 and earlier).

Nothing tells a known name from an unknown one: both are looked up, counted, slowed down and answered alike and on the
same beat, and the mail goes out after the answer. Open Dental's own code (`userweb.PasswordResetCode`) is taken too.
The second step of signing in stays: a mailbox alone opens nothing that asks for more.
"""

import asyncio
import hmac
from typing import TYPE_CHECKING

import msgspec
import structlog

from econnector.base.errors import CodeRejected
from econnector.base.ids import new_code, tidy_code
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import journal
from econnector.eservices.portal.office.changing import judge_password
from econnector.eservices.portal.office.desk import Desk
from econnector.eservices.portal.office.letters import send_code, tell
from econnector.eservices.portal.rules_password import About
from econnector.mail.compose import usable
from econnector.opendental import logins, passwords, practice, preferences
from econnector.opendental.logins import Login
from econnector.opendental.reachable import reachable
from econnector.storage.state import reset_codes, sessions, throttle
from econnector.wire.call import Answers, Asked

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["answer"]

log = structlog.get_logger(__name__)

_SHORTEST_FOREIGN = 4
"""Characters of a code of Open Dental's: what is shorter is none."""


class _Looked(msgspec.Struct, frozen=True):
    """What the database knows of a name."""

    login: Login | None
    refusal: str
    """Why a right code would not help; empty when it would."""
    foreign_code: str
    """Open Dental's own; empty for none."""
    has_mail: bool
    about: About


def answer(desk: Desk, answers: Answers) -> None:
    """Answer `FORGOT` and `RESET`."""

    @answers.to(calls.FORGOT)
    async def _(asked: Asked, params: calls.Forgot) -> calls.Nothing:
        async with desk.same_time(always=True):
            await _forgot(desk, asked, params)
        return calls.Nothing()

    @answers.to(calls.RESET)
    async def _(asked: Asked, params: calls.Reset) -> calls.Nothing:
        await _reset(desk, asked, params)
        return calls.Nothing()


async def _forgot(desk: Desk, asked: Asked, params: calls.Forgot) -> None:
    """Keep a code, of an unknown name too, and leave the mail for later."""
    looked = await desk.database.run(_look_up, desk, params.user_name)
    account, code = _account(looked, params.user_name), new_code()
    digest = await asyncio.to_thread(_digest, desk, account, code)
    kept = await desk.state.run(reset_codes.ask, account, params.address, digest, desk.clock.now())
    why = looked.refusal or ("" if looked.has_mail else "no mail address") or ("" if kept else "slowed down")
    log.info("code asked for", reference=asked.reference, mailed=not why, reason=why)
    if looked.login and not why:
        desk.later(_send(desk, looked.login, code), "mail: code")


async def _send(desk: Desk, login: Login, code: str) -> None:
    await send_code(desk, login.patient, code)
    await desk.database.run(_note, desk, login.patient, "asked for a code by mail to choose a new password")


async def _reset(desk: Desk, asked: Asked, params: calls.Reset) -> None:
    """Set a new password. Raises `CodeRejected` for whatever is wrong with the code, `PasswordRejected`."""
    async with desk.same_time():
        looked = await desk.database.run(_look_up, desk, params.user_name)
        account = _account(looked, params.user_name)
        secret = passwords.fingerprint(looked.login.stored if looked.login else "")
        now = desk.clock.now()
        this = await desk.state.run(throttle.begin, f"reset:{account}", secret, params.address, now)
        digest = await asyncio.to_thread(_digest, desk, account, params.code)
        ours = await desk.state.run(reset_codes.is_good, account, digest, now)
        right = _is_foreign(looked.foreign_code, params.code) or ours
        if not this.allowed or not right or looked.login is None or looked.refusal:
            reason = looked.refusal or ("slowed down" if not this.allowed else "wrong, used or too old")
            log.info("code refused", reference=asked.reference, reason=reason)
            raise CodeRejected(reason=reason)
        await desk.state.run(throttle.passed, this, now)
    judge_password(params.password, looked.login.stored, looked.about)
    # The code first: should all end between the two, a code is lost and not a code good for two passwords.
    if ours and not await desk.state.run(reset_codes.use, account, digest, now):
        raise CodeRejected(reason="used at the same moment")
    if not await desk.database.run(_write, desk, looked.login, passwords.make(params.password)):
        raise CodeRejected(reason="the office changed the sign-in at the same moment")
    await desk.state.run(sessions.end_all, looked.login.patient, "the password was changed", now)
    log.info("password set with a code", reference=asked.reference, foreign=not ours)
    tell(desk, looked.login.patient, "password")


def _look_up(connection: "Connection", desk: Desk, user_name: str) -> _Looked:
    desk.schema_of(connection)
    found = logins.find(connection, user_name)
    login = found.login
    # Asked for nobody too: as many questions for an unknown name as for a known one.
    patient, number = (login.patient, login.number) if login else (0, 0)
    standing = logins.standing(connection, patient)
    settings = preferences.read_many(connection, practice.SETTINGS)
    to = reachable(connection, patient)
    return _Looked(
        login,
        found.why or standing,
        logins.reset_code(connection, number),
        usable(to.email),
        About(user_name=user_name, names=to.names, practice=practice.practice(settings).title),
    )


def _account(looked: _Looked, user_name: str) -> str:
    return f"login:{looked.login.number}" if looked.login else f"name:{user_name.strip().casefold()}"


def _digest(desk: Desk, account: str, code: str) -> str:
    return desk.seal.digest(f"reset:{account}", tidy_code(code))


def _is_foreign(kept: str, typed: str) -> bool:
    """Return whether a code is Open Dental's own. A blank one never is: every row that waits for no code has it."""
    same = hmac.compare_digest(kept.encode("utf-8", "replace"), typed.strip().encode("utf-8", "replace"))
    return same and len(kept) >= _SHORTEST_FOREIGN


def _write(connection: "Connection", desk: Desk, login: Login, stored: str) -> bool:
    if logins.set_sign_in(connection, desk.schema_of(connection), login, stored=stored):
        return False
    _note(connection, desk, login.patient, "chose a new password with a code")
    return True


def _note(connection: "Connection", desk: Desk, patient: int, what: str) -> None:
    journal.acted(connection, desk.schema_of(connection), patient, patient, f"Patient portal: {what}.")

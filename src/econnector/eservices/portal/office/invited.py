"""Accepting an invite: who has the code from the office's mail, and knows the birth date, chooses how they sign in.

Whatever is wrong is answered alike and on the same beat; the real cause goes to the access log. Nothing but choosing a
password uses the code up: programs that open every link of a mail do no harm. An invite is bound to the password that
was stored when it was sent, so it ends with the access, with a new password, and with the chart; that binding is also
what makes it work once. The second step of signing in stays.
"""

import asyncio
import datetime as dt
from typing import TYPE_CHECKING

import msgspec
import structlog

from econnector.base.errors import InviteRejected, UserNameRejected
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import journal, tries
from econnector.eservices.portal.office.changing import TAKEN, judge_name, judge_password
from econnector.eservices.portal.office.desk import Desk
from econnector.eservices.portal.office.invitation import digest_of
from econnector.eservices.portal.office.letters import tell
from econnector.eservices.portal.office.signing import let_in
from econnector.eservices.portal.rules_password import About
from econnector.eservices.portal.rules_user_name import LONGEST, tidy
from econnector.opendental import logins, passwords, patients, practice, preferences
from econnector.opendental.logins import Login
from econnector.storage.state import portal_invites, sessions, throttle
from econnector.storage.state.portal_invites import Invite
from econnector.wire.call import Answers, Asked

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["answer"]

log = structlog.get_logger(__name__)


class _Looked(msgspec.Struct, frozen=True):
    """What the database knows of an invite's holder."""

    login: Login | None
    refusal: str
    """Why a right code would not help; empty when it would."""
    birth_date: dt.date | None
    about: About


class _Proven(msgspec.Struct, frozen=True):
    """Who has shown code and birth date."""

    login: Login
    about: About
    digest: str
    this: throttle.Try


def answer(desk: Desk, answers: Answers) -> None:
    """Answer `INVITE` and `ACCEPT_INVITE`."""

    @answers.to(calls.INVITE)
    async def _(asked: Asked, params: calls.Invite) -> calls.Invited:
        proven = await _prove(desk, asked, params)
        await desk.state.run(throttle.passed, proven.this, desk.clock.now())
        return calls.Invited("" if proven.login.change_user_name else proven.login.user_name)

    @answers.to(calls.ACCEPT_INVITE)
    async def _(asked: Asked, params: calls.AcceptInvite) -> calls.Session:
        return await _accept(desk, asked, params)


async def _prove(desk: Desk, asked: Asked, params: calls.Invite) -> _Proven:
    """Return who it is. Raises `InviteRejected` for whatever is wrong, and for who must wait."""
    async with desk.same_time():
        now = desk.clock.now()
        digest = await asyncio.to_thread(digest_of, desk.seal, params.code)
        this = await desk.state.run(throttle.begin, f"invite:{digest}", "", params.address, now)
        invite = await desk.state.run(portal_invites.find, digest)
        looked = await desk.database.run(_look_up, desk, invite)
        why = "slowed down" if not this.allowed else _refusal(invite, looked, params.birth_date, now)
        if not why and looked.login is not None:
            return _Proven(looked.login, looked.about, digest, this)
        if why == _NOT_BORN:
            await desk.state.run(portal_invites.wrong, digest)
        log.info("invite refused", reference=asked.reference, reason=why)
        await tries.invite_refused(desk, params, looked.login, why, asked.reference, slowed=not this.allowed)
        raise InviteRejected(reason=why)


_NOT_BORN = "the birth date is not the chart's"


def _refusal(invite: Invite | None, looked: _Looked, birth_date: str, now: dt.datetime) -> str:
    """Return why it may not be accepted; empty when it may."""
    if invite is None:
        return "no such code, or a newer invite was sent"
    if not invite.is_open(now):
        spent = "too many wrong birth dates" if invite.wrong >= portal_invites.MOST_WRONG else "too old"
        return "it was accepted already" if invite.used else spent
    if looked.refusal:
        return looked.refusal
    born = looked.birth_date.isoformat() if looked.birth_date else ""
    return "" if born and born == birth_date else _NOT_BORN


def _look_up(connection: "Connection", desk: Desk, invite: Invite | None) -> _Looked:
    desk.schema_of(connection)
    # Asked for nobody too: as many questions for an unknown code as for a known one.
    number, patient = (invite.login, invite.patient) if invite else (0, 0)
    login = logins.by_number(connection, number)
    standing = logins.standing(connection, patient)
    chart = next(iter(patients.by_numbers(connection, [patient])), None)
    settings = preferences.read_many(connection, practice.SETTINGS)
    names = (chart.first_name, chart.last_name, chart.preferred) if chart else ()
    return _Looked(
        login,
        standing or _changed(invite, login),
        chart.birth_date if chart else None,
        About(user_name=login.user_name if login else "", names=names, practice=practice.practice(settings).title),
    )


def _changed(invite: Invite | None, login: Login | None) -> str:
    """Return what ended the invite since it was sent; empty for nothing."""
    if invite is None or login is None or login.patient != invite.patient:
        return "the sign-in is not there any more"
    if not login.has_access:
        return "access was removed"
    changed = passwords.fingerprint(login.stored) != invite.password
    return "the password was changed after the invite was sent" if changed else ""


async def _accept(desk: Desk, asked: Asked, params: calls.AcceptInvite) -> calls.Session:
    """Write user name and password, and let them in.

    Raises `InviteRejected`, `UserNameRejected`, `PasswordRejected`; the last two cost no code.
    """
    proven = await _prove(desk, asked, params)
    login, now = proven.login, desk.clock.now()
    await desk.state.run(throttle.passed, proven.this, now)
    name = _name_to_write(login, params.user_name)
    judge_password(
        params.password, login.stored, msgspec.structs.replace(proven.about, user_name=name or login.user_name)
    )
    # Of several at once only one finds the password that the invite is bound to. Whoever dies after it has used the
    # invite up all the same: its password is gone.
    fresh = await desk.database.run(_write, desk, login, name, passwords.make(params.password))
    await desk.state.run(portal_invites.use, proven.digest, now)
    await desk.state.run(sessions.end_all, login.patient, "the password was changed", now)
    log.info("invite accepted", reference=asked.reference)
    tell(desk, login.patient, "password")
    entering = calls.SignIn(fresh.user_name, params.password, params.address, params.agent)
    return await let_in(desk, fresh, throttle.Try("", "", ()), entering)


def _name_to_write(login: Login, typed: str) -> str:
    """Return the user name to write, empty for the one of now. Raises `UserNameRejected`."""
    name = tidy(typed[: LONGEST * 2])
    if not login.change_user_name and name in {"", login.user_name}:
        return ""
    judge_name(name, login)
    return name


def _write(connection: "Connection", desk: Desk, login: Login, name: str, stored: str) -> Login:
    schema = desk.schema_of(connection)
    problem = logins.set_sign_in(connection, schema, login, user_name=name, stored=stored)
    if problem == "taken":
        raise UserNameRejected(rule=TAKEN.rule, why=TAKEN.why)
    if problem:
        raise InviteRejected(reason="it was accepted, or the password changed, at the same moment")
    text = "Patient portal: accepted the invite and chose a password."
    journal.acted(connection, schema, login.patient, login.patient, text)
    fresh = logins.by_number(connection, login.number)
    if fresh is None:
        raise InviteRejected(reason="access was removed at the same moment")
    return fresh

"""Signing in and out.

Every cause of refusal takes the same path (look up, count, check, note) and leaves on the same beat, so that
neither words nor time tell a known name from an unknown one. The real cause goes to the office's access log.
"""

from typing import TYPE_CHECKING

import msgspec
import structlog

from econnector.base.errors import LoginFailed, TooManyTries
from econnector.base.ids import new_id
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import journal, tries
from econnector.eservices.portal.office.around import card
from econnector.eservices.portal.office.desk import Desk
from econnector.opendental import logins, passwords
from econnector.opendental.logins import Login
from econnector.opendental.passwords import Form
from econnector.storage.state import half_sign_ins, second_steps, sessions, throttle
from econnector.storage.state.half_sign_ins import HalfSignIn
from econnector.wire.call import Answers, Asked

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["answer", "enter", "leave_traces", "let_in"]

log = structlog.get_logger(__name__)


class _Looked(msgspec.Struct, frozen=True):
    """What the database knows of a name."""

    login: Login | None
    refusal: str
    """Why a right password would not help; empty when it would."""
    ecw: bool


def answer(desk: Desk, answers: Answers) -> None:
    """Answer `PRACTICE`, `SIGN_IN` and `SIGN_OUT`."""

    @answers.to(calls.PRACTICE)
    async def _(_asked: Asked, _params: calls.Nothing) -> calls.Practice:
        return await desk.database.run(card)

    @answers.to(calls.SIGN_IN)
    async def _(asked: Asked, params: calls.SignIn) -> calls.Session:
        return await _sign_in(desk, asked, params)

    @answers.to(calls.SIGN_OUT)
    async def _(_asked: Asked, params: calls.Token) -> calls.Nothing:
        # Once, twice or with a made-up token, the answer is the same.
        await desk.end(params.token, "signed out")
        return calls.Nothing()


async def _sign_in(desk: Desk, asked: Asked, params: calls.SignIn) -> calls.Session:
    """Return a new session, or a ticket for the second step. Raises `LoginFailed`, `TooManyTries`, which read alike."""
    async with desk.same_time():
        looked = await desk.database.run(_look_up, desk, params.user_name)
        this = await _count(desk, looked, params)
        if not this.allowed:
            log.info("sign-in slowed down", reference=asked.reference, tries=this.tries, seconds=round(this.wait))
            why = "slowed down after too many failures"
            await tries.refused(desk, params, looked.login, why, asked.reference, slowed=True)
            raise TooManyTries(tries=this.tries, seconds=round(this.wait))
        login = _right(looked, params.password)
        if login is None:
            reason = _reason(looked, params.password)
            await desk.database.run(_note_failure, desk, params.user_name)
            log.info("sign-in refused", reference=asked.reference, reason=reason)
            await tries.refused(desk, params, looked.login, reason, asked.reference)
            raise LoginFailed(reason=reason)
    return await let_in(desk, login, this, params)


def _look_up(connection: "Connection", desk: Desk, user_name: str) -> _Looked:
    schema = desk.schema_of(connection)
    found = logins.find(connection, user_name)
    # Asked for nobody too: as many questions for an unknown name as for a known one.
    standing = logins.standing(connection, found.login.patient if found.login else 0)
    return _Looked(found.login, found.why or standing, logins.ecw_in_use(connection, schema))


async def _count(desk: Desk, looked: _Looked, params: calls.SignIn) -> throttle.Try:
    account = f"login:{looked.login.number}" if looked.login else f"name:{params.user_name.strip().casefold()}"
    secret = passwords.fingerprint(looked.login.stored if looked.login else "")
    return await desk.state.run(throttle.begin, account, secret, params.address, desk.clock.now())


def _right(looked: _Looked, password: str) -> Login | None:
    matches = passwords.check(looked.login.stored if looked.login else None, password, ecw=looked.ecw)
    return looked.login if matches and not looked.refusal else None


def _reason(looked: _Looked, password: str) -> str:
    if looked.login is None:
        return looked.refusal
    if passwords.form_of(looked.login.stored, ecw=looked.ecw) is Form.UNKNOWN:
        return "the stored password is from version 13.1 or earlier or damaged; give a new one"
    if not passwords.check(looked.login.stored, password, ecw=looked.ecw):
        return "wrong password"
    return looked.refusal


def _note_failure(connection: "Connection", desk: Desk, user_name: str) -> None:
    logins.record_failure(connection, desk.schema_of(connection), user_name)


async def let_in(desk: Desk, login: Login, this: throttle.Try, params: calls.SignIn) -> calls.Session:
    """Open a session for who knows the password; where a second step is set up, return a ticket for it instead."""
    number = new_id()
    half = await desk.state.run(second_steps.has_any, login.number)
    stored = await desk.database.run(_welcome, desk, login, params.password, "" if half else number, params.address)
    fingerprint = passwords.fingerprint(stored)
    if half:
        waiting = HalfSignIn(login.number, fingerprint, params.address, params.agent)
        return calls.Session("", 0, 0, 0, ticket=await desk.state.run(_begin_half, desk, waiting, this))
    return await enter(desk, login, fingerprint, number, params.address, params.agent, this)


async def enter(  # noqa: PLR0913, PLR0917 - who enters, and from where
    desk: Desk, login: Login, fingerprint: str, number: str, address: str, agent: str, this: throttle.Try
) -> calls.Session:
    """Return a session of its own for a sign-in whose traces are written; `this` try was right."""

    def opening(state: "Connection") -> sessions.Opened:
        throttle.passed(state, this, desk.clock.now())
        return sessions.open_session(
            state,
            desk.clock.now(),
            login=login.number,
            patient=login.patient,
            password=fingerprint,
            address=address,
            agent=agent,
            before=login.last_login.isoformat() if login.last_login else "",
            number=number,
        )

    opened = await desk.state.run(opening)
    await tries.entered(desk, login, address, agent)
    return desk.as_session(opened.token, opened.session, login)


def _begin_half(state: "Connection", desk: Desk, half: HalfSignIn, this: throttle.Try) -> str:
    throttle.passed(state, this, desk.clock.now())
    return half_sign_ins.begin(state, half, desk.clock.now())


def _welcome(  # noqa: PLR0913, PLR0917 - what is written of a sign-in
    connection: "Connection", desk: Desk, login: Login, password: str, number: str, address: str
) -> str:
    """Write what a right password leaves behind; return the stored password as it is afterwards.

    `number` is the session's, empty where a second step comes first.
    """
    schema = desk.schema_of(connection)
    if desk.mends():
        journal.mend(connection, schema)
    stored = login.stored
    if passwords.form_of(stored) is not Form.SHA3_512:
        newer = passwords.make(password)
        if logins.rewrite_password(connection, schema, login, newer):
            stored = newer
    if number:
        leave_traces(connection, desk, login, number, address)
    return stored


def leave_traces(connection: "Connection", desk: Desk, login: Login, number: str, address: str) -> None:
    """Write what a finished sign-in leaves behind in Open Dental."""
    schema = desk.schema_of(connection)
    logins.mark_signed_in(connection, schema, login)
    journal.signed_in(connection, schema, login.patient, address, number)

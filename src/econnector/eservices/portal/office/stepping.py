"""The second step of signing in: an app's code, a recovery code or a passkey, after the right password.

What waits between the two is no session (`storage.state.half_sign_ins`); everything is decided anew when it ends.
"""

from typing import TYPE_CHECKING

import structlog

from econnector.base.errors import SecondStepRejected, SessionEnded, TooManyTries
from econnector.base.ids import new_id
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import codes, passkeys, tries
from econnector.eservices.portal.office.desk import Desk
from econnector.eservices.portal.office.letters import tell
from econnector.eservices.portal.office.signing import enter, leave_traces
from econnector.opendental import logins, passwords
from econnector.opendental.logins import Login
from econnector.storage.state import half_sign_ins, second_steps, throttle
from econnector.storage.state.half_sign_ins import HalfSignIn
from econnector.storage.state.second_steps import SecondStep
from econnector.wire.call import Answers, Asked

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["answer"]

log = structlog.get_logger(__name__)


def answer(desk: Desk, answers: Answers) -> None:
    """Answer `STEP` and `SECOND_STEP`. Both raise `SessionEnded` for a ticket that is not, or not any more, good."""

    @answers.to(calls.STEP)
    async def _(_asked: Asked, params: calls.StepAsked) -> calls.Step:
        _, have = await _waiting(desk, params.ticket)
        options = await passkeys.options_to_get(desk, params.ticket, params.host, have.passkeys)
        return calls.Step(code=bool(have.secret) or have.codes_left > 0, passkey=options)

    @answers.to(calls.SECOND_STEP)
    async def _(asked: Asked, params: calls.SecondStep) -> calls.Session:
        return await _finish(desk, asked, params)


async def _waiting(desk: Desk, ticket: str) -> tuple[HalfSignIn, SecondStep]:
    def find(state: "Connection") -> tuple[HalfSignIn | None, SecondStep]:
        half = half_sign_ins.find(state, ticket, desk.clock.now())
        return half, second_steps.find(state, half.login, desk.clock.now()) if half else SecondStep()

    half, have = await desk.state.run(find)
    if half is None or not have.on:
        raise SessionEnded(reason="the second step took too long, or was turned off meanwhile")
    return half, have


async def _finish(desk: Desk, asked: Asked, params: calls.SecondStep) -> calls.Session:
    """Return a new session. Raises `SecondStepRejected`, `PasskeyRejected`, `TooManyTries`, `SessionEnded`."""
    async with desk.same_time():
        half, have = await _waiting(desk, params.ticket)
        login = await desk.database.run(_still, desk, half)
        this = throttle.Try("", "", ())
        if params.passkey:
            await passkeys.verify(desk, params.ticket, params.passkey, params.host, params.origin, have.passkeys)
        else:
            this = await _check_code(desk, asked, half, have, params, login)
    if not await desk.state.run(half_sign_ins.end, params.ticket):
        raise SessionEnded(reason="its second step was made already")
    number = new_id()
    await desk.database.run(leave_traces, desk, login, number, params.address)
    return await enter(desk, login, half.password, number, params.address, params.agent, this)


async def _check_code(  # noqa: PLR0913, PLR0917 - what is checked, and for whom
    desk: Desk, asked: Asked, half: HalfSignIn, have: SecondStep, params: calls.SecondStep, login: Login
) -> throttle.Try:
    """Return the try to be taken back. Guesses count per sign-in, whatever ticket they come with."""
    account = f"step:{half.login}"
    this = await desk.state.run(throttle.begin, account, half.password, params.address, desk.clock.now())
    if not this.allowed:
        raise TooManyTries(tries=this.tries, seconds=round(this.wait))
    right, kind = await codes.is_right(desk, half.login, have, params.code)
    if not right:
        log.info("second step refused", reference=asked.reference, kind=kind)
        reason = f"wrong or used code ({kind})"
        await tries.step_refused(desk, login, params.address, params.agent, f"second step: {reason}", asked.reference)
        raise SecondStepRejected(reason=reason)
    if kind == "recovery":
        tell(desk, login.patient, "code-used")
    return this


def _still(connection: "Connection", desk: Desk, half: HalfSignIn) -> Login:
    """Return the sign-in, if it is still as it was when the password was right."""
    desk.schema_of(connection)
    login = logins.by_number(connection, half.login)
    if login is None or not login.has_access or passwords.fingerprint(login.stored) != half.password:
        raise SessionEnded(reason="the office changed the sign-in meanwhile")
    if why := logins.standing(connection, login.patient):
        raise SessionEnded(reason=why)
    return login

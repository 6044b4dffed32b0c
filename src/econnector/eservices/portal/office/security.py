"""How one's own sign-in is protected: two-step sign-in is set up and changed here, and sessions are seen and ended.

Every change of the second step needs the password, unless the session has just begun: a phone left on a table must
not be enough to lock its owner out.
"""

import datetime as dt
from typing import TYPE_CHECKING

from econnector.base.errors import NotAllowed, PasskeyRejected, SecondStepRejected, TwoStepRequired, ValueRejected
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import codes, journal, passkeys
from econnector.eservices.portal.office.admission import Visitor, admit
from econnector.eservices.portal.office.around import begin
from econnector.eservices.portal.office.changing import confirm
from econnector.eservices.portal.office.desk import Desk
from econnector.eservices.portal.office.letters import tell
from econnector.mail.compose import usable
from econnector.opendental import practice
from econnector.opendental.reachable import reachable
from econnector.storage.state import portal_policy, second_steps, sessions
from econnector.storage.state.second_steps import SecondStep
from econnector.storage.state.sessions import PortalSession
from econnector.wire.call import Answers, Asked

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["FRESH", "answer"]

FRESH = dt.timedelta(minutes=10)
"""After signing in, nobody is asked for the password again for so long."""
_LISTED = 50

_NOTES = {
    "two-step-on": "turned two-step sign-in on",
    "two-step-off": "turned two-step sign-in off",
    "app": "set up a new app for two-step sign-in",
    "passkey-added": "added a passkey",
    "passkey-dropped": "removed a passkey",
    "codes": "made new recovery codes",
}


def answer(desk: Desk, answers: Answers) -> None:
    """Answer the calls of `calls.security`. All raise `SessionEnded`; changes raise what `confirm` raises."""

    @answers.to(calls.SECURITY)
    async def _(_asked: Asked, params: calls.Token) -> calls.Security:
        return await _security(desk, params)

    @answers.to(calls.PREPARE_APP)
    async def _(_asked: Asked, params: calls.PrepareApp) -> calls.App:
        return await _prepare_app(desk, params)

    @answers.to(calls.CONFIRM_APP)
    async def _(_asked: Asked, params: calls.ConfirmApp) -> calls.Codes:
        return await _confirm_app(desk, params)

    @answers.to(calls.BEGIN_PASSKEY)
    async def _(_asked: Asked, params: calls.BeginPasskey) -> calls.Challenge:
        return await _begin_passkey(desk, params)

    @answers.to(calls.ADD_PASSKEY)
    async def _(_asked: Asked, params: calls.AddPasskey) -> calls.Codes:
        return await _add_passkey(desk, params)

    @answers.to(calls.CHANGE_TWO_STEP)
    async def _(_asked: Asked, params: calls.ChangeTwoStep) -> calls.Codes:
        return await _change(desk, params)

    @answers.to(calls.END_SESSIONS)
    async def _(_asked: Asked, params: calls.EndSessions) -> calls.Nothing:
        await _end_sessions(desk, params)
        return calls.Nothing()


class _Owner:
    """Who changes something about their own sign-in."""

    def __init__(self, desk: Desk, session: PortalSession, visitor: Visitor, have: SecondStep, policy: str) -> None:
        self.desk, self.session, self.visitor, self.have, self.policy = desk, session, visitor, have, policy

    @property
    def login(self) -> int:
        return self.session.login

    @property
    def is_fresh(self) -> bool:
        return dt.timedelta() <= self.desk.clock.now() - self.session.began < FRESH

    async def prove(self, password: str) -> None:
        """Raise `PasswordRejected` or `TooManyTries` unless it is really them."""
        if not self.is_fresh:
            await confirm(self.desk, self.visitor, password)

    def may_set_up(self) -> None:
        """Raise `NotAllowed` where the practice does not offer a second step to those who have none."""
        if self.policy == "off" and not self.have.on:
            raise NotAllowed

    async def note(self, *news: str) -> None:
        """Write it into the audit trail and have them told."""
        await self.desk.database.run(self._note, news)
        for one in news:
            tell(self.desk, self.session.patient, one)

    def _note(self, connection: "Connection", news: tuple[str, ...]) -> None:
        me = self.session.patient
        for one in news:
            journal.acted(connection, self.visitor.schema, me, me, f"Patient portal: {_NOTES[one]}.")


async def _owner(desk: Desk, token: str) -> _Owner:
    session = await desk.session(token, enrolling=True)

    def read(connection: "Connection") -> Visitor:
        return admit(connection, desk.schema_of(connection), session, topic="any", changing=True)

    def kept(state: "Connection") -> tuple[SecondStep, str]:
        return second_steps.find(state, session.login, desk.clock.now()), portal_policy.two_step(state)

    visitor = await desk.database.run(read)
    have, policy = await desk.state.run(kept)
    return _Owner(desk, session, visitor, have, policy)


async def _security(desk: Desk, params: calls.Token) -> calls.Security:
    session = await desk.session(params.token, enrolling=True)

    def kept(state: "Connection") -> tuple[SecondStep, str, list[PortalSession]]:
        have = second_steps.find(state, session.login, desk.clock.now())
        return have, portal_policy.two_step(state), sessions.listed(state, session.patient, _LISTED)

    have, policy, known = await desk.state.run(kept)

    def read(connection: "Connection") -> calls.Security:
        begun = begin(connection, desk, session, calls.PersonAsked(params.token), topic="any", changing=True)
        return calls.Security(
            **begun.frame,
            two_step=policy,
            app=bool(have.secret),
            passkeys=[
                calls.Passkey(one.number, one.name, _local(one.added), _local(one.used), one.host)
                for one in have.passkeys
            ],
            codes_left=have.codes_left,
            password_needed=not dt.timedelta() <= desk.clock.now() - session.began < FRESH,
            mail=usable(reachable(connection, session.patient).email),
            sessions=[_signed_in(one, desk, session) for one in known],
        )

    return await desk.database.run(read)


async def _prepare_app(desk: Desk, params: calls.PrepareApp) -> calls.App:
    """Return a secret that waits for its first code."""
    owner = await _owner(desk, params.token)
    owner.may_set_up()
    secret = ""
    if params.again:
        secret = await codes.opened(desk, owner.login, owner.have.pending) if owner.have.pending else ""
        if not secret:
            raise SecondStepRejected(reason="no app waits for its first code")
    else:
        await owner.prove(params.password)
        secret = codes.new_secret()
        await desk.state.run(codes.prepare, desk, owner.login, secret)
    title = practice.practice(owner.visitor.settings).title
    return calls.App(secret, codes.uri_of(secret, title, owner.visitor.login.user_name))


async def _confirm_app(desk: Desk, params: calls.ConfirmApp) -> calls.Codes:
    """Take the app into use. Raises `SecondStepRejected` for a wrong code; the secret goes on waiting."""
    owner = await _owner(desk, params.token)
    owner.may_set_up()
    if not await codes.confirm(desk, owner.login, owner.have, params.code):
        raise SecondStepRejected(reason="not the code of the app that is being set up")
    await owner.note("app" if owner.have.on else "two-step-on")
    return await _first_codes(owner)


async def _first_codes(owner: _Owner) -> calls.Codes:
    """Return recovery codes to who has none; whoever has some keeps them."""
    if owner.have.codes_left:
        return calls.Codes()
    return calls.Codes(await owner.desk.state.run(codes.make_recovery, owner.desk, owner.login))


async def _begin_passkey(desk: Desk, params: calls.BeginPasskey) -> calls.Challenge:
    owner = await _owner(desk, params.token)
    owner.may_set_up()
    if not passkeys.is_host(params.host) or len(owner.have.passkeys) >= passkeys.MOST:
        raise PasskeyRejected(reason="no passkey can be made for this address, or there are too many")
    title = practice.practice(owner.visitor.settings).title
    holder = passkeys.Holder(owner.login, owner.visitor.login.user_name, owner.visitor.me.name, title)
    made = await passkeys.options_to_create(desk, params.token, params.host, holder, owner.have.passkeys)
    return calls.Challenge(made)


async def _add_passkey(desk: Desk, params: calls.AddPasskey) -> calls.Codes:
    owner = await _owner(desk, params.token)
    owner.may_set_up()
    if len(owner.have.passkeys) >= passkeys.MOST:
        raise PasskeyRejected(reason="there are too many")
    await owner.prove(params.password)
    name = " ".join("".join(letter for letter in params.name if letter.isprintable()).split()) or "Passkey"
    await passkeys.add(desk, params.token, owner.login, params.passkey, params.host, params.origin, name)
    await owner.note(*(("passkey-added",) if owner.have.on else ("two-step-on", "passkey-added")))
    return await _first_codes(owner)


async def _change(desk: Desk, params: calls.ChangeTwoStep) -> calls.Codes:
    """Change what is there. Raises `NotAllowed` for a passkey that is not theirs, `TwoStepRequired`."""
    owner = await _owner(desk, params.token)
    if params.what not in {"off", "codes", "drop-passkey"}:
        raise ValueRejected(field="what", why="There is no such change.")
    if params.what == "drop-passkey" and all(one.number != params.number for one in owner.have.passkeys):
        raise NotAllowed
    await owner.prove(params.password)
    last = not owner.have.secret and len(owner.have.passkeys) == 1
    if params.what == "codes":
        if not owner.have.on:
            raise NotAllowed
        made = await desk.state.run(codes.make_recovery, desk, owner.login)
        await owner.note("codes")
        return calls.Codes(made)
    if owner.policy == "required" and (params.what == "off" or last):
        raise TwoStepRequired
    if params.what == "off" or last:
        if await desk.state.run(second_steps.forget, owner.login):
            await owner.note("two-step-off")
    elif await desk.state.run(second_steps.drop_passkey, owner.login, params.number):
        await owner.note("passkey-dropped")
    return calls.Codes()


async def _end_sessions(desk: Desk, params: calls.EndSessions) -> None:
    """End one's own. Raises `NotAllowed` for a session that is somebody else's or is not there, both alike."""
    session = await desk.session(params.token, enrolling=True)
    now = desk.clock.now()

    def end(state: "Connection") -> bool:
        if not params.number:
            return sessions.end_all(state, session.patient, "signed out everywhere", now) > 0
        if all(one.number != params.number for one in sessions.listed(state, session.patient, _LISTED)):
            raise NotAllowed
        return sessions.revoke(state, params.number, "signed out from another device", now)

    def note(connection: "Connection") -> None:
        what = "ended one of their sessions" if params.number else "signed out everywhere"
        schema = desk.schema_of(connection)
        journal.acted(connection, schema, session.patient, session.patient, f"Patient portal: {what}.")

    if await desk.state.run(end):
        await desk.database.run(note)


def _signed_in(one: PortalSession, desk: Desk, session: PortalSession) -> calls.SignedIn:
    return calls.SignedIn(
        number=one.number,
        began=_local(one.began),
        used=_local(one.used),
        address=one.address,
        agent=one.agent,
        alive=one.lives(session.privacy.rules, desk.clock.now()),
        current=one.number == session.number,
    )


def _local(moment: dt.datetime | None) -> str:
    """Return a moment in the office's time, as the contract writes it."""
    return moment.astimezone().replace(tzinfo=None, microsecond=0).isoformat() if moment else ""

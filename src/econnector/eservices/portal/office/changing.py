"""Changing user name and password: at the first sign-in because the office asked for it, later because one wants to."""

from typing import TYPE_CHECKING

import structlog

from econnector.base.errors import PasswordRejected, SessionEnded, TooManyTries, UserNameRejected, ValueRejected
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import journal
from econnector.eservices.portal.office.admission import Visitor, admit
from econnector.eservices.portal.office.desk import Desk
from econnector.eservices.portal.office.letters import tell
from econnector.eservices.portal.rules_password import About, Broken, broken_rules
from econnector.eservices.portal.rules_user_name import LONGEST, broken_name_rules, tidy
from econnector.opendental import logins, passwords, practice
from econnector.storage.state import sessions, throttle
from econnector.storage.state.sessions import PortalSession
from econnector.wire.call import Answers, Asked

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["TAKEN", "answer", "confirm", "judge_name", "judge_password"]

log = structlog.get_logger(__name__)

TAKEN = Broken("taken", "This user name is taken; choose another one.")
_SAME_NAME = Broken("same", "Choose a user name other than the one the office gave you.")
_SAME_PASSWORD = Broken("same", "Choose a password other than the one you have now.")
_NOT_CURRENT = Broken("current", "The current password is not right.")


def answer(desk: Desk, answers: Answers) -> None:
    """Answer `CHANGE_SIGN_IN`."""

    @answers.to(calls.CHANGE_SIGN_IN)
    async def _(asked: Asked, params: calls.ChangeSignIn) -> calls.Session:
        return await _change(desk, asked, params)


async def _change(desk: Desk, asked: Asked, params: calls.ChangeSignIn) -> calls.Session:
    """Change it.

    Raises `PasswordRejected` and `UserNameRejected` with the rule that was broken, `ValueRejected` when nothing is to
    be changed, `TooManyTries` when the current password was guessed at, `SessionEnded`.
    """
    session = await desk.session(params.token)
    visitor, title = await desk.database.run(_read, desk, session)
    name = tidy(params.user_name[: LONGEST * 2])
    if not name and not params.password:
        raise ValueRejected(field="user_name", why="Type a new user name or a new password.")
    if not (visitor.login.change_user_name or visitor.login.change_password):
        await confirm(desk, visitor, params.current_password)
    if name:
        judge_name(name, visitor.login)
    if params.password:
        me = visitor.me
        names = (me.first_name, me.last_name, me.preferred)
        about = About(user_name=name or visitor.login.user_name, names=names, practice=title)
        judge_password(params.password, visitor.login.stored, about)
    stored = passwords.make(params.password) if params.password else ""
    login = await desk.database.run(_write, visitor, name, stored)
    token = await desk.state.run(_end_others, desk, session, stored) if stored else params.token
    for news in (*(("user-name",) if name else ()), *(("password",) if stored else ())):
        tell(desk, session.patient, news)
    log.info("sign-in changed", reference=asked.reference, user_name=bool(name), password=bool(stored))
    return desk.as_session(token, session, login)


def _read(connection: "Connection", desk: Desk, session: PortalSession) -> tuple[Visitor, str]:
    visitor = admit(connection, desk.schema_of(connection), session, changing=True)
    return visitor, practice.practice(visitor.settings).title


async def confirm(desk: Desk, visitor: Visitor, password: str) -> None:
    """Ask for the current password; whoever only has the session may not guess it any faster than at the door.

    Raises `PasswordRejected` with the rule `current`, `TooManyTries`.
    """
    secret = passwords.fingerprint(visitor.login.stored)
    account = f"change:{visitor.login.number}"
    # Not by address: who is signed in shall not wait for what strangers behind the same address tried at the door.
    this = await desk.state.run(throttle.begin, account, secret, "", desk.clock.now())
    if not this.allowed:
        raise TooManyTries(tries=this.tries, seconds=round(this.wait))
    if not passwords.check(visitor.login.stored, password):
        raise PasswordRejected(rule=_NOT_CURRENT.rule, why=_NOT_CURRENT.why)
    await desk.state.run(throttle.passed, this, desk.clock.now())


def judge_name(name: str, login: logins.Login) -> None:
    """Raise `UserNameRejected` with the rules that a new name for this sign-in breaks."""
    broken = broken_name_rules(name)
    if login.change_user_name and name.casefold() == login.user_name.casefold():
        broken.append(_SAME_NAME)
    if broken:
        raise UserNameRejected(rule=", ".join(one.rule for one in broken), why=" ".join(one.why for one in broken))


def judge_password(password: str, stored: str, about: About) -> None:
    """Raise `PasswordRejected` with the rules that a new password breaks; `stored` is the one of before."""
    broken = broken_rules(password, about)
    if not broken and passwords.check(stored, password):
        broken.append(_SAME_PASSWORD)
    if broken:
        raise PasswordRejected(rule=", ".join(one.rule for one in broken), why=" ".join(one.why for one in broken))


def _write(connection: "Connection", visitor: Visitor, name: str, stored: str) -> logins.Login:
    schema = visitor.schema
    problem = logins.set_sign_in(connection, schema, visitor.login, user_name=name, stored=stored)
    if problem == "taken":
        raise UserNameRejected(rule=TAKEN.rule, why=TAKEN.why)
    login = logins.by_number(connection, visitor.login.number)
    if problem or login is None:
        raise SessionEnded(reason="the office changed the sign-in at the same moment")
    what = " and ".join(word for word, given in (("user name", name), ("password", stored)) if given)
    journal.acted(connection, schema, visitor.me.number, visitor.me.number, f"Patient portal: changed the {what}.")
    return login


def _end_others(state: "Connection", desk: Desk, session: PortalSession, stored: str) -> str:
    """End every other session; return this one's new token (ASVS 5, 7.2.4)."""
    sessions.end_all(state, session.patient, "the password was changed", desk.clock.now(), but=session.number)
    return sessions.keep_with(state, session.number, passwords.fingerprint(stored))

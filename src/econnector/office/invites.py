"""Invites by mail: a link with a code that works once, instead of a password on paper.

Who has no access is given it, with a password that nobody ever sees; who has it keeps their password until the invite
is accepted. What can stop the mail is looked for first: access that nobody can use is given to nobody.
"""

import asyncio
import datetime as dt
from typing import Any, Final, Literal

import msgspec

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import (
    AccessAsItWas,
    MailFailure,
    PatientIncomplete,
    PatientMailMissing,
    PortalAddressMissing,
)
from econnector.base.ids import new_code, new_token
from econnector.eservices.portal import calls
from econnector.eservices.portal.office.around import card
from econnector.eservices.portal.office.invitation import digest_of, letter, page_of
from econnector.mail.compose import new_message_id, usable
from econnector.office.access import MOST_AT_ONCE
from econnector.office.desk import Who
from econnector.office.hand import WITHIN, Hand, chart_of, need_setup
from econnector.office.mail.accounts import Accounts
from econnector.office.mail.postbox import Postbox
from econnector.office.mail.queue import masked
from econnector.office.settings import Settings
from econnector.opendental import logins, passwords, patients, portalaccess
from econnector.opendental.logins import Login
from econnector.opendental.patients import Patient
from econnector.opendental.reachable import Reachable, reachable
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state import outbox, portal_invites
from econnector.storage.state.outbox import Lane
from econnector.storage.state.portal_invites import GOOD_FOR, Invite
from econnector.storage.state.sealing import Seal

__all__ = ["Invited", "Invites", "Refused", "Sent", "invites_with"]

_DAYS: Final = float(GOOD_FOR.days)
_KIND: Final = "PatPortalInvite"
"""Of Open Dental's EmailMessageSource."""


class Sent(msgspec.Struct, frozen=True):
    """An invite that was handed in to be mailed."""

    patient: int
    """PatNum."""
    name: str
    to: str
    """The address, half hidden."""
    until: dt.datetime
    given: bool
    """Whether access was given with it."""


class Refused(msgspec.Struct, frozen=True):
    """One of many who got no invite."""

    patient: Patient
    why: str


class Invited(msgspec.Struct, frozen=True):
    """The last invite of a patient, as far as it still says something."""

    state: Literal["open", "old", "stopped"]
    """It may be accepted, it is too old, or too many birth dates were tried."""
    sent: dt.datetime
    until: dt.datetime
    mail: str
    """The letter's state in the outgoing mail: waiting, sending, sent, failed, removed; empty where there is none."""


class _Ready(msgspec.Struct, frozen=True):
    """What a letter needs."""

    to: Reachable
    practice: calls.Practice
    page: str


class Invites(Hand):
    """One practice's invites."""

    def __init__(  # noqa: PLR0913 - what an invite stands on
        self,
        database: Database,
        state: Database,
        schemas: Schemas,
        machine: str,
        clock: Clock = SYSTEM,
        *,
        accounts: Accounts,
        seal: Seal,
    ) -> None:
        """`machine` goes into the audit rows, `accounts` says whether mail can leave, `seal` makes the digests."""
        super().__init__(database, state, schemas, machine, clock)
        self._accounts, self._seal = accounts, seal
        self._postbox = Postbox(state, clock)

    async def send(self, who: Who, number: int) -> Sent:
        """Invite a patient (a PatNum); an invite of before ends.

        Raises `PermissionMissing`, `PortalAddressMissing`, `PatientIncomplete`, `PatientMailMissing`, `AccessAsItWas`,
        and what keeps mail from being sent: `SenderMissing`, `MailOauth`, `MailPasswordUnreadable`.
        """
        need_setup(who)
        ready = await self._database.run(_ready, number, within=WITHIN)
        await self._accounts.look(Lane(ready.to.clinic, notices=False))
        code = new_code()
        digest = await asyncio.to_thread(digest_of, self._seal, code)
        login, name, given = await self._database.run(self._open, who, number, within=WITHIN)
        until = await self._mail(ready, login, code, digest)
        return Sent(number, name, masked(ready.to.email), until, given)

    async def send_many(self, who: Who, numbers: list[int]) -> list[Sent | Refused]:
        """Invite each of these patients (PatNums); what cannot be done is said and does not stop the rest.

        Each is done on its own: when this ends half-way, those who were invited are. Raises `PermissionMissing`.
        """
        need_setup(who)
        charts = await self._database.run(patients.by_numbers, numbers[:MOST_AT_ONCE], within=WITHIN)
        done: list[Sent | Refused] = []
        for chart in charts:
            try:
                done.append(await self.send(who, chart.number))
            except (AccessAsItWas, MailFailure, PatientIncomplete, PatientMailMissing) as refused:
                done.append(Refused(chart, refused.office_text()))
        return done

    async def last(self, number: int) -> Invited | None:
        """Return how a patient's (a PatNum) last invite stands; None once it was accepted, replaced or ended."""
        rows = await self._database.run(logins.of_patient, number, within=WITHIN)
        found = await self._state.run(portal_invites.of_logins, [login.number for login in rows])
        now = self._clock.now()
        for login in rows:
            invite = found.get(login.number)
            if invite and not invite.used and invite.password == passwords.fingerprint(login.stored):
                stopped: Literal["old", "stopped"] = "old" if now >= invite.until else "stopped"
                mail = await self._state.run(outbox.state_of, invite.mail)
                return Invited("open" if invite.is_open(now) else stopped, invite.sent, invite.until, mail)
        return None

    async def _mail(self, ready: _Ready, login: Login, code: str, digest: str) -> dt.datetime:
        """Keep the digest, then hand the letter in; return until when the code works.

        Who dies in between leaves a code that nobody knows.
        """
        invite = Invite(
            login=login.number,
            patient=login.patient,
            digest=digest,
            password=passwords.fingerprint(login.stored),
            mail=new_message_id("portal.econnector.local"),
            sent=self._clock.now(),
        )
        await self._state.run(_replace, invite)
        made, record = letter(ready.to, ready.practice, ready.page, code, invite.mail)
        clinic = ready.to.clinic
        await self._postbox.hand_in(
            made, purpose="invite", clinic=clinic, patient=login.patient, kind=_KIND, days=_DAYS, record=record
        )
        return invite.until

    def _open(self, connection: Any, who: Who, number: int) -> tuple[Login, str, bool]:
        """Return the patient's one sign-in and name, and whether access was given just now."""
        chart = chart_of(connection, number)
        given = not any(login.has_access for login in logins.of_patient(connection, number))
        if given:
            portalaccess.give(connection, self._schemas(connection), chart, secret=new_token())
        self.note(connection, who, number, "Online access given, invite by mail." if given else "Invite by mail.")
        return _only(connection, number), chart.name, given


def invites_with(
    settings: Settings, database: Database, state: Database, schemas: Schemas, clock: Clock = SYSTEM
) -> Invites:
    """Return the invites of the office that has these settings, in the connector or in another process beside it."""
    accounts, seal = Accounts(database, schemas, settings.mail.ca), Seal(settings.state_file.parent)
    return Invites(database, state, schemas, settings.machine_name, clock, accounts=accounts, seal=seal)


def _ready(connection: Any, number: int) -> _Ready:
    """Return what the letter needs, and find out before anything is written what would stop it."""
    chart, said = chart_of(connection, number), portalaccess.settings(connection)
    page = page_of(said.url) if said.url else ""
    if not page:
        raise PortalAddressMissing
    has_access = any(login.has_access for login in logins.of_patient(connection, number))
    lacking = portalaccess.missing(chart, american=said.american) if not has_access else []
    if has_access:
        _only(connection, number)
    if chart.birth_date is None:
        lacking = lacking or ["birth date"]
    if lacking:
        raise PatientIncomplete(missing=", ".join(lacking))
    to = reachable(connection, number)
    if not usable(to.email):
        raise PatientMailMissing
    return _Ready(to, card(connection), page)


def _replace(state: Any, invite: Invite) -> None:
    """Keep it instead of the one before, whose letter need not leave any more."""
    before = portal_invites.of_logins(state, [invite.login]).get(invite.login)
    if before:
        outbox.withdraw(state, before.mail, invite.sent.timestamp())
    portal_invites.put(state, invite)


def _only(connection: Any, number: int) -> Login:
    found = [login for login in logins.of_patient(connection, number) if login.has_access]
    if not found:
        raise AccessAsItWas(why="The access was removed meanwhile.")
    if len(found) > 1:
        raise AccessAsItWas(why="This patient has several sign-ins with access. Remove the access, then give it again.")
    return found[0]

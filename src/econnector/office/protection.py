"""How a patient's sign-in is protected, as the office sees it, and help for who has lost their phone.

What is kept of a second step lies in the state file; the office can take it away and never learns a code. The patient
is told by mail: who is not the one that called reads of it at once.
"""

import datetime as dt
from typing import Any, Final

import msgspec

from econnector.eservices.portal.office.letters import send_news
from econnector.mail.compose import usable
from econnector.office.desk import Who
from econnector.office.hand import WITHIN, Hand, chart_of, need_setup
from econnector.office.mail.postbox import Postbox
from econnector.opendental import logins
from econnector.opendental.reachable import reachable
from econnector.storage.state import portalrules, second_steps, sessions
from econnector.storage.state.sessions import PortalSession

__all__ = ["Ended", "Place", "Protection", "Protections"]

_MOST: Final = 20
_BY_OFFICE = "ended by the office"


class Place(msgspec.Struct, frozen=True):
    """Where somebody is, or was, signed in."""

    began: dt.datetime
    used: dt.datetime
    address: str
    agent: str
    alive: bool


class Protection(msgspec.Struct, frozen=True):
    """What protects a patient's sign-in."""

    app: bool
    passkeys: int
    codes_left: int
    """Recovery codes that were not used yet."""
    places: list[Place]
    """Where they are signed in, then where they were lately, newest first."""
    mail: bool
    """Whether the chart has an address to tell them at."""

    @property
    def on(self) -> bool:
        """Whether the password alone is not enough."""
        return self.app or self.passkeys > 0

    @property
    def signed_in(self) -> int:
        """In how many places they are signed in now."""
        return sum(place.alive for place in self.places)


class Ended(msgspec.Struct, frozen=True):
    """What was taken away."""

    was_on: bool
    sessions: int
    told: bool
    """Whether the patient is told by mail."""


class Protections(Hand):
    """One practice's sign-ins and what protects them. Every method may raise the database's failures."""

    async def look(self, number: int) -> Protection:
        """Return what protects the sign-in of a patient (a PatNum). Raises `AccessAsItWas` where there can be none."""
        mine, mail = await self._database.run(_read, number, within=WITHIN)
        return await self._state.run(self._kept, number, mine, mail)

    async def two_step_off(self, who: Who, number: int) -> Ended:
        """Take the second step away, end every session and have the patient told.

        Whoever is stopped half-way does it again: the patient is then told twice, and never not at all. Raises
        `PermissionMissing`, and `AccessAsItWas` where there can be no access.
        """
        need_setup(who)
        mine, mail = await self._database.run(_read, number, within=WITHIN)
        before = await self._state.run(self._kept, number, mine, mail)
        if not before.on:
            return Ended(was_on=False, sessions=0, told=False)
        text = "two-step sign-in turned off by the office; every session ended."
        await self._database.run(self.note, who, number, text, within=WITHIN)
        told = await send_news(self._database, Postbox(self._state, self._clock), number, "two-step-off-office")
        await self._state.run(self._take_away, number, mine)
        return Ended(was_on=True, sessions=before.signed_in, told=told)

    async def sign_out(self, who: Who, number: int) -> int:
        """End every session of a patient (a PatNum); return how many there were.

        Raises `PermissionMissing`, and `AccessAsItWas` where there can be no access.
        """
        need_setup(who)
        alive = (await self.look(number)).signed_in
        if alive:
            await self._database.run(self.note, who, number, "signed out everywhere by the office.", within=WITHIN)
            await self._state.run(sessions.end_all, number, _BY_OFFICE, self._clock.now())
        return alive

    def _kept(self, state: Any, number: int, mine: list[int], mail: bool) -> Protection:
        now, rules = self._clock.now(), portalrules.read(state)
        steps = [second_steps.find(state, login, now) for login in mine]
        known = sessions.listed(state, number, _MOST)
        places = [_place(one, alive=one.lives(rules, now)) for one in known]
        return Protection(
            app=any(step.secret for step in steps),
            passkeys=sum(len(step.passkeys) for step in steps),
            codes_left=sum(step.codes_left for step in steps),
            places=sorted(places, key=lambda place: not place.alive),
            mail=mail,
        )

    def _take_away(self, state: Any, number: int, mine: list[int]) -> None:
        for login in mine:
            second_steps.forget(state, login)
        sessions.end_all(state, number, _BY_OFFICE, self._clock.now())


def _place(one: PortalSession, *, alive: bool) -> Place:
    return Place(one.began, one.used, one.address, one.agent, alive)


def _read(connection: Any, number: int) -> tuple[list[int], bool]:
    """Return a patient's sign-ins (UserWebNums), and whether they have a mail address."""
    found = chart_of(connection, number)
    mine = [login.number for login in logins.of_patient(connection, found.number)]
    return mine, usable(reachable(connection, found.number).email)

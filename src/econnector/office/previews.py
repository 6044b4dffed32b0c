"""The portal as a patient sees it, for somebody of the office: begun with a trace, over within half an hour.

The patient finds it in the portal under Who looked (`opendental.accesslog` reads the trace).
"""

from typing import Any

from econnector.base.errors import AccessAsItWas
from econnector.office.desk import Who
from econnector.office.hand import WITHIN, Hand, chart_of, need_setup
from econnector.opendental import logins, passwords
from econnector.storage.state import previews
from econnector.storage.state.previews import Preview

__all__ = ["Preview", "Previews"]


class Previews(Hand):
    """One practice's previews. Every method may raise the database's failures."""

    async def begin(self, who: Who, number: int) -> str:
        """Return the token of a new preview of a patient (a PatNum); the user's last one is over.

        Raises `PermissionMissing`, and `AccessAsItWas` for a patient without access.
        """
        need_setup(who)
        found = await self._database.run(self._begin, who, number, within=WITHIN)
        return await self._state.run(previews.begin, found)

    async def find(self, who: Who, token: str) -> Preview | None:
        """Return this user's preview of `token`, or None for one that is over, never was or is somebody else's."""
        found = await self._state.run(previews.find, token, self._clock.now()) if token else None
        return found if found and found.user == who.user and who.may_setup else None

    async def end(self, who: Who) -> None:
        """End this user's preview."""
        await self._state.run(previews.end, who.user)

    def _begin(self, connection: Any, who: Who, number: int) -> Preview:
        chart = chart_of(connection, number)
        usable = [login for login in logins.of_patient(connection, chart.number) if login.has_access]
        if not usable:
            raise AccessAsItWas(why="This patient has no access, so there is no portal to look at.")
        self.note(connection, who, chart.number, "previewed by the office, as this patient sees it.")
        login, now = usable[0], self._clock.now()
        return Preview(who.user, login.number, chart.number, passwords.fingerprint(login.stored), now)

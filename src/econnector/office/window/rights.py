"""What the signed-in person may do, asked of Open Dental again and again: rights that were taken are gone here too."""

from econnector.base.errors import Failure
from econnector.office.desk import Who, who_is
from econnector.office.window.scene import Scene
from econnector.opendental import users
from econnector.storage.state import window_sessions as sessions
from econnector.storage.state.window_sessions import WindowSession

__all__ = ["Rights"]

_AGAIN = 60.0
"""Seconds between two questions about the same session, and after one that nobody answered."""
_WITHIN = 3.0


class Rights:
    """The rights of everybody who is signed in."""

    def __init__(self, scene: Scene) -> None:
        """Ask nothing yet."""
        self._scene = scene
        self._silent = float("-inf")
        """When Open Dental's database last did not answer."""

    async def of(self, token: str, session: WindowSession) -> Who | None:
        """Return who it is, or None for a user who may not sign in any more.

        While the database is away, what it said last counts: that is when the window is needed most.
        """
        who = Who(session.user, session.name, session.may_setup, session.may_admin)
        now, clock = self._scene.clock.now(), self._scene.clock
        if now.timestamp() - session.known < _AGAIN or clock.monotonic() - self._silent < _AGAIN:
            return who
        try:
            user = await self._scene.database.run(users.find, session.user, within=_WITHIN)
        except Failure:
            self._silent = clock.monotonic()
            return who
        if user is None:
            await self._scene.state.run(sessions.end_all, session.user)
            return None
        who = who_is(user)
        await self._scene.state.run(sessions.know, token, who.may_setup, who.may_admin, now)
        return who

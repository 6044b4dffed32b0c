"""The answers to somebody of the office who looks at the portal as a patient: all that is shown, and no change.

Three things make sure of it. A call that changes something is refused before it is read. What showing a page leaves
behind in Open Dental (an audit row, a message marked as read) is withheld (`opendental.writes.withheld`). And the token
is a preview's (`storage.state.previews`): here no patient's session is taken, and the portal takes no preview's. What
is kept all the same is the office's own: why a file was missing (`telling`), for who looks up the reference.
"""

from typing import TYPE_CHECKING, Any

import msgspec

from econnector.base.errors import PreviewOnly, SessionEnded
from econnector.eservices.portal import calls
from econnector.eservices.portal.office.desk import Desk
from econnector.opendental.writes import withheld
from econnector.storage.state import consent, previews, sessions
from econnector.wire.call import Answer, Answers, Asked

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["PreviewDesk", "only_looking"]

_NUMBER = "preview"
"""Stands for a session's number; no session of a patient has it."""
_FIRST_STEPS = frozenset(
    call.name
    for call in (
        *(calls.STEP, calls.BEGIN_PASSKEY, calls.INVITE, calls.OPEN_SHARE, calls.SHARED_FILE),
        calls.PAYMENT_NOTICE,
    )
)
"""Calls that show something and are the first step of a change, or that count what is shown."""


class PreviewDesk(Desk):
    """Where the answers to a preview are given."""

    preview = True

    async def session(self, token: str, *, enrolling: bool = False) -> sessions.PortalSession:  # noqa: ARG002 - Desk's
        """Return the preview of `token` as the session that its patient would have. Raises `SessionEnded`."""
        found = await self.state.run(self._look_through, token)
        if found is None:
            raise SessionEnded(reason="the preview is over")
        return found

    def _look_through(self, state: "Connection", token: str) -> sessions.PortalSession | None:
        now = self.clock.now()
        found = previews.find(state, token, now)
        if found is None:
            return None
        return sessions.PortalSession(
            number=_NUMBER,
            login=found.login,
            patient=found.patient,
            password=found.password,
            began=found.began,
            used=now,
            ended=None,
            ended_why="",
            address="",
            agent="",
            before="",
            privacy=consent.privacy(state, found.patient, now.astimezone().date()),
            preview=True,
        )


def only_looking(answers: Answers) -> Answers:
    """Return `answers` without any change: a call that changes something raises `PreviewOnly`."""
    looking = Answers()
    for call, function in answers:
        register: Any = looking.streaming if call.streams else looking.to
        refused = call.changes or call.name in _FIRST_STEPS
        register(call)(_refuse if refused else _without_trace(function))
    return looking


async def _refuse(_asked: Asked, _params: msgspec.Struct) -> Any:
    raise PreviewOnly


def _without_trace(function: Answer) -> Answer:
    async def answer(asked: Asked, params: msgspec.Struct) -> Any:
        with withheld():
            return await function(asked, params)

    return answer

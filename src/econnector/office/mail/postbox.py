"""Where the office's mail is handed in: what it takes is sent, or a person learns why not."""

import asyncio

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import ValueRejected
from econnector.mail.letter import Letter
from econnector.storage.database import Database
from econnector.storage.state import outbox
from econnector.storage.state.outbox import DAY, Mail

__all__ = ["GOOD_FOR_DAYS", "Postbox"]

GOOD_FOR_DAYS = 4.0
"""How long a mail is tried: over a long weekend. Mail servers give up after four or five days, too."""
_MOST_CHARACTERS = 10_000_000


class Postbox:
    """The outgoing mail, in the connector or, with the state file joined, in another process beside it."""

    def __init__(self, state: Database, clock: Clock = SYSTEM) -> None:
        """`state` is the connector's state file."""
        self._state, self._clock = state, clock
        self.changed = asyncio.Event()
        """Set whenever there may be something to send; the sender in this process waits for it."""

    async def hand_in(  # noqa: PLR0913 - what is known of a mail
        self,
        letter: Letter,
        *,
        purpose: str,
        clinic: int = 0,
        patient: int = 0,
        kind: str = "",
        notices: bool = False,
        days: float = GOOD_FOR_DAYS,
        record: str = "",
    ) -> None:
        """Take a letter; once this returns, it survives everything but the loss of the disk.

        Every recipient gets a mail of their own: nobody sees the others, and one wrong address stops nobody else. The
        same message id for the same recipient is one mail, however often it is handed in. `purpose` is a short word
        that the office sees in the queue. `clinic` chooses the account, `notices` the one for notices of web mail.
        A mail that belongs to a `patient` is recorded in Open Dental's database as of that `kind` (such as
        `PatPortalReset`), with `record` instead of a text that holds a secret. After `days` it is given up. Raises
        ValueRejected for a letter to nobody or a huge one.
        """
        if not letter.to or not letter.message_id:
            raise ValueRejected(field="to", why="A mail needs a recipient and an id.")
        if len(letter.text) > _MOST_CHARACTERS:
            raise ValueRejected(field="text", why="The mail is too long.")
        now = self._clock.now().timestamp()
        for recipient in dict.fromkeys(letter.to):
            mail = Mail(
                message_id=letter.message_id,
                recipient=recipient,
                purpose=purpose,
                clinic=clinic,
                notices=notices,
                patient=patient,
                kind=kind or "Undefined",
                subject=letter.subject,
                text=letter.text or "\n",
                reply_to=letter.reply_to,
                created=now,
                due=now,
                until=now + days * DAY,
                record=record,
            )
            await self._state.run(outbox.put, mail)
        self.changed.set()

    async def pause(self) -> None:
        """Send nothing until `resume`, also after a restart; a mail that is on its way is finished."""
        await self._state.run(outbox.pause, self._clock.now().timestamp())

    async def resume(self) -> None:
        """Send again."""
        await self._state.run(outbox.resume, self._clock.now().timestamp())
        self.changed.set()

    async def paused(self) -> float:
        """Return since when (a Unix time) nothing is sent; 0 if mail is sent."""
        return await self._state.run(outbox.paused)

    async def list(self, limit: int = 200, *states: str) -> list[Mail]:
        """Return mails in these states (none: all), what is still to be done first."""
        return await self._state.run(outbox.latest, limit, states)

    async def counts(self) -> dict[str, int]:
        """Return how many mails are in each state."""
        return await self._state.run(outbox.counts)

    async def retry(self, number: int) -> None:
        """Let a waiting or failed mail be tried at once. Raises ValueRejected if there is none of that number."""
        if not await self._state.run(outbox.retry, number, self._clock.now().timestamp()):
            raise ValueRejected(field="id", why=f"There is no waiting or failed mail with the number {number}.")
        self.changed.set()

    async def hurry(self) -> int:
        """Let everything that waits be tried at once; return how many mails."""
        found = await self._state.run(outbox.hurry, self._clock.now().timestamp())
        self.changed.set()
        return found

    async def remove(self, number: int) -> None:
        """Never send a waiting or failed mail. Raises ValueRejected if there is none of that number."""
        if not await self._state.run(outbox.remove, number, self._clock.now().timestamp()):
            raise ValueRejected(field="id", why=f"There is no waiting or failed mail with the number {number}.")

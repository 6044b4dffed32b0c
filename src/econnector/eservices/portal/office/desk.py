"""What every answer of the portal needs: the practice's database, the state file, the images, the time."""

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

import structlog

from econnector.base.clock import Clock
from econnector.base.errors import AccessFailure, ChangeRequired, SessionEnded
from econnector.eservices.portal import calls
from econnector.eservices.portal.office.post import Post
from econnector.eservices.portal.office.workshop import Workshop
from econnector.opendental import audit
from econnector.opendental.imagestore import ImageStore
from econnector.opendental.logins import Login
from econnector.opendental.schema import Schema
from econnector.storage.database import Database
from econnector.storage.state import portal_policy, second_steps, sessions
from econnector.storage.state.sealing import Seal

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from econnector.eservices.portal.office.cashier.engine import Cashier

__all__ = ["Desk", "SchemaOf"]

log = structlog.get_logger(__name__)

R = TypeVar("R")
Ts = TypeVarTuple("Ts")

_MEND_AGAIN = 120.0
"""Seconds after which nothing can be in the making that an earlier connector began."""

_SEALED_AT_ONCE = 200

SchemaOf = Callable[["Connection"], Schema]
"""Gives the schema of now; raises `VersionsDiffer` or `UpdateRunning`."""


class Desk:
    """Where the portal's answers are given."""

    preview = False
    """Whether somebody of the office looks as a patient, and nothing is to be left behind."""

    def __init__(  # noqa: PLR0913 - what an office consists of
        self,
        database: Database,
        state: Database,
        schema_of: SchemaOf,
        images: ImageStore,
        clock: Clock,
        *,
        beat: float,
        post: Post | None = None,
        seal: Seal | None = None,
        cashier: "Cashier | None" = None,
    ) -> None:
        """`beat`: refusals leave on multiples of so many seconds, see `same_time`.

        Without `post` no mail is sent. Without `seal` what is sealed is lost when the process ends. Without `cashier`
        nothing can be paid.
        """
        self.database, self.state, self.schema_of, self.images, self.clock = database, state, schema_of, images, clock
        self._beat = beat
        self.post, self.seal, self.cashier = post, seal or Seal(), cashier
        self._later: set[asyncio.Task[None]] = set()
        self._mends = [clock.monotonic(), clock.monotonic() + _MEND_AGAIN]
        self.unsealed: deque[int] = deque()
        """Audit rows of what was looked at (SecurityLogNums) that wait for their hash: see `show`."""
        self._sealing = False
        self.reading, self.printing = Workshop(2), Workshop(2)
        """Where pages are made of a whole record, and where documents are: neither waits for the other."""
        self.noting = asyncio.Lock()
        """Held while something is noted unless it already is."""

    async def session(self, token: str, *, enrolling: bool = False) -> sessions.PortalSession:
        """Return the live session of `token`.

        Raises `SessionEnded`, and `ChangeRequired` where the practice requires a second step that its holder has not
        set up, unless this is about just that (`enrolling`).
        """
        found, why, lacking = await self.state.run(self._look, token)
        if found is None:
            raise SessionEnded(reason=why)
        if lacking and not enrolling:
            raise ChangeRequired(need="two-step")
        return found

    def _look(self, state: "Connection", token: str) -> tuple[sessions.PortalSession | None, str, bool]:
        found, why = sessions.find(state, token, self.clock.now())
        required = found is not None and portal_policy.two_step(state) == "required"
        return found, why, required and found is not None and not second_steps.has_any(state, found.login)

    async def show(
        self,
        page: "Callable[[Connection, Desk, sessions.PortalSession, *Ts], R]",
        session: sessions.PortalSession,
        *args: *Ts,
    ) -> R:
        """Return what `page(connection, desk, session, ...)` shows; the traces that it leaves are sealed afterwards."""
        shown = await self.database.run(page, self, session, *args)
        if self.unsealed and not self._sealing:
            self._sealing = True
            self.later(self._seal(), "hashes of audit rows")
        return shown

    async def _seal(self) -> None:
        try:
            while self.unsealed:
                await self.database.run(self._seal_all, list(self.unsealed)[:_SEALED_AT_ONCE])
        finally:
            self._sealing = False

    def _seal_all(self, connection: "Connection", numbers: list[int]) -> None:
        audit.seal(connection, self.schema_of(connection), numbers)
        for _ in numbers:
            self.unsealed.popleft()

    async def end(self, token: str, why: str) -> sessions.PortalSession | None:
        """End the session of `token`, for the access list to say why."""
        return await self.state.run(sessions.end, token, why, self.clock.now())

    @contextlib.asynccontextmanager
    async def same_time(self, *, always: bool = False) -> AsyncIterator[None]:
        """Let every refusal inside take the same time, whatever was looked up and computed before it.

        With `always`, what succeeds too.
        """
        began = self.clock.monotonic()
        try:
            yield
        except AccessFailure:
            await self._next_beat(began)
            raise
        if always:
            await self._next_beat(began)

    async def _next_beat(self, began: float) -> None:
        elapsed = max(self.clock.monotonic() - began, 0.0)
        beats = math.floor(elapsed / self._beat) + 1 if self._beat else 0
        await asyncio.sleep(beats * self._beat - elapsed if beats else 0.0)

    def mends(self) -> bool:
        """Return whether to look now for audit rows that an earlier, killed connector left without their hash.

        At the first sign-in, and once more when what had just been written then may be looked at too.
        """
        due = bool(self._mends) and self.clock.monotonic() >= self._mends[0]
        if due:
            self._mends.pop(0)
        return due

    def later(self, work: Coroutine[Any, Any, None], what: str) -> None:
        """Do `work` after the answer, which does not wait for it; if it fails, the log says what."""
        task = asyncio.create_task(self._logged(work, what), name=f"portal, after an answer: {what}")
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    @staticmethod
    async def _logged(work: Coroutine[Any, Any, None], what: str) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - nobody waits for it, and its text may hold an address
            log.warning("not done after an answer", what=what, kind=type(error).__name__)

    def as_session(self, token: str, session: sessions.PortalSession, login: Login) -> calls.Session:
        """Return what the pages learn of a session."""
        left = session.left(self.clock.now())
        return calls.Session(
            token=token,
            person=session.patient,
            idle_seconds=int(min(session.privacy.rules.idle, left).total_seconds()),
            left_seconds=int(left.total_seconds()),
            change_user_name=login.change_user_name,
            change_password=login.change_password,
            user_name=login.user_name,
        )

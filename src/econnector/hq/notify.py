"""Telling an office's contacts by mail that it is unreachable, and that it is back.

Who tells what, so that nobody hears the same from two sides and nobody hears nothing:

* HQ tells of everything it can see: an office without a link, and one whose heartbeats say that its database is away.
  It can do so even if the office's machine is off.
* The connector (`office/announce.py`) tells what HQ cannot: that HQ itself seems to be away; and everything, where HQ
  has said in its answer to the last heartbeat that it sends no mail (`Heard.announces`).
* Where neither can know of the other, both give the news the same Message-ID.
"""

import asyncio
import contextlib
import datetime as dt

import structlog

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import Failure, MailDelayed, RegistryAway
from econnector.base.tasks import keep_running
from econnector.hq.metrics import Metrics
from econnector.hq.registry import dispatch, notices, outages
from econnector.hq.registry.database import Registry
from econnector.hq.registry.dispatch import Parcel
from econnector.hq.registry.outages import Patience, Seen
from econnector.mail.aside import aside
from econnector.mail.letter import Account
from econnector.mail.smtp import concerns_account, deliver

__all__ = ["Notifier"]

log = structlog.get_logger(__name__)

_LOOK = 5.0
_SEND = 2.0
_SENDERS = 4
"""Letters on their way at a time: a mail server that hangs holds one of them for a minute."""
_SMTP_SECONDS = 60.0
_GAP = dt.timedelta(seconds=60)
"""Without a look for this long, HQ was away itself: silence before that counts for nothing."""
_SETTLE = dt.timedelta(seconds=60)
_REMEMBERED = 30
"""Tries to note that a letter is sent, a second apart; then it is sent once more."""


class Notifier:
    """Looks for outages and sends what is due; several nodes of HQ share the work."""

    def __init__(
        self, registry: Registry, account: Account | None, metrics: Metrics, after: float, clock: Clock = SYSTEM
    ) -> None:
        """Without an account it does nothing; `after` is how many seconds an outage lasts before anybody is told."""
        wait = dt.timedelta(seconds=after)
        self._patience = Patience(wait, min(_SETTLE, wait / 5))
        self._every = min(_LOOK, after / 10)
        self._registry, self._account, self._metrics, self._clock = registry, account, metrics, clock
        self._watching = self._looked = clock.now()

    @property
    def sends(self) -> bool:
        """Whether HQ can send mail."""
        return self._account is not None

    async def run(self) -> None:
        """Look and send for ever; registry and mail server being away only delay it."""
        if self._account is None:
            log.info("no mail server is set (smtp.host): contacts are kept, and nobody is told by mail")
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(keep_running("outages", self._keep_looking, every=self._every))
            for _ in range(_SENDERS):
                tasks.create_task(keep_running("notices", self._keep_sending, every=_SEND))

    async def _keep_looking(self) -> None:
        await self.look()

    async def _keep_sending(self) -> None:
        while await self.send():
            pass

    async def look(self) -> Seen:
        """Look once for outages that began or ended. Raises `RegistryAway`."""
        now = self._clock.now()
        if now - self._looked > _GAP or now < self._looked:
            self._watching = now
        seen = await self._registry.run(outages.look, now, self._watching, self._patience)
        self._looked = now
        if seen.many:
            log.error("very many offices are out at once: is HQ itself cut off?", offices=seen.many)
        for office in seen.begun:
            log.warning("an office is out; its contacts are told", office=office)
        for office in seen.over:
            log.info("an office is back; its contacts are told", office=office)
        self._metrics.untold.set((await self._registry.run(notices.waiting)).count)
        return seen

    async def send(self) -> bool:
        """Send one letter that is due; return whether there was one. Raises `RegistryAway`."""
        parcel = await self._registry.run(dispatch.take, self._clock.now())
        if parcel is None or self._account is None:
            return False
        try:
            await aside(deliver, self._account, parcel.letter, _SMTP_SECONDS)
        except Failure as failure:
            # The account's trouble says nothing about this letter: it waits until the vendor has set it right.
            waits = isinstance(failure, MailDelayed) or concerns_account(failure)
            await self._note(parcel, "delayed" if waits else "refused", failure)
        else:
            await self._note(parcel, "sent", None)
        return True

    async def _note(self, parcel: Parcel, outcome: dispatch.Outcome, failure: Failure | None) -> None:
        self._metrics.notices.labels(outcome).inc()
        if failure is not None:
            log.warning("a notice was not sent", outcome=outcome, code=failure.code, reference=failure.reference)
        for _ in range(_REMEMBERED):
            with contextlib.suppress(RegistryAway):
                await self._registry.run(dispatch.note, parcel, outcome, failure, self._clock.now())
                return
            await asyncio.sleep(1.0)

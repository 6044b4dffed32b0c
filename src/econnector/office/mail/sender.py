"""The loop that empties the outbox: the longest waiting first, per account, each mail once as far as SMTP allows.

=====================================  ================================================================================
what a try met                         what follows
=====================================  ================================================================================
accepted                               *sent*; its text is dropped
the account's trouble (no sender, one  the mail waits, and so does the whole account: one try now and then, further and
refused, OAuth, log-in, certificate,   further apart, at once when the account is changed; no mail is given up for it
server away)                           before its time is over
temporary (4xx, cut off, no answer)    this mail waits, further and further apart; the account goes on with the others
permanent (5xx)                        *failed*, with the reason
death of the connector                 it was *sending*: it is sent again at the next start, under its Message-ID
=====================================  ================================================================================
"""

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVarTuple

import msgspec
import structlog

from econnector.base.clock import Clock
from econnector.base.errors import (
    Failure,
    MailFailure,
    MailRefused,
    Unexpected,
)
from econnector.base.tasks import Jitter
from econnector.mail.letter import Account, Letter
from econnector.mail.smtp import concerns_account
from econnector.office.mail import standing
from econnector.office.mail.accounts import Accounts, Policy
from econnector.office.mail.postbox import Postbox
from econnector.office.mail.recording import Recorder
from econnector.office.mail.standing import AccountStanding, Standing
from econnector.office.mail.transport import ChildTransport, ThreadTransport, Transport
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state import failures, meta, outbox
from econnector.storage.state.failures import Met
from econnector.storage.state.outbox import Lane, Mail, Trouble

__all__ = ["Pace", "Sender", "sender_over"]

log = structlog.get_logger(__name__)

Ts = TypeVarTuple("Ts")

_CALL = "mail"
"""What the connector was doing, in the list of failures met."""


class Pace(msgspec.Struct, frozen=True):
    """How long to wait, in seconds; the defaults are the product's, tests are in more of a hurry."""

    look: float = 2.0
    """Between two looks at the outbox, which other processes may change."""
    account_first: float = 15.0
    account_most: float = 300.0
    """Ceilings of the waits of an account that nothing can be sent through."""
    mail_first: float = 60.0
    mail_most: float = 7200.0
    """Ceilings of the waits of one mail."""
    tidy: float = 60.0
    """Between two looks for mails whose time is over."""
    farewell: float = 1.5
    """For a mail that is on its way when the connector stops."""


class _Rests:
    """Who has to wait until when, further and further apart."""

    def __init__(self, first: float, most: float) -> None:
        self._first, self._most = first, most
        self._known: dict[Hashable, tuple[Jitter, float]] = {}

    def over(self, who: Hashable) -> bool:
        return who not in self._known or time.monotonic() >= self._known[who][1]

    def begin(self, who: Hashable) -> float:
        """Let it rest; return how long, in seconds."""
        jitter = self._known[who][0] if who in self._known else Jitter(self._first, self._most)
        seconds = jitter.next()
        self._known[who] = jitter, time.monotonic() + seconds
        return seconds

    def end(self, who: Hashable) -> None:
        self._known.pop(who, None)

    def clear(self) -> None:
        self._known.clear()


class Sender:
    """Sends what is in the outbox, for ever."""

    def __init__(  # noqa: PLR0913, PLR0917 - everything it stands on
        self,
        postbox: Postbox,
        state: Database,
        accounts: Accounts,
        recorder: Recorder,
        clock: Clock,
        pace: Pace = Pace(),  # noqa: B008 - frozen
    ) -> None:
        """`state` is the postbox's state file, which nobody else sends from."""
        self._postbox, self._state, self._accounts, self._recorder = postbox, state, accounts, recorder
        self._clock, self._pace = clock, pace
        self._rests = _Rests(pace.account_first, pace.account_most)
        self._standing = Standing()
        self._named: dict[Lane, str] = {}
        """Under which name a lane's account was last spoken of."""
        self.thread, self.process = ThreadTransport(), ChildTransport()
        self._tidied, self._hurried = 0.0, 0.0

    # -- the loop ----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Send until cancelled."""
        again = await self._state.run(outbox.recover, self._now())
        if again:
            log.info("mails that were on their way are sent again", mails=again)
        try:
            while True:
                self._postbox.changed.clear()
                if not await self._step():
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(self._pace.look):
                            await self._postbox.changed.wait()
        finally:
            await self.process.close()

    async def _step(self) -> bool:
        """Do one piece of work; False if there is none now."""
        await self._tidy()
        if await self._recorder.record_one():
            return True
        due = await self._state.run(outbox.due, self._now())
        if due.hurried > self._hurried:  # a person wants to see it tried
            self._hurried = due.hurried
            self._rests.clear()
        for lane in due.lanes:
            if await self._serve(lane):
                return True
        return False

    async def _tidy(self) -> None:
        if time.monotonic() - self._tidied >= self._pace.tidy or not self._tidied:
            self._tidied = time.monotonic()
            late = await self._state.run(outbox.expire, self._now())
            if late:
                log.warning("mails were given up: their time is over", mails=late)

    async def _serve(self, lane: Lane) -> bool:
        """Send the oldest due mail of a lane; False if there is none, or its account has to wait."""
        try:
            found = await self._accounts.find(lane)
        except MailFailure as failure:
            if self._rests.over(lane):
                name = failure.facts.get("account", "")
                await self._known_by(name, failure)
                await self._hold(lane, lane, name, failure)
            return False
        if found is None:
            return False
        chosen, account = found
        self._rests.end(lane)
        if not self._rests.over(account):
            return False
        mail = await self._state.run(outbox.take, lane, self._now())
        if mail is None:
            return False
        await self._finish(asyncio.create_task(self._send(mail, chosen.name, account)))
        return True

    async def _finish(self, sending: asyncio.Task[None]) -> None:
        """Wait for a mail that is on its way; the end of the connector gives it a moment."""
        try:
            await asyncio.shield(sending)
        except asyncio.CancelledError:
            await asyncio.wait({sending}, timeout=self._pace.farewell)
            sending.cancel()
            raise

    # -- one mail ----------------------------------------------------------------------------------------------

    async def _send(self, mail: Mail, name: str, account: Account) -> None:
        failure = await self._try(mail, account)
        if failure is not None:
            await self._not_sent(mail, name, account, failure)
            return
        await self._write_down(outbox.sent, mail.id, account.sender, self._now())
        self._rests.end(account)
        log.info("mail sent", mail=mail.id, purpose=mail.purpose, tries=mail.tries)
        await self._recorder.succeeded(mail.clinic)
        await self._say(mail.lane, name)

    async def _try(self, mail: Mail, account: Account) -> Failure | None:
        policy = await self._accounts.policy()
        transport = await self._transport(policy)
        try:
            await transport.deliver(account, _letter(mail), policy.seconds, policy.total)
        except Failure as failure:
            return failure
        except Exception as error:
            fault = Unexpected(kind=type(error).__name__)
            log.exception("a mail could not be sent", mail=mail.id, reference=fault.reference)
            return fault
        return None

    async def _write_down(self, f: Callable[[Any, *Ts], object], *what: *Ts) -> None:
        """Keep what became of a mail, however long that takes: going on without it would send the mail again."""
        while True:
            try:
                await self._state.run(f, *what)
            except Failure as failure:
                log.warning("the outbox cannot be written", code=failure.code, reference=failure.reference)
                await asyncio.sleep(1.0)
            else:
                return

    async def _transport(self, policy: Policy) -> Transport:
        chosen: Transport = self.process if policy.other_process else self.thread
        if chosen is not self.process:
            await self.process.close()
        self._standing.transport = chosen.name
        return chosen

    async def _not_sent(self, mail: Mail, name: str, account: Account, failure: Failure) -> None:
        # It can be looked up before anybody can read its reference.
        if concerns_account(failure):
            await self._known_by(name, failure)
            await self._write_down(outbox.delayed, mail.id, _trouble(failure), self._now())
            await self._hold(mail.lane, account, name, failure)
            return
        if (mail.code, mail.reason) == (failure.code, _trouble(failure).reason):
            failure.reference = mail.reference  # people know it by the reference of the first time
        else:
            await self._keep(failure)
        trouble = _trouble(failure)
        log.info("mail not sent", mail=mail.id, purpose=mail.purpose, code=failure.code, reference=failure.reference)
        if isinstance(failure, MailRefused) or self._now() >= mail.until:
            await self._write_down(outbox.failed, mail.id, account.sender, trouble, self._now())
        else:
            await self._write_down(outbox.delayed, mail.id, trouble, self._now() + self._wait(mail))
        await self._recorder.failed(mail.clinic, (await self._accounts.policy()).most_fails)

    def _wait(self, mail: Mail) -> float:
        """Return how long this mail waits: half of a time that doubles with every try, and some of the rest."""
        ceiling = min(self._pace.mail_most, self._pace.mail_first * 2.0 ** min(mail.tries - 1, 30))
        return ceiling / 2 + Jitter(ceiling / 2, ceiling / 2).next()

    async def _hold(self, lane: Lane, who: Hashable, name: str, failure: Failure) -> None:
        """Let a whole account wait."""
        seconds = self._rests.begin(who)
        await self._state.run(outbox.held, lane, _trouble(failure))
        await self._say(lane, name, failure, self._now() + seconds)
        await self._recorder.failed(lane.clinic, (await self._accounts.policy()).most_fails)

    async def _known_by(self, name: str, failure: Failure) -> None:
        """Give a trouble of an account the reference by which it is known already, else keep it under its own."""
        known = self._standing.accounts.get(name)
        if known is not None and (known.code, known.facts) == (failure.code, failure.facts):
            failure.reference = known.reference
        else:
            log.warning("mail has to wait", code=failure.code, reference=failure.reference)
            await self._keep(failure)

    # -- saying how it stands ------------------------------------------------------------------------------------

    async def _keep(self, failure: Failure) -> None:
        """Let a person find the failure by its reference."""
        met = Met(failure.reference, failure.code, _CALL, failure.facts, self._iso())
        await self._state.run(failures.record, met)

    async def _say(self, lane: Lane, name: str, failure: Failure | None = None, next_try: float = 0.0) -> None:
        """Leave word of how a lane's account stands."""
        forgot = self._forget(lane, name)
        account = self._standing.accounts.setdefault(name, AccountStanding())
        if failure is None:
            if not forgot and not account.code and account.last_sent[:16] == self._iso()[:16]:
                return  # said within this minute
            self._standing.accounts[name] = AccountStanding(last_sent=self._iso())
        else:
            account.since = account.since or self._iso()
            account.code, account.reference, account.facts = failure.code, failure.reference, failure.facts
            account.next_try = dt.datetime.fromtimestamp(next_try, dt.UTC).isoformat(timespec="seconds")
        text = msgspec.json.encode(self._standing).decode()
        await self._state.run(meta.write, standing.NAME, text)

    def _forget(self, lane: Lane, name: str) -> bool:
        """Drop what was said of the lane's account before it was changed or another one chosen; say whether it was."""
        before, self._named[lane] = self._named.get(lane, name), name
        over = before not in self._named.values()
        if over:
            self._standing.accounts.pop(before, None)
        return over

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _iso(self) -> str:
        return self._clock.now().isoformat(timespec="seconds")


def _letter(mail: Mail) -> Letter:
    return Letter([mail.recipient], mail.subject, mail.text, mail.message_id, mail.reply_to)


def _trouble(failure: Failure) -> Trouble:
    reason = failure.facts.get("reason", "")
    phase = failure.facts.get("phase", "")
    said = f"{phase}: {reason}" if phase and reason else reason or failure.office_text()
    return Trouble(failure.code, said, failure.reference)


def sender_over(  # noqa: PLR0913, PLR0917 - as its parts
    postbox: Postbox, state: Database, database: Database, schemas: Schemas, ca: Path | None, clock: Clock
) -> Sender:
    """Return the sender of a connector; `ca` as in its settings."""
    accounts, recorder = Accounts(database, schemas, ca), Recorder(state, database, schemas)
    return Sender(postbox, state, accounts, recorder, clock)

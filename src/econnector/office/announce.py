"""The office's half of telling its contacts: what HQ cannot know, or cannot tell, leaves through Open Dental's account.

Who tells what, so that nobody hears the same from two sides and nobody hears nothing:

* The database is away and there is a link: HQ knows it from the heartbeat and tells, if its answer said that it sends
  mail (`Heard.announces`); then we say nothing.
* There is no link. HQ sees the silence and tells, if it is there at all. So we leave it to HQ where all speaks for
  its being alive and the trouble lying between: its name is not found, a proxy or TLS inspection is in the way, or HQ
  itself refuses us. Else HQ may be what is away, and we tell.
* HQ has said that it sends no mail, or is of a version that never does: we tell everything.
* Both may come to tell that the link is gone. Then the two letters have the same Message-ID.

Whoever was told by us hears from us when it is over; a letter that has not left by then is taken back instead.
"""

import datetime as dt

import msgspec
import structlog

from econnector.base.clock import Clock
from econnector.base.errors import HqUntrusted, KeyInactive, ValueRejected
from econnector.mail.contacts import Contact
from econnector.mail.news import Kind, News, letter, message_id
from econnector.office import contacts
from econnector.office.mail.postbox import Postbox
from econnector.office.practice import Practice
from econnector.office.report import Reporter
from econnector.office.standing import Standing
from econnector.storage.database import Database
from econnector.storage.state import contacts as kept
from econnector.storage.state import failures, meta
from econnector.storage.state.contacts import Told
from econnector.storage.state.failures import Outage

__all__ = ["HQ_TELLS", "LOOK_SECONDS", "Announcer"]

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0
PURPOSE = "outage"
_GAP = dt.timedelta(seconds=60)
"""Without a look for this long, this machine slept: what was away meanwhile is not known."""
_HOUR = dt.timedelta(hours=1)
_PER_HOUR = 2
"""Outages that are told in an hour; what comes faster is summed up in the next letter."""
_DAYS = 1.0
"""How long a letter is tried: it is news."""
_BETWEEN = frozenset({"dns", "proxy", "tls"})
"""Steps to HQ that fail while HQ itself is most likely there."""
HQ_TELLS = "hq-announces"
"""Name in the state file's meta table: whether HQ said that it tells."""


class Announcer:
    """Looks every few seconds whether somebody is to be told."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that is known of the office
        self,
        state: Database,
        postbox: Postbox,
        practice: Practice,
        standing: Standing,
        reporter: Reporter,
        after: float,
        clock: Clock,
    ) -> None:
        """`after` is how many seconds an outage lasts before anybody is told."""
        self._state, self._postbox, self._practice = state, postbox, practice
        self._standing, self._reporter, self._clock = standing, reporter, clock
        self._after = dt.timedelta(seconds=after)
        self._watching = self._looked = clock.now()
        self._known: list[Contact] | None = None

    async def look(self) -> None:
        """Look once. Raises the state file's failures."""
        now = self._clock.now()
        if now - self._looked > _GAP or now < self._looked:
            self._watching = now
        self._looked = now
        people = await contacts.every(self._state)
        if people != self._known:  # also what another process has changed
            self._known = people
            self._reporter.hurry()
        await self._remember()
        for told in await self._state.run(kept.ended):
            await self._over(told, people)
        if self._standing.standby or not people:
            return
        for kind in ("database", "hq"):
            outage = await self._state.run(failures.current_outage, kind)
            if outage is not None and await self._is_due(outage, now):
                await self._decide(outage, people, now)

    async def _remember(self) -> None:
        """Keep whether HQ tells: a connector that starts while HQ is away must know."""
        if self._reporter.heard_at:
            said = "1" if self._reporter.heard.announces else ""
            if said != await self._state.run(meta.read, HQ_TELLS):
                await self._state.run(meta.write, HQ_TELLS, said)

    async def _is_due(self, outage: Outage, now: dt.datetime) -> bool:
        began = max(dt.datetime.fromisoformat(outage.began), self._watching)
        return now - began >= self._after and not await self._state.run(kept.told, outage.id)

    async def _decide(self, outage: Outage, people: list[Contact], now: dt.datetime) -> None:
        hq_tells = bool(await self._state.run(meta.read, HQ_TELLS))
        if outage.kind == "database" and hq_tells and self._standing.word == "open":
            await self._note(outage, "", [], now)  # HQ tells it now, also if the link breaks later
        elif outage.kind == "hq" and hq_tells and self._is_between():
            return  # looked at again: the cause may change
        elif not await self._is_too_much(now):
            await self._tell(outage, people, now)

    def _is_between(self) -> bool:
        trouble = self._standing.trouble
        if self._standing.word == "refused" or trouble is None:
            return self._standing.word == "refused"
        return trouble.code == HqUntrusted.code or trouble.facts.get("step") in _BETWEEN

    async def _is_too_much(self, now: dt.datetime) -> bool:
        since = (now - _HOUR).isoformat(timespec="seconds")
        return len(await self._state.run(kept.told_since, since)) >= _PER_HOUR

    async def _tell(self, outage: Outage, people: list[Contact], now: dt.datetime) -> None:
        mark = f"link {self._standing.epoch}" if outage.kind == "hq" else outage.began
        news = self._news("down", outage.began, "", outage.code, outage.reference)
        news = await self._with_untold(news)
        # Handed in again under the same id, after a death on the way, it is the same letter.
        for person in people:
            await self._hand_in(news, person, mark)
        await self._note(outage, mark, [person.address for person in people], now)
        log.warning("an outage lasts; the contacts are told", kind=outage.kind, code=outage.code, contacts=len(people))

    async def _note(self, outage: Outage, mark: str, addresses: list[str], now: dt.datetime) -> None:
        at = now.isoformat(timespec="seconds")
        await self._state.run(kept.note, outage.id, mark, addresses, at)

    async def _with_untold(self, news: News) -> News:
        """Return the news with how many outages there were since anybody was told of one, if it is a lot at once."""
        lately = (news.since - _HOUR).isoformat(timespec="seconds")
        last = (await self._state.run(kept.told_since, lately) or [""])[0]
        if not last:
            return news
        passed = [each.began for each in await self._state.run(failures.latest_outages, 100) if each.began > last]
        first = dt.datetime.fromisoformat(min([*passed, news.since.isoformat()]))
        return msgspec.structs.replace(news, times=max(1, len(passed)), first=first)

    async def _over(self, told: Told, people: list[Contact]) -> None:
        news = self._news("back", told.began, told.ended, told.code, told.reference)
        for person in people:
            if person.address in told.addresses and not await self._withdrawn(told, person):
                await self._hand_in(news, person, f"{told.mark} {told.outage}")
        await self._state.run(kept.settle, told.outage)

    async def _withdrawn(self, told: Told, person: Contact) -> bool:
        """Take a letter back that has not left yet; say whether that was so."""
        identity = message_id("down", self._standing.office, told.mark, person.address)
        for mail in await self._postbox.list(1000, "waiting", "failed"):
            if (mail.message_id, mail.recipient) == (identity, person.address):
                try:
                    await self._postbox.remove(mail.id)
                except ValueRejected:  # it has just begun to leave
                    return False
                return True
        return False

    async def _hand_in(self, news: News, person: Contact, mark: str) -> None:
        identity = message_id(news.kind, self._standing.office, mark, person.address)
        await self._postbox.hand_in(letter([news], person, identity, "office"), purpose=PURPOSE, days=_DAYS)

    def _news(self, kind: Kind, began: str, ended: str, code: str, reference: str) -> News:
        facts, offset = self._practice.facts, self._clock.now().astimezone().utcoffset()
        return News(
            kind,
            self._standing.office,
            facts.title if facts else "",
            dt.datetime.fromisoformat(began),
            dt.datetime.fromisoformat(ended) if ended else None,
            "inactive" if code == KeyInactive.code else code,
            self._reporter.machine,
            code,
            reference,
            None if offset is None else int(offset.total_seconds()) // 60,
        )

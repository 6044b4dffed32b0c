"""What HQ offers: asked by the connector at its start, daily, and when somebody looks for updates.

Only the connector has a link. What HQ says is kept in the state file, where the window and the commands read it and
where they leave word that they wait for it.
"""

import asyncio
import contextlib
import datetime as dt

import structlog

from econnector.base.clock import Clock
from econnector.base.errors import CodeAddressUnusable, UnknownCall
from econnector.base.tasks import Jitter
from econnector.link.calls import CODE_OFFERS, CodeOffersWanted
from econnector.office.codes.transfer import usable
from econnector.opendental import codesystems
from econnector.storage.database import Database
from econnector.storage.state import code_offers
from econnector.storage.state.code_offers import Offer
from econnector.wire.call import Asker

__all__ = ["LOOK_SECONDS", "Offers", "pace"]

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0
"""How often to see whether a day is over or somebody waits."""
_DAY = dt.timedelta(days=1)
_LONGEST = 2000
_DIGITS = frozenset("0123456789abcdef")
_SHA256 = 64


def pace() -> Jitter:
    """Return how long to wait before HQ is asked again when it did not answer."""
    return Jitter(5.0, 600.0)


class Offers:
    """Asks HQ which versions there are."""

    def __init__(self, hq: Asker, state: Database, online: asyncio.Event, clock: Clock) -> None:
        """Nothing is asked before `online`."""
        self._hq, self._state, self._online, self._clock = hq, state, online, clock
        self._asked: dt.datetime | None = None

    async def look(self) -> None:
        """Ask if it was not asked today, or if somebody waits. Raises the link's and HQ's failures."""
        await self._online.wait()
        now = self._clock.now()
        today = self._asked is not None and dt.timedelta() <= now - self._asked < _DAY
        if today and not await self._state.run(code_offers.wanted):
            return
        try:
            said = await self._hq.ask(CODE_OFFERS, CodeOffersWanted())
        except UnknownCall:  # an older HQ; what an earlier one has said stays
            log.info("HQ does not know of code systems")
            before = await self._state.run(code_offers.every)
            await self._state.run(code_offers.keep, list(before.values()), now)
        else:
            offers = [Offer(each.system, each.version, each.url, each.checksum.lower()) for each in said.offers]
            await self._state.run(code_offers.keep, [each for each in offers if _is_good(each)], now)
        self._asked = now


def _is_good(offer: Offer) -> bool:
    """Return whether an offer can be used: HQ may be newer and know more, and nothing it says is believed unseen."""
    system = codesystems.named(offer.system)
    if system is None or system.name != offer.system or not system.importable or len(offer.url) > _LONGEST:
        return False
    if not offer.version or len(offer.checksum) != _SHA256 or not _DIGITS.issuperset(offer.checksum):
        return False
    with contextlib.suppress(CodeAddressUnusable):
        usable(offer.url)
        return True
    return False

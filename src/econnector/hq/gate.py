"""HQ's gate: which office an arriving connector belongs to, and whether it may be its connector."""

import datetime as dt
import math
from dataclasses import dataclass

import structlog

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import Failure, KeyUnknown, TooManyKeys
from econnector.base.ids import new_id
from econnector.hq.metrics import Metrics
from econnector.hq.registry import connectors, crowd
from econnector.hq.registry.connectors import Granted, Presented
from econnector.hq.registry.crowd import Gone
from econnector.hq.registry.database import Registry
from econnector.hq.registry.grouped import Grouped
from econnector.hq.registry.heartbeats import Place
from econnector.hq.tries import Tries
from econnector.link.accept import Admission, Arrival

__all__ = ["Admitted", "RegistryGate"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Admitted(Admission):
    """An admission that knows its rows in the registry."""

    place: Place


class RegistryGate:
    """Judges arrivals by the registry; a `link.accept.Gate`."""

    def __init__(self, registry: Registry, node: str, metrics: Metrics, clock: Clock = SYSTEM) -> None:
        """`node` is this HQ process's name, for whoever reads the registry."""
        self._registry, self._node, self._metrics, self._clock = registry, node, metrics, clock
        self._stopping = False
        self._tries = Tries(clock)
        self._arrivals = Grouped[Presented, Granted | Failure](registry, crowd.admit, connectors.admit, clock)
        self._departures = Grouped[Gone, bool](registry, crowd.retire, clock=clock)

    async def admit(self, arrival: Arrival) -> Admitted:
        """Return the admission.

        Raises `KeyUnknown`, `KeyInactive`, `OwnedElsewhere` or `RegistryAway`; `TooManyKeys` for a key from an address
        that has tried too many unknown ones.
        """
        self._look_at_tries(arrival)
        who = Presented(
            public_key=arrival.public_key.hex(),
            install_id=arrival.install_id,
            machine=arrival.machine,
            version=arrival.version,
            address=arrival.address,
            key=arrival.registration_key or "",
            node=self._node,
            link=new_id(),
        )
        judged = await self._arrivals.run(who)
        self._metrics.arrivals.labels(judged.code if isinstance(judged, Failure) else "admitted").inc()
        if isinstance(judged, Failure):
            if isinstance(judged, KeyUnknown) and arrival.registration_key:
                self._tries.failed(arrival.address)
            raise judged
        office = judged.office
        log.info("an office connected", office=office.name, machine=arrival.machine, epoch=judged.epoch)
        return Admitted(office.name, judged.epoch, office.title, Place(office.id, judged.epoch))

    def _look_at_tries(self, arrival: Arrival) -> None:
        # A machine that is enrolled shows no key and is never kept waiting by its neighbours at the same address.
        if arrival.registration_key and (seconds := self._tries.wait(arrival.address)):
            self._metrics.arrivals.labels(TooManyKeys.code).inc()
            raise TooManyKeys(seconds=math.ceil(seconds))

    async def retire(self, admission: Admission, reason: str) -> None:
        """Note that the link is over. Raises `RegistryAway`; the watch then notices the silence."""
        if isinstance(admission, Admitted) and not self._stopping:
            place = admission.place
            await self._departures.run(Gone(place.office, place.epoch, reason))
            log.info("an office's link is over", office=admission.office, reason=reason, epoch=place.epoch)

    def stop(self) -> None:
        """Leave it to `retire_all` to note the ends of links: ten thousand at once would take too long one by one."""
        self._stopping = True

    async def retire_all(self) -> None:
        """Note that this node has no links any more. Raises `RegistryAway`."""
        await self._registry.run(connectors.retire_node, self._node, "this node of HQ stopped", self._now())

    def _now(self) -> dt.datetime:
        return self._clock.now()

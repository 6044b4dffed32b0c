"""Doors: from a page's address to the office it belongs to.

What the registry says about an office is remembered for two seconds, so that a page costs no query and a key that is
disabled acts at once as far as people can tell. While the registry is away, what was known goes on for ten minutes.
"""

import asyncio
import contextlib
import datetime as dt
from collections import OrderedDict
from typing import TypeVar

import msgspec
from starlette.requests import Request

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import (
    Failure,
    KeyInactive,
    NeverConnected,
    OfficeUnreachable,
    RegistryAway,
    UnknownAddress,
)
from econnector.hq.registry import heartbeats
from econnector.hq.registry.database import Registry
from econnector.hq.registry.heartbeats import Reach
from econnector.hq.registry.offices import NAME, inactive_reason
from econnector.link.line import Line
from econnector.link.switchboard import Switchboard
from econnector.web.door import Door, FindDoor
from econnector.wire.call import Asker, Call, Download

__all__ = ["Doors", "host_of", "local_time"]

P = TypeVar("P", bound=msgspec.Struct)
R = TypeVar("R", bound=msgspec.Struct)

_FRESH = 2.0
_USABLE = 600.0
_PATIENCE = 1.0
_LONGEST_HOST = 253
"""Characters of a name in DNS; strangers send longer ones, and what is asked for is remembered."""
_MOST = 20_000
"""Addresses remembered, real ones and wrong ones: enough for every office, too few to fill the memory."""


class _Known:
    __slots__ = ("asking", "at", "open", "reach")

    def __init__(self) -> None:
        self.at = float("-inf")
        self.reach: Reach | None = None
        self.open = ""
        """The office's name, if its door was open when it was last looked at."""
        self.asking: asyncio.Task[Reach | None] | None = None


class Doors:
    """Finds doors by `/o/<office>/…` and by host name."""

    def __init__(self, registry: Registry, switchboard: Switchboard, clock: Clock = SYSTEM) -> None:
        """Know nothing yet."""
        self._registry, self._switchboard, self._clock = registry, switchboard, clock
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()

    def finder(self, path: str, host_path: str) -> FindDoor:
        """Return the `FindDoor` of one eService.

        `path` is where it is below `/o/<office>`, `host_path` where it is on an office's own host name.
        """

        async def find(request: Request) -> Door:
            name = request.path_params.get("office")
            if name is not None:
                return self._door(await self.by_name(str(name)), f"/o/{name}{path}")
            return self._door(await self.by_host(host_of(request)), host_path)

        return find

    async def by_name(self, name: str) -> Reach | None:
        """Return what is known of the office with this name, or None. Raises `RegistryAway`."""
        return await self._look(name, "") if NAME.fullmatch(name) else None

    async def by_host(self, host: str) -> Reach | None:
        """Return what is known of the office with this host name, or None. Raises `RegistryAway`."""
        return await self._look("", host) if "." in host and len(host) <= _LONGEST_HOST else None

    def peek(self, name: str, host: str) -> str | None:
        """Return the name of the office with this name or host name if it may be asked; None when `admit` must say."""
        known = self._known.get((name, host))
        if known is None or self._clock.monotonic() - known.at >= _FRESH:
            return None
        return known.open or None

    async def admit(self, name: str, host: str) -> str:
        """Return the name of the office with this name, or with this host name where `name` is empty.

        Raises `UnknownAddress`, `KeyInactive` or `NeverConnected` if it may not be asked, and `RegistryAway`.
        """
        return self._let_in(await (self.by_name(name) if name else self.by_host(host))).name

    def _door(self, reach: Reach | None, base: str) -> Door:
        reach = self._let_in(reach)
        return Door(reach.name, base, reach.title, reach.phone, _Telling(self, reach.name))

    def _let_in(self, reach: Reach | None) -> Reach:
        if reach is None:
            raise UnknownAddress
        why = inactive_reason(reach.disabled_at, reach.disabled_reason, reach.support_ends, self._clock.now())
        if why:
            raise KeyInactive(reason=why.reason, since=why.since, phone=reach.phone, office=reach.name)
        if _never_heard(reach):
            raise NeverConnected(phone=reach.phone, office=reach.name)
        return reach

    async def _look(self, name: str, host: str) -> Reach | None:
        known = self._known.get((name, host))
        if known is None:
            known = self._known[name, host] = _Known()
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
        age = self._clock.monotonic() - known.at
        if age < _FRESH:
            return known.reach
        if known.asking is None:
            known.asking = asyncio.create_task(self._fetch(known, name, host))
            # Everybody who asked may have gone before it fails.
            known.asking.add_done_callback(lambda task: task.cancelled() or task.exception())
        usable = age < _USABLE and known.reach is not None
        try:
            async with asyncio.timeout(_PATIENCE if usable else None):
                return await asyncio.shield(known.asking)
        except (RegistryAway, TimeoutError):
            if usable:
                return known.reach
            raise

    async def _fetch(self, known: _Known, name: str, host: str) -> Reach | None:
        try:
            known.reach = await self._registry.run(heartbeats.find, name, host)
            known.at, known.open = self._clock.monotonic(), ""
            with contextlib.suppress(Failure):
                known.open = self._let_in(known.reach).name
        finally:
            known.asking = None
        return known.reach

    def asker(self, name: str) -> Asker:
        """Return whom to ask for the office."""
        return self._switchboard.office(name)

    def line(self, name: str) -> Line:
        """Return the way to the office. Raises `OfficeUnreachable`."""
        return self._switchboard.line(name)

    async def told(self, name: str, failure: OfficeUnreachable, reference: str | None) -> OfficeUnreachable:
        """Return the failure with since when the office is away, and whom to call instead."""
        facts = {"office": name, **failure.facts}
        reach = None
        with contextlib.suppress(RegistryAway):
            reach = await self.by_name(name)
        if reach is not None and reach.last_seen is not None:
            seen = local_time(reach.last_seen, reach.utc_offset)
            facts |= {"last_seen": seen, "since": seen, "phone": reach.phone}
        return OfficeUnreachable(reference=reference or failure.reference, **facts)


class _Telling:
    """An office's asker that says, when there is no link, since when and whom to call instead."""

    __slots__ = ("_asker", "_doors", "_name")

    def __init__(self, doors: Doors, name: str) -> None:
        self._doors, self._name, self._asker = doors, name, doors.asker(name)

    async def ask(
        self,
        call: Call[P, R],
        params: P,
        *,
        within: float | None = None,
        key: str | None = None,
        reference: str | None = None,
    ) -> R:
        """Return the answer to `call`; see `Asker.ask`."""
        try:
            return await self._asker.ask(call, params, within=within, key=key, reference=reference)
        except OfficeUnreachable as failure:
            raise await self._doors.told(self._name, failure, reference) from failure

    async def download(
        self, call: Call[P, R], params: P, *, within: float | None = None, reference: str | None = None
    ) -> Download[R]:
        """Return the answer to a call that streams; see `Asker.download`."""
        try:
            return await self._asker.download(call, params, within=within, reference=reference)
        except OfficeUnreachable as failure:
            raise await self._doors.told(self._name, failure, reference) from failure


def _never_heard(reach: Reach) -> bool:
    """Say whether the office's connector never ran: to enrol is to have come once, and to have said nothing."""
    return reach.last_seen is None or (reach.heartbeat_at is None and reach.lost_at is not None)


def local_time(when: dt.datetime, utc_offset: int | None) -> str:
    """Return a moment as the office's clocks show it, ISO 8601 without zone, which pages turn into words.

    With the office's offset unknown it is in UTC and says so.
    """
    if utc_offset is None:
        return f"{when:%Y-%m-%d %H:%M} UTC"
    return f"{when + dt.timedelta(minutes=utc_offset):%Y-%m-%dT%H:%M}"


def host_of(request: Request) -> str:
    """Return the host name that the browser asked for, without port, in lower case."""
    return (request.url.hostname or "").lower().rstrip(".")

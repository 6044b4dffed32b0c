"""The switchboard: an office is asked by its name, wherever its link is.

One HQ process holds all links itself (`LocalSwitchboard`); several processes reach each other's over NATS
(`switchboard_nats`). Whoever asks never knows which. Calls pass the office's share of the process (`admission`) on
their way.
"""

from typing import NamedTuple, Protocol

from econnector.base.errors import OfficeUnreachable, OwnedElsewhere
from econnector.link.admission import Bounds, Shares
from econnector.link.asking import LineAsker
from econnector.link.line import Line
from econnector.wire.call import Asker

__all__ = ["Attached", "Holdings", "LocalSwitchboard", "Switchboard"]


class Attached(Line, Protocol):
    """A live link as the switchboard sees it."""

    def supersede(self) -> None:
        """Make room for a newer link to the same office; may let what is in flight end first."""


class Switchboard(Protocol):
    """Finds the link of an office."""

    @property
    def shares(self) -> Shares:
        """What each office has of this process."""

    @property
    def joined(self) -> bool:
        """Whether the links of other processes can be reached now."""

    async def start(self) -> None:
        """Begin to work. Raises a `Failure` if that cannot be."""

    async def close(self) -> None:
        """Stop; calls that go through other processes fail."""

    def office(self, name: str) -> Asker:
        """Return whom to ask for the office; whether it can be reached shows when it is asked."""

    def line(self, name: str) -> Line:
        """Return the way to the office as it is now. Raises `OfficeUnreachable` when that is known to be none."""

    async def attach(self, office: str, epoch: int, link: Attached) -> None:
        """Route the office's calls to `link` from now on.

        The link that was there until now is superseded before the new one is used. Raises `OwnedElsewhere` if that one
        was admitted under a higher `epoch`: then it stays.
        """

    async def detach(self, office: str, link: Attached) -> None:
        """Route no more calls to `link`; nothing happens if another link has taken its place."""


class _Held(NamedTuple):
    epoch: int
    link: Attached


class Holdings:
    """The links that this process holds, by office; what both kinds of switchboard have in common."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        """Hold nothing."""
        self._held: dict[str, _Held] = {}

    def put(self, office: str, epoch: int, link: Attached) -> None:
        """Hold `link` for the office. Raises `OwnedElsewhere` as `Switchboard.attach` does."""
        self.yield_to(office, epoch)
        self._held[office] = _Held(epoch, link)

    def yield_to(self, office: str, epoch: int) -> bool:
        """Let go of the office for a link admitted under `epoch`; return whether there was one to let go of."""
        held = self._held.get(office)
        if held is None:
            return False
        if held.epoch > epoch:
            raise OwnedElsewhere(machine="another machine", since="?", here="?")
        del self._held[office]
        held.link.supersede()
        return True

    def drop(self, office: str, link: Attached) -> bool:
        """Let go of `link`; return whether it was the one held."""
        held = self._held.get(office)
        if held is None or held.link is not link:
            return False
        del self._held[office]
        return True

    def find(self, office: str) -> Attached | None:
        """Return the office's link, or None."""
        held = self._held.get(office)
        return None if held is None else held.link

    def epoch(self, office: str) -> int:
        """Return the epoch under which the office's link was admitted, 0 when there is none."""
        held = self._held.get(office)
        return 0 if held is None else held.epoch

    def offices(self) -> list[str]:
        """Return the names of all offices held."""
        return list(self._held)


class LocalSwitchboard:
    """All links are in this process."""

    __slots__ = ("_holdings", "shares")

    def __init__(self, bounds: Bounds | None = None) -> None:
        """Know no office."""
        self._holdings = Holdings()
        self.shares = Shares(self._link, bounds)

    @property
    def joined(self) -> bool:
        """There are no others."""
        return True

    async def start(self) -> None:
        """Nothing has to be started."""

    async def close(self) -> None:
        """Nothing has to be stopped: the links belong to the gateway."""

    def office(self, name: str) -> Asker:
        """Return whom to ask for the office."""
        return LineAsker(lambda: self.line(name))

    async def attach(self, office: str, epoch: int, link: Attached) -> None:
        """Route the office's calls to `link`. Raises `OwnedElsewhere` for an older epoch."""
        self._holdings.put(office, epoch, link)

    async def detach(self, office: str, link: Attached) -> None:
        """Route no more calls to `link`."""
        self._holdings.drop(office, link)

    def line(self, name: str) -> Line:
        """Return the way to the office's link. Raises `OfficeUnreachable`."""
        self._link(name)
        return self.shares.line(name)

    def _link(self, name: str) -> Line:
        link = self._holdings.find(name)
        if link is None:
            raise OfficeUnreachable(office=name)
        return link

"""What each office may take of a node of HQ, so that a crowd before one office does not hurt the others.

Every call passes its office's share, on the node that asks and again on the node that has the link. Under all bounds it
goes straight through; beyond them it waits in a short queue of its office, or is refused at once as busy when it
would come too late. A call that still waits when its time in the queue is over is refused as busy too, never as late.

Two rules share what the node has among offices:

* Nobody takes more once they hold an eighth of what is free (dynamic thresholds, Choudhury and Hahne 1998): as it gets
  scarce, the greedy get less, and something is left for whoever comes next.
* Offices whose queue waits for the node take turns, one call each.
"""

import asyncio
import math
from collections.abc import Callable
from itertools import islice
from typing import Final

import msgspec

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import LinkFailure, OfficeBusy
from econnector.link.failing import fault_of, link_fault, unexpected
from econnector.link.handshake import Limits
from econnector.link.line import Handle, Line, Sink
from econnector.link.passage import Passage
from econnector.wire.messages import Fault, Request

__all__ = ["PART", "Bounds", "Share", "Shares"]

_MIB = 1024 * 1024
PART: Final = 8
"""An office that holds one part in so many of what is free gets no more."""
_BURST: Final = 2.0
"""Seconds' worth of calls that may come at once."""
_PATIENCE: Final = 2.0
"""Seconds that a call waits at most, and at most half of its own time: the other half is for its answer."""
_LONGEST_PAUSE: Final = 30
"""Seconds that whoever is refused is asked to wait at most."""
_UNTIL_A_FILE_ENDS: Final = 5
"""Seconds that whoever wants one more file is asked to wait."""
_LOOKED_AT: Final = 16
"""Offices that are looked at per turn of the loop when the node is short: a thousand that wait cost no more."""
_REFUSED_PER_TURN: Final = 4
"""Calls that waited in vain and are told so per turn of the loop: a crowd that came together waits in vain together."""
_REMEMBERED: Final = 64
"""Calls that left the queue, by which its pace is judged."""
_SWEEP: Final = 5.0
"""Seconds after which the accounts of idle offices are dropped."""

_decode = msgspec.msgpack.Decoder(Request).decode


class Bounds(msgspec.Struct, frozen=True):
    """How much of a node one office may take, and how much the node gives in all."""

    calls: int = 64
    """Calls of an office that are under way at a time; files that come in are counted by their bytes instead."""
    queue: int = 256
    """Calls of an office that wait."""
    rate: float = 200.0
    """Calls of an office per second, on average over two seconds; 0: no bound."""
    bytes: int = 32 * _MIB
    """Bytes of an office's files that may be under way or unread here."""
    all_calls: int = 4096
    """Calls of all offices that are under way at a time; as many may wait."""
    all_bytes: int = 256 * _MIB
    """Bytes of all offices' files that may be under way or unread here."""


def _ignore(_reason: str) -> None:
    """Nobody counts."""


class Shares:
    """The shares of all offices in one node. An idle office has none."""

    def __init__(
        self,
        find: Callable[[str], Line],
        bounds: Bounds | None = None,
        *,
        window: int = Limits().window,
        clock: Clock = SYSTEM,
    ) -> None:
        """`find` returns the line to an office as it is now, or raises the `LinkFailure` that says why there is none.

        `window`: bytes that a file may send before anybody reads, as this node says in its handshakes.
        """
        self.find, self.bounds, self.window = find, bounds or Bounds(), window
        self.now = clock.monotonic
        self.each = 1.0 / self.bounds.rate if self.bounds.rate > 0 else 0.0
        self.running = self.waiting = self.bytes = self._refused = 0
        self.on_refused: Callable[[str], None] = _ignore
        """Who hears why a call was refused: `full`, `slow`, `late` or `bytes`."""
        self._shares: dict[str, Share] = {}
        self._woken: dict[Share, None] = {}
        self._short: dict[Share, None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turn: asyncio.Handle | None = None
        self._sweep: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._shares)

    def line(self, office: str) -> "Share":
        """Return the way to an office through its share. It is good for now: ask for it anew at every call."""
        share = self._shares.get(office)
        if share is None:
            share = self._shares[office] = Share(self, office)
            if self._sweep is None:
                self._sweep = self.loop.call_later(_SWEEP, self._drop_idle)
        return share

    def refusal(self, office: str) -> OfficeBusy | None:
        """Return what a call to the office would be refused with now, None if it may be tried."""
        share = self._shares.get(office)
        return None if share is None else share.refusal(self.now())

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop in which all of this lives."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop

    def wake(self, share: "Share") -> None:
        """Note that `share` may let go more: look, later in this turn of the loop, who may."""
        if share.queue:
            self._woken[share] = None
        if self._turn is None and (self._woken or self._short):
            self._turn = self.loop.call_soon(self._take_turns)

    def is_short_for(self, share: "Share") -> None:
        """Let `share` wait until the node has more; it comes after all that wait for that already."""
        self._short[share] = None

    def may_refuse(self) -> bool:
        """Whether one more may be refused late in this turn of the loop: each wants a page, and others want theirs."""
        if not self._refused:
            self.loop.call_soon(self._begin_turn)
        self._refused += 1
        return self._refused <= _REFUSED_PER_TURN

    def _begin_turn(self) -> None:
        self._refused = 0

    def _take_turns(self) -> None:
        """Let go what may: one call of each office, then one more of each."""
        self._turn = None
        now = self.now()
        for share in list(islice(self._short, _LOOKED_AT)):
            del self._short[share]
            self._woken[share] = None
        going, self._woken = list(self._woken), {}
        some = False
        while going := [share for share in going if share.let_one_go(now)]:
            some = True
        if some and self._short:
            self._turn = self.loop.call_soon(self._take_turns)

    def _drop_idle(self) -> None:
        now = self.now()
        for office, share in list(self._shares.items()):
            if share.is_idle(now):
                del self._shares[office]
        self._sweep = self.loop.call_later(_SWEEP, self._drop_idle) if self._shares else None


class Share:
    """What one office has of the node: the line to it, with a count before it."""

    __slots__ = ("_began", "_due", "_left", "_node", "_office", "_timer", "bytes", "queue", "running", "window")

    def __init__(self, node: Shares, office: str) -> None:
        """Nothing runs yet."""
        self._node, self._office = node, office
        self.running = self.bytes = 0
        self.window = node.window
        self.queue: dict[Passage, None] = {}
        self._due = 0.0
        """When the next call would be in time if all came at the sustained rate; a burst runs ahead of it."""
        self._began, self._left = 0.0, 0.0
        """Since when calls wait, and how many have left the queue since; both are halved now and then."""
        self._timer: asyncio.TimerHandle | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The node's."""
        return self._node.loop

    def start(self, request: bytes, sink: Sink) -> Handle:
        """Send an encoded `Request`, now or after a short wait.

        Raises `OfficeBusy` when it would come too late, and what the line raises.
        """
        now = self._node.now()
        one = Passage(self, sink)
        if self.queue or self._held_by(now) or not self._went(one, request, now):
            self._wait(one, request, now)
        return one

    def is_idle(self, now: float) -> bool:
        """Whether nothing would be forgotten with it."""
        return not self.running and not self.bytes and not self.queue and self._due <= now

    # -- calls -------------------------------------------------------------------------------------------------

    def _held_by(self, now: float) -> str:
        """Return what keeps a call from going now; empty when nothing does."""
        node = self._node
        bounds = node.bounds
        if self.running >= bounds.calls:
            return "calls"
        if self.running * PART >= bounds.all_calls - node.running:
            return "node"
        return "rate" if node.each and self._due - now > _BURST else ""

    def _went(self, one: "Passage", request: bytes, now: float) -> bool:
        """Send it; False if the line takes no more although the share does: an office may name a lower bound."""
        node = self._node
        self.running += 1
        node.running += 1
        try:
            one.inner = node.find(self._office).start(request, one)
        except OfficeBusy:
            self._uncount()
            if self.running:
                return False
            raise
        except BaseException:
            self._uncount()
            raise
        due = self._due
        self._due = (due if due > now else now) + node.each  # noqa: FURB136 - every call comes by here
        return True

    def _uncount(self) -> None:
        self.running -= 1
        self._node.running -= 1

    def ended(self) -> None:
        """Note that a call is over, or that bytes follow, which are counted otherwise."""
        node = self._node
        self.running -= 1
        node.running -= 1
        if node.waiting:
            node.wake(self)

    # -- the queue ---------------------------------------------------------------------------------------------

    def _wait(self, one: "Passage", request: bytes, now: float) -> None:
        node, queue = self._node, self.queue
        if not queue:
            self._began, self._left = now, 0.0
        remaining = _decode(request).remaining
        patience = min(_PATIENCE, remaining / 2) if remaining > 0 else 0.0
        busy = self._refused(now, patience)
        if busy is not None:
            raise busy
        queue[one] = None
        node.waiting += 1
        one.request, one.since = request, now
        one.timer = node.loop.call_later(patience, self._too_late, one)
        self._park(now)

    def refusal(self, now: float) -> OfficeBusy | None:
        """Return what a call would be refused with now; it counts as refused."""
        return self._refused(now, _PATIENCE) if self.queue or self._held_by(now) else None

    def _refused(self, now: float, patience: float) -> OfficeBusy | None:
        node, waiting, expected = self._node, len(self.queue), self._expected(now)
        full = waiting >= node.bounds.queue or waiting * PART >= node.bounds.all_calls - node.waiting
        if not full and expected < patience:
            return None
        node.on_refused("full" if full else "slow")
        return OfficeBusy(**self._busy(expected))

    def _expected(self, now: float) -> float:
        """Return how long one more will wait (seconds): by the pace at which others left, and by the rate."""
        place, passed = len(self.queue) + 1, now - self._began if self.queue else 0.0
        by_pace = place * passed / self._left if self._left else passed
        return max(by_pace, self._due + (place - 1) * self._node.each - now - _BURST)

    def _busy(self, expected: float) -> dict[str, str]:
        seconds = min(_LONGEST_PAUSE, max(1, math.ceil(expected)))
        return {"limit": f"{self._node.bounds.calls} calls", "seconds": str(seconds)}

    def _park(self, now: float) -> None:
        """See to it that the queue is looked at again. When our own calls are too many, one that ends does it."""
        why = self._held_by(now)
        if why == "node":
            self._node.is_short_for(self)
        elif why == "rate" and self._timer is None:
            self._timer = self.loop.call_later(self._due - now - _BURST, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._node.wake(self)

    def let_one_go(self, now: float) -> bool:
        """Let the first of the queue go; return whether it went."""
        while self.queue:
            one = next(iter(self.queue))
            try:
                went = not self._held_by(now) and self._went(one, one.request_at(now), now)
            except Exception as error:  # noqa: BLE001 - one that cannot be sent must not keep all others waiting
                failure = error if isinstance(error, LinkFailure) else unexpected(error, "queue", "")
                self.leave(one)
                one.refuse(msgspec.structs.replace(fault_of(failure), reference=""))
                continue
            if went:
                self.leave(one)
                self._note_pace(now)
            else:
                self._park(now)
            return went
        return False

    def _note_pace(self, now: float) -> None:
        self._left += 1
        if self._left > _REMEMBERED:
            self._left /= 2
            self._began = now - (now - self._began) / 2

    def leave(self, one: "Passage") -> None:
        """Take a call out of the queue."""
        del self.queue[one]
        self._node.waiting -= 1
        one.leave()

    def _too_late(self, one: "Passage") -> None:
        if not self._node.may_refuse():
            one.timer = self.loop.call_soon(self._too_late, one)
            return
        facts = self._busy(self._expected(self._node.now()))
        self.leave(one)
        self._node.on_refused("late")
        one.refuse(link_fault(OfficeBusy, **facts))

    # -- bytes -------------------------------------------------------------------------------------------------

    def take(self, size: int, *, more: bool = False) -> bool:
        """Count `size` more bytes that may come, if there is room; for `more` of a file only the first half."""
        node = self._node
        bounds, held = node.bounds, self.bytes
        most = bounds.bytes // 2 if more else bounds.bytes
        free = bounds.all_bytes - node.bytes
        if held + size > most or held * PART >= free or size > free:
            return False
        self.bytes += size
        node.bytes += size
        return True

    def give_back(self, size: int) -> None:
        """Note that so many bytes can come no more."""
        self.bytes -= size
        self._node.bytes -= size

    def no_room(self) -> Fault:
        """Return what a file is refused with for which there is no room."""
        self._node.on_refused("bytes")
        limit = f"{self._node.bounds.bytes // _MIB} MiB of files"
        return link_fault(OfficeBusy, limit=limit, seconds=_UNTIL_A_FILE_ENDS)

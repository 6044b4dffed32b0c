"""One direction of a link as a test sees it: packets under way, delivered in any pieces, and what may happen to them.

A TLS connection delivers every byte once and in order, or breaks. What else happens here (`lose`, `double`, `swap`,
`spoil`) is what a faulty or hostile other side can say.
"""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from econnector.wire.codec import HEADER_SIZE

__all__ = ["Said", "Way", "packets"]


class Said(NamedTuple):
    """One whole packet, read without the product's own decoder."""

    kind: int
    flags: int
    stream: int
    body: bytes


def packets(data: bytes) -> Iterator[bytes]:
    """Yield the packets of one message, which holds whole ones only."""
    while data:
        size = HEADER_SIZE + int.from_bytes(data[:4], "big")
        assert len(data) >= size, "a message ends amid a packet"
        yield data[:size]
        data = data[size:]


def read(packet: bytes) -> Said:
    return Said(packet[4], packet[5], int.from_bytes(packet[8:HEADER_SIZE], "big"), packet[HEADER_SIZE:])


class Way:
    """From one end to the other."""

    def __init__(self) -> None:
        self.stalled = self.cut = self.spoiled = False
        self._under_way: deque[bytes] = deque()
        self._begun = 0
        """Bytes of the first packet that are delivered already."""

    def __len__(self) -> int:
        return sum(map(len, self._under_way)) - self._begun

    def put(self, message: bytes) -> list[Said]:
        """Take a message in; return its packets."""
        whole = list(packets(message))
        if not self.cut:
            self._under_way.extend(whole)
        return [read(packet) for packet in whole]

    def take(self, size: int) -> tuple[bytes, list[Said]]:
        """Return the next bytes, at most `size`, and the packets that are whole with them, if they can be told."""
        parts, whole = [], []
        while self._under_way and size > 0:
            packet = self._under_way[0]
            part = packet[self._begun : self._begun + size]
            parts.append(part)
            size -= len(part)
            self._begun += len(part)
            if self._begun == len(packet):
                self._under_way.popleft()
                self._begun = 0
                whole.append(packet)
        return b"".join(parts), [] if self.spoiled else [read(packet) for packet in whole]

    def break_off(self) -> None:
        """Deliver nothing more, ever."""
        self.cut = True
        self._under_way.clear()
        self._begun = 0

    # -- accidents; each returns whether it happened -------------------------------------------------------------

    def _untouched(self) -> range:
        return range(1 if self._begun else 0, len(self._under_way))

    def lose(self, which: int) -> bool:
        """Drop a whole packet."""
        if places := self._untouched():
            del self._under_way[places[which % len(places)]]
        return bool(places)

    def double(self, which: int) -> bool:
        """Deliver a whole packet twice."""
        if places := self._untouched():
            at = places[which % len(places)]
            self._under_way.insert(at, self._under_way[at])
        return bool(places)

    def swap(self, which: int) -> bool:
        """Deliver two neighbours in the wrong order."""
        places = self._untouched()[:-1]
        if not places:
            return False
        at, line = places[which % len(places)], self._under_way
        line[at], line[at + 1] = line[at + 1], line[at]
        return line[at] != line[at + 1]

    def spoil(self, which: int, how: str, what: bytes) -> bool:
        """Put `what` over some bytes (`over`), between them (`in`), or take as many away (`out`)."""
        before = b"".join(self._under_way)[self._begun :]
        if not before:
            return False
        at = which % len(before)
        after = before[:at] + (b"" if how == "out" else what) + before[at if how == "in" else at + len(what) :]
        if after != before:
            self._under_way, self._begun, self.spoiled = deque([after] if after else []), 0, True
        return after != before

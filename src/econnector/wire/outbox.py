"""What waits to be sent: the link's own words first, then small messages, then bulk, a chunk per stream in turn."""

from econnector.wire.messages import Kind

__all__ = ["BULK_HELD", "BULK_PER_TURN", "Outbox"]

BULK_PER_TURN = 128 * 1024
"""Bulk bytes in one WebSocket message: what a small message may have to wait for."""
BULK_HELD = 512 * 1024
"""Bulk bytes that may wait here in all; beyond, sources are not read."""
_SMALL_PER_TURN = 16 * 1024
"""Small bytes in one WebSocket message: larger ones only make the other side wait longer before it can begin."""

_KIND, _FLAGS = 4, 5
"""Where a packet has them."""
_LAST_WORDS = frozenset(map(int, (Kind.RESPONSE, Kind.END, Kind.FAIL)))


class Outbox:
    """Packets on their way out, already encoded."""

    __slots__ = ("_bulk", "_small", "_urgent", "answered", "bulk_held")

    def __init__(self) -> None:
        """Start empty."""
        self._urgent: list[bytes] = []
        self._small: list[bytes] = []
        self._bulk: dict[int, list[bytes]] = {}
        self.bulk_held = 0
        self.answered = 0
        """How many calls of the other side had their last word taken from here."""

    @property
    def urgent_count(self) -> int:
        """How many of the link's own packets wait."""
        return len(self._urgent)

    def urgent(self, packet: bytes) -> None:
        """Send before anything else."""
        self._urgent.append(packet)

    def small(self, packet: bytes) -> None:
        """Send in order, before bulk."""
        self._small.append(packet)

    def bulk(self, stream: int, packet: bytes) -> None:
        """Send when nothing smaller waits, in order within the stream."""
        self._bulk.setdefault(stream, []).append(packet)
        self.bulk_held += len(packet)

    def follow(self, stream: int, packet: bytes) -> None:
        """Send after what the stream still has waiting."""
        if stream in self._bulk:
            self.bulk(stream, packet)
        else:
            self._small.append(packet)

    def drop(self, stream: int) -> None:
        """Forget what the stream still has waiting."""
        for packet in self._bulk.pop(stream, ()):
            self.bulk_held -= len(packet)

    def clear(self) -> None:
        """Forget everything."""
        self._urgent.clear()
        self._small.clear()
        self._bulk.clear()
        self.bulk_held = 0

    def __bool__(self) -> bool:
        return bool(self._urgent or self._small or self._bulk)

    def take(self) -> bytes:
        """Return one WebSocket message full of packets; empty when nothing waits."""
        parts = self._urgent
        self._urgent = []
        self._take_small(parts)
        if self._bulk and not self._small:
            self._take_bulk(parts)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _take_small(self, parts: list[bytes]) -> None:
        size = 0
        for count, packet in enumerate(self._small, 1):
            size += len(packet)
            if packet[_KIND] in _LAST_WORDS and not packet[_FLAGS]:
                self.answered += 1
            if size >= _SMALL_PER_TURN:
                parts += self._small[:count]
                del self._small[:count]
                return
        parts += self._small
        self._small = []

    def _take_bulk(self, parts: list[bytes]) -> None:
        room = BULK_PER_TURN
        while self._bulk and room > 0:
            stream = next(iter(self._bulk))
            waiting = self._bulk.pop(stream)
            packet = waiting.pop(0)
            if waiting:
                self._bulk[stream] = waiting  # to the end of the line: every stream gets its turn
            parts.append(packet)
            if packet[_KIND] in _LAST_WORDS and not packet[_FLAGS]:
                self.answered += 1
            room -= len(packet)
            self.bulk_held -= len(packet)

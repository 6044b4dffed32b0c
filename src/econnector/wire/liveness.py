"""When to ask whether the other side is still there, and when to stop believing it."""

import msgspec

__all__ = ["Liveness", "Pace"]


class Pace(msgspec.Struct, frozen=True):
    """Times of a link, in seconds."""

    handshake: float = 10.0
    idle: float = 15.0
    """Silence after which a ping is sent."""
    idle_answer: float = 14.0
    """How long that ping may go unanswered: with `idle` the dead are found in under 30 s."""
    probe: float = 2.0
    """A call unanswered and nothing heard for this long: ask at once."""
    probe_answer: float = 3.0
    """How long that may go unanswered: with `probe` a frozen peer is known in 5 s."""


class Liveness:
    """Bookkeeping of one link's silence; time is passed in."""

    __slots__ = ("_deadline", "_heard", "_opened", "_pace", "_waiting")

    def __init__(self, pace: Pace, now: float) -> None:
        """Start counting at `now`."""
        self._pace = pace
        self._opened = False
        self._heard = now
        self._deadline: float | None = now + pace.handshake
        self._waiting: dict[int, float] = {}

    @property
    def opened(self) -> bool:
        """Whether the handshake is behind us."""
        return self._opened

    def open(self, now: float) -> None:
        """The handshake is done."""
        self._opened, self._heard, self._deadline = True, now, None

    def heard(self, now: float) -> None:
        """Note that something came, whatever it was: the other side is there."""
        self._heard = now
        if self._opened:
            self._deadline = None

    def asked(self, stream: int, now: float) -> None:
        """Note that a call waits for its first answer."""
        self._waiting[stream] = now
        if self._opened and self._deadline is not None:
            # An idle ping is out already, and would give the other side far longer than a call may wait to know.
            self._deadline = min(self._deadline, now + self._pace.probe + self._pace.probe_answer)

    def answered(self, stream: int) -> None:
        """Note that it waits no more."""
        self._waiting.pop(stream, None)

    def _ping_due(self) -> float:
        due = self._heard + self._pace.idle
        if self._waiting:
            oldest = next(iter(self._waiting.values()))
            due = min(due, max(oldest, self._heard) + self._pace.probe)
        return due

    def next_deadline(self) -> float:
        """Return when `tick` wants to be called next."""
        return self._ping_due() if self._deadline is None else self._deadline

    def tick(self, now: float) -> str:
        """Return `ping` when one must be sent now, `dead` when nobody is there, else an empty text."""
        if self._deadline is not None:
            return "dead" if now >= self._deadline else ""
        if now < self._ping_due():
            return ""
        self._deadline = now + (self._pace.probe_answer if self._waiting else self._pace.idle_answer)
        return "ping"

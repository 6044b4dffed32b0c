"""So much per second, and a burst of it at once: what somebody may do who could do it without end."""

__all__ = ["Allowance"]


class Allowance:
    """A bucket that fills with time."""

    __slots__ = ("_burst", "_due", "_each")

    def __init__(self, rate: float, burst: float) -> None:
        """`rate` per second in the long run, `burst` at once after a pause."""
        self._each, self._burst, self._due = 1.0 / rate, burst / rate, 0.0

    def takes(self, now: float, cost: float = 1.0) -> bool:
        """Spend `cost` and return True, if there is so much; what is refused costs nothing."""
        due = max(self._due, now) + cost * self._each
        if due - now > self._burst:
            return False
        self._due = due
        return True

"""Who has an office's link, as HQ's nodes tell each other: claims, and whom to ask when the usual way loses calls.

Usually the NATS server knows who listens to an office. It is wrong about a node whose machine lost its power or stands
still: that one counts as a listener as long as something is sent to it, and takes half of the calls.
"""

import msgspec

from econnector.base.clock import Clock

__all__ = ["Claim", "Whereabouts", "encode", "read_claim"]

_DOUBT_SECONDS = 900.0
"""How long an office is asked at its node alone after a call was lost: as long as TCP believes in a dead machine."""
_SILENT_SECONDS = 5.0
"""How long nobody is asked when nobody says to have the office; then one who stood still may be there again."""


class Claim(msgspec.Struct, array_like=True, frozen=True):
    """A node says that it has an office's link. Told apart from packets by its first byte, which is never zero."""

    office: str
    epoch: int
    since: float
    """When the link was admitted, seconds since 1970: of two under the same epoch the younger one wins."""
    node: str

    def older_than(self, other: "Claim") -> bool:
        """Whether the other node's link is the one that stays."""
        return (self.epoch, self.since, self.node) <= (other.epoch, other.since, other.node)


encode = msgspec.msgpack.Encoder().encode
_claim_of = msgspec.msgpack.Decoder(Claim).decode


def read_claim(data: bytes) -> Claim | None:
    """Return the claim, or None for what is none: of a node of another version, or of nobody we know."""
    try:
        return _claim_of(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


class Whereabouts:
    """Offices of which a call was lost on the usual way, and the nodes that said since then that they have them."""

    __slots__ = ("_clock", "_doubted", "_known")

    def __init__(self, clock: Clock) -> None:
        """Doubt nothing."""
        self._clock = clock
        self._doubted: dict[str, float] = {}
        self._known: dict[str, Claim] = {}

    def doubt(self, office: str) -> None:
        """Note that a call was lost: whoever has the office is to be heard first."""
        self._doubted[office] = self._clock.monotonic()
        self._known.pop(office, None)

    def hear(self, claim: Claim) -> None:
        """Note what a node says of an office that is in doubt."""
        known = self._known.get(claim.office)
        if claim.office in self._doubted and (known is None or known.older_than(claim)):
            self._known[claim.office] = claim

    def forget(self, office: str) -> None:
        """Ask on the usual way again: the node that was known has gone."""
        self._known.pop(office, None)

    def clear(self) -> None:
        """Doubt nothing any more."""
        self._doubted.clear()
        self._known.clear()

    def node(self, office: str) -> str:
        """Return the node to ask alone, or an empty text."""
        if self._doubted and self._age(office) > _DOUBT_SECONDS:
            self._doubted.pop(office, None)
            self._known.pop(office, None)
        known = self._known.get(office)
        return "" if known is None else known.node

    def silent(self, office: str) -> bool:
        """Say whether nobody has answered to the question who has the office: a call would only wait."""
        return bool(self._doubted) and office not in self._known and self._age(office) < _SILENT_SECONDS

    def _age(self, office: str) -> float:
        return self._clock.monotonic() - self._doubted.get(office, float("-inf"))

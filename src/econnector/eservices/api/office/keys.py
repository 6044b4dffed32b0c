"""What a key is, and whether one that comes is good.

A key is `eck_<number>_<secret>`: eight characters that name it, and 256 random bits as 43 characters. The office makes
it, shows it once and keeps a digest; HQ passes what programs send and knows of no key.
"""

import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import structlog

from econnector.base.clock import Clock
from econnector.base.errors import ApiKeyRefused, ApiRightMissing, Failure
from econnector.base.ids import new_token
from econnector.eservices.api.calls import RIGHTS, Right
from econnector.storage.database import Database
from econnector.storage.state import api_keys

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["REMEMBERED", "Keys", "NewKey", "Partner", "new_key"]

log = structlog.get_logger(__name__)

REMEMBERED: Final = 5.0
"""Seconds for which a key that was good is taken to be. Keys are removed by another process (the command line), so that
a program may go on reading for as long after that, and no longer."""
_MOST_REMEMBERED: Final = 256

_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"
_NUMBER = 8
_SHAPE = re.compile(rf"eck_([{_ALPHABET}]{{{_NUMBER}}})_([A-Za-z0-9_-]{{43}})", re.ASCII)
_NO_DIGEST = "0" * 64


class Partner(msgspec.Struct, frozen=True):
    """A program that has shown a good key."""

    number: str
    """The key's, for the audit trail."""
    name: str
    rights: frozenset[str]

    def listed(self) -> list[Right]:
        """Return what the key may do, in the contract's order; what another version knows more of is left out."""
        return [right for right in RIGHTS if right in self.rights]

    def need(self, right: Right) -> None:
        """Raise `ApiRightMissing` for a key without this right."""
        if right not in self.rights:
            raise ApiRightMissing(right=right)


class NewKey(NamedTuple):
    """A key as it is made."""

    number: str
    key: str
    """Shown once, kept nowhere."""
    digest: str


def new_key() -> NewKey:
    """Make a key."""
    number, secret = "".join(secrets.choice(_ALPHABET) for _ in range(_NUMBER)), new_token()
    return NewKey(number, f"eck_{number}_{secret}", _digest(secret))


class Keys:
    """The keys of one office, as the running connector checks them."""

    def __init__(self, state: Database, clock: Clock) -> None:
        """`state` is the connector's own file."""
        self._state, self._clock = state, clock
        self._good: dict[bytes, tuple[Partner, float]] = {}

    async def partner(self, key: str) -> Partner:
        """Return who shows this key. Raises `ApiKeyRefused` alike for one that is malformed, unknown or removed."""
        shape = _SHAPE.fullmatch(key)
        if shape is None:
            raise ApiKeyRefused
        mark = hashlib.sha256(key.encode()).digest()  # so that no key stays in memory
        partner, until = self._good.get(mark, (None, 0.0))
        if partner is not None and self._clock.monotonic() < until:
            return partner
        self._good.pop(mark, None)
        kept = await self._state.run(_look, shape[1], _digest(shape[2]))
        if kept is None:
            raise ApiKeyRefused
        await self._note_used(kept)
        partner = Partner(kept.number, kept.name, kept.rights)
        if len(self._good) >= _MOST_REMEMBERED:
            self._good.clear()
        self._good[mark] = partner, self._clock.monotonic() + REMEMBERED
        return partner

    async def _note_used(self, kept: api_keys.Kept) -> None:
        today = self._clock.now().date().isoformat()
        if kept.used == today:
            return
        try:
            await self._state.run(api_keys.note_used, kept.number, today)
        except Failure as failure:  # a full disk keeps nobody from reading
            log.warning("the use of a key was not noted", key=kept.number, because=failure.code)


def _look(state: "Connection", number: str, digest: str) -> api_keys.Kept | None:
    """Return the key in force with this number and digest."""
    kept = api_keys.find(state, number)
    same = hmac.compare_digest(kept.digest if kept else _NO_DIGEST, digest)
    return kept if kept and same and not kept.removed else None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

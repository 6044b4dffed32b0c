"""Slowing down guesses: failures per account and per address, with a delay that grows.

Every try is counted as a failure *before* the password is looked at, and taken back if it was right, so that
many tries at once are no way around it. A try during a delay is not counted: nobody can lengthen another's.

Three kinds of count, each with its own free tries (NIST SP 800-63B-4 section 3.2.2):

- an account, from addresses it has not been signed in from before. At `MOST` failures in a row it is closed to
  such addresses, until the password changes (the office gives a new one, or the patient does) or `CLOSED` has passed;
- an account from one address it *has* been signed in from: guesses from elsewhere do not touch it, so that an
  attacker cannot lock the patient out of their own home;
- an address, over all accounts; not asked where account and address know each other.

Names that do not exist are counted as existing ones are. Keys are hashes: people type passwords into the field
for the name, and this file is not the place to keep them.
"""

import datetime as dt
import hashlib
import ipaddress

import msgspec
from sqlalchemy import Column, Connection, Float, Integer, String, Table, delete, insert, select, update

from econnector.storage.state.base import metadata

__all__ = [
    "CLOSED",
    "FREE",
    "FREE_PER_ADDRESS",
    "LONGEST_DELAY",
    "MOST",
    "Try",
    "begin",
    "clear",
    "passed",
    "standing",
    "sweep",
]

FREE = 5
"""Failures of an account before the first delay."""
FREE_PER_ADDRESS = 20
"""Of an address: a family or a clinic shares one."""
LONGEST_DELAY = dt.timedelta(minutes=15)
MOST = 100
CLOSED = dt.timedelta(days=30)

_FORGET = dt.timedelta(hours=24)
"""A count without a failure for this long starts again."""
_SET_BACK = 60.0
"""Seconds: more than two tries at once, whose times were read in another order, can be apart."""
_KNOWN = dt.timedelta(days=90)
"""How long an address counts as one that an account was signed in from."""

_counts = Table(
    "portal_throttle",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("failed", Float, nullable=False),
    Column("until", Float, nullable=False),
)
_known = Table(
    "portal_known_address",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("address", String(64), primary_key=True),
    Column("seen", Float, nullable=False),
)


class Try(msgspec.Struct, frozen=True):
    """One try: whether it may be made, and what takes it back."""

    account: str
    address: str
    keys: tuple[str, ...]
    """The counts it was entered in."""
    wait: float = 0.0
    """Seconds until a try may be made; 0 when this one may."""
    tries: int = 0
    """Failures in a row, this try included."""

    @property
    def allowed(self) -> bool:
        """Whether the password may be looked at."""
        return self.wait <= 0


def begin(connection: Connection, account: str, secret: str, address: str, now: dt.datetime) -> Try:
    """Count a try for `account` (any text that names it) from `address` as failed, unless one must wait.

    `secret` is the fingerprint of the account's password: with a new one, counting starts again.
    Must run inside one transaction, one at a time.
    """
    mine, place = _hash("account", account), _place(address)
    counted = _hash(mine, secret)
    moment = now.timestamp()
    limits = {counted: FREE, place: FREE_PER_ADDRESS} if place else {counted: FREE}
    if _knows(connection, mine, place, moment):
        limits = {_hash(counted, place): FREE}
    found = {key: _count(connection, key, moment) for key in limits}
    tries = max(failures for failures, _ in found.values())
    wait = max(until - moment for _, until in found.values())
    if wait > 0:
        return Try(mine, place, tuple(limits), wait, tries)
    for key, free in limits.items():
        # An address is never closed: too many people may stand behind it.
        failures = found[key][0] + 1 if key != place else min(found[key][0] + 1, MOST - 1)
        _fail(connection, key, failures, _delay(failures, free, closes=key != place), moment)
    return Try(mine, place, tuple(limits), 0.0, tries + 1)


def passed(connection: Connection, this: Try, now: dt.datetime) -> None:
    """Take `this` try back, clear the account's count, and remember that account and address know each other.

    Of the address only this one try is taken back: signing in to an account of one's own does not wipe out guesses
    at others.
    """
    for key in this.keys:
        if key == this.address:
            _take_back(connection, key)
        else:
            connection.execute(delete(_counts).where(_counts.c.key == key))
    if not this.address:
        return
    pair = (_known.c.account == this.account) & (_known.c.address == this.address)
    if not connection.execute(update(_known).where(pair).values(seen=now.timestamp())).rowcount:
        connection.execute(insert(_known).values(account=this.account, address=this.address, seen=now.timestamp()))


def standing(connection: Connection, account: str, secret: str, now: dt.datetime) -> tuple[int, float]:
    """Return the failures in a row of an account and for how many seconds a try must wait, the worst of its counts."""
    moment = now.timestamp()
    found = [_count(connection, key, moment) for key in _keys(connection, account, secret)]
    return max(failures for failures, _ in found), max(0.0, *(until - moment for _, until in found))


def clear(connection: Connection, account: str, secret: str) -> int:
    """Forget the failures of an account, from everywhere; return how many counts there were."""
    gone = connection.execute(delete(_counts).where(_counts.c.key.in_(_keys(connection, account, secret))))
    return int(gone.rowcount)


def _keys(connection: Connection, account: str, secret: str) -> list[str]:
    """Return what an account is counted under: for everybody, and for each address that it knows."""
    mine = _hash("account", account)
    counted = _hash(mine, secret)
    places = connection.execute(select(_known.c.address).where(_known.c.account == mine)).scalars()
    return [counted, *(_hash(counted, place) for place in places)]


def sweep(connection: Connection, now: dt.datetime) -> int:
    """Delete counts and addresses that no longer matter; return how many."""
    old_counts = (_counts.c.until < now.timestamp()) & (_counts.c.failed < (now - _FORGET).timestamp())
    gone = connection.execute(delete(_counts).where(old_counts)).rowcount
    return int(gone + connection.execute(delete(_known).where(_known.c.seen < (now - _KNOWN).timestamp())).rowcount)


def _hash(kind: str, text: str) -> str:
    return hashlib.sha256(f"{kind}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()


def _place(address: str) -> str:
    """Return the key of what counts as one address: of IPv6 the /64 that one household has; empty if unreadable."""
    try:
        parsed = ipaddress.ip_address(address.strip().partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return _hash("address", str(mapped or ipaddress.ip_network((parsed, 64), strict=False)))
    return _hash("address", str(parsed))


def _knows(connection: Connection, account: str, address: str, moment: float) -> bool:
    seen = connection.execute(
        select(_known.c.seen).where(_known.c.account == account, _known.c.address == address)
    ).scalar()
    return seen is not None and moment - seen < _KNOWN.total_seconds()


def _count(connection: Connection, key: str, moment: float) -> tuple[int, float]:
    """Return failures in a row and until when to wait."""
    row = connection.execute(select(_counts).where(_counts.c.key == key)).one_or_none()
    if row is None or (moment >= row.until and moment - row.failed >= _FORGET.total_seconds()):
        return 0, 0.0
    # A closed count whose time has passed starts again; a clock set back shortens a wait, never lengthens it.
    if row.failures >= MOST:
        return (0, 0.0) if moment >= row.until else (row.failures, min(row.until, moment + CLOSED.total_seconds()))
    # Failed in the future: by this clock nobody knows how long ago. One more try, which counts from now.
    return row.failures, row.until if row.failed <= moment + _SET_BACK else 0.0


def _delay(failures: int, free: int, *, closes: bool) -> float:
    """Return the seconds to wait after this many failures in a row."""
    if closes and failures >= MOST:
        return CLOSED.total_seconds()
    return 0.0 if failures < free else min(2.0 ** min(failures - free, 20), LONGEST_DELAY.total_seconds())


def _fail(connection: Connection, key: str, failures: int, delay: float, moment: float) -> None:
    values = {"failures": failures, "failed": moment, "until": moment + delay}
    if not connection.execute(update(_counts).where(_counts.c.key == key).values(values)).rowcount:
        connection.execute(insert(_counts).values(key=key, **values))


def _take_back(connection: Connection, key: str) -> None:
    row = connection.execute(select(_counts).where(_counts.c.key == key)).one_or_none()
    if row is not None:
        fewer = {"failures": max(row.failures - 1, 0), "until": min(row.until, row.failed)}
        connection.execute(update(_counts).where(_counts.c.key == key).values(fewer))

"""Codes that let somebody choose a new password: mailed, 15 minutes, once.

A row holds a keyed digest of the code, never the code. A row is written for a name that nobody has too, so that asking
for it costs the same and is slowed down the same. Whatever the cause, who asks too often gets no further mail and is
told what everybody is told.
"""

import datetime as dt
import hashlib
import hmac
import ipaddress

import sqlalchemy as sa

from econnector.storage.state.base import metadata

__all__ = ["GOOD_FOR", "PER_ACCOUNT", "PER_ADDRESS", "WITHIN", "ask", "is_good", "sweep", "use"]

GOOD_FOR = dt.timedelta(minutes=15)
WITHIN = dt.timedelta(hours=1)
PER_ACCOUNT = 3
"""Codes of one account `WITHIN` so long: a stranger can send somebody three mails an hour, not three hundred."""
PER_ADDRESS = 20
"""From one address; a family or a clinic shares one."""
_KEPT = dt.timedelta(days=1)

_codes = sa.Table(
    "portal_reset_code",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("account", sa.String(64), nullable=False, index=True),
    sa.Column("address", sa.String(64), nullable=False, index=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("asked", sa.Float, nullable=False),
    sa.Column("used", sa.Float, nullable=False),
)


def ask(connection: sa.Connection, account: str, address: str, digest: str, now: dt.datetime) -> bool:
    """Keep a new code for `account` unless too many were asked for; return whether it was kept.

    Codes from before stay good: a stranger who asks again does not take away the one that is on its way.
    """
    mine, place = _hash(f"account\0{account}"), _place(address)
    recent = _codes.c.asked > (now - WITHIN).timestamp()
    counted = sa.select(sa.func.count()).select_from(_codes)
    by_account = connection.execute(counted.where(_codes.c.account == mine, recent)).scalar_one()
    by_address = connection.execute(counted.where(_codes.c.address == place, recent)).scalar_one()
    if by_account >= PER_ACCOUNT or (place and by_address >= PER_ADDRESS):
        return False
    values = {"account": mine, "address": place, "digest": digest, "asked": now.timestamp(), "used": 0.0}
    connection.execute(sa.insert(_codes).values(values))
    return True


def is_good(connection: sa.Connection, account: str, digest: str, now: dt.datetime) -> bool:
    """Return whether a code with this digest may still be used for `account`; it stays as it is."""
    rows = connection.execute(sa.select(_codes.c.digest).where(_open(account, now))).scalars().all()
    return any([hmac.compare_digest(kept, digest) for kept in rows])  # noqa: C419 - every one is compared


def use(connection: sa.Connection, account: str, digest: str, now: dt.datetime) -> bool:
    """Use the code up, and every other of this account; return whether it was still good, which it is for one only."""
    here = _open(account, now) & (_codes.c.digest == digest)
    used = sa.update(_codes).values(used=now.timestamp())
    if connection.execute(used.where(here)).rowcount != 1:
        return False
    connection.execute(used.where(_codes.c.account == _hash(f"account\0{account}"), _codes.c.used == 0))
    return True


def sweep(connection: sa.Connection, now: dt.datetime) -> int:
    """Delete codes that no longer matter; return how many."""
    return int(connection.execute(sa.delete(_codes).where(_codes.c.asked < (now - _KEPT).timestamp())).rowcount)


def _open(account: str, now: dt.datetime) -> sa.ColumnElement[bool]:
    moment = now.timestamp()
    # A clock that was set back must not make a code live longer.
    young = (_codes.c.asked > moment - GOOD_FOR.total_seconds()) & (_codes.c.asked <= moment + 60.0)
    return (_codes.c.account == _hash(f"account\0{account}")) & (_codes.c.used == 0) & young


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _place(address: str) -> str:
    """Return the key of an address, of IPv6 the household's /64; empty for one that cannot be read."""
    try:
        parsed = ipaddress.ip_address(address.strip().partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return _hash(f"address\0{ipaddress.ip_network((parsed, 64), strict=False)}")
    return _hash(f"address\0{getattr(parsed, 'ipv4_mapped', None) or parsed}")

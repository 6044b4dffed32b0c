"""Who of the vendor's people did what: on the fleet pages, and to the accounts that may use them."""

import datetime as dt
from collections.abc import Callable
from typing import Concatenate, Literal, ParamSpec

import msgspec
import sqlalchemy as sa

from econnector.hq.registry.tables import deeds
from econnector.hq.registry.texts import fitting

__all__ = ["Deed", "Kind", "doing", "happened", "note", "prune", "recent"]

P = ParamSpec("P")

Kind = Literal[
    "signed-in",
    "sign-in-failed",
    "signed-out",
    "disabled",
    "enabled",
    "move-opened",
    "doctor",
    "account-added",
    "account-removed",
    "password-changed",
]
_KEPT = dt.timedelta(days=730)


class Deed(msgspec.Struct, frozen=True):
    """One line."""

    at: dt.datetime
    who: str
    """The account's name; `command line` where there was none."""
    deed: Kind
    office: str = ""
    detail: str = ""
    address: str = ""
    """From where, as HQ sees it."""


def note(connection: sa.Connection, deed: Deed) -> None:
    """Write it down, in the transaction of what was done."""
    connection.execute(sa.insert(deeds).values(fitting(deeds, msgspec.structs.asdict(deed))))


def doing(
    connection: sa.Connection,
    deed: Deed,
    change: Callable[Concatenate[sa.Connection, P], object],
    *args: P.args,
    **kwargs: P.kwargs,
) -> None:
    """Make the change and note who did, both or none. Raises what `change` raises."""
    change(connection, *args, **kwargs)
    note(connection, deed)


def recent(connection: sa.Connection, office: str = "", limit: int = 100, *, refused: bool | None = None) -> list[Deed]:
    """Return the latest deeds, of one office or all, newest first; `refused`: only failed sign-ins, or all else."""
    wanted = sa.select(deeds).order_by(deeds.c.at.desc(), deeds.c.id.desc()).limit(limit)
    if office:
        wanted = wanted.where(deeds.c.office == office)
    if refused is not None:
        failed = deeds.c.deed == "sign-in-failed"
        wanted = wanted.where(failed if refused else sa.not_(failed))
    return [Deed(row.at, row.who, row.deed, row.office, row.detail, row.address) for row in connection.execute(wanted)]


def happened(connection: sa.Connection, who: str, kind: Kind, address: str, since: dt.datetime) -> bool:
    """Return whether somebody did this from this address since then."""
    same = sa.and_(deeds.c.who == who, deeds.c.deed == kind, deeds.c.address == address, deeds.c.at > since)
    return connection.execute(sa.select(deeds.c.id).where(same).limit(1)).first() is not None


def prune(connection: sa.Connection, now: dt.datetime) -> int:
    """Delete what is older than two years; return how many lines went."""
    return connection.execute(sa.delete(deeds).where(deeds.c.at < now - _KEPT)).rowcount

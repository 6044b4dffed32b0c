"""Web mail on its way into Open Dental: pieces of files that patients add, and which drafts became which message.

A draft is known by a digest of who writes it and of the name that its form has. What is planned is written down
before the first row in the practice's database, so that a connector that died in between finds that row again instead
of writing another one. Times are Unix times unless they are the practice's.
"""

import datetime as dt

import msgspec
import sqlalchemy as sa

from econnector.storage.state.base import metadata

__all__ = [
    "Added",
    "Plan",
    "Planned",
    "added",
    "content",
    "drop",
    "finish",
    "forget",
    "known",
    "plan",
    "planned_since",
    "put",
    "staged",
    "sweep",
    "unfinished",
]

PIECES_KEPT, PLANS_KEPT = 24 * 3600.0, 90 * 24 * 3600.0
"""Seconds: files of a draft that nobody sent; which draft became which message."""

PIECES = sa.Table(
    "portal_message_piece",
    metadata,
    sa.Column("draft", sa.String(64), primary_key=True),
    sa.Column("file", sa.Integer, primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True),
    sa.Column("patient", sa.BigInteger, nullable=False, index=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("whole", sa.Boolean, nullable=False),
    sa.Column("at", sa.Float, nullable=False, index=True),
    # Last: what is read of a piece without its bytes does not walk through them.
    sa.Column("data", sa.LargeBinary, nullable=False),
)
PLANS = sa.Table(
    "portal_message",
    metadata,
    sa.Column("draft", sa.String(64), primary_key=True),
    sa.Column("patient", sa.BigInteger, nullable=False),
    sa.Column("content", sa.String(64), nullable=False),
    sa.Column("at", sa.String(19), nullable=False),
    sa.Column("files", sa.LargeBinary, nullable=False),
    sa.Column("session", sa.String(32), nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("done", sa.Boolean, nullable=False, index=True),
    sa.Column("created", sa.Float, nullable=False),
    sa.Index("portal_message_patient", "patient", "created"),
)


class Added(msgspec.Struct, frozen=True):
    """A file of a draft."""

    file: int
    name: str
    size: int
    whole: bool
    """Whether its last piece is here."""


class Planned(msgspec.Struct, frozen=True):
    """A file as it will be known in Open Dental."""

    shown: str
    stored: str


class Plan(msgspec.Struct, frozen=True):
    """What a draft becomes."""

    draft: str
    patient: int
    content: str
    """Digest of what was written; a draft that was changed after it was sent has another."""
    at: str
    """Its time in the practice's database (ISO 8601): no other planned message of this patient has the same."""
    files: tuple[Planned, ...] = ()
    session: str = ""
    number: int = 0
    """EmailMessageNum once it is done."""
    done: bool = False


# -- files of drafts ---------------------------------------------------------------------------------------------------


def put(  # noqa: PLR0913, PLR0917 - a piece is all of these
    connection: sa.Connection,
    draft: str,
    patient: int,
    file: int,
    part: int,
    name: str,
    data: bytes,
    now: float,
    *,
    last: bool,
) -> None:
    """Keep a piece. The first piece of a file begins it anew: what an earlier try left goes."""
    here = (PIECES.c.draft == draft) & (PIECES.c.file == file)
    connection.execute(sa.delete(PIECES).where(here, PIECES.c.part >= part))
    values = {"draft": draft, "patient": patient, "file": file, "part": part, "name": name, "size": len(data)}
    connection.execute(sa.insert(PIECES).values(**values, whole=last, at=now, data=data))


def added(connection: sa.Connection, draft: str) -> list[Added]:
    """Return the files of a draft, whole or not, in order."""
    columns = PIECES.c.file, sa.func.max(PIECES.c.name), sa.func.sum(PIECES.c.size), sa.func.max(PIECES.c.whole)
    query = sa.select(*columns).where(PIECES.c.draft == draft).group_by(PIECES.c.file).order_by(PIECES.c.file)
    return [Added(file, name, size, bool(whole)) for file, name, size, whole in connection.execute(query)]


def staged(connection: sa.Connection, patient: int) -> tuple[int, int]:
    """Return how many bytes of files wait in this patient's drafts, and in everybody's."""
    mine = sa.select(sa.func.sum(PIECES.c.size)).where(PIECES.c.patient == patient)
    return connection.execute(mine).scalar() or 0, connection.execute(
        sa.select(sa.func.sum(PIECES.c.size))
    ).scalar() or 0


def content(connection: sa.Connection, draft: str, file: int) -> bytes:
    """Return a file's bytes."""
    here = (PIECES.c.draft == draft) & (PIECES.c.file == file)
    return b"".join(connection.execute(sa.select(PIECES.c.data).where(here).order_by(PIECES.c.part)).scalars())


def drop(connection: sa.Connection, draft: str, file: int | None = None) -> None:
    """Forget the files of a draft, or one of them."""
    here = PIECES.c.draft == draft
    connection.execute(sa.delete(PIECES).where(here if file is None else here & (PIECES.c.file == file)))


# -- what becomes of drafts --------------------------------------------------------------------------------------------


def known(connection: sa.Connection, draft: str) -> Plan | None:
    """Return what is planned for a draft, or was done with it."""
    row = connection.execute(sa.select(PLANS).where(PLANS.c.draft == draft)).first()
    return _plan(row) if row else None


def plan(connection: sa.Connection, wanted: Plan, times: list[str], now: float) -> Plan | None:
    """Write a plan down, at the first of `times` that no other of this patient's has; None if all are taken.

    The plan that a draft has already stays as it is.
    """
    if (found := known(connection, wanted.draft)) is not None:
        return found
    mine = (PLANS.c.patient == wanted.patient) & PLANS.c.at.in_(times)
    taken = set(connection.execute(sa.select(PLANS.c.at).where(mine)).scalars())
    free = next((at for at in times if at not in taken), None)
    if free is None:
        return None
    made = msgspec.structs.replace(wanted, at=free)
    values = msgspec.structs.asdict(made) | {"files": msgspec.json.encode(made.files), "created": now}
    connection.execute(sa.insert(PLANS).values(values))
    return made


def finish(connection: sa.Connection, draft: str, number: int) -> None:
    """Note that everything of a draft is in the practice's database, as message `number`; its files here go."""
    connection.execute(sa.update(PLANS).where(PLANS.c.draft == draft).values(number=number, done=True))
    drop(connection, draft)


def forget(connection: sa.Connection, draft: str) -> None:
    """Take back a plan of which nothing was done."""
    connection.execute(sa.delete(PLANS).where(PLANS.c.draft == draft, PLANS.c.done.is_(False)))


def planned_since(connection: sa.Connection, patient: int, since: float) -> int:
    """Return how many messages of this patient were planned since then."""
    mine = (PLANS.c.patient == patient) & (PLANS.c.created > since)
    return connection.execute(sa.select(sa.func.count()).select_from(PLANS).where(mine)).scalar() or 0


def unfinished(connection: sa.Connection, before: float) -> list[Plan]:
    """Return the plans of before then that are not done: the connector died over them."""
    rows = connection.execute(sa.select(PLANS).where(PLANS.c.done.is_(False), PLANS.c.created < before))
    return [_plan(row) for row in rows]


def sweep(connection: sa.Connection, now: dt.datetime) -> int:
    """Forget files that nobody sent and plans of long ago; return how many rows went."""
    moment = now.timestamp()
    pieces = connection.execute(sa.delete(PIECES).where(PIECES.c.at < moment - PIECES_KEPT)).rowcount
    old = PLANS.c.done.is_(True) & (PLANS.c.created < moment - PLANS_KEPT)
    return pieces + connection.execute(sa.delete(PLANS).where(old)).rowcount


def _plan(row: sa.Row[tuple[object, ...]]) -> Plan:
    values = {name: value for name, value in row._mapping.items() if name != "created"}  # noqa: SLF001 - documented
    values["files"] = msgspec.json.decode(values["files"], type=tuple[Planned, ...])
    values["done"] = bool(values["done"])
    return Plan(**values)

"""How the practice wants patients to sign in. Read anew for every call, so that a change counts at the next click."""

from typing import Literal, get_args

import sqlalchemy as sa

from econnector.storage.state.base import metadata

__all__ = ["TwoStep", "set_two_step", "two_step"]

TwoStep = Literal["off", "offered", "required"]
"""`off`: nobody can set it up; who has it is asked for it until they turn it off, since a setting must not take away
what protects somebody. `offered`: whoever wants it. `required`: everybody, before they see anything."""

_POLICY = sa.Table(
    "portal_policy",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.String(200), nullable=False),
)
_TWO_STEP = "two-step"


def two_step(connection: sa.Connection) -> TwoStep:
    """Return what the practice wants of two-step sign-in; what nobody has set is `offered`."""
    kept = connection.execute(sa.select(_POLICY.c.value).where(_POLICY.c.name == _TWO_STEP)).scalar()
    return next((word for word in get_args(TwoStep) if word == kept), "offered")


def set_two_step(connection: sa.Connection, word: TwoStep) -> None:
    """Set it. Raises `ValueError` for a word that is none of the three."""
    if word not in get_args(TwoStep):
        raise ValueError(f"two-step sign-in is off, offered or required, not {word!r}")
    here = _POLICY.c.name == _TWO_STEP
    if not connection.execute(sa.update(_POLICY).where(here).values(value=word)).rowcount:
        connection.execute(sa.insert(_POLICY).values(name=_TWO_STEP, value=word))

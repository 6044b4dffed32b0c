"""The vendor's people: their accounts, their sessions and what they did.

A migration says in full what it makes: it must go on making the same when `tables.py` has moved on.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_TABLE: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    """Make the tables; what MySQL kept of an upgrade that died, which it cannot undo, is gone on with."""
    for name, make in (("admins", _admins), ("admin_sessions", _sessions), ("deeds", _deeds)):
        if not sa.inspect(op.get_bind()).has_table(name):
            make()
    _index("ix_admin_sessions_admin_id", "admin_sessions", ["admin_id"])
    _index("ix_deeds_at", "deeds", ["at"])
    _index("ix_deeds_office_at", "deeds", ["office", "at"])


def _index(name: str, table: str, columns: list[str]) -> None:
    if name not in {each["name"] for each in sa.inspect(op.get_bind()).get_indexes(table)}:
        op.create_index(name, table, columns)


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _admins() -> None:
    op.create_table(
        "admins",
        sa.Column("id", _ID, nullable=False),
        _text("name", 63),
        _text("password", 200),
        _text("totp", 64),
        sa.Column("totp_used", sa.BigInteger, nullable=False),
        sa.Column("added_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_admins"),
        sa.UniqueConstraint("name", name="uq_admins_name"),
        **_TABLE,
    )


def _sessions() -> None:
    op.create_table(
        "admin_sessions",
        _text("token_hash", 64),
        sa.Column("admin_id", _ID, nullable=False),
        sa.Column("began", _TIME, nullable=False),
        sa.Column("seen", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_admin_sessions"),
        sa.ForeignKeyConstraint(["admin_id"], ["admins.id"], name="fk_admin_sessions_admin_id"),
        **_TABLE,
    )


def _deeds() -> None:
    op.create_table(
        "deeds",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        _text("who", 63),
        _text("deed", 30),
        _text("office", 63),
        _text("detail", 300),
        _text("address", 100),
        sa.PrimaryKeyConstraint("id", name="pk_deeds"),
        **_TABLE,
    )

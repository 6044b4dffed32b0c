"""Offices, their keys and connectors, heartbeats and history; and the salt of the keys' hashes.

A migration says in full what it makes: it must go on making the same when `tables.py` has moved on.
"""

import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_TABLE: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    """Make the first tables."""
    _offices()
    _connectors()
    _said()
    made = op.create_table(
        "secrets",
        sa.Column("name", sa.String(30), nullable=False),
        sa.Column("value", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_secrets"),
        **_TABLE,
    )
    op.bulk_insert(made, [{"name": "salt", "value": secrets.token_hex(32)}])


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _office(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=f"fk_{table}_office_id")


def _offices() -> None:
    op.create_table(
        "offices",
        sa.Column("id", _ID, nullable=False),
        _text("name", 63),
        _text("title", 200),
        _text("phone", 50),
        sa.Column("created_at", _TIME, nullable=False),
        _text("key_hash", 64),
        sa.Column("key_used_at", _TIME),
        sa.Column("support_ends", sa.Date),
        sa.Column("disabled_at", _TIME),
        _text("disabled_reason", 200),
        sa.Column("move_until", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_offices"),
        sa.UniqueConstraint("name", name="uq_offices_name"),
        sa.UniqueConstraint("key_hash", name="uq_offices_key_hash"),
        **_TABLE,
    )
    op.create_table(
        "host_names",
        _text("host", 253),
        sa.Column("office_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("host", name="pk_host_names"),
        _office("host_names"),
        **_TABLE,
    )
    op.create_index("ix_host_names_office_id", "host_names", ["office_id"])


def _connectors() -> None:
    op.create_table(
        "connectors",
        sa.Column("id", _ID, nullable=False),
        sa.Column("office_id", _ID, nullable=False),
        _text("public_key", 64),
        _text("install_id", 64),
        _text("machine", 100),
        _text("version", 50),
        _text("address", 100),
        _text("state", 10),
        sa.Column("first_seen", _TIME, nullable=False),
        sa.Column("last_seen", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_connectors"),
        sa.UniqueConstraint("public_key", name="uq_connectors_public_key"),
        _office("connectors"),
        **_TABLE,
    )
    op.create_index("ix_connectors_office_id", "connectors", ["office_id"])
    op.create_table(
        "owners",
        sa.Column("office_id", _ID, nullable=False, autoincrement=False),
        sa.Column("connector_id", _ID, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        _text("node", 64),
        _text("link", 64),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("last_seen", _TIME, nullable=False),
        sa.Column("lost_at", _TIME),
        sa.Column("silent_since", _TIME),
        sa.PrimaryKeyConstraint("office_id", name="pk_owners"),
        _office("owners"),
        sa.ForeignKeyConstraint(["connector_id"], ["connectors.id"], name="fk_owners_connector_id"),
        **_TABLE,
    )


def _said() -> None:
    op.create_table(
        "heartbeats",
        sa.Column("office_id", _ID, nullable=False, autoincrement=False),
        sa.Column("at", _TIME, nullable=False),
        _text("version", 50),
        _text("program_version", 50),
        _text("database_version", 100),
        _text("status", 20),
        _text("practice_title", 200),
        _text("practice_phone", 50),
        _text("machine", 100),
        _text("clock", 40),
        sa.Column("utc_offset", sa.Integer),
        _text("failure", 60),
        _text("failure_since", 40),
        sa.PrimaryKeyConstraint("office_id", name="pk_heartbeats"),
        _office("heartbeats"),
        **_TABLE,
    )
    op.create_table(
        "history",
        sa.Column("id", _ID, nullable=False),
        sa.Column("office_id", _ID, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        _text("kind", 30),
        _text("machine", 100),
        _text("cause", 60),
        _text("detail", 500),
        _text("reference", 40),
        sa.PrimaryKeyConstraint("id", name="pk_history"),
        _office("history"),
        **_TABLE,
    )
    op.create_index("ix_history_office_at", "history", ["office_id", "at"])

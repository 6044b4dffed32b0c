"""Contacts of the offices, the outages they are told of, and the notices to each of them.

A migration says in full what it makes: it must go on making the same when `tables.py` has moved on.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_TABLE: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    """Make the tables."""
    _contacts()
    _outages()
    _notices()


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _office(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=f"fk_{table}_office_id")


def _contacts() -> None:
    op.create_table(
        "contacts",
        sa.Column("id", _ID, nullable=False),
        sa.Column("office_id", _ID, nullable=False),
        _text("source", 10),
        _text("name", 100),
        _text("address", 254),
        _text("language", 8),
        _text("purpose", 100),
        sa.Column("added_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contacts"),
        sa.UniqueConstraint("office_id", "source", "address", name="uq_contacts_office_id"),
        _office("contacts"),
        **_TABLE,
    )


def _outages() -> None:
    op.create_table(
        "outages",
        sa.Column("id", _ID, nullable=False),
        sa.Column("office_id", _ID, nullable=False),
        sa.Column("began", _TIME, nullable=False),
        sa.Column("ended", _TIME),
        sa.Column("well_since", _TIME),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        _text("cause", 60),
        _text("code", 60),
        _text("reference", 40),
        sa.PrimaryKeyConstraint("id", name="pk_outages"),
        sa.UniqueConstraint("office_id", "began", name="uq_outages_office_id"),
        _office("outages"),
        **_TABLE,
    )
    op.create_index("ix_outages_ended", "outages", ["ended"])


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", _ID, nullable=False),
        _text("key", 64),
        sa.Column("office_id", _ID, nullable=False),
        sa.Column("outage_id", _ID),
        _text("kind", 10),
        _text("address", 254),
        _text("message_id", 190),
        _text("state", 10),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("due", _TIME, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        _text("claim", 32),
        sa.Column("sent_at", _TIME),
        _text("error", 200),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sa.UniqueConstraint("key", name="uq_notices_key"),
        _office("notices"),
        sa.ForeignKeyConstraint(["outage_id"], ["outages.id"], name="fk_notices_outage_id"),
        **_TABLE,
    )
    op.create_index("ix_notices_outage_id", "notices", ["outage_id"])
    op.create_index("ix_notices_state_due", "notices", ["state", "due"])
    op.create_index("ix_notices_office_sent", "notices", ["office_id", "sent_at"])

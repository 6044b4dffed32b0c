"""The registry's tables. Times are UTC; a change here needs a migration in `migrations/versions`."""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

__all__ = [
    "Utc",
    "admin_sessions",
    "admins",
    "connectors",
    "contacts",
    "deeds",
    "heartbeats",
    "history",
    "host_names",
    "metadata",
    "notices",
    "offices",
    "outages",
    "owners",
    "secrets",
]


class Utc(sa.types.TypeDecorator[dt.datetime]):
    """A time with microseconds: aware in Python, without zone in the database, which has three ideas of zones."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """MySQL keeps whole seconds unless told otherwise."""
        if dialect.name in {"mysql", "mariadb"}:
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(sa.DateTime())

    def process_bind_param(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | None:
        """Drop the zone, after turning to UTC."""
        del dialect
        return None if value is None else value.astimezone(dt.UTC).replace(tzinfo=None)

    def process_result_value(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | None:
        """Put UTC back."""
        del dialect
        return None if value is None else value.replace(tzinfo=dt.UTC)


metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)
_INNODB: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _office(*, primary: bool = False, index: bool = False) -> sa.Column[int]:
    key = sa.ForeignKey("offices.id")
    return sa.Column("office_id", _ID, key, primary_key=primary, autoincrement=False, nullable=False, index=index)


offices = sa.Table(
    "offices",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("name", sa.String(63), nullable=False, unique=True),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("phone", sa.String(50), nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("key_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("key_used_at", Utc),
    sa.Column("support_ends", sa.Date),
    sa.Column("disabled_at", Utc),
    sa.Column("disabled_reason", sa.String(200), nullable=False),
    sa.Column("move_until", Utc),
    **_INNODB,
)
"""`key_hash`: `keys.hashed`. `support_ends`: the first day without support. `move_until`: until then another machine
may take over. All texts may be empty."""

host_names = sa.Table(
    "host_names",
    metadata,
    sa.Column("host", sa.String(253), primary_key=True),
    _office(index=True),
    **_INNODB,
)

connectors = sa.Table(
    "connectors",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    _office(index=True),
    sa.Column("public_key", sa.String(64), nullable=False),
    sa.Column("install_id", sa.String(64), nullable=False),
    sa.Column("machine", sa.String(100), nullable=False),
    sa.Column("version", sa.String(50), nullable=False),
    sa.Column("address", sa.String(100), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("first_seen", Utc, nullable=False),
    sa.Column("last_seen", Utc, nullable=False),
    sa.UniqueConstraint("public_key", name="uq_connectors_public_key"),
    **_INNODB,
)
"""Every installation that ever presented itself for an office; `state` is owner, standby or retired."""

owners = sa.Table(
    "owners",
    metadata,
    _office(primary=True),
    sa.Column("connector_id", _ID, sa.ForeignKey("connectors.id"), nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("node", sa.String(64), nullable=False),
    sa.Column("link", sa.String(64), nullable=False),
    sa.Column("since", Utc, nullable=False),
    sa.Column("last_seen", Utc, nullable=False),
    sa.Column("lost_at", Utc),
    sa.Column("silent_since", Utc),
    **_INNODB,
)
"""Who holds an office's link. `since`: when this machine became owner. `lost_at`: no link since. `silent_since`: the
outage that the history already has."""

heartbeats = sa.Table(
    "heartbeats",
    metadata,
    _office(primary=True),
    sa.Column("at", Utc, nullable=False),
    sa.Column("version", sa.String(50), nullable=False),
    sa.Column("program_version", sa.String(50), nullable=False),
    sa.Column("database_version", sa.String(100), nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("practice_title", sa.String(200), nullable=False),
    sa.Column("practice_phone", sa.String(50), nullable=False),
    sa.Column("machine", sa.String(100), nullable=False),
    sa.Column("clock", sa.String(40), nullable=False),
    sa.Column("utc_offset", sa.Integer),
    sa.Column("failure", sa.String(60), nullable=False),
    sa.Column("failure_since", sa.String(40), nullable=False),
    **_INNODB,
)
"""The last heartbeat of each office. `utc_offset`: minutes east of UTC that the office's clocks show."""

history = sa.Table(
    "history",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    _office(),
    sa.Column("at", Utc, nullable=False),
    sa.Column("kind", sa.String(30), nullable=False),
    sa.Column("machine", sa.String(100), nullable=False),
    sa.Column("cause", sa.String(60), nullable=False),
    sa.Column("detail", sa.String(500), nullable=False),
    sa.Column("reference", sa.String(40), nullable=False),
    sa.Index("ix_history_office_at", "office_id", "at"),
    **_INNODB,
)

secrets = sa.Table(
    "secrets",
    metadata,
    sa.Column("name", sa.String(30), primary_key=True),
    sa.Column("value", sa.String(128), nullable=False),
    **_INNODB,
)
"""Random values made once per registry; `salt` keys the hashes of registration keys."""

contacts = sa.Table(
    "contacts",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    _office(),
    sa.Column("source", sa.String(10), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("address", sa.String(254), nullable=False),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("purpose", sa.String(100), nullable=False),
    sa.Column("added_at", Utc, nullable=False),
    sa.UniqueConstraint("office_id", "source", "address", name="uq_contacts_office_id"),
    **_INNODB,
)
"""Who is told when an office is unreachable; `source` is who named them: `hq` (the vendor) or `office`."""

outages = sa.Table(
    "outages",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    _office(),
    sa.Column("began", Utc, nullable=False),
    sa.Column("ended", Utc),
    sa.Column("well_since", Utc),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("cause", sa.String(60), nullable=False),
    sa.Column("code", sa.String(60), nullable=False),
    sa.Column("reference", sa.String(40), nullable=False),
    sa.UniqueConstraint("office_id", "began", name="uq_outages_office_id"),
    sa.Index("ix_outages_ended", "ended"),
    **_INNODB,
)
"""Times during which an office could not serve its patients, long enough that its contacts are told. `ended` is empty
while it lasts; `well_since`: it seems to be over since then. `cause` is a key of `mail.words.CAUSES`."""

notices = sa.Table(
    "notices",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    _office(),
    sa.Column("outage_id", _ID, sa.ForeignKey("outages.id"), index=True),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("address", sa.String(254), nullable=False),
    sa.Column("message_id", sa.String(190), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("made_at", Utc, nullable=False),
    sa.Column("due", Utc, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("claim", sa.String(32), nullable=False),
    sa.Column("sent_at", Utc),
    sa.Column("error", sa.String(200), nullable=False),
    sa.Index("ix_notices_state_due", "state", "due"),
    sa.Index("ix_notices_office_sent", "office_id", "sent_at"),
    **_INNODB,
)
"""One piece of news for one person. `key` is what must not be told twice (outage, address and kind, hashed); `state` is
due, claimed (`due` is then when the claim falls, should its node have died), sent, failed or dropped."""

admins = sa.Table(
    "admins",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("name", sa.String(63), nullable=False, unique=True),
    sa.Column("password", sa.String(200), nullable=False),
    sa.Column("totp", sa.String(64), nullable=False),
    sa.Column("totp_used", sa.BigInteger, nullable=False),
    sa.Column("added_at", Utc, nullable=False),
    **_INNODB,
)
"""The vendor's people who may use the fleet pages. `password`: Argon2id. `totp`: the secret of one-time codes, empty
for none; `totp_used`: the last half-minute whose code was used."""

admin_sessions = sa.Table(
    "admin_sessions",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("admin_id", _ID, sa.ForeignKey("admins.id"), nullable=False, index=True),
    sa.Column("began", Utc, nullable=False),
    sa.Column("seen", Utc, nullable=False),
    **_INNODB,
)

deeds = sa.Table(
    "deeds",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("at", Utc, nullable=False, index=True),
    sa.Column("who", sa.String(63), nullable=False),
    sa.Column("deed", sa.String(30), nullable=False),
    sa.Column("office", sa.String(63), nullable=False),
    sa.Column("detail", sa.String(300), nullable=False),
    sa.Column("address", sa.String(100), nullable=False),
    sa.Index("ix_deeds_office_at", "office", "at"),
    **_INNODB,
)
"""Who of the vendor's people did what, on the fleet pages or to their accounts; `office` is empty where none was
meant."""

"""What the connector knows about itself, by name: its key, its installation, its office, the epoch.

The state file is readable by its owner only; that is what seals the private key. Values are bytes or texts of at most
a few hundred characters. The functions are synchronous: `state.run(meta.read, "office")`.
"""

import secrets

import sqlalchemy as sa

from econnector.storage.state.base import metadata

__all__ = ["forget", "identity_secret", "install_id", "keep_identity", "read", "write"]

META = sa.Table(
    "meta",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)
IDENTITY = "identity"
INSTALL = "install"


def _value(connection: sa.Connection, name: str) -> bytes | None:
    found = connection.execute(sa.select(META.c.value).where(META.c.name == name)).scalar()
    return None if found is None else bytes(found)


def _keep(connection: sa.Connection, name: str, value: bytes) -> None:
    changed = connection.execute(sa.update(META).where(META.c.name == name).values(value=value))
    if not changed.rowcount:
        connection.execute(sa.insert(META).values(name=name, value=value))


def read(connection: sa.Connection, name: str, default: str = "") -> str:
    """Return the text kept under `name`."""
    found = _value(connection, name)
    return default if found is None else found.decode()


def write(connection: sa.Connection, name: str, value: str) -> None:
    """Keep a text under `name`, instead of what was there."""
    _keep(connection, name, value.encode())


def forget(connection: sa.Connection, name: str) -> None:
    """Drop what is kept under `name`."""
    connection.execute(sa.delete(META).where(META.c.name == name))


def install_id(connection: sa.Connection) -> str:
    """Return this installation's id, 32 hexadecimal characters; it is made at the first call."""
    found = read(connection, INSTALL)
    if not found:
        found = secrets.token_hex(16)
        write(connection, INSTALL, found)
    return found


def identity_secret(connection: sa.Connection) -> bytes | None:
    """Return the private key's 32 bytes, or None where none was made yet."""
    return _value(connection, IDENTITY)


def keep_identity(connection: sa.Connection, secret: bytes) -> None:
    """Keep the private key's 32 bytes."""
    _keep(connection, IDENTITY, secret)

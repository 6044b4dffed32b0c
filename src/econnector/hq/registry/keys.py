"""How registration keys are stored: never themselves, but as a hash that can be looked up."""

import hashlib
import hmac

import sqlalchemy as sa

from econnector.hq.registry.tables import secrets

__all__ = ["SALT", "hashed"]

SALT = "salt"
"""The name of the random value that keys the hashes; made by the first migration."""


def hashed(connection: sa.Connection, key: str) -> str:
    """Return what is stored of a plain registration key: HMAC-SHA-256 under the registry's salt, in hexadecimal.

    One quick hash is enough where, unlike in a password, 76 bits are random; the salt keeps two registries from
    sharing a table of hashes.
    """
    salt = connection.scalars(sa.select(secrets.c.value).where(secrets.c.name == SALT)).one()
    return hmac.new(bytes.fromhex(salt), key.encode(), hashlib.sha256).hexdigest()

"""What a database server says about itself and about us: for the doctor and for support."""

import re

import msgspec
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

__all__ = ["ServerFacts", "ping", "server_facts"]

_PLAIN = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
_GRANT = re.compile(r"GRANT (?P<what>.+?) ON (?P<where>\S+) TO ", re.IGNORECASE)


class ServerFacts(msgspec.Struct, frozen=True):
    """One server, seen from our log-in."""

    version: str
    cipher: str
    """TLS cipher of this connection; empty when it is not encrypted or a local file."""
    lacking: tuple[str, ...] | None
    """Of SELECT, INSERT, UPDATE and DELETE, what our account may not do in the whole database; None: cannot tell."""
    connections: int = 0
    """In use now, everybody's."""
    most_connections: int = 0


def ping(connection: Connection) -> None:
    """Ask the least that can be asked."""
    connection.execute(text("SELECT 1")).scalar()


def server_facts(connection: Connection) -> ServerFacts:
    """Return what the server says about itself."""
    if connection.dialect.name == "sqlite":
        version = connection.execute(text("SELECT sqlite_version()")).scalar()
        return ServerFacts(f"SQLite {version}", "", ())
    version = str(connection.execute(text("SELECT VERSION()")).scalar())
    name = "MariaDB" if "mariadb" in version.lower() else "MySQL"
    return ServerFacts(
        version=f"{name} {version.split('-')[0]}",
        cipher=_status(connection, "Ssl_cipher"),
        lacking=_lacking(connection),
        connections=int(_status(connection, "Threads_connected") or 0),
        most_connections=int(connection.execute(text("SELECT @@max_connections")).scalar() or 0),
    )


def _status(connection: Connection, name: str) -> str:
    row = connection.execute(text("SHOW SESSION STATUS LIKE :name"), {"name": name}).first()
    return str(row[1]) if row else ""


def _lacking(connection: Connection) -> tuple[str, ...] | None:
    try:
        lines = [str(row[0]) for row in connection.execute(text("SHOW GRANTS"))]
        database = str(connection.execute(text("SELECT DATABASE()")).scalar())
    except SQLAlchemyError:
        return None
    may: set[str] = set()
    for line in lines:
        grant = _GRANT.match(line)
        if grant is None or not _covers(grant["where"], database):
            continue
        what = {word.strip().upper() for word in re.sub(r"\([^)]*\)", "", grant["what"]).split(",")}
        may |= _PLAIN if what & {"ALL PRIVILEGES", "ALL"} else what
    if not _PLAIN & may and len(lines) > 1:
        return None  # rights by role or by table: only trying would tell
    return tuple(sorted(_PLAIN - may))


def _covers(where: str, database: str) -> bool:
    """Return whether a grant's scope (`*.*`, `` `name`.* ``, name as a LIKE pattern) is the whole database."""
    scope, dot, table = where.rpartition(".")
    if not dot or table != "*":
        return False
    like = {"_": ".", "%": ".*"}
    parts = re.findall(r"\\(.)|(.)", scope.strip("`'\""))
    pattern = "".join(re.escape(escaped) if escaped else like.get(plain, re.escape(plain)) for escaped, plain in parts)
    return scope == "*" or re.fullmatch(pattern, database, re.IGNORECASE) is not None

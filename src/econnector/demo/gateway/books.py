"""What the sandbox has done, in a SQLite file of its own: every step is written before it is answered."""

import contextlib
import secrets
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from econnector.demo.gateway.scripts import DEMO_CARD

__all__ = ["BOOKS", "Books", "Kept", "Paper", "Speech"]

BOOKS = "gateway.sqlite"
"""The file's usual name."""

Speech = Literal["edgeexpress", "xweb", "stripe"]

_TABLES = """
CREATE TABLE IF NOT EXISTS papers (
    number TEXT PRIMARY KEY, speech TEXT NOT NULL, token TEXT NOT NULL UNIQUE, cents INTEGER NOT NULL,
    back TEXT NOT NULL, keep INTEGER NOT NULL, created REAL NOT NULL, until REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'open', script TEXT NOT NULL DEFAULT '', looks INTEGER NOT NULL DEFAULT 0,
    charged INTEGER NOT NULL DEFAULT 0, reference TEXT NOT NULL DEFAULT '', approval TEXT NOT NULL DEFAULT '',
    brand TEXT NOT NULL DEFAULT '', last4 TEXT NOT NULL DEFAULT '', expires TEXT NOT NULL DEFAULT '',
    alias TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS charges (
    id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL UNIQUE, cents INTEGER NOT NULL, way TEXT NOT NULL,
    at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS kept (
    alias TEXT PRIMARY KEY, brand TEXT NOT NULL, last4 TEXT NOT NULL, expires TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS replies (
    key TEXT PRIMARY KEY, asked TEXT NOT NULL, status INTEGER NOT NULL, said BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, body BLOB NOT NULL, sent INTEGER NOT NULL DEFAULT 0);
"""


class Paper(msgspec.Struct, kw_only=True):
    """One order: a page that was made for it, or a kept card that was charged."""

    number: str
    speech: str
    token: str
    cents: int
    back: str
    keep: bool
    created: float
    until: float
    state: str = "open"
    """`open`, `approved`, `partial`, `declined`, `lapsed` (the card had expired), `left` (cancelled)."""
    script: str = ""
    looks: int = 0
    """How often it was asked about since it was paid."""
    charged: int = 0
    reference: str = ""
    approval: str = ""
    brand: str = ""
    last4: str = ""
    expires: str = ""
    alias: str = ""

    @property
    def over(self) -> bool:
        """Whether nobody can pay here any more."""
        return self.state != "open" or time.time() > self.until

    @property
    def paid(self) -> bool:
        """Whether money would have moved."""
        return self.state in {"approved", "partial"}


class Kept(msgspec.Struct):
    """A card that is kept."""

    alias: str
    brand: str
    last4: str
    expires: str


class Books:
    """The file. Used from one thread."""

    def __init__(self, file: Path) -> None:
        """Open it, or make it."""
        self._file = sqlite3.connect(file, isolation_level=None)
        self._file.row_factory = sqlite3.Row
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.executescript(_TABLES)
        self.add_card(*DEMO_CARD)

    def close(self) -> None:
        """Let go of it."""
        self._file.close()

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Write all that happens in the block, or nothing of it."""
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    # -- orders ------------------------------------------------------------------------------------------------

    def open(self, paper: Paper) -> Paper:
        """Keep a new order, or return the one that has its number already."""
        names = ", ".join(msgspec.structs.asdict(paper))
        marks = ", ".join("?" * len(msgspec.structs.asdict(paper)))
        values = tuple(msgspec.structs.asdict(paper).values())
        self._file.execute(f"INSERT OR IGNORE INTO papers ({names}) VALUES ({marks})", values)  # noqa: S608 - our names
        found = self.find(paper.number)
        assert found is not None  # noqa: S101 - it was kept just now
        return found

    def find(self, number: str) -> Paper | None:
        """Return an order by its number."""
        return self._paper("SELECT * FROM papers WHERE number = ?", number)

    def by_token(self, token: str) -> Paper | None:
        """Return an order by its page's token."""
        return self._paper("SELECT * FROM papers WHERE token = ?", token)

    def newest(self) -> list[Paper]:
        """Return all orders, newest first."""
        rows = self._file.execute("SELECT * FROM papers ORDER BY created DESC, rowid DESC")
        return [msgspec.convert(dict(row), Paper, strict=False) for row in rows]

    def keep(self, paper: Paper) -> None:
        """Write an order as it is now."""
        values = msgspec.structs.asdict(paper)
        sets = ", ".join(f"{name} = ?" for name in values)
        self._file.execute(f"UPDATE papers SET {sets} WHERE number = ?", (*values.values(), paper.number))  # noqa: S608

    def charge(self, paper: Paper, cents: int, way: str) -> bool:
        """Enter a charge; an order is charged once, and False is returned where it was."""
        values = (paper.number, cents, way, time.time())
        done = self._file.execute("INSERT OR IGNORE INTO charges (number, cents, way, at) VALUES (?, ?, ?, ?)", values)
        return done.rowcount == 1

    def charges(self) -> list[dict[str, Any]]:
        """Return all charges, oldest first."""
        return [dict(row) for row in self._file.execute("SELECT number, cents, way, at FROM charges ORDER BY id")]

    def _paper(self, statement: str, *values: str) -> Paper | None:
        row = self._file.execute(statement, values).fetchone()
        return None if row is None else msgspec.convert(dict(row), Paper, strict=False)

    # -- kept cards --------------------------------------------------------------------------------------------

    def add_card(self, alias: str, brand: str, last4: str, expires: str) -> None:
        """Keep a card."""
        self._file.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)", (alias, brand, last4, expires))

    def card(self, alias: str) -> Kept | None:
        """Return a kept card."""
        row = self._file.execute("SELECT * FROM kept WHERE alias = ?", (alias,)).fetchone()
        return None if row is None else msgspec.convert(dict(row), Kept)

    def forget_card(self, alias: str) -> bool:
        """Delete a kept card; return whether there was one."""
        return self._file.execute("DELETE FROM kept WHERE alias = ?", (alias,)).rowcount == 1

    def forget_method(self, method: str) -> bool:
        """Delete a kept card by Stripe's name of the card alone; return whether there was one."""
        row = self._file.execute("SELECT alias FROM kept WHERE alias LIKE '%/' || ?", (method,)).fetchone()
        return row is not None and self.forget_card(row["alias"])

    # -- Stripe's ----------------------------------------------------------------------------------------------

    def replied(self, key: str) -> tuple[str, int, bytes] | None:
        """Return what was asked under an idempotency key, and what was answered."""
        row = self._file.execute("SELECT asked, status, said FROM replies WHERE key = ?", (key,)).fetchone()
        return None if row is None else (row["asked"], row["status"], row["said"])

    def reply(self, key: str, asked: str, status: int, said: bytes) -> None:
        """Keep an answer."""
        self._file.execute("INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?)", (key, asked, status, said))

    def notify(self, body: bytes) -> None:
        """Keep a notice that is to be sent."""
        event = f"evt_{secrets.token_hex(8)}"
        said = body.replace(b"EVENT", event.encode(), 1)
        self._file.execute("INSERT INTO notices (event, body) VALUES (?, ?)", (event, said))

    def unsent(self) -> list[tuple[int, bytes]]:
        """Return the notices that nobody has taken yet."""
        rows = self._file.execute("SELECT id, body FROM notices WHERE sent = 0 ORDER BY id")
        return [(row["id"], row["body"]) for row in rows]

    def sent(self, number: int) -> None:
        """Note that a notice was taken."""
        self._file.execute("UPDATE notices SET sent = 1 WHERE id = ?", (number,))

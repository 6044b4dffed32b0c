"""The practice's and the office's rows as the soak reads them: on MariaDB or SQLite, past the product's own code."""

import contextlib
import datetime as dt
import sqlite3
from pathlib import Path
from typing import Any, NamedTuple

from econnector.opendental import audit
from tests.support.mariadb import MariaDb

__all__ = ["DATABASE", "Audit", "Login", "Practice", "Signal"]

DATABASE = "soak"


class Login(NamedTuple):
    """A row of userweb."""

    number: int
    patient: int
    user_name: str
    stored: str
    change_user_name: int
    change_password: int


class Signal(NamedTuple):
    """A row of eservicesignal."""

    number: int
    severity: int
    text: str
    at: str
    processed: int


class Audit(NamedTuple):
    """A row of securitylog that the portal wrote, with what stands beside it."""

    number: int
    patient: int
    text: str
    hashes: tuple[str, ...]
    expected: str


class Practice:
    """Reads the practice's database."""

    def __init__(self, server: MariaDb | None, file: Path) -> None:
        """`file` is the SQLite practice where there is no `server`."""
        self._server, self._file = server, file

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a statement without parameters."""
        if self._server is not None:
            return self._server.sql(sql, database=DATABASE)
        with contextlib.closing(sqlite3.connect(self._file)) as practice:
            return practice.execute(sql).fetchall()

    def do(self, sql: str) -> None:
        """Change something, while nothing of ours runs."""
        if self._server is not None:
            self._server.sql(sql, database=DATABASE)
            return
        with contextlib.closing(sqlite3.connect(self._file)) as practice, practice:
            practice.execute(sql)

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns."""
        if self._server is not None:
            return [row[0] for row in self.rows(f"SHOW COLUMNS FROM {table}")]
        return [row[1] for row in self.rows(f"PRAGMA table_info({table})")]

    def logins(self) -> dict[int, Login]:
        """Return userweb by key."""
        columns = "UserWebNum, FKey, UserName, Password, RequireUserNameChange, RequirePasswordChange"
        return {row[0]: Login(*row) for row in self.rows(f"SELECT {columns} FROM userweb WHERE FKeyType=1")}

    def signals(self) -> list[Signal]:
        """Return eservicesignal in the order in which the rows were written."""
        columns = "EServiceSignalNum, Severity, Description, SigDateTime, IsProcessed"
        order = "ORDER BY EServiceSignalNum"
        found = self.rows(f"SELECT {columns} FROM eservicesignal WHERE ServiceCode=1 {order}")
        return [Signal(row[0], row[1], row[2], str(row[3])[:19], row[4]) for row in found]

    def audits(self, after: int = 0) -> list[Audit]:
        """Return what the portal has written into the audit trail after row `after`."""
        hashes: dict[int, list[str]] = {}
        for number, made in self.rows("SELECT SecurityLogNum, LogHash FROM securityloghash"):
            hashes.setdefault(number, []).append(made)
        columns = "SecurityLogNum, PermType, UserNum, LogDateTime, LogText, PatNum"
        found = []
        for number, kind, user, at, text, patient in self.rows(
            f"SELECT {columns} FROM securitylog WHERE LogSource=6 AND SecurityLogNum > {after:d}"
        ):
            moment = at if isinstance(at, dt.datetime) else dt.datetime.fromisoformat(str(at))
            expected = audit.log_hash(kind, user, moment, text, patient)
            found.append(Audit(number, patient, text, tuple(hashes.get(number, ())), expected))
        return found

    def names(self) -> dict[int, tuple[str, str]]:
        """Return everybody's last and first name by PatNum."""
        rows = self.rows("SELECT PatNum, LName, FName FROM patient")
        return {number: (last, first) for number, last, first in rows}

    def damaged(self) -> list[str]:
        """Return the tables we write that the server calls damaged."""
        tables = "userweb, eservicesignal, securitylog, securityloghash, eservicelog, loginattempt, alertitem"
        if self._server is None:
            return [str(row[0]) for row in self.rows("PRAGMA integrity_check") if row[0] != "ok"]
        return [f"{row[0]}: {row[3]}" for row in self.rows(f"CHECK TABLE {tables}") if row[2] == "error"]

"""What we write into Open Dental's database: the list of tables, the guard that refuses all others, and two helpers.

`patient`, `appointment`, `paysplit`, `payplan`, `claim` and `claimproc` are not in the list: since 21.4 and 23.3 their
rows carry a seal that only Open Dental can make, and it shows whoever changed them as a stranger. `splitting` lets one
of them in where the schema has no such seal.
"""

import contextlib
import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Table

from econnector.opendental import keys
from econnector.opendental.schema import Schema

__all__ = ["CODE_TABLES", "WRITABLE", "WriteRefused", "Writing", "guard", "insert", "insert_many", "update", "withheld"]


class Writing(msgspec.Struct, frozen=True):
    """What may be done to a table, and why it is safe."""

    may: frozenset[str]
    why: str
    columns: frozenset[str] = frozenset()
    """The only ones that an update may set; empty for all."""


def _writing(may: str, why: str, columns: str = "") -> Writing:
    return Writing(frozenset(may.split()), why, frozenset(columns.split()))


CODE_TABLES = frozenset(("cdcrec", "cpt", "cvx", "hcpcs", "icd10", "icd9", "loinc", "rxnorm", "snomed", "sop", "ucum"))
"""The tables of code systems."""
WRITABLE = {
    "alertitem": _writing(
        "insert update delete",
        "the connector's own alerts (types 11, 12, 13, 22, 24), patients who confirm a visit (type 4) or write (21), "
        "how many online payments wait for staff (1)",
        "Description",
    ),
    "alertread": _writing("delete", "who has read an alert goes with the alert"),
    **dict.fromkeys(
        sorted(CODE_TABLES),
        _writing("insert update", "code systems that the office imports; nobody's data"),
    ),
    "codesystem": _writing("insert update", "which code systems are imported, and which version"),
    "commlog": _writing(
        "insert", "what a patient told the office in the portal, to be read in the chart; no row has a seal"
    ),
    "creditcard": _writing(
        "insert update",
        "a card that a patient lets the processor keep, by its token; the token goes when they delete it",
        "XChargeToken",
    ),
    "ehrmeasureevent": _writing(
        "insert",
        "in the EHR measures count once each: a patient's message, access that the office gives, and a care summary "
        "that is viewed, downloaded or sent",
    ),
    "emailattach": _writing("insert", "files that a patient sent with a message"),
    "emailmessage": _writing(
        "insert update",
        "mail that the connector sent to a patient or could not send; patients' messages, and what they have read",
        "SentOrReceived FailReason",
    ),
    "eservicelog": _writing("insert", "activity of patients in eServices, one row each"),
    "eservicesignal": _writing("insert update", "heartbeats: the connector is the one who writes them"),
    "loginattempt": _writing("insert", "failed sign-ins at the portal, one row each"),
    "payment": _writing("insert", "what a patient paid online, once; its rows have no seal"),
    "preference": _writing("insert update", "the settings of the eConnector window"),
    "securitylog": _writing("insert", "audit trail of what patients and the office do here"),
    "securityloghash": _writing("insert", "without it the audit window shows the row as changed"),
    "signalod": _writing("insert", "tells workstations to read settings again; they delete it"),
    "userod": _writing(
        "update", "failed sign-ins at the window count where Open Dental counts them", "FailedAttempts DateTFail"
    ),
    "userweb": _writing(
        "insert update",
        "the office gives and takes access to the portal; patients change their own user name and password; the portal "
        "notes the sign-in",
    ),
    "xwebresponse": _writing(
        "insert update",
        "what the card processor answered: Open Dental's list of portal transactions, and what it returns money by",
        "PaymentNum DateTUpdate TransactionStatus ResponseCode XWebResponseCode ResponseDescription TransactionID "
        "CardType CardBrand MaskedAcctNum Amount ApprovalCode ExpDate AccountExpirationDate PayNote",
    ),
}
"""Every table that an outside program may write, what it may do there and why."""


class WriteRefused(RuntimeError):  # noqa: N818 - it says what happened, as the failures do
    """Our own code tried to write where it must not: a fault of ours, never shown to anybody."""


_WITHHELD: ContextVar[bool] = ContextVar("withheld", default=False)


@contextlib.contextmanager
def withheld() -> Iterator[None]:
    """Write nothing within: `insert` and `update` do nothing and return 0, and whatever else would write is refused.

    For somebody who looks at what is another's to do: what that leaves behind must not be left. It holds for what is
    begun within, in other threads and tasks too.
    """
    before = _WITHHELD.set(True)
    try:
        yield
    finally:
        _WITHHELD.reset(before)


_SPLITTING: ContextVar[bool] = ContextVar("splitting", default=False)
_SPLITS = "paysplit"


@contextlib.contextmanager
def splitting(schema: Schema) -> Iterator[None]:
    """Let a `paysplit` be inserted within. Raises `WriteRefused` where its rows carry a seal."""
    if schema.has(_SPLITS, "SecurityHash") or not schema.has(_SPLITS):
        raise WriteRefused("refused: this version seals what a payment is for")
    before = _SPLITTING.set(True)
    try:
        yield
    finally:
        _SPLITTING.reset(before)


_WRITES = (
    ("insert", re.compile(r"INSERT INTO [`\"]?(\w+)[`\"]? ?\((?!.*\bON DUPLICATE\b)", re.IGNORECASE)),
    ("update", re.compile(r"UPDATE [`\"]?(\w+)[`\"]? SET ", re.IGNORECASE)),
    ("delete", re.compile(r"DELETE FROM [`\"]?(\w+)[`\"]? WHERE ", re.IGNORECASE)),
)
# A table that this connection alone sees, with the columns of a code table: making it, and its rows.
_GATHERS = re.compile(
    r"CREATE TEMPORARY TABLE gathered_(\w+) ENGINE=MyISAM SELECT [\w, ]+ FROM \1 LIMIT 0"
    r"|INSERT INTO gathered_(\w+) \([\w, ]+\) VALUES \(%s(?:, %s)*\)"
)
_READS = re.compile(r"(SELECT|SHOW|BEGIN)\b", re.IGNORECASE)
# A SELECT that writes a file or locks rows; two statements in one.
_TRICKS = re.compile(r"\bINTO\b|\bFOR UPDATE\b|;.*\S", re.IGNORECASE)


def guard(sql: str) -> None:
    """Raise `WriteRefused` unless the statement only reads, or writes one table in one of the ways of `WRITABLE`.

    The rows of a code table may be gathered in a temporary table first (see `opendental.gathered`).
    Values are parameters and not part of `sql`. What is not recognised is refused.
    """
    text = " ".join(sql.split())
    for what, pattern in () if _WITHHELD.get() else _WRITES:
        match = pattern.match(text)
        if match and what in _may(match[1]) and ";" not in text and (what != "update" or _sets_only(match[1], text)):
            return
    gathers = None if _WITHHELD.get() else _GATHERS.fullmatch(text)
    if gathers and (gathers[1] or gathers[2]) in CODE_TABLES:
        return
    if _READS.match(text) and not _TRICKS.search(text):
        return
    raise WriteRefused(f"refused: {' '.join(text.split()[:3])}")


def _sets_only(table: str, text: str) -> bool:
    allowed = WRITABLE[table.lower()].columns
    values = re.sub(r"\([^()]*\)|\bCASE\b.*?\bEND\b", "", text.partition(" SET ")[2].partition(" WHERE ")[0])
    return not allowed or {part.partition("=")[0].strip('`" ') for part in values.split(",")} <= allowed


def _may(table: str) -> frozenset[str]:
    if table.lower() == _SPLITS and _SPLITTING.get():
        return frozenset({"insert"})
    rule = WRITABLE.get(table.lower())
    return frozenset() if rule is None else rule.may


def insert(connection: Connection, schema: Schema, table: Table, values: Mapping[str, Any]) -> int:
    """Insert one row and return its key.

    Columns that this version lacks are left out. Columns that may not be NULL and have no default get the empty value
    of their kind: 0, '' or "no date". Where the practice wants random keys, one is drawn. Raises `ValueError` for text
    that is longer than its column: the server would cut it without a word.
    """
    if _WITHHELD.get():
        return 0
    row = _present(schema, table, values)
    row |= _owed(schema, table, row)
    key = table.primary_key.columns[0]
    if schema.random_keys is not None and key.name not in row:
        row[key.name] = keys.choose(connection, table, schema.random_keys)
    made = connection.execute(sa.insert(table).values(row)).inserted_primary_key
    return int(made[0]) if made is not None else int(row[key.name])


def insert_unless(
    connection: Connection, schema: Schema, table: Table, values: Mapping[str, Any], *there: ColumnElement[bool]
) -> bool:
    """Insert one row as `insert` does, unless there is one that matches all of `there`; return whether it was added.

    Looking and inserting are one statement: of two that are sent at once, or one that arrives late, one does nothing.
    """
    if not there:
        raise ValueError("it needs a condition")
    if _WITHHELD.get():
        return False
    row = _present(schema, table, values)
    row |= _owed(schema, table, row)
    key = table.primary_key.columns[0]
    if schema.random_keys is not None:
        row[key.name] = keys.choose(connection, table, schema.random_keys)
    known = sa.select(sa.literal(1)).select_from(table).where(*there).exists()
    fresh = sa.select(*(_as_column(value, table.c[name]) for name, value in row.items())).where(~known)
    return connection.execute(sa.insert(table).from_select(list(row), fresh)).rowcount > 0


def _as_column(value: Any, column: sa.Column[Any]) -> ColumnElement[Any]:
    if isinstance(value, ColumnElement):
        return value
    return sa.literal(value, type_=column.type)


def insert_many(
    connection: Connection, schema: Schema, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Insert many rows of the same columns, as `insert` does one; texts must not be longer than their columns."""
    if not rows or _WITHHELD.get():
        return
    owed = _owed(schema, table, columns)
    values: dict[str, Iterable[Any]] = dict(zip(columns, zip(*rows, strict=True), strict=True))
    values |= {name: itertools.repeat(value, len(rows)) for name, value in owed.items()}
    if schema.random_keys is not None:
        key = table.primary_key.columns[0].name
        values[key] = keys.choose_many(connection, table, schema.random_keys, len(rows))
    # The driver's own way for many rows: SQLAlchemy's takes each row apart and puts it together again.
    quote, mark = connection.dialect.identifier_preparer.quote, "?" if connection.dialect.name == "sqlite" else "%s"
    names, marks = ", ".join(map(quote, values)), ", ".join(mark for _ in values)
    statement = f"INSERT INTO {quote(table.name)} ({names}) VALUES ({marks})"  # noqa: S608 - names of our own tables
    connection.exec_driver_sql(statement, list(zip(*values.values(), strict=True)))


def update(
    connection: Connection, schema: Schema, table: Table, values: Mapping[str, Any], *where: ColumnElement[bool]
) -> int:
    """Update the rows that match all of `where` (one condition at least); return how many matched.

    Columns that this version lacks are left out. Raises `ValueError` as `insert` does.
    """
    if not where:
        raise ValueError("an update needs a condition")
    if _WITHHELD.get():
        return 0
    row = _present(schema, table, values)
    return connection.execute(sa.update(table).where(*where).values(row)).rowcount if row else 0


def _present(schema: Schema, table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = values.keys() - table.columns.keys()
    if unknown:
        raise KeyError(f"{table.name} has no column {sorted(unknown)}")
    present = {name: value for name, value in values.items() if schema.has(table, name)}
    for name, value in present.items():
        most = schema.length(table, name)
        if most is not None and isinstance(value, str) and len(value) > most:
            raise ValueError(f"{table.name}.{name} takes {most} characters")
    return present


def _owed(schema: Schema, table: Table, given: Collection[str]) -> dict[str, Any]:
    """Return an empty value for every other column that must have one."""
    return {
        column.name: _empty(column)
        for column in table.columns
        if (facts := schema.columns[table.name].get(column.name))
        and column.name not in given
        and not facts.nullable
        and not facts.has_default
    }


def _empty(column: sa.Column[Any]) -> Any:
    """Return what MySQL itself would store for a missing value under `sql_mode=''`."""
    kind = column.type.python_type if not isinstance(column.type, sa.TypeDecorator) else None
    return None if kind is None else kind()

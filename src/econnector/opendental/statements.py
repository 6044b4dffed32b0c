"""Statements: the documents that patients may open, and the balances that were printed on them.

A document is a statement when it is filed in an image category (`definition`, category 18) that is not hidden and
whose letters (`ItemValue`) hold a capital S, whoever filed it (`Documents.GetPatientPortalDocsForPat`). The
`statement` row that made it is found by `DocNum`. Lists never read the columns that hold whole files.
"""

import datetime as dt
from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, func, select

from econnector.opendental.balances import cents
from econnector.opendental.filed import LAST_KEY, FiledDocument, categories, filed, located
from econnector.opendental.tables import document, statement

__all__ = [
    "COUNTED",
    "LastStatement",
    "StatementDocument",
    "files",
    "find",
    "last_sent",
    "listed",
    "receipts",
]

_STATEMENTS_LETTER = b"S"
_MOST = 500


class StatementDocument(msgspec.Struct, frozen=True):
    """One document as a list shows it."""

    number: int
    """DocNum."""
    patient: int
    created: dt.datetime | None
    title: str
    cents: int | None
    """The balance printed on it, where a statement row with a valid one belongs to it."""


class LastStatement(msgspec.Struct, frozen=True):
    """The balance of the last statement."""

    cents: int
    sent: dt.date | None


def _shown() -> ColumnElement[bool]:
    # A picture in a slot of a mount is not a document of its own.
    return document.c.DocCategory.in_(categories(_STATEMENTS_LETTER)) & (document.c.MountItemNum == 0)


def _valid() -> ColumnElement[bool]:
    return (statement.c.IsBalValid == 1) & (statement.c.IsReceipt == 0) & (statement.c.IsInvoice == 0)


# Built once: building a statement takes longer than running it.
_OF_PEOPLE = document.c.PatNum.in_(bindparam("people", expanding=True)) & _shown()
_LISTED = (
    select(document.c.DocNum, document.c.PatNum, document.c.DateCreated, document.c.Description)
    .where(_OF_PEOPLE)
    .order_by(document.c.DateCreated.desc(), document.c.DocNum.desc())
    .limit(bindparam("most"))
)
COUNTED = select(func.count().label("count"), func.max(document.c.DateCreated).label("newest")).where(_OF_PEOPLE)
"""How many `:people` have and when the newest was made, to be asked for beside something else."""
_ONE = located((document.c.DocNum == bindparam("number")) & _shown())
_FILES = located(_OF_PEOPLE).order_by(document.c.DateCreated.desc(), document.c.DocNum.desc()).limit(bindparam("most"))
_RECEIPTS = (
    select(document.c.DocNum, document.c.PatNum, document.c.DateCreated, document.c.Description)
    .join_from(statement, document, document.c.DocNum == statement.c.DocNum)
    .where(
        statement.c.PatNum.in_(bindparam("people", expanding=True)),
        statement.c.IsReceipt == 1,
        statement.c.DocNum > 0,
        _OF_PEOPLE,
    )
    .distinct()
    .order_by(document.c.DateCreated.desc(), document.c.DocNum.desc())
    .limit(bindparam("most"))
)
_LAST_SENT = (
    select(statement.c.BalTotal, statement.c.InsEst, statement.c.DateSent)
    .where(statement.c.PatNum.in_(bindparam("people", expanding=True)), statement.c.IsSent == 1, _valid())
    .order_by(statement.c.DateSent.desc(), statement.c.DateTStamp.desc(), statement.c.StatementNum.desc())
    .limit(1)
)
_SHOWN = _LISTED.subquery()
_PRINTED = (
    select(_SHOWN, statement.c.StatementNum, statement.c.BalTotal, statement.c.InsEst)
    .outerjoin_from(_SHOWN, statement, (statement.c.DocNum == _SHOWN.c.DocNum) & _valid())
    .order_by(_SHOWN.c.DateCreated.desc(), _SHOWN.c.DocNum.desc(), statement.c.DateSent, statement.c.StatementNum)
)
"""The list with the balances that were printed; of several the last counts."""


def listed(connection: Connection, people: Sequence[int], most: int = _MOST) -> list[StatementDocument]:
    """Return the statement documents of `people` (PatNums), newest first, at most `most`."""
    found: dict[int, StatementDocument] = {}
    for row in connection.execute(_PRINTED, {"people": list(people), "most": most}):
        balance = None if row.StatementNum is None else cents(row.BalTotal) - cents(row.InsEst)
        found[row.DocNum] = StatementDocument(row.DocNum, row.PatNum, row.DateCreated, _title(row.Description), balance)
    return list(found.values())


def receipts(connection: Connection, people: Sequence[int], most: int) -> list[StatementDocument]:
    """Return the documents of `people` that are receipts, newest first, at most `most`."""
    rows = connection.execute(_RECEIPTS, {"people": list(people), "most": most})
    return [StatementDocument(row.DocNum, row.PatNum, row.DateCreated, _title(row.Description), None) for row in rows]


def files(connection: Connection, people: Sequence[int], most: int = _MOST) -> list[FiledDocument]:
    """Return where the statement documents of `people` are, newest first, at most `most`."""
    rows = connection.execute(_FILES, {"people": list(people), "most": most})
    return [filed(row, _title(row.Description)) for row in rows]


def find(connection: Connection, number: int) -> FiledDocument | None:
    """Return the statement document with this DocNum, or None where there is none or it is no statement.

    Who may open it is not decided here.
    """
    if not 0 < number <= LAST_KEY:
        return None
    row = connection.execute(_ONE, {"number": number}).one_or_none()
    return None if row is None else filed(row, _title(row.Description))


def last_sent(connection: Connection, people: Sequence[int]) -> LastStatement | None:
    """Return the balance of the newest statement sent for `people` that has a valid one and is no receipt or invoice.

    Newest by date: the highest number is not it where keys are random. A receipt of the portal counts as sent, too.
    """
    row = connection.execute(_LAST_SENT, {"people": list(people)}).one_or_none()
    return None if row is None else LastStatement(cents(row.BalTotal) - cents(row.InsEst), row.DateSent)


def _title(description: str | None) -> str:
    return (description or "").strip() or "Statement"

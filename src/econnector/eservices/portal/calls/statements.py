"""Statements: the list, and one statement's file."""

import msgspec

from econnector.eservices.portal.calls.around import Around, FileHead, PersonAsked
from econnector.wire.call import Call

__all__ = ["STATEMENTS", "STATEMENT_ARCHIVE", "STATEMENT_FILE", "Statement", "StatementFile", "Statements"]


class Statement(msgspec.Struct):
    """One statement document."""

    document: int
    """DocNum; opened with `STATEMENT_FILE`."""
    date: str
    title: str
    person: int
    person_name: str = ""
    balance_cents: int = 0
    balance_known: bool = False
    """Whether a statement row with a valid balance belongs to the document."""


class Statements(Around, kw_only=True):
    """The list, newest first, with the balances of now and of the last statement."""

    items: list[Statement]
    payable: bool = False
    """Whether this account can be paid here (`PAY_FORM`)."""
    balance_cents: int = 0
    balance_known: bool = False
    balance_as_of: str = ""
    last_statement_cents: int = 0
    last_statement_date: str = ""


class StatementFile(msgspec.Struct):
    """One statement's file."""

    token: str
    document: int


STATEMENTS = Call("portal.statements", PersonAsked, Statements, limit=10)
STATEMENT_FILE = Call("portal.statement-file", StatementFile, FileHead, limit=60, streams=True)
STATEMENT_ARCHIVE = Call("portal.statement-archive", PersonAsked, FileHead, limit=120, streams=True)

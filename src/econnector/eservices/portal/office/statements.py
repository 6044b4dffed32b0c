"""Statements: the list with its balances, and one statement's file."""

from typing import TYPE_CHECKING

from econnector.eservices.portal import calls
from econnector.eservices.portal.office import journal
from econnector.eservices.portal.office.admission import Visitor
from econnector.eservices.portal.office.around import begin, note_view, text_of, whose
from econnector.eservices.portal.office.cashier.showing import payable
from econnector.eservices.portal.office.desk import Desk
from econnector.eservices.portal.office.opening import Drawer, open_filed
from econnector.opendental import balances, family, statements
from econnector.opendental.family import Relative
from econnector.opendental.filed import FiledDocument
from econnector.storage.state.sessions import PortalSession
from econnector.wire.call import Answers, Asked, Streamed

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["answer", "as_item", "balance_of", "holder_of", "whose_money"]


def answer(desk: Desk, answers: Answers) -> None:
    """Answer `STATEMENTS` and `STATEMENT_FILE`. Both raise `NotAllowed`, `SessionEnded`, `ChangeRequired`."""

    @answers.to(calls.STATEMENTS)
    async def _(_asked: Asked, params: calls.PersonAsked) -> calls.Statements:
        session = await desk.session(params.token)
        return await desk.show(_statements, session, params)

    @answers.streaming(calls.STATEMENT_FILE)
    async def _(_asked: Asked, params: calls.StatementFile) -> Streamed[calls.FileHead]:
        return await open_filed(desk, _DRAWER, params.token, params.document)


def _statements(
    connection: "Connection", desk: Desk, session: PortalSession, params: calls.PersonAsked
) -> calls.Statements:
    begun = begin(connection, desk, session, params, topic="account")
    visitor, looking_at = begun.visitor, begun.looking_at
    balance = balance_of(visitor, looking_at)
    last = statements.last_sent(connection, whose_money(visitor, looking_at)) if balance else None
    rows = statements.listed(connection, whose(visitor, looking_at))
    note_view(connection, visitor, looking_at, "list of statements")
    return calls.Statements(
        **begun.frame,
        items=[as_item(row, begun.name(row.patient)) for row in rows],
        balance_cents=balance.cents if balance else 0,
        balance_known=balance is not None,
        balance_as_of=text_of(balance.as_of) if balance else "",
        last_statement_cents=last.cents if last else 0,
        last_statement_date=text_of(last.sent) if last else "",
        payable=payable(connection, desk, visitor, visitor.purse(looking_at)),
    )


def _name(file: FiledDocument) -> str:
    return f"Statement {file.created:%Y-%m-%d}" if file.created else "Statement"


def _note_download(connection: "Connection", desk: Desk, session: PortalSession, file: FiledDocument) -> None:
    schema = desk.schema_of(connection)
    journal.acted(connection, schema, session.patient, file.patient, "Patient portal: opened a statement.")
    journal.downloaded_statement(connection, schema, session.patient, session.number)


_DRAWER = Drawer("account", statements.find, _name, _note_download)


def whose_money(visitor: Visitor, looking_at: Relative) -> list[int]:
    """Return whose statements tell of the money of `looking_at`'s family."""
    return whose(visitor, visitor.me if looking_at.guarantor == visitor.me.number else looking_at)


def balance_of(visitor: Visitor, looking_at: Relative) -> balances.Balance | None:
    """Return what the family of `looking_at` owes, or None where it is not the visitor's to see."""
    purse = visitor.purse(looking_at)
    return balances.balance(purse.total, purse.insurance, visitor.settings) if purse else None


def holder_of(connection: "Connection", visitor: Visitor, looking_at: Relative) -> str:
    """Return the name of whose balance it is instead: in one's own family only, empty where there is nothing to say."""
    me = visitor.me
    mine = looking_at is me and visitor.allows(me.number, "account")
    return family.holder_name(connection, me) if mine and me.guarantor != me.number else ""


def as_item(row: statements.StatementDocument, name: str) -> calls.Statement:
    """Return a statement as the contract lists it; `name` is whose it is."""
    return calls.Statement(
        document=row.number,
        date=text_of(row.created),
        title=row.title,
        person=row.patient,
        person_name=name,
        balance_cents=row.cents or 0,
        balance_known=row.cents is not None,
    )

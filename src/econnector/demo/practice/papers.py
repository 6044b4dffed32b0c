"""Statements: the rows, the documents, and the PDFs that go with them; also the traps that real offices hold."""

import datetime as dt
from functools import partial

from econnector.demo.practice.book import Book
from econnector.demo.practice.ledger import Entry, Ledger
from econnector.demo.practice.names import letters
from econnector.demo.practice.people import Family, File, Making, Person
from econnector.documents.statement import Aging, Line, Party, Statement, render

__all__ = ["PRACTICE", "STATEMENTS", "add_document", "add_statements", "add_traps"]

STATEMENTS = 240
"""The image category that holds statements (definition 240, letters S and L)."""
IN_PERSON, BY_EMAIL = 1, 2
PRACTICE = Party(
    "Juniper Hill Dental", ("1420 Juniper Hill Road, Suite 2", "Juniper Falls, OR 97001"), "(503) 555-0100"
)


def add_document(  # noqa: PLR0913, PLR0917 - a document is all of these
    making: Making,
    person: Person,
    category: int,
    description: str,
    ending: str,
    created: dt.datetime,
    *,
    kind: int = 0,
) -> tuple[int, str]:
    """Add a row of `document`; return its number and the path of its file in the image store."""
    number = len(making.book.rows("document")) + 1
    file = letters(person.last + person.first) + str(number) + ending
    making.book.add(
        "document",
        "DocNum",
        Description=description,
        DateCreated=created,
        DocCategory=category,
        PatNum=person.number,
        FileName=file,
        ImgType=kind,
        ExternalSource="None",
    )
    return number, f"{person.folder[0].upper()}/{person.folder}/{file}"


def add_statements(making: Making, family: Family, ledger: Ledger, sent: list[dt.date]) -> None:
    """Add one statement with its PDF for each day in `sent`."""
    before = dt.date.min
    for day in sent:
        drawn = _drawn(making, family, ledger, before, day)
        document = _paper(making, family.head, drawn)
        _row(
            making.book,
            family,
            document,
            day,
            BalTotal=drawn.balance_cents / 100,
            InsEst=drawn.insurance_cents / 100,
            IsBalValid=1,
        )
        before = day


def _drawn(  # noqa: PLR0913, PLR0917 - a statement is all of these
    making: Making, family: Family, ledger: Ledger, after: dt.date, day: dt.date, title: str = "Statement"
) -> Statement:
    forward = ledger.balance(after)
    lines = ledger.between(after, day)
    if after == dt.date.min:  # a first statement starts where the account last stood at nothing
        start = max((line.date for line in lines if not ledger.balance(line.date) and line.date < day), default=after)
        forward, lines = 0, ledger.between(start, day)
    return Statement(
        practice=PRACTICE,
        guarantor=_party(making, family.head),
        account=str(family.head.number),
        date=day,
        lines=_lines(family, lines),
        forward_cents=forward,
        insurance_cents=ledger.insurance(day),
        aging=ledger.aging(day),
        title=title,
        note="You can see and download your statements in the patient portal. Questions? Call us, we are glad to help.",
    )


def _lines(family: Family, entries: list[Entry]) -> tuple[Line, ...]:
    names = {person.number: person.first for person in family.people}
    return tuple(Line(entry.date, names[entry.person], entry.text, entry.cents) for entry in entries)


def _party(making: Making, person: Person) -> Party:
    row = making.book.rows("patient")[person.number - 1]
    lines = [str(row["Address"]), str(row["Address2"]), f"{row['City']}, {row['State']} {row['Zip']}"]
    return Party(person.name, tuple(line for line in lines if line.strip(" ,")))


def _paper(making: Making, person: Person, drawn: Statement) -> int:
    """File a drawn statement: row and file; return its document's number."""
    created = dt.datetime.combine(drawn.date, dt.time(16, drawn.balance_cents % 60))
    document, path = add_document(making, person, STATEMENTS, drawn.title, ".pdf", created)
    making.files.append(File(path, partial(render, drawn)))
    return document


def _row(book: Book, family: Family, document: int, day: dt.date, **more: str | float | dt.date) -> int:
    values: dict[str, str | float | dt.date] = {
        "PatNum": family.head.number,
        "DateSent": day,
        "DateRangeFrom": day - dt.timedelta(days=45),
        "DateRangeTo": day,
        "Mode_": IN_PERSON,
        "IsSent": 1,
        "Intermingled": 1,
        "DocNum": document,
        "StatementType": "NotSet",
    }
    return book.add("statement", "StatementNum", **(values | more))


def add_traps(making: Making, family: Family, ledger: Ledger, paid: dt.date) -> None:
    """Add the rows that must not be taken for the latest balance.

    A receipt for what was paid on the day `paid` and an invoice for the newest visit of the head (both sent, without a
    valid balance), a statement of before the columns existed (`IsBalValid` 0), and one that was made and never sent;
    all of them younger or of a higher number than the last real one.
    """
    before = paid - dt.timedelta(days=1)
    receipt = _drawn(making, family, ledger, before, paid, "Receipt")
    visit = max(entry.date for entry in ledger.entries if entry.person == family.head.number and entry.cents > 0)
    charges = tuple(
        line for line in _lines(family, ledger.between(visit - dt.timedelta(days=1), visit)) if line.amount_cents > 0
    )
    total = sum(line.amount_cents for line in charges)
    invoice = Statement(
        PRACTICE, receipt.guarantor, receipt.account, paid, charges, aging=Aging(to_30_cents=total), title="Invoice"
    )
    _row(making.book, family, _paper(making, family.head, receipt), paid, IsReceipt=1, HidePayment=1, Mode_=BY_EMAIL)
    _row(making.book, family, _paper(making, family.head, invoice), paid, IsInvoice=1)
    _row(making.book, family, 0, making.today - dt.timedelta(days=700), BalTotal=999.99)
    _row(making.book, family, 0, making.today, IsSent=0, IsBalValid=1, BalTotal=ledger.balance(making.today) / 100 + 1)

"""Table creditcard: the cards that a patient lets the processor keep, by their token (`XChargeToken`).

Only those that were kept online are the patient's to see; what staff keep for regular charges is theirs. No row holds a
card's number.
"""

import calendar
import datetime as dt
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from econnector.opendental import audit, writes
from econnector.opendental.audit import Permission
from econnector.opendental.schema import Schema
from econnector.opendental.tables import creditcard

__all__ = ["StoredCard", "find", "forget", "keep", "of_patient"]

_LONGEST = 255
_MOST = 20
_ONLINE = (2, 12)
"""CreditCardSource: XWeb, EdgeExpressCNP."""


class StoredCard(msgspec.Struct, frozen=True):
    """A card that the processor keeps."""

    number: int
    """CreditCardNum."""
    token: str
    """Charges without the card's number: a secret."""
    masked: str
    expires: dt.date | None
    source: int
    """CreditCardSource: the processor's."""
    clinic: int
    """ClinicNum: whose account at the processor it is kept in."""

    def __repr__(self) -> str:
        return f"StoredCard({self.number})"


_COLUMNS = (
    creditcard.c.CreditCardNum,
    creditcard.c.XChargeToken,
    creditcard.c.CCNumberMasked,
    creditcard.c.CCExpiration,
    creditcard.c.CCSource,
    creditcard.c.ClinicNum,
)


def of_patient(connection: Connection, owner: int) -> list[StoredCard]:
    """Return the cards that `owner` (a PatNum) has kept online, in their order."""
    kept = (
        creditcard.c.PatNum == owner,
        creditcard.c.CCSource.in_(_ONLINE),
        creditcard.c.XChargeToken != "",
        # Staff may keep cards in the same way, and let Open Dental charge them month by month.
        creditcard.c.ChargeAmt == 0,
        creditcard.c.PayPlanNum == 0,
    )
    rows = connection.execute(select(*_COLUMNS).where(*kept).order_by(creditcard.c.ItemOrder).limit(_MOST))
    return [_stored(row) for row in rows]


def find(connection: Connection, owner: int, number: int) -> StoredCard | None:
    """Return one of them; None for what is another's, is gone or was not kept online."""
    return next((one for one in of_patient(connection, owner) if one.number == number), None)


def _stored(row: Any) -> StoredCard:
    return StoredCard(
        number=row.CreditCardNum,
        token=row.XChargeToken,
        masked=row.CCNumberMasked or "",
        expires=row.CCExpiration,
        source=row.CCSource,
        clinic=row.ClinicNum,
    )


def keep(  # noqa: PLR0913 - a card
    connection: Connection,
    schema: Schema,
    *,
    owner: int,
    token: str,
    masked: str,
    expires: str,
    source: int,
    clinic: int,
    computer: str,
) -> None:
    """Write a card that the processor keeps now (`expires` is `MMYY`), unless `owner` (a PatNum) has it already."""
    cards = creditcard.c
    order = connection.scalar(select(func.count()).where(cards.PatNum == owner)) or 0
    values = {
        "PatNum": owner,
        "Address": "",
        "Zip": "",
        "XChargeToken": token,
        "CCNumberMasked": masked[:_LONGEST],
        "CCExpiration": _last_day(expires),
        "ItemOrder": order,
        "Procedures": "",
        "CCSource": source,
        "ClinicNum": clinic,
    }
    writes.insert_unless(connection, schema, creditcard, values, cards.PatNum == owner, cards.XChargeToken == token)
    number = connection.scalar(
        select(cards.CreditCardNum).where(cards.PatNum == owner, cards.XChargeToken == token).limit(1)
    )
    _log(connection, schema, owner, f"Credit card {number} kept by the patient in the portal", computer)


def forget(connection: Connection, schema: Schema, owner: int, number: int, computer: str) -> None:
    """Take the token out of a card: its row stays, because payments and staff may point to it."""
    here = (creditcard.c.PatNum == owner) & (creditcard.c.CreditCardNum == number)
    writes.update(connection, schema, creditcard, {"XChargeToken": ""}, here)
    _log(connection, schema, owner, f"Credit card {number} deleted by the patient in the portal", computer)


def _log(connection: Connection, schema: Schema, owner: int, text: str, computer: str) -> None:
    audit.record_once(connection, schema, Permission.CREDIT_CARD_EDIT, text, patient=owner, computer=computer)


def _last_day(expires: str) -> dt.date | None:
    """Return the last day of a month that is written `MMYY`; None for anything else."""
    if len(expires) != len("MMYY") or not (expires.isascii() and expires.isdigit()):
        return None
    month, year = int(expires[:2]), 2000 + int(expires[2:])
    return dt.date(year, month, calendar.monthrange(year, month)[1]) if 1 <= month <= 12 else None  # noqa: PLR2004

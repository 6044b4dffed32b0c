"""Cards on file and payments made online, in every state that the office's list of portal transactions shows."""

import datetime as dt

from econnector.demo.practice.accounts import add_payment
from econnector.demo.practice.book import NO_DATE
from econnector.demo.practice.ledger import Ledger
from econnector.demo.practice.people import Family, Making

__all__ = ["add_cards", "pay_online", "tell_staff"]

CARD, ONLINE_PENDING, XWEB_LOGIN = 71, 2, 5
PENDING, EXPIRED, APPROVED = 1, 2, 3


def pay_online(making: Making, family: Family, ledger: Ledger, day: dt.date, cents: int) -> int:
    """Write a payment made in the portal that staff have not processed yet; return `PayNum`."""
    number = add_payment(making, family, ledger, day, cents, CARD)
    making.book.rows("payment")[number - 1] |= {"ProcessStatus": ONLINE_PENDING, "PaymentSource": XWEB_LOGIN}
    return number


def tell_staff(making: Making) -> None:
    """Add the alert that counts the payments which wait for staff (type 1)."""
    waiting = [row for row in making.book.rows("payment") if row.get("ProcessStatus") == ONLINE_PENDING]
    making.book.add(
        "alertitem",
        ClinicNum=-1,
        Description=str(len(waiting)),
        Type=1,
        Severity=1,
        Actions=3,
        FormToOpen=2,
        UserNum=0,
        SecDateTEntry=dt.datetime.combine(making.today, dt.time(6)),
    )


def add_cards(making: Making, family: Family, payment: int, day: dt.date, cents: int) -> None:
    """Add a card on file, and one online payment each that is pending, has run out, and was approved."""
    making.book.add(
        "creditcard",
        PatNum=family.head.number,
        Zip=str(making.book.rows("patient")[family.head.number - 1]["Zip"]),
        CCNumberMasked="XXXXXXXXXXXX4242",
        CCExpiration=making.today.replace(day=1) + dt.timedelta(days=800),
        XChargeToken="DEMO-TOKEN-4242",
        CCSource=XWEB_LOGIN,
        DateStart=NO_DATE,
        DateStop=NO_DATE,
        PayConnectTokenExp=NO_DATE,
        Nickname="Family card",
    )
    for status, paid, code in (
        (PENDING, 0, "Pending"),
        (EXPIRED, 0, "ExpiredWithoutApproval"),
        (APPROVED, payment, "Approval"),
    ):
        at = dt.datetime.combine(day, dt.time(18, status))
        making.book.add(
            "xwebresponse",
            PatNum=family.head.number,
            ProvNum=1,
            PaymentNum=paid,
            DateTEntry=at,
            DateTUpdate=at,
            TransactionStatus=status,
            ResponseCode={PENDING: 102, EXPIRED: 101, APPROVED: 0}[status],
            XWebResponseCode=code,
            OTK=f"DEMO-{family.head.number}-{status}",
            HpfUrl="https://payments.example/form",
            HpfExpiration=at + dt.timedelta(minutes=30),
            TransactionType="CreditSaleTransaction",
            TransactionID=f"{family.head.number:06}00{status}" if paid else "",
            CardBrand="Visa" if paid else "",
            MaskedAcctNum="************4242" if paid else "",
            Amount=cents / 100,
            ApprovalCode="DEMO01" if paid else "",
            AccountExpirationDate=NO_DATE,
            CCSource=XWEB_LOGIN,
            OrderId="",
        )

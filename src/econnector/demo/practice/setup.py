"""The practice itself: who works there, how Open Dental is set up, and the reference rows of a fresh installation.

Numbers of definitions, recall types, operatories and alert categories are those of Open Dental's default rows, so that
a real database keeps its own and only what the portal needs is changed.
"""

import datetime as dt

from econnector.demo.gateway.scripts import AUTH_KEY, TERMINAL_ID, XWEB_ID
from econnector.demo.practice.book import NO_DATE, NO_TIME, Book
from econnector.demo.practice.papers import PRACTICE, STATEMENTS

__all__ = ["VERSION", "add_setup", "npi"]

VERSION = "24.3.10.0"
"""`DataBaseVersion` of a practice that is created here."""

DEFINITIONS: dict[int, tuple[tuple[int, str, str], ...]] = {
    1: (
        (1, "Misc Neg Adjustment", "-"),
        (2, "Misc Pos Adjustment", "+"),
        (188, "Discount", "-"),
        (14, "BROKEN Appt - No Show", "+"),
    ),
    2: (
        (19, "Not Called", "NotCalled"),
        (24, "Unconfirmed", "Unconfirmed"),
        (21, "Appointment Confirmed", "Confirmed"),
        (22, "Arrived", "Arrived"),
        (289, "eConfirmSent", "eConfirmSent"),
        (290, "eConfirmCallBack", "eConfirmCallBack"),
        (291, "eConfirmFailure", "eConfirmFailure"),
    ),
    4: ((40, "Standard Account", ""),),
    10: ((69, "Check", ""), (70, "Cash", ""), (71, "Credit Card", "")),
    11: ((73, "Exams & Xrays", ""), (74, "Cleanings", ""), (87, "Other", "")),
    13: ((142, "Mailed Postcard", "Mailed"), (247, "Sent Email", "Email")),
    18: (
        (130, "Medical History", "E"),
        (131, "Insurance", "E"),
        (132, "Treatment Plans", "E"),
        (137, "Miscellaneous", "E"),
        (179, "BWs", ""),
        (180, "FMXs", ""),
        (181, "Panos", "XE"),
        (190, "Patient Pictures", "PE"),
        (251, "Tooth Charts", "TE"),
    ),
    20: ((146, "1", ""), (147, "2", ""), (148, "Wait", ""), (153, "3", ""), (154, "4", "")),
    27: ((235, "ApptRelated", "APPT"), (239, "Misc", "MISC")),
    29: ((283, "Prepayment", ""), (299, "Treat Plan Prepayment", "X")),
}
"""By category: number, name, value."""

SHOWN = ((STATEMENTS, "Statements", "SL"), (135, "Letters", "EL"), (182, "Photos", "XEL"))
"""Image categories that the portal shows: L is what a fresh installation has nowhere."""

STAFF = (
    ("DOC", "Amara", "Lindgren", "DDS", 0, 0),
    ("HYG", "Noah", "Castellanos", "RDH", 1, 0),
    ("DOC2", "Wei-Lin", "Tanaka", "DMD", 0, 0),
    ("OLD", "Percival", "Ashdown", "DDS", 0, 1),
)
"""Short name, first and last name, suffix, whether a hygienist, whether hidden; the first is the default provider."""

ALERTS = {
    1: (*range(10), *range(11, 17), 20, 21, 22, 24, *range(26, 31)),
    2: (4, 5, 6, 7, 9, 11, 12, 13, 16, 17, 18, 22, 24, 26, 27, 28),
}
CODE_SYSTEMS = {
    "AdministrativeSex": ("2.16.840.1.113883.18.2", "HL7v2.5"),
    "CVX": ("2.16.840.1.113883.12.292", "demo"),
    "ICD10CM": ("2.16.840.1.113883.6.90", "demo"),
    "LOINC": ("2.16.840.1.113883.6.1", "demo"),
    "RXNORM": ("2.16.840.1.113883.6.88", "demo"),
    "SNOMEDCT": ("2.16.840.1.113883.6.96", "demo"),
    "UCUM": ("2.16.840.1.113883.6.8", ""),
}
PORTAL = "https://portal.juniperhill.example/"


def npi(nine: str) -> str:
    """Return a National Provider Identifier: nine digits and the check digit (Luhn over 80840 and them)."""
    total = 0
    for place, digit in enumerate(reversed("80840" + nine)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - the sum of its two digits
    return nine + str(-total % 10)


def add_setup(book: Book, today: dt.date) -> None:
    """Add everything that is there before the first patient."""
    _definitions(book)
    _staff(book)
    _preferences(book, today)
    for number in range(1, 7):
        name = f"Operatory {number}" if number < 5 else f"Hygiene Op {number - 4}"  # noqa: PLR2004 - the last two
        book.refer(
            "operatory", "OperatoryNum", OperatoryNum=number, OpName=name, Abbrev=f"OP-{number}", ItemOrder=number
        )
    book.refer("recalltype", "RecallTypeNum", RecallTypeNum=1, Description="Prophy", DefaultInterval=393216)
    book.refer("recalltype", "RecallTypeNum", RecallTypeNum=3, Description="Perio", DefaultInterval=262144)
    for name, (oid, version) in CODE_SYSTEMS.items():
        book.refer("codesystem", "CodeSystemName", keep=False, CodeSystemName=name, HL7OID=oid, VersionCur=version)
    for number, name in ((1, "OdAllTypes"), (2, "eServices")):
        book.refer(
            "alertcategory",
            "AlertCategoryNum",
            AlertCategoryNum=number,
            IsHQCategory=1,
            InternalName=name,
            Description=name,
        )
    for category, types in ALERTS.items():
        for kind in types:
            book.refer("alertcategorylink", "AlertCategoryNum", "AlertType", AlertCategoryNum=category, AlertType=kind)
    _cards(book)


def _definitions(book: Book) -> None:
    for category, rows in DEFINITIONS.items():
        for order, (number, name, value) in enumerate(rows):
            book.refer(
                "definition",
                "DefNum",
                DefNum=number,
                Category=category,
                ItemOrder=order,
                ItemName=name,
                ItemValue=value,
            )
    for order, (number, name, value) in enumerate(SHOWN):
        book.refer(
            "definition",
            "DefNum",
            keep=False,
            DefNum=number,
            Category=18,
            ItemOrder=20 + order,
            ItemName=name,
            ItemValue=value,
        )


def _staff(book: Book) -> None:
    for place, (short, first, last, suffix, hygienist, hidden) in enumerate(STAFF, 1):
        book.refer(
            "provider",
            "ProvNum",
            keep=False,
            ProvNum=place,
            Abbr=short,
            ItemOrder=place,
            FName=first,
            LName=last,
            MI="",
            Suffix=suffix,
            IsSecondary=hygienist,
            IsHidden=hidden,
            # A first digit of 2 is valid and has never been given out; the first is CMS's own example number.
            NationalProvID=npi("123456789" if place == 1 else f"29999990{place}"),
            TaxonomyCodeOverride="124Q00000X" if hygienist else "1223G0001X",
            SSN="",
            StateLicense="",
            DEANum="",
            StateWhereLicensed="OR",
            DateTerm=NO_DATE,
            Birthdate=NO_DATE,
        )
    book.refer("userod", "UserNum", UserNum=1, UserName="Admin", UserGroupNum=1)
    for number, name, provider in ((2, "amara", 1), (3, "noah", 2), (4, "weilin", 3), (5, "frontdesk", 0)):
        book.refer(
            "userod", "UserNum", UserNum=number, UserName=name, ProvNum=provider, UserGroupNum=2, DateTLastLogin=NO_TIME
        )
    for number, name in ((1, "Admin Group"), (2, "Regular Users")):
        book.refer("usergroup", "UserGroupNum", UserGroupNum=number, Description=name)
    for user in range(1, 6):
        book.refer("usergroupattach", "UserNum", "UserGroupNum", UserNum=user, UserGroupNum=1 if user == 1 else 2)
    for permission in (24, 91):  # SecurityAdmin, EServicesSetup
        book.refer("grouppermission", "UserGroupNum", "PermType", "FKey", UserGroupNum=1, PermType=permission, FKey=0)
    for user in (1, 2, 5):
        book.add("alertsub", UserNum=user, ClinicNum=-1, AlertCategoryNum=1)
    book.add(
        "emailaddress",
        "EmailAddressNum",
        SMTPserver="smtp.juniperhill.example",
        EmailUsername="office@juniperhill.example",
        SenderAddress="office@juniperhill.example",
        ServerPort=587,
        UseSSL=1,
    )


def _preferences(book: Book, today: dt.date) -> None:
    street, _, second = PRACTICE.address[0].partition(", ")
    for name, value in {
        "PracticeTitle": PRACTICE.name,
        "PracticePhone": "5035550100",
        "PracticeAddress": street,
        "PracticeAddress2": second,
        "PracticeCity": "Juniper Falls",
        "PracticeST": "OR",
        "PracticeZip": "97001",
        "PracticeDefaultProv": "1",
        "PatientPortalURL": PORTAL,
        "EmailNotifyAddressNum": "1",
        "EmailDefaultAddressNum": "1",
        "EasyNoClinics": "1",
        "FamPhiAccess": "1",
        "AtoZfolderUsed": "1",
        "DateLastAging": today.isoformat(),
        "AgingBeginDateTime": "",
    }.items():
        book.refer("preference", "PrefName", keep=False, PrefName=name, ValueString=value)
    for name, value in {
        "DataBaseVersion": VERSION,
        "ProgramVersion": VERSION,
        "CorruptedDatabase": "0",
        "UpdateInProgressOnComputerName": "",
        "RandomPrimaryKeys": "0",
        "BalancesDontSubtractIns": "0",
        "LanguageAndRegion": "en-US",
        "UseInternationalToothNumbers": "0",
        "PatientPortalNotifySubject": "You have a secure message waiting for you",
        "PatientPortalNotifyBody": "Please follow this link and sign in: [URL]",
        "PatientPortalSignedUp": "1",
        "PortalWebEmailTemplateType": "0",
        "PayPlansVersion": "1",
        "PrepaymentUnearnedType": "283",
        "TpUnearnedType": "299",
        "StoreCCtokens": "1",
        "AllowEmailCCReceipt": "1",
        "ApptEConfirmStatusSent": "289",
        "ApptEConfirmStatusAccepted": "21",
        "ApptEConfirmStatusDeclined": "290",
        "ApptEConfirmStatusSendFailed": "291",
        "EConnectorEnabled": "0",
        "EConnectorStatistics": "",
        "EConnectorCleanupLoggerIntervalDays": "30",
        "ShowFeatureEhr": "",
        "RegistrationKey": "",
    }.items():
        book.refer("preference", "PrefName", PrefName=name, ValueString=value)


def _cards(book: Book) -> None:
    """Add the payment program, switched on with the credentials of the sandbox (`demo/gateway`)."""
    number = 118
    book.refer(
        "program", "ProgName", keep=False, ProgramNum=number, ProgName="EdgeExpress", ProgDesc="EdgeExpress", Enabled=1
    )
    settings = {
        "EdgeExpressXWebID": XWEB_ID,
        "EdgeExpressAuthKey": AUTH_KEY,
        "EdgeExpressTerminalID": TERMINAL_ID,
        "EdgeExpressIsOnlinePaymentsEnabled": "1",
        "EdgeExpressPaymentType": "71",
        "EdgeExpressPreventSavingNewCC": "0",
    }
    for name, value in settings.items():
        book.refer(
            "programproperty",
            "ProgramNum",
            "PropertyDesc",
            keep=False,
            ProgramNum=number,
            PropertyDesc=name,
            PropertyValue=value,
            ClinicNum=0,
        )

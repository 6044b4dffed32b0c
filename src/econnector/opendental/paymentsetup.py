"""How a practice takes cards online, as its program links say: tables `program` and `programproperty`.

Open Dental knows an account at the processor per clinic, and one for the practice (ClinicNum 0); where clinics are
switched off only that one counts. EdgeExpress goes before XWeb (`Xcharge`) where both can be used. A clinic that has
any of the three credentials of its own is never helped out with the practice's: the money would go to another account.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec
from sqlalchemy import Connection, func, select

from econnector.base.errors import PaymentCredentialsIncomplete, PaymentsOff
from econnector.opendental import preferences
from econnector.opendental.tables import clinic as clinics
from econnector.opendental.tables import definition, program, programproperty

__all__ = ["PaymentSetup", "Program", "every", "read", "read_again"]

Program = Literal["EdgeExpress", "Xcharge"]
"""`program.ProgName`."""

_PROGRAMS: Final[tuple[Program, ...]] = ("EdgeExpress", "Xcharge")
_SHOWN: Final[dict[Program, str]] = {"EdgeExpress": "EdgeExpress", "Xcharge": "XWeb"}
_CREDENTIALS: Final[dict[Program, tuple[tuple[str, ...], ...]]] = {
    # Open Dental's program reads the first name, its update scripts have made rows with the second.
    "EdgeExpress": (
        ("EdgeExpressXWebID",),
        ("EdgeExpressAuthKey", "EdgeExpressXWebAuthKey"),
        ("EdgeExpressTerminalID", "EdgeExpressXWebTerminalID"),
    ),
    "Xcharge": (("XWebID",), ("AuthKey",), ("TerminalID",)),
}
_ONLINE: Final[dict[Program, str]] = {
    "EdgeExpress": "EdgeExpressIsOnlinePaymentsEnabled",
    "Xcharge": "IsOnlinePaymentsEnabled",
}
_TYPE: Final[dict[Program, str]] = {"EdgeExpress": "EdgeExpressPaymentType", "Xcharge": "PaymentType"}
_NO_NEW_CARDS: Final[dict[Program, str]] = {
    "EdgeExpress": "EdgeExpressPreventSavingNewCC",
    "Xcharge": "XChargePreventSavingNewCC",
}
_SOURCE: Final[dict[Program, int]] = {"EdgeExpress": 12, "Xcharge": 2}
"""CreditCardSource: EdgeExpressCNP, XWeb."""
_API_SOURCE = 13
_PAYMENT_TYPES = 10
_PREFERENCES = ("EasyNoClinics", "StoreCCtokens")


class PaymentSetup(msgspec.Struct, frozen=True, kw_only=True):
    """How one clinic takes cards online. Credentials are as typed in, without blanks around them."""

    program: Program | Literal[""] = ""
    """Empty where the processor's credentials do not stand in Open Dental."""
    clinic: int
    """Of which clinic; 0 where clinics are switched off."""
    clinic_words: str
    """`the practice`, `the clinic Downtown`: whose credentials they are."""
    held_by: int = 0
    """ClinicNum of the properties that are used."""
    xweb_id: str = ""
    auth_key: str = ""
    terminal_id: str = ""
    names: tuple[str, str, str] = ("", "", "")
    """The three properties' names in this database."""
    pay_type: int
    """DefNum for `payment.PayType`."""
    source: int
    """CreditCardSource for `payment.PaymentSource`."""
    may_keep: bool
    """Whether the practice lets cards be kept."""

    def __repr__(self) -> str:
        return f"PaymentSetup({self.program or 'no program'}, {self.clinic_words})"


class _Properties(msgspec.Struct, frozen=True):
    """The properties of one program: values by ClinicNum and name."""

    program: Program
    values: Mapping[int, Mapping[str, str]]

    def of(self, clinic: int, name: str) -> str:
        """Return the clinic's own value, else the practice's, else ''."""
        return self.values.get(clinic, {}).get(name, self.values.get(0, {}).get(name, ""))

    def online(self, clinic: int) -> bool:
        return self.of(clinic, _ONLINE[self.program]) == "1"

    def holder(self, clinic: int) -> int:
        """Return whose credentials the clinic uses."""
        own = self.values.get(clinic, {})
        return clinic if any(name in own for names in _CREDENTIALS[self.program] for name in names) else 0

    def credentials(self, holder: int) -> tuple[tuple[str, str], ...]:
        """Return name and value of each credential; of two names the first that has a value."""
        own = self.values.get(holder, {})
        return tuple(_first(names, own) for names in _CREDENTIALS[self.program])


def read(connection: Connection, clinic: int, *, elsewhere: bool = False) -> PaymentSetup:
    """Return how cards are taken online for a clinic. `elsewhere`: the credentials do not stand in Open Dental.

    Raises `PaymentsOff`, which says what is switched off, and `PaymentCredentialsIncomplete` where no payment type is
    chosen. Whether the credentials can be used is for the processor's adapter to say.
    """
    wanted = preferences.read_many(connection, _PREFERENCES)
    clinic = 0 if wanted["EasyNoClinics"] != "0" else clinic
    words, stores = _words(connection, clinic), wanted["StoreCCtokens"] == "1"
    if elsewhere:
        return PaymentSetup(
            clinic=clinic, clinic_words=words, pay_type=_some_type(connection), source=_API_SOURCE, may_keep=stores
        )
    properties = _chosen(connection, clinic, words)
    setup = _setup(connection, properties, clinic)
    return msgspec.structs.replace(
        setup,
        pay_type=_type(connection, properties, clinic, setup.clinic_words),
        may_keep=stores and properties.of(clinic, _NO_NEW_CARDS[properties.program]) != "1",
    )


def read_again(connection: Connection, clinic: int, kind: Program | Literal[""]) -> PaymentSetup:
    """Return how a clinic is known at a processor, to ask about what was begun there: switched off since or not.

    `kind` is empty for a processor whose credentials do not stand in Open Dental. There is no payment type in it.
    """
    clinic = 0 if preferences.read_many(connection, _PREFERENCES)["EasyNoClinics"] != "0" else clinic
    if kind:
        return _setup(connection, _properties(connection, kind), clinic)
    words = _words(connection, clinic)
    return PaymentSetup(clinic=clinic, clinic_words=words, pay_type=0, source=_API_SOURCE, may_keep=False)


def _setup(connection: Connection, properties: _Properties, clinic: int) -> PaymentSetup:
    holder, kind = properties.holder(clinic), properties.program
    values = properties.credentials(holder)
    return PaymentSetup(
        program=kind,
        clinic=clinic,
        clinic_words=_words(connection, holder),
        held_by=holder,
        xweb_id=values[0][1],
        auth_key=values[1][1],
        terminal_id=values[2][1],
        names=(values[0][0], values[1][0], values[2][0]),
        pay_type=0,
        source=_SOURCE[kind],
        may_keep=False,
    )


def every(connection: Connection) -> list[int]:
    """Return the ClinicNums that can differ: 0, and each clinic in use with properties of its own."""
    if preferences.read(connection, "EasyNoClinics", "1") != "0":
        return [0]
    own = (
        select(programproperty.c.ClinicNum)
        .join(program, program.c.ProgramNum == programproperty.c.ProgramNum)
        .join(clinics, clinics.c.ClinicNum == programproperty.c.ClinicNum)
        .where(program.c.ProgName.in_(_PROGRAMS), program.c.Enabled == 1, clinics.c.IsHidden == 0)
    )
    return [0, *sorted(set(connection.scalars(own)) - {0})]


def _chosen(connection: Connection, clinic: int, words: str) -> _Properties:
    """Return the program that is used; of two the first that takes payments online here."""
    found = [_properties(connection, each) for each in _PROGRAMS if _enabled(connection, each)]
    if not found:
        raise PaymentsOff(why="neither EdgeExpress nor XCharge is enabled under Program Links.")
    for properties in found:
        if properties.online(clinic):
            return properties
    names = " and ".join(f"{_ONLINE[each.program]} of {each.program}" for each in found)
    raise PaymentsOff(why=f"online payments are switched off for {words} (property {names}).")


def _enabled(connection: Connection, name: Program) -> bool:
    on = (program.c.ProgName == name) & (program.c.Enabled == 1) & (program.c.IsDisabledByHq == 0)
    return connection.scalar(select(program.c.ProgramNum).where(on).limit(1)) is not None


def _properties(connection: Connection, name: Program) -> _Properties:
    rows = connection.execute(
        select(programproperty.c.ClinicNum, programproperty.c.PropertyDesc, programproperty.c.PropertyValue)
        .join(program, program.c.ProgramNum == programproperty.c.ProgramNum)
        # A row of one computer is that computer's: it has no say in the portal.
        .where(program.c.ProgName == name, func.coalesce(programproperty.c.ComputerName, "") == "")
        .order_by(programproperty.c.ProgramPropertyNum.desc())
    )
    values: dict[int, dict[str, str]] = {}
    for row in rows:  # of two rows of one name the older counts, and comes last here
        values.setdefault(row.ClinicNum, {})[row.PropertyDesc or ""] = (row.PropertyValue or "").strip()
    return _Properties(name, values)


def _first(names: Iterable[str], own: Mapping[str, str]) -> tuple[str, str]:
    """Return the first name that has a value; where none has, the name that Open Dental's program reads."""
    usual = next(iter(names))
    return next(((name, own[name]) for name in names if own.get(name)), (usual, ""))


def _type(connection: Connection, properties: _Properties, clinic: int, words: str) -> int:
    """Return the payment type that is chosen. Raises `PaymentCredentialsIncomplete`."""
    name = _TYPE[properties.program]
    value = properties.of(clinic, name)
    if value.isascii() and value.isdigit() and int(value) in _types(connection):
        return int(value)
    said = "is empty" if value in {"", "0"} else "names a payment type that is not in use"
    raise PaymentCredentialsIncomplete(
        processor=_SHOWN[properties.program],
        program=properties.program,
        clinic=words,
        which=f"the property {name} {said}",
    )


def _some_type(connection: Connection) -> int:
    """Return the payment type for a processor that Open Dental does not know: the one that says card."""
    types = _types(connection)
    for number, name in types.items():
        if "card" in name.casefold() or "credit" in name.casefold():
            return number
    raise PaymentsOff(why="no payment type (definitions, Payment Types) has the word card in its name.")


def _types(connection: Connection) -> dict[int, str]:
    used = (definition.c.Category == _PAYMENT_TYPES) & (definition.c.IsHidden == 0)
    rows = connection.execute(
        select(definition.c.DefNum, definition.c.ItemName).where(used).order_by(definition.c.ItemOrder)
    )
    return {row.DefNum: row.ItemName or "" for row in rows}


def _words(connection: Connection, clinic: int) -> str:
    if not clinic:
        return "the practice"
    name = connection.scalar(select(clinics.c.Description).where(clinics.c.ClinicNum == clinic))
    return f"the clinic {name.strip()}" if name and name.strip() else f"the clinic number {clinic}"

"""Who the practice is: title, phone, address, providers, clinics."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection, select

from econnector.opendental.tables import clinic, provider

__all__ = ["SETTINGS", "Practice", "clinic_names", "full_name", "practice", "provider_names"]

_FIELDS = {
    "title": "PracticeTitle",
    "phone": "PracticePhone",
    "address": "PracticeAddress",
    "address2": "PracticeAddress2",
    "city": "PracticeCity",
    "state": "PracticeST",
    "zip": "PracticeZip",
}
_NO_CLINICS = "EasyNoClinics"
_ACTIVE = 0

SETTINGS = (*_FIELDS.values(), _NO_CLINICS)
"""The preferences that the practice's entry consists of."""


class Practice(msgspec.Struct, frozen=True):
    """The practice's own entry. Texts are as typed in; a phone may be ten bare digits."""

    title: str
    phone: str
    address: str
    address2: str
    city: str
    state: str
    zip: str
    has_clinics: bool
    """Whether clinics are switched on; rows in table clinic mean nothing otherwise."""


def practice(settings: Mapping[str, str]) -> Practice:
    """Return the practice's entry from the preferences `SETTINGS`."""
    # The preference says "no clinics"; a missing row means the same.
    return Practice(
        **{field: settings[name].strip() for field, name in _FIELDS.items()}, has_clinics=settings[_NO_CLINICS] == "0"
    )


def clinic_names(connection: Connection) -> dict[int, str]:
    """Return the descriptions of all clinics that are not hidden, by ClinicNum, in the practice's order."""
    shown = select(clinic.c.ClinicNum, clinic.c.Description).where(clinic.c.IsHidden == 0)
    return {row.ClinicNum: row.Description or "" for row in connection.execute(shown.order_by(clinic.c.ItemOrder))}


def provider_names(connection: Connection) -> dict[int, str]:
    """Return the names of providers in use, by ProvNum: first and last name and suffix, as patients know them."""
    names = provider.c.ProvNum, provider.c.FName, provider.c.LName, provider.c.Suffix
    used = select(*names).where(provider.c.ProvStatus == _ACTIVE, provider.c.IsHidden == 0)
    return {row.ProvNum: full_name(row.FName, row.LName, row.Suffix) for row in connection.execute(used)}


def full_name(first: str | None, last: str | None, suffix: str | None) -> str:
    """Return a provider's name as patients know it: first and last name and suffix."""
    name = " ".join(part.strip() for part in (first, last) if part and part.strip())
    return f"{name}, {suffix.strip()}" if suffix and suffix.strip() else name

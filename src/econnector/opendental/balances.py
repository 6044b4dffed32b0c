"""What a family owes, as Open Dental's last aging left it on the guarantor's row.

`patient.BalTotal` is the family's balance before insurance, `InsEst` what insurance is expected to pay; both are
kept on the guarantor only, and are as old as the last aging (`DateLastAging`). Money is whole cents.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

import msgspec

__all__ = ["SETTINGS", "Balance", "balance", "cents", "dollars"]

SETTINGS = ("BalancesDontSubtractIns", "DateLastAging")
"""The preferences that say how and of when."""


class Balance(msgspec.Struct, frozen=True):
    """What a family owes."""

    cents: int
    """Negative is a credit."""
    as_of: dt.date | None
    """The day of the last aging; None when never."""


def balance(total: float, insurance: float, settings: Mapping[str, str]) -> Balance:
    """Return what a family owes by its account holder's row (`BalTotal`, `InsEst`) and the preferences `SETTINGS`."""
    expected = 0 if settings["BalancesDontSubtractIns"] == "1" else cents(insurance)
    return Balance(cents(total) - expected, _day(settings["DateLastAging"]))


def cents(amount: float | Decimal | None) -> int:
    """Return a stored amount (a double, in the currency's unit) as whole cents, halves away from zero."""
    exact = Decimal(str(amount or 0))
    if not exact.is_finite():
        return 0
    return int((exact * 100).quantize(Decimal(1), ROUND_HALF_UP))


def dollars(cents: int) -> str:
    """Return cents as people write them: `$1,234.50`, a credit as `−$20.00`."""
    sign = "−" if cents < 0 else ""
    return f"{sign}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def _day(text: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
    return day if day.year > 1 else None

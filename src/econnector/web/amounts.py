"""Amounts of money as people type them."""

import re
from typing import Final

__all__ = ["cents_of"]

_AMOUNTS: Final = (
    re.compile(r"([0-9]{1,9})(?:[.,]([0-9]{1,2}))?"),
    re.compile(r"([0-9]{1,3}(?:,[0-9]{3}){1,2})(?:\.([0-9]{1,2}))?"),
    re.compile(r"([0-9]{1,3}(?:\.[0-9]{3}){1,2})(?:,([0-9]{1,2}))?"),
)


def cents_of(text: str) -> int | None:
    """Return the cents of `120`, `$1,234.50`, `1.234,50 $` or `12,5`; None for anything else.

    Three digits behind a separator are thousands: nobody pays a tenth of a cent.
    """
    bare = "".join(text.replace("$", "").split())
    found = next((match for pattern in _AMOUNTS if (match := pattern.fullmatch(bare))), None)
    if found is None:
        return None
    whole = found[1].replace(",", "").replace(".", "")
    return int(whole) * 100 + int((found[2] or "").ljust(2, "0"))

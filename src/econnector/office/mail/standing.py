"""How the office's mail stands, as the sender leaves it in the state file for window, commands and doctor to read."""

import msgspec

__all__ = ["NAME", "AccountStanding", "Standing", "decode"]

NAME = "mail"
"""Under which the state file's meta table keeps it."""


class AccountStanding(msgspec.Struct):
    """One account as the last try left it. Times are ISO 8601 in UTC, empty for never."""

    last_sent: str = ""
    since: str = ""
    """When its trouble began; empty while there is none."""
    code: str = ""
    reference: str = ""
    facts: dict[str, str] = {}
    next_try: str = ""


class Standing(msgspec.Struct):
    """Every account that was used since the connector started."""

    transport: str = ""
    """`thread` or `process`."""
    accounts: dict[str, AccountStanding] = {}
    """By the name that the office knows it by."""


def decode(text: str) -> Standing:
    """Return what was kept; nothing that another version left breaks it."""
    try:
        return msgspec.json.decode(text, type=Standing)
    except msgspec.MsgspecError:
        return Standing()

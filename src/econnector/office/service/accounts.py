"""The account that this program runs as, in words."""

import getpass
import os

__all__ = ["current", "is_root"]


def current() -> str:
    """Return the account's name, or its number where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid()) if hasattr(os, "getuid") else "this account"


def is_root() -> bool:
    """Return whether this is root; never on Windows, where it depends on what is asked."""
    return hasattr(os, "geteuid") and os.geteuid() == 0

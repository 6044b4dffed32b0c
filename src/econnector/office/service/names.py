"""What a service may be called: a rule that every operating system and Open Dental's own programs can live with."""

import re

from econnector.base.errors import ServiceNameRejected

__all__ = ["DEFAULT", "PREFIX", "checked", "same"]

PREFIX = "OpenDent"
"""Open Dental's update stops, and its Service Manager lists, what begins so, in exactly these capitals."""
DEFAULT = "OpenDentalEConnector"
"""The name where an office has one."""
LONGEST = 80
"""Shorter than any system's own limit, so that a unit, a folder and a registry key can all be made of it."""
_ALLOWED = re.compile(r"[A-Za-z0-9_-]+")


def checked(name: str) -> str:
    """Return `name` if a service may be called so. Raises ServiceNameRejected."""
    why = _wrong(name)
    if why:
        raise ServiceNameRejected(name=ascii(name)[:LONGEST], why=why)
    return name


def same(one: str, other: str) -> bool:
    """Return whether two names are one service's: Windows and macOS make no difference between capitals."""
    return one.casefold() == other.casefold()


def _wrong(name: str) -> str:
    if not name.startswith(PREFIX):
        capitals = name[: len(PREFIX)].casefold() == PREFIX.casefold()
        return f"it must begin with {PREFIX}" + (", in these capitals" if capitals else "")
    if any(character.isspace() for character in name):
        return "it may not contain spaces"
    if not _ALLOWED.fullmatch(name):
        return "it may contain letters A to Z, digits, hyphens and underscores only"
    if len(name) > LONGEST:
        return f"it may have {LONGEST} characters at most"
    return ""

"""How a page reaches the office it belongs to, without knowing whether a link lies between."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request

from econnector.wire.call import Asker

__all__ = ["Door", "FindDoor"]


@dataclass(frozen=True, slots=True)
class Door:
    """One office, as its pages know it."""

    office: str
    """The office's name in addresses, such as `smile-dental`."""
    base: str
    """Path prefix of its pages, without trailing slash: `/o/smile-dental/portal`, or `` on a host name of its own."""
    title: str
    """What the practice calls itself; from its last heartbeat."""
    phone: str
    asker: Asker
    preview: str = ""
    """Where somebody of the office goes back to who looks at the pages as a patient; empty for everybody else."""


FindDoor = Callable[[Request], Awaitable[Door]]
"""Finds the office a request is for. Raises `UnknownAddress` (200), `NeverConnected` (104) or `KeyInactive` (103)."""

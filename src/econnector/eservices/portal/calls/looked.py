"""Who looked: the traces of a record in the portal, for the one whose record it is."""

import msgspec

from econnector.eservices.portal.calls.around import Around, PageAsked
from econnector.wire.call import Call

__all__ = ["WHO_LOOKED", "Look", "WhoLooked"]


class Look(msgspec.Struct):
    """One thing that somebody did, or the same thing several times in a row."""

    date: str
    """The last time, date and time."""
    what: str
    """A word of the pages' `looked-what` texts, such as `statement-list`."""
    who: int = 0
    """PatNum of the one who did it; 0 for the office, where `what` begins with `office-`."""
    who_name: str = ""
    address: str = ""
    """Where a sign-in came from."""
    times: int = 1


class WhoLooked(Around, kw_only=True):
    """One page of the traces, newest first.

    Of oneself: everything, and one's sign-ins. Of somebody else: what others than they did; the rest is their own.
    """

    items: list[Look]
    page: int = 0
    more: bool = False
    """Whether older ones follow on the next page."""


WHO_LOOKED = Call("portal.who-looked", PageAsked, WhoLooked, limit=10)

"""The care summary: a person's record in one document, to read, to save, and who did either.

It is made anew each time, from what the practice has recorded; nothing of it is stored. Where the practice lacks
something that every summary needs, all calls but a bare one raise `CareSummaryNotSetUp` or `CareSummaryNotLoaded`.
"""

import datetime as dt

import msgspec

from econnector.eservices.portal.calls.around import Around, FileHead, PageAsked, PersonAsked
from econnector.wire.call import Call

__all__ = [
    "CARE_SUMMARY",
    "CARE_SUMMARY_FILE",
    "CARE_SUMMARY_HISTORY",
    "CareSummary",
    "CareSummaryAsked",
    "CareSummaryFile",
    "CareSummaryHistory",
    "SummaryDeed",
    "SummarySection",
]


class CareSummaryAsked(PersonAsked):
    """The summary of `person`, with what happened from `first` to `last`, both included; None for open."""

    first: dt.date | None = None
    last: dt.date | None = None
    language: str = ""
    """`en` or `es`; anything else is the practice's own."""
    section: str = ""
    """The key of the one section that is wanted whole, page by page; all of them, as far as a page goes, without it."""
    page: int = 0
    """Of that section, from 0."""
    bare: bool = False
    """Nothing but what stands around: no record is read, and no trace is left."""


class SummarySection(msgspec.Struct):
    """One section, as far as it is shown."""

    key: str
    title: str
    columns: list[str] = msgspec.field(default_factory=list)
    rows: list[list[str]] = msgspec.field(default_factory=list)
    """Each with as many texts as there are columns."""
    nothing: str = ""
    """The sentence that stands instead of rows."""
    total: int = 0
    """How many rows the section has; more than are shown where it is long."""
    shortened: bool = False
    """Whether a text is shown in part, because it is very long."""


class CareSummary(Around, kw_only=True):
    """The summary as it is read."""

    made: str = ""
    """The moment of the summary, by the office's clock."""
    name: str = ""
    """Of the one whom it is about, in full."""
    born: str = ""
    provider: str = ""
    place: str = ""
    """Of the practice, or of the clinic that the patient belongs to."""
    phone: str = ""
    address: list[str] = msgspec.field(default_factory=list)
    sections: list[SummarySection] = msgspec.field(default_factory=list)
    """In the order in which they are read."""
    page: int = 0
    more: bool = False
    """Of one section: whether another page follows."""


class CareSummaryFile(PersonAsked, kw_only=True):
    """A file of the whole summary."""

    kind: str = "zip"
    """zip, xml, html or pdf; the zip holds the other three."""
    first: dt.date | None = None
    last: dt.date | None = None
    language: str = ""
    """As in `CareSummaryAsked`; the XML is the same in all languages."""


class SummaryDeed(msgspec.Struct):
    """One thing that somebody did with a care summary."""

    date: str
    what: str
    """viewed, downloaded, sent, opened (by who got it); copied where another program noted one of these."""
    who: int = 0
    """PatNum of the one who did it; 0 where that was not noted."""
    who_name: str = ""
    representative: bool = False
    """Whether they are somebody else than whose record it is."""
    detail: str = ""
    """Of a download the kind of file; to which address it was sent."""


class CareSummaryHistory(Around, kw_only=True):
    """One page of what was done with the summary, newest first.

    Of oneself: everything. Of somebody else: what others than they did; the rest is their own.
    """

    items: list[SummaryDeed]
    page: int = 0
    more: bool = False


CARE_SUMMARY = Call("portal.care-summary", CareSummaryAsked, CareSummary, limit=30)
CARE_SUMMARY_FILE = Call("portal.care-summary-file", CareSummaryFile, FileHead, limit=120, streams=True)
CARE_SUMMARY_HISTORY = Call("portal.care-summary-history", PageAsked, CareSummaryHistory, limit=10)

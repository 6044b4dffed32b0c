"""Sending a care summary to somebody else: a link by mail, and a code that the sender tells the receiver.

`SHARING`, `SHARE` and `WITHDRAW_SHARE` are the sender's, who is signed in. `OPEN_SHARE` and `SHARED_FILE` are the
receiver's, who is not: whatever is wrong, they raise `ShareRejected`, and what they answer names nobody.
"""

import datetime as dt
from typing import Literal

import msgspec

from econnector.eservices.portal.calls.around import Around, FileHead, Nothing, PersonAsked
from econnector.wire.call import Call

__all__ = [
    "NOTE_MOST",
    "OPEN_SHARE",
    "SHARE",
    "SHARED_FILE",
    "SHARING",
    "WITHDRAW_SHARE",
    "MadeShare",
    "OpenShare",
    "OpenedShare",
    "ShareSent",
    "ShareSummary",
    "Shared",
    "SharedFile",
    "SharedKind",
    "SharedState",
    "Sharing",
    "SharingAsked",
    "WithdrawShare",
]

NOTE_MOST = 80
"""Characters."""
SharedKind = Literal["zip", "pdf"]
SharedState = Literal["waiting", "undelivered", "open", "withdrawn", "closed", "used-up", "old"]
"""`waiting`: the mail has not left yet. `undelivered`: it was given up. `closed`: too many wrong codes. `used-up`: too
many downloads. `old`: past its seven days."""


class SharingAsked(PersonAsked):
    """The page about `person`."""

    share: str = ""
    """One that was just sent, whose code is wanted."""


class MadeShare(msgspec.Struct):
    """What was just sent; its sender sees it for an hour, in the session that sent it, until the receiver opens it."""

    share: str
    code: str
    address: str


class Shared(msgspec.Struct):
    """One care summary that was sent. Times are the office's."""

    share: str
    """Names it, as in the audit trail; it opens nothing."""
    address: str
    sent: str
    until: str
    state: SharedState
    note: str = ""
    """Who it is, in the sender's words; for the sender alone."""
    by: int = 0
    """PatNum of the sender."""
    by_name: str = ""
    """Empty for somebody whose record the reader may not see."""
    first: str = ""
    last: str = ""
    language: str = "en"
    opened: int = 0
    """How often it was downloaded."""
    opened_first: str = ""
    opened_last: str = ""
    may_withdraw: bool = False


class Sharing(Around, kw_only=True):
    """What was sent about a person, newest first: by who asks, and, of oneself, by anybody."""

    items: list[Shared]
    made: MadeShare | None = None
    days: int = 7
    """How long a link works."""


class ShareSummary(PersonAsked, kw_only=True):
    """Send the summary of `person`.

    A form keeps its `draft` from the first time it is shown: sent again, it is the same share.
    """

    draft: str
    address: str
    note: str = ""
    first: dt.date | None = None
    last: dt.date | None = None
    language: str = "en"
    """`en` or `es`: of the files and the mail."""


class ShareSent(msgspec.Struct):
    """It will be sent."""

    share: str


class WithdrawShare(msgspec.Struct):
    """End one's own share, or one of one's own summary."""

    token: str
    share: str


class OpenShare(msgspec.Struct):
    """Are link and code good? A wrong code counts; a right one uses nothing up."""

    link: str
    """What stands behind the mail's `#`."""
    code: str
    address: str = ""
    """The browser's address, for slowing down and the access log."""
    agent: str = ""


class OpenedShare(msgspec.Struct):
    """What lets the receiver download for a while."""

    ticket: str
    seconds: int
    language: str = "en"
    """Of the files."""


class SharedFile(msgspec.Struct):
    """The files that were sent."""

    ticket: str
    kind: SharedKind = "zip"
    address: str = ""
    agent: str = ""


SHARING = Call("portal.sharing", SharingAsked, Sharing, limit=10)
SHARE = Call("portal.share", ShareSummary, ShareSent, limit=60, changes=True)
WITHDRAW_SHARE = Call("portal.withdraw-share", WithdrawShare, Nothing, limit=10, changes=True)
OPEN_SHARE = Call("portal.open-share", OpenShare, OpenedShare, limit=10)
SHARED_FILE = Call("portal.shared-file", SharedFile, FileHead, limit=120, streams=True)

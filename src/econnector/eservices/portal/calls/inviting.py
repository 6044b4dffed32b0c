"""Accepting the office's invite: a code from a mail, and the birth date as a second proof."""

import msgspec

from econnector.eservices.portal.calls.around import Session
from econnector.wire.call import Call

__all__ = ["ACCEPT_INVITE", "INVITE", "AcceptInvite", "Invite", "Invited"]


class Invite(msgspec.Struct):
    """Is this invite good? Asking uses nothing up."""

    code: str
    birth_date: str
    """ISO 8601. A family may share a mailbox; the code alone opens nothing."""
    address: str = ""
    """The browser's address, for slowing down and the access log."""
    agent: str = ""


class Invited(msgspec.Struct):
    """What there is to choose; only who has shown code and birth date learns it."""

    user_name: str
    """The one of now; empty where the office made one up that nobody has seen."""


class AcceptInvite(Invite, kw_only=True):
    """Choose user name and password, and sign in."""

    user_name: str = ""
    """Empty keeps the one of now, where there is one."""
    password: str


INVITE = Call("portal.invite", Invite, Invited, limit=10)
ACCEPT_INVITE = Call("portal.accept-invite", AcceptInvite, Session, limit=10, changes=True)

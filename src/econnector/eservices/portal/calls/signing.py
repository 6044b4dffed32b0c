"""Signing in and out, and changing how one signs in."""

import msgspec

from econnector.eservices.portal.calls.around import Nothing, Practice, Session, Token
from econnector.wire.call import Call

__all__ = ["CHANGE_SIGN_IN", "PRACTICE", "SIGN_IN", "SIGN_OUT", "ChangeSignIn", "SignIn"]


class SignIn(msgspec.Struct):
    """A try to sign in."""

    user_name: str
    password: str
    address: str = ""
    """The browser's address, for throttling and the access log."""
    agent: str = ""


class ChangeSignIn(msgspec.Struct):
    """New user name or password, or both; an empty text leaves that one as it is."""

    token: str
    current_password: str = ""
    """Needed unless the first sign-in forces the change."""
    user_name: str = ""
    password: str = ""


PRACTICE = Call("portal.practice", Nothing, Practice, limit=5)
SIGN_IN = Call("portal.sign-in", SignIn, Session, limit=10, changes=True)
SIGN_OUT = Call("portal.sign-out", Token, Nothing, limit=5, changes=True)
CHANGE_SIGN_IN = Call("portal.change-sign-in", ChangeSignIn, Session, limit=10, changes=True)

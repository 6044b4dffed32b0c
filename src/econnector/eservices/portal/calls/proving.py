"""Proving who one is: a new password by mail, and the second step of signing in."""

import msgspec

from econnector.eservices.portal.calls.around import Nothing, Session
from econnector.wire.call import Call

__all__ = ["FORGOT", "RESET", "SECOND_STEP", "STEP", "Forgot", "Reset", "SecondStep", "Step", "StepAsked"]


class Forgot(msgspec.Struct):
    """Somebody wants a code by mail; the answer is the same whoever they are."""

    user_name: str
    address: str = ""
    """The browser's address, for slowing down."""


class Reset(msgspec.Struct):
    """A code that came by mail, and the password it is for."""

    user_name: str
    code: str
    password: str
    address: str = ""


class StepAsked(msgspec.Struct):
    """What does the second step need?"""

    ticket: str
    host: str = ""
    """The portal's host name as the browser sees it (WebAuthn's RP id); empty where passkeys cannot work."""


class Step(msgspec.Struct):
    """What the second step may be."""

    code: bool = True
    """Whether a code of an app, or a recovery code, may be typed."""
    passkey: str = ""
    """What the browser's `navigator.credentials.get` wants, as JSON; empty where no passkey works at this host."""


class SecondStep(msgspec.Struct):
    """The second step: a code, or a passkey's answer."""

    ticket: str
    code: str = ""
    passkey: str = ""
    """What the browser returned, as JSON."""
    host: str = ""
    origin: str = ""
    """Scheme, host and port as the browser sees them."""
    address: str = ""
    agent: str = ""


FORGOT = Call("portal.forgot", Forgot, Nothing, limit=10, changes=True)
RESET = Call("portal.reset", Reset, Nothing, limit=10, changes=True)
STEP = Call("portal.step", StepAsked, Step, limit=5)
SECOND_STEP = Call("portal.second-step", SecondStep, Session, limit=10, changes=True)

"""Failures of access: who somebody is, and what they may do."""

from econnector.base.errors.catalogue import Failure

__all__ = ["AccessFailure", "ChangeRequired", "LoginFailed", "NotAllowed", "PageOff", "SessionEnded", "TooManyTries"]


class AccessFailure(Failure):
    """This person may not do this."""

    http = 403
    exit = 77


class LoginFailed(AccessFailure):
    """Wrong for whatever reason: the answer and its timing are the same for all of them."""

    code = "login-failed"
    title = "Login failed"
    today = "Login Failed"
    patient = (
        "Login failed. Check the user name and password. After several tries we slow down to protect your account."
    )
    office = "A sign-in failed: {reason}."
    remedy = (
        "Look up the reference in the access log: it has the real reason.",
        "Unknown name or wrong password: give the patient a new password in the chart's Patient Portal window.",
        "No access, archived or merged: provide access on the right patient.",
    )
    http = 401
    check = ""


class TooManyTries(AccessFailure):
    """Throttled: per account or per address."""

    code = "too-many-tries"
    title = "Login failed"
    patient = (
        "Login failed. Check the user name and password. After several tries we slow down to protect your account."
    )
    office = "Sign-ins for this account or from this address are slowed down after {tries} failures; the next is possible in {seconds} seconds."
    remedy = ("Wait, or give the patient a new password.",)
    http = 429


class SessionEnded(AccessFailure):
    """The session is unknown, idle too long, too old, or was signed out."""

    code = "session-ended"
    title = "You were signed out"
    patient = "For your safety you were signed out. Sign in again to go on."
    office = "A page was asked for with a session that has ended ({reason})."
    remedy = ("Nothing: the patient signs in again.",)
    http = 401


class ChangeRequired(AccessFailure):
    """The first sign-in must change something before anything else; `need` says what: user-name, password or both."""

    code = "change-required"
    title = "Choose your own user name and password"
    patient = "Before you go on, choose your own user name and password."
    office = "A page was asked for before the patient changed the user name or password that the office gave."
    remedy = ("Nothing: the patient changes them.",)
    public = frozenset({"need"})
    http = 403


class NotAllowed(AccessFailure):
    """The person is signed in and may not see this."""

    code = "not-allowed"
    title = "This page is not yours to see"
    patient = "You don't have access to this. If you think you should, ask the office."
    office = "A signed-in person asked for something of a patient they may not see."
    remedy = ("If they should: set guarantor, guardian or responsible party in the family, or FamPhiAccess.",)
    http = 404


class PageOff(AccessFailure):
    """The practice has switched this part of the portal off."""

    code = "page-off"
    title = "The office does not offer this page"
    patient = "Your dentist's office does not offer this part of the portal. Call them if you need it."
    office = "A page of the portal was asked for that is switched off ({page})."
    remedy = ("To offer it: eConnector Service window, Portal, switch it on. It is there within seconds.",)
    http = 404

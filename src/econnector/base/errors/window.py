"""Failures of the eConnector Service window: who sits before it, and from where it is asked."""

from econnector.base.errors.access import AccessFailure
from econnector.base.errors.service import ServiceFailure

__all__ = ["HostForeign", "PasswordDue", "PermissionMissing", "ServiceElsewhere", "SignInFailed", "SignInSlowed"]


class SignInFailed(AccessFailure):
    """The window's sign-in: wrong for whatever reason, the answer is the same."""

    code = "window-sign-in-failed"
    title = "Sign-in failed"
    patient = "Sign-in failed. Check the user name and password."
    office = "The user name or the password is not right."
    remedy = (
        "Use the user name and password that you use in Open Dental; capital and small letters differ in the password.",
        "If you forgot it: somebody with the permission Security Admin sets a new one in Open Dental (Setup, Security).",
    )
    http = 401


class SignInSlowed(SignInFailed):
    """Throttled: per user and for all of them."""

    code = "window-sign-in-slowed"
    office = "There were too many wrong passwords. The next try is possible in {seconds} seconds."
    remedy = (
        "Wait {seconds} seconds, then try again.",
        "If it was not you: tell the person who administers Open Dental that somebody tries passwords on this machine.",
    )
    public = frozenset({"seconds"})
    http = 429


class PasswordDue(AccessFailure):
    """The password was given by somebody else and must be changed before it lets anybody in."""

    code = "window-password-due"
    title = "Choose a new password in Open Dental first"
    patient = "Choose a new password first."
    office = "Open Dental wants {user} to choose a new password first."
    remedy = ("Sign in to Open Dental itself: it asks for the new password.", "Then sign in here with the new one.")
    http = 403


class PermissionMissing(AccessFailure):
    """A user of Open Dental lacks the permission that an action needs."""

    code = "permission-missing"
    title = "You may not do this"
    patient = "You may not do this."
    office = "The Open Dental user {user} lacks the permission {permission}, so nothing was changed."
    remedy = (
        "Ask somebody who has the permission to do it.",
        "Or give it to a group of {user} in Open Dental (Setup, Security), then sign in again.",
    )


class HostForeign(AccessFailure):
    """The window was asked under a name that is not this machine's own loopback."""

    code = "window-host-foreign"
    title = "Open the window under its own address"
    patient = "This page opens only on the machine itself."
    office = "The eConnector window was asked under a name that is not its own, so it answers nothing."
    remedy = (
        "Open it with `econnector office window` on the machine itself.",
        "If you came here from a web page: close that page; it tried to reach into this machine.",
    )
    http = 421


class ServiceElsewhere(ServiceFailure):
    """Start was asked for on a computer that does not host the eConnector."""

    code = "service-elsewhere"
    title = "The eConnector service is not on this computer"
    today = "eConnector Service not found on this computer"
    office = (
        "The eConnector service was not found on this computer ({machine}). "
        "It can only be started on the computer that hosts it."
    )
    remedy = (
        "Go to the computer that hosts the eConnector, and start it there.",
        "If this computer shall host it: install it here (`econnector office install`), then start it.",
        "If it runs here without a service: start it with `econnector office run`.",
    )
    http = 409
    check = "service"

"""Failures of what was typed or sent."""

from econnector.base.errors.catalogue import Failure

__all__ = [
    "FormExpired",
    "InputFailure",
    "PageMissing",
    "PasswordRejected",
    "RequestTooLarge",
    "UserNameRejected",
    "ValueRejected",
]


class InputFailure(Failure):
    """What was typed or sent cannot be used."""

    http = 422
    exit = 65


class PasswordRejected(InputFailure):
    """A new password does not meet the rules; `rule` says which one, in a stable word."""

    code = "password-rejected"
    title = "Choose another password"
    patient = "{why}"
    office = "A patient's new password was refused: {rule}."
    remedy = ("Nothing: the patient chooses another one.",)
    public = frozenset({"why", "rule"})


class UserNameRejected(InputFailure):
    """A new user name cannot be taken."""

    code = "user-name-rejected"
    title = "Choose another user name"
    patient = "{why}"
    office = "A patient's new user name was refused: {rule}."
    remedy = ("Nothing: the patient chooses another one.",)
    public = frozenset({"why", "rule"})


class ValueRejected(InputFailure):
    """A field holds something that cannot be used."""

    code = "value-rejected"
    title = "Please check what you typed"
    patient = "{why}"
    office = "The field {field} was refused: {why}"
    remedy = ("Correct the field and send it again.",)
    public = frozenset({"why", "field"})


class FormExpired(InputFailure):
    """The form's token is missing, wrong or too old."""

    code = "form-expired"
    title = "This page was open too long"
    patient = "This page was open too long, so we did not use what it sent. Go back, reload it and try again."
    office = "A form was sent without a valid token."
    remedy = ("If it comes back: see that the browser keeps cookies for this site.",)
    http = 403


class RequestTooLarge(InputFailure):
    """More was sent than the page takes."""

    code = "too-large"
    title = "That is too large"
    patient = "What you sent is larger than this page takes ({limit})."
    office = "A request was larger than {limit}."
    remedy = ("Send less.",)
    public = frozenset({"limit"})
    http = 413


class PageMissing(InputFailure):
    """There is no such page."""

    code = "page-missing"
    title = "There is no such page"
    patient = "There is no such page. Go back to the start page and try from there."
    office = "A page that does not exist was asked for."
    remedy = ("Correct the link.",)
    http = 404

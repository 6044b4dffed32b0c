"""Failures of the API: partners' programs read them, and the people who write those."""

from econnector.base.errors.access import AccessFailure
from econnector.base.errors.typed import InputFailure

__all__ = ["ApiKeyRefused", "ApiRightMissing", "MethodRefused", "RecordMissing"]


class ApiKeyRefused(AccessFailure):
    """No key, a malformed, unknown or removed one: the answer is the same for all of them."""

    code = "api-key-refused"
    title = "The API key was not accepted"
    patient = 'The API key was not accepted. Send it as "Authorization: Bearer eck_…". If it was removed, or belongs to another office, ask the office for a new one.'
    office = "A program asked with an API key that this office does not accept."
    remedy = (
        "`econnector office api-keys list` shows which keys there are. A key that was removed stays removed.",
        "If the program shall have access: make it a new key with `econnector office api-keys add`, and give that to the partner.",
    )
    http = 401


class ApiRightMissing(AccessFailure):
    """The key is good and may not do this."""

    code = "api-right-missing"
    title = "The API key does not allow this"
    patient = "The API key does not have the right {right}. Ask the office for a key that has it."
    office = "A program asked for something that its API key does not allow: {right}."
    remedy = (
        "If it shall be allowed: make a new key with this right (`econnector office api-keys add`), and remove the old one.",
    )
    public = frozenset({"right"})


class RecordMissing(InputFailure):
    """What was asked for by its number is not there, or is not for programs to see; nobody learns which."""

    code = "record-missing"
    title = "There is no such record"
    patient = "There is no such record, or it is not open to programs."
    office = "A program asked for a record that is not there, or that the office does not show."
    remedy = ("Nothing: the program asks for numbers that the lists name.",)
    http = 404


class MethodRefused(InputFailure):
    """The address is right, and takes another method."""

    code = "method-refused"
    title = "This address takes another method"
    patient = "This address takes only {allow}."
    office = "A program used a method that the address does not take; it takes {allow}."
    remedy = ("Correct the program.",)
    public = frozenset({"allow"})
    http = 405

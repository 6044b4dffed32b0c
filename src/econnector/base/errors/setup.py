"""Failures of starting: settings, keys, rights."""

from econnector.base.errors.catalogue import Failure

__all__ = [
    "KeyUnknown",
    "OwnedElsewhere",
    "PortTaken",
    "SettingInvalid",
    "SettingMissing",
    "SetupFailure",
    "StateLocked",
    "StateNewer",
    "TooManyKeys",
    "UnsealFailed",
]


class SetupFailure(Failure):
    """A command or a service cannot start."""

    title = "It cannot start"
    patient = "Your dentist's online services are still being set up."
    http = 503
    exit = 78


class SettingMissing(SetupFailure):
    """A setting that is needed is nowhere."""

    code = "setting-missing"
    title = "A setting is missing"
    office = "The setting {name} is missing; it was looked for in {places}."
    remedy = ("Set {name} in the settings file, or as the environment variable {variable}.",)
    check = "settings"


class SettingInvalid(SetupFailure):
    """A setting holds something that cannot be used."""

    code = "setting-invalid"
    title = "A setting cannot be used"
    office = "The setting {name} (from {place}) cannot be used: {why}."
    remedy = ("Correct {name} in {place}.",)
    check = "settings"


class KeyUnknown(SetupFailure):
    """HQ does not know the registration key, or it is mistyped."""

    code = "registration-key-unknown"
    title = "The registration key is not right"
    office = "HQ does not know this registration key."
    remedy = (
        "Check the key for typing mistakes: 16 letters and digits, shown XXXX-XXXX-XXXX-XXXX.",
        "Ask the vendor which key is yours.",
    )
    check = "enrolment"


class TooManyKeys(KeyUnknown):
    """HQ looks at no registration key from this address for a while."""

    code = "too-many-keys"
    title = "Too many wrong registration keys"
    office = (
        "Too many registration keys that HQ does not know came from this internet address; "
        "it looks at the next one in {seconds} seconds."
    )
    remedy = (
        "Check the key for typing mistakes: 16 letters and digits, shown XXXX-XXXX-XXXX-XXXX.",
        "Wait {seconds} seconds, then try again.",
    )
    public = frozenset({"seconds"})


class OwnedElsewhere(SetupFailure):
    """Another machine already runs this office's connector."""

    code = "owned-elsewhere"
    title = "Another machine already runs this office's eConnector"
    today = "two eConnectors on one key"
    office = (
        "The office's connector is on {machine} since {since}; this machine ({here}) stays in standby and does nothing."
    )
    remedy = (
        "If {machine} is the right one: uninstall eConnector here.",
        "If this machine shall take over: ask HQ to run `econnector hq office move NAME`, then start the connector here.",
    )
    public = frozenset({"machine", "since", "here"})
    http = 409
    check = "owner"


class PortTaken(SetupFailure):
    """An address to listen on is in use."""

    code = "port-taken"
    title = "The address is in use"
    office = "Another program already listens on {address}."
    remedy = ("Stop that program, or choose another port.",)


class StateLocked(SetupFailure):
    """The connector's own state file cannot be used."""

    code = "state-locked"
    title = "The state file cannot be used"
    office = "The connector's state file {path} cannot be used: {reason}."
    remedy = ("See that no second connector uses the same settings.", "See that this account may write the folder.")
    check = "settings"


class StateNewer(StateLocked):
    """The connector's own state file was written by a later version, and this one cannot work with it."""

    code = "state-newer"
    title = "The state file was written by a later eConnector"
    office = (
        "The connector's state file {path} was written by eConnector {wrote}; this is {here}, which cannot read it."
    )
    remedy = (
        "Install eConnector {wrote}, or a later one, on this machine again.",
        "To stay with {here}, put back the state file as it was before the update.",
    )


class UnsealFailed(SetupFailure):
    """A sealed secret cannot be opened with this machine's key."""

    code = "unseal-failed"
    title = "A stored secret cannot be opened"
    office = "The sealed secret {name} cannot be opened here: it was sealed on another machine, or its key file was replaced."
    remedy = ("Enter the secret again on this machine.",)
    check = "settings"

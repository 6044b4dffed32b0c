"""Failures of HQ itself: its registry of offices, and what is asked of it on the command line."""

from econnector.base.errors.catalogue import Failure

__all__ = ["NameTaken", "OfficeUnknown", "RegistryAway", "RegistryOutdated", "SwitchboardAway", "VendorFailure"]


class VendorFailure(Failure):
    """HQ, not the office, is the one who has to act."""

    title = "Something went wrong on our side"
    patient = (
        "We have a problem on our side, not your dentist's. We are working on it; please try again in a few minutes."
    )
    http = 503
    exit = 69


class RegistryAway(VendorFailure):
    """HQ's registry database cannot be used."""

    code = "registry-away"
    office = "HQ's registry database ({database}) cannot be used: {reason}. Links that stand go on; pages of offices not seen lately fail."
    remedy = (
        "See that the registry's database server runs and that HQ reaches it.",
        "Check `database` in HQ's settings: server, user, password, name.",
    )
    retry = True


class RegistryOutdated(VendorFailure):
    """The registry's tables are not those that this version of the software works with."""

    code = "registry-version"
    office = "HQ's registry database is at revision {found}, this version of eConnector works with {needed}."
    remedy = (
        "If the registry is older: run `econnector hq migrate` (or start `econnector hq run`, which does it).",
        "If it is newer: another HQ has upgraded it already; update eConnector here.",
    )
    exit = 78


class SwitchboardAway(VendorFailure):
    """The NATS server that joins HQ's processes cannot be used."""

    code = "switchboard-away"
    office = "HQ's NATS server ({server}) cannot be used: {reason}. Offices that are connected to another process of HQ cannot be reached from this one."
    remedy = (
        "See that the NATS server runs and that this machine reaches it.",
        "Check the switchboard's address in HQ's settings. One process of HQ alone needs none.",
    )
    retry = True


class OfficeUnknown(VendorFailure):
    """A command names an office that HQ does not have."""

    code = "office-unknown"
    title = "There is no such office"
    office = "HQ has no office called {name}{hint}."
    remedy = ("See the names: `econnector hq office list`.", "Add it: `econnector hq office add NAME`.")
    http = 404
    exit = 66


class NameTaken(VendorFailure):
    """An office's name or host name is used already."""

    code = "name-taken"
    title = "The name is taken"
    office = "The {what} {name} belongs to the office {owner} already."
    remedy = ("Choose another one.", "See the offices: `econnector hq office list`.")
    http = 409
    exit = 65

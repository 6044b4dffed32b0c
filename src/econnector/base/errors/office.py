"""Failures inside the office: database, files, versions, clock."""

from econnector.base.errors.catalogue import Failure

__all__ = [
    "ClockDrift",
    "DatabaseAway",
    "DatabaseBusy",
    "DatabaseDamaged",
    "DatabaseRefused",
    "FileMissing",
    "OfficeFailure",
    "UpdateRunning",
    "VersionsDiffer",
]

_AWAY = "Internal server error. Please notify the dental office to call support or try again later"


class OfficeFailure(Failure):
    """Something in the office is missing or broken."""

    http = 503
    exit = 69


class DatabaseAway(OfficeFailure):
    """The database server cannot be reached."""

    code = "database-away"
    title = "Your dentist's records can't be reached right now"
    today = _AWAY + " · Unable to connect to any of the specified MySQL hosts"
    patient = "Your dentist's computer is on, but its records can't be reached right now. The office can see this and fix it. Nothing you entered is lost."
    office = "The database server {server} does not answer: {reason}."
    remedy = (
        "See that the database service (MySQL or MariaDB) runs on the server.",
        "See that this machine reaches the server's port: `econnector doctor`.",
    )
    check = "database"
    retry = True


class DatabaseRefused(OfficeFailure):
    """The database server answers, but refuses the log-in or the database."""

    code = "database-refused"
    title = "Your dentist's records can't be reached right now"
    today = _AWAY
    patient = "Your dentist's computer is on, but its records can't be reached right now. The office can see this and fix it. Nothing you entered is lost."
    office = "The database server {server} refuses user {user} or database {database}: {reason}."
    remedy = (
        "Check server, database, user and password in the connector's settings.",
        "If the password was changed in the database: set it again, then restart the connector.",
    )
    check = "database"


class DatabaseBusy(OfficeFailure):
    """A statement ran into its time limit, or all connections are taken."""

    code = "database-busy"
    title = "Your dentist's computer is taking too long"
    today = _AWAY
    patient = "Your dentist's computer is taking too long to answer. Nothing you entered is lost; please try once more in a minute."
    office = "The database is too busy: {reason}."
    remedy = (
        "See whether a backup, an update or a large report is running.",
        "Run `econnector doctor`: it measures latency and connections.",
    )
    http = 504
    check = "database-latency"
    retry = True


class DatabaseDamaged(OfficeFailure):
    """The database server says that a table or file is damaged, or that its disk is full."""

    code = "database-damaged"
    title = "Your dentist's records can't be reached right now"
    today = "Table is marked as crashed and should be repaired"
    patient = "Your dentist's computer is on, but its records can't be reached right now. The office can see this and fix it. Nothing you entered is lost."
    office = "The database {server} reports a fault: {reason}."
    remedy = (
        "See that the disk of the database server is not full.",
        "Make a backup, then let Open Dental check and repair the tables (Tools, Database Maintenance), or run CHECK TABLE and REPAIR TABLE.",
        "Run `econnector doctor` afterwards.",
    )
    check = "database"


class VersionsDiffer(OfficeFailure):
    """The database lacks a table or column that this connector needs."""

    code = "database-version"
    title = "Your dentist's eConnector needs an update"
    today = "OnlinePassword in 'where clause'"
    patient = "Your dentist's eConnector and database have different versions. The office has been told; until it is updated, please call {phone}."
    office = "Connector and database versions differ: the database (version {version}) lacks {missing}."
    remedy = (
        "Connector {connector} needs Open Dental 21.1 or later. If the database is older: update Open Dental.",
        "If the database is newer: update eConnector on this machine.",
        "Run `econnector doctor` afterwards.",
    )
    public = frozenset({"version", "connector", "phone"})
    check = "schema"


class UpdateRunning(OfficeFailure):
    """Open Dental is being updated, or an update left the database unusable."""

    code = "update-running"
    title = "Your dentist's records are being updated"
    patient = "Your dentist's records are being updated. This usually takes some minutes. Nothing you entered is lost."
    office = "An Open Dental update is running on {computer}, or one was interrupted; the connector waits."
    remedy = (
        "Wait until the update is done.",
        "If it was interrupted: finish it on the update server, or restore the backup.",
    )
    check = "schema"
    retry = True


class FileMissing(OfficeFailure):
    """A document's file cannot be opened."""

    code = "file-missing"
    title = "We couldn't open this file"
    today = "File not found"
    patient = "We couldn't open this file. Your office has been told (the reference is below)."
    office = "File not found: {path}, tried as {account}. {reason}"
    remedy = (
        "See that the images folder in the settings is the one that Open Dental uses on other computers.",
        "See that the account {account} may read it; on Windows, run the service as an account with rights to the share.",
        "If the file was stored at another location, copy it here.",
    )
    http = 404
    check = "images"


class ClockDrift(OfficeFailure):
    """This machine's clock differs from the database's."""

    code = "clock-drift"
    title = "The clock is wrong"
    patient = "Your dentist's computer is being looked after. Please try again in some minutes."
    office = "This machine says {ours}, the database says {theirs}."
    remedy = (
        "Correct the clock of this machine (or of the database server).",
        "Switch on network time.",
        "Restart the connector.",
    )
    check = "clock"

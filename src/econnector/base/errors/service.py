"""Failures of the Service Manager: installing, starting and stopping eConnectors as services."""

from econnector.base.errors.catalogue import Failure

__all__ = [
    "AccountUnknown",
    "ServiceDatabaseTaken",
    "ServiceExists",
    "ServiceFailure",
    "ServiceManagerFailed",
    "ServiceMissing",
    "ServiceNameRejected",
    "ServiceNotStarted",
    "ServiceNotStopped",
    "ServiceNotTheirs",
    "ServiceRights",
    "SettingsFileMissing",
]


class ServiceFailure(Failure):
    """A service of this machine's operating system could not be looked at or changed."""

    title = "The service could not be changed"
    patient = "Your dentist's online services are being looked after. Please try again in some minutes."
    http = 409
    exit = 69
    check = "service"


class ServiceNameRejected(ServiceFailure):
    """A name cannot be a service's."""

    code = "service-name-rejected"
    title = "The service's name cannot be used"
    office = 'The service name {name} cannot be used: {why}. (Service name must begin with "OpenDent".)'
    remedy = (
        "Choose a name that begins with OpenDent, without spaces, of letters, digits, hyphens and underscores, such as OpenDentalEConnector or OpenDentalEConnector_North.",
    )
    http = 422
    exit = 65


class ServiceExists(ServiceFailure):
    """A service with this name is there already; capitals make no difference."""

    code = "service-exists"
    title = "There is such a service already"
    today = "Failed upgrading to the eConnector service: Unable to install the service"
    office = "A service {name} is there already ({whose})."
    remedy = (
        "If it is this eConnector: nothing needs to be installed; start it with `econnector service start {name}`.",
        "If it is Open Dental's own eConnector: stop and uninstall it in Open Dental (Tools, Misc Tools, Service Manager), because one office has one eConnector.",
        "Otherwise choose another name.",
    )


class ServiceMissing(ServiceFailure):
    """There is no service with this name."""

    code = "service-missing"
    title = "There is no such service"
    office = "There is no service {name} on this machine: it was not {step} yet."
    remedy = (
        "See which there are: `econnector service list`.",
        "Add it: `econnector service add {name}`, then `econnector service configure {name}` and `econnector service install {name}`.",
    )
    http = 404


class ServiceNotTheirs(ServiceFailure):
    """The service is there, but this eConnector did not install it."""

    code = "service-foreign"
    title = "The service belongs to another program"
    office = "The service {name} was not installed by this eConnector, so it is not {done} by it."
    remedy = (
        "Use the program that installed it; for Open Dental's own services that is Tools, Misc Tools, Service Manager.",
    )


class ServiceDatabaseTaken(ServiceFailure):
    """Two services of this machine would serve the same database."""

    code = "service-database-taken"
    title = "Another service serves this database already"
    office = "{name} would serve {what}, which {other} serves already on this machine. One database has one eConnector."
    remedy = (
        "If it is the same office: keep {other}, and do not add a second one.",
        "If it is another database: correct it with `econnector service configure {name}`.",
        "If {other} is no longer wanted: `econnector service uninstall {other}` first.",
    )


class SettingsFileMissing(ServiceFailure):
    """The settings file that a service shall run with is not there."""

    code = "service-settings-missing"
    title = "The service has no settings yet"
    office = "The settings file {file} of {name} is not there, or cannot be read: {why}."
    remedy = (
        "Make it: `econnector service configure {name}` asks for server, database, user and password, and tests them before it saves.",
    )
    exit = 78


class AccountUnknown(ServiceFailure):
    """The account that a service shall run as cannot be used."""

    code = "service-account"
    title = "The service cannot run as this account"
    office = "{name} cannot run as {account}: {why}."
    remedy = (
        "Write the account as this machine knows it: a user name on Linux and macOS, DOMAIN\\\\user or .\\\\user on Windows.",
        "Leave the account empty to run as the operating system's usual one.",
    )
    http = 422
    exit = 65


class ServiceRights(ServiceFailure):
    """This account may not install, start or stop services."""

    code = "service-rights"
    title = "This account may not do that"
    today = "Failed to access registry · Unable to install the service"
    office = "{account} may not {action} the service {name}: it needs {right}. (Failed to access registry, or unable to install the service.)"
    remedy = ("{how}", "Or let somebody with these rights do it by hand: {manual}")
    http = 403
    exit = 77


class ServiceManagerFailed(ServiceFailure):
    """The operating system's own program refused, or did not answer."""

    code = "service-manager-failed"
    title = "The operating system refused"
    today = "Failed upgrading to the eConnector service: Unable to install the service"
    office = "The service {name} could not be {done}: {program} said: {reason}."
    remedy = (
        "Look at what {program} says, put that right, then try again.",
        "Or do it by hand: {manual}",
    )


class ServiceNotStarted(ServiceFailure):
    """The service was told to start and does not run."""

    code = "service-not-started"
    title = "The service did not start"
    office = "{name} did not start within {seconds} seconds: {reason}."
    remedy = (
        "See why: {look}",
        "Run `econnector doctor --settings {settings}`: it examines settings, database, rights and the way to HQ.",
        "Run it in the foreground to watch it: `econnector office run --settings {settings}`.",
    )


class ServiceNotStopped(ServiceFailure):
    """The service was told to stop and still runs."""

    code = "service-not-stopped"
    title = "The service did not stop"
    office = "{name} still runs {seconds} seconds after it was told to stop: {reason}."
    remedy = ("Try again in a minute.", "See what it does: {look}")

"""Failures of installing and updating eConnector on this machine."""

from econnector.base.errors.setup import SetupFailure

__all__ = [
    "ConnectorElsewhere",
    "HeartbeatMissing",
    "InstallCloud",
    "InstallDeclined",
    "InstallFailure",
    "InstallMiddleTier",
    "InstallRights",
    "QuestionUnanswered",
    "UpdateNeedsMore",
    "UpdateRolledBack",
    "UpdateServerElsewhere",
    "UpdateTurn",
    "WheelRejected",
]


class InstallFailure(SetupFailure):
    """eConnector cannot be installed or updated here."""

    title = "It cannot be installed here"
    check = "service"


class InstallMiddleTier(InstallFailure):
    """Open Dental on this machine reaches its database through a middle tier only."""

    code = "install-middle-tier"
    title = "Not on a middle tier client"
    today = "Not allowed to install services when using the middle tier"
    office = "Open Dental on this computer uses the middle tier ({file}); services are not installed from there, because the eConnector needs the database itself."
    remedy = (
        "Install eConnector on the database server, or on a computer that connects to the database directly.",
        "Or let it connect directly from here: `econnector service configure` asks for server, database, user and password; then install again.",
        "If this computer's Open Dental connects directly now: correct {file} in Open Dental's Choose Database window, then install again.",
    )


class InstallCloud(InstallFailure):
    """This machine belongs to Open Dental's cloud."""

    code = "install-cloud"
    title = "Not in the cloud version"
    today = "Not allowed to install services in cloud mode"
    office = "This computer runs Open Dental's cloud version ({file} says so); whoever hosts it runs its eConnector."
    remedy = ("Ask the host of your Open Dental for eServices; nothing needs to be installed here.",)


class UpdateServerElsewhere(InstallFailure):
    """Open Dental names another machine as its Update Server, and this one is not it."""

    code = "install-update-server"
    title = "Another computer is the Update Server"
    office = "The eConnector should be installed on the Update Server, which is {server}; this computer is {machine}."
    remedy = (
        "Install it on {server}.",
        "If {server} is gone: name this computer as Update Server in Open Dental (Setup, Preferences, Misc), then install again.",
        "If this computer is meant all the same: install again and say that it is no accident (`--answer another-computer=no`).",
    )
    http = 409


class ConnectorElsewhere(InstallFailure):
    """The database says that another machine runs, or lately ran, this office's connector."""

    code = "install-elsewhere"
    title = "Another computer runs this office's eConnector"
    today = "two eConnectors on one key"
    office = "An office has one eConnector, and {where}."
    remedy = (
        "If the other one is right: leave this computer without one.",
        "If it shall move here: stop and uninstall it there, then install again; one that was stopped in order is out of the way at once.",
        "If that computer is gone for good: install again and say so (`--answer other-connector=gone`).",
    )
    http = 409


class InstallDeclined(InstallFailure):
    """A person answered a question so that nothing is installed."""

    code = "install-declined"
    title = "Not installed, as you said"
    office = "Nothing was installed: the answer to “{question}” was {answer}."
    remedy = ("Install again when you have decided otherwise.",)
    http = 409
    exit = 1


class QuestionUnanswered(InstallFailure):
    """Nobody is there to answer a question, and the command line does not answer it, or not with one of its answers."""

    code = "question-unanswered"
    title = "A question was not answered"
    office = "The question “{question}” is not answered: {why}."
    remedy = ("Run it again with {how}.",)
    http = 422
    exit = 64


class InstallRights(InstallFailure):
    """Rights that the installation needs are missing; all of them are named at once."""

    code = "install-rights"
    title = "This account may not install it"
    today = "Failed to access registry · Try running as Administrator"
    office = "Installing needs rights that {account} lacks: {missing}. (Failed to access registry, or unable to install the service.)"
    remedy = ("{how}", "Then install again; what is done already stays done.")
    http = 403
    exit = 77


class HeartbeatMissing(InstallFailure):
    """The service runs, and no heartbeat of it reached the database."""

    code = "heartbeat-missing"
    title = "The service runs without a heartbeat"
    office = (
        "The service {name} was started {seconds} seconds ago, and its heartbeat has not reached the database. {why}"
    )
    remedy = (
        "{next}",
        "Run `econnector doctor --settings {settings}`, and read `econnector office logs --settings {settings}`.",
        "Then install again; what is done already stays done.",
    )


class WheelRejected(InstallFailure):
    """A file is not a version of eConnector that can be installed here."""

    code = "update-wheel"
    title = "This file cannot be installed"
    office = "{file} cannot be installed: {why}. Nothing was stopped or changed."
    remedy = ("{next}",)
    http = 422
    exit = 65


class UpdateNeedsMore(InstallFailure):
    """The new version needs packages that this Python does not have and that could not be had."""

    code = "update-needs-more"
    title = "The new version needs more"
    office = (
        "eConnector {version} needs {packages}, which could not be installed: {reason}. Nothing was stopped or changed."
    )
    remedy = (
        "Connect this machine to the internet (or to your own package index), then run the update again.",
        "Or put the packages' wheels in the folder of the new version's wheel, then run the update again.",
    )
    exit = 69


class UpdateTurn(InstallFailure):
    """Another update runs, or an interrupted one must be finished first."""

    code = "update-turn"
    title = "Another update is not over"
    office = "An update of this machine's eConnector {what}."
    remedy = ("{next}",)
    http = 409
    exit = 75


class UpdateRolledBack(InstallFailure):
    """The new version did not work, so the old one runs again."""

    code = "update-rolled-back"
    title = "The update was taken back"
    office = "eConnector {new} did not work here: {why}. {now}"
    remedy = (
        "Read why: `econnector office logs`, and `econnector service list`.",
        "Tell the vendor both versions ({old}, {new}) and the reason; update again when there is an answer.",
    )
    exit = 70

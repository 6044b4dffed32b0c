"""Failures of reaching somebody: the office from HQ, HQ from the office."""

from econnector.base.errors.catalogue import Failure

__all__ = [
    "AnswerLost",
    "AnswerUncertain",
    "HqAway",
    "HqNamedOtherwise",
    "HqUntrusted",
    "KeyInactive",
    "LinkFailure",
    "NeverConnected",
    "OfficeBusy",
    "OfficeTooSlow",
    "OfficeUnreachable",
    "ProtocolBroken",
    "UnknownAddress",
    "UnknownCall",
    "VersionTooOld",
]


class LinkFailure(Failure):
    """An office or HQ cannot be asked, or its answer was lost."""

    http = 503
    exit = 69
    retry = True


class OfficeUnreachable(LinkFailure):
    """There is no live link to the office."""

    code = "office-unreachable"
    title = "We can't reach your dentist's computer right now"
    today = "Internal server error. Please notify the dental office to call support or try again later · No immortal socket connection found for RegistrationKeyNum"
    patient = "We can't reach your dentist's computer right now. It was last reachable {last_seen}. Nothing you entered is lost. To reach the office, call {phone}."
    office = "HQ has had no link to this office since {last_seen}: the connector is stopped, the machine is asleep or off, or its internet connection is down."
    remedy = (
        "On the office's machine, see that it is on, awake and has internet.",
        "Run `econnector doctor` there; it names the step that fails.",
        "Start the connector: `econnector office run`, or its service.",
    )
    public = frozenset({"last_seen", "phone", "since", "office"})
    check = "link"


class NeverConnected(LinkFailure):
    """HQ has never had a heartbeat from this office."""

    code = "104"
    title = "Your dentist's online services are still being set up"
    today = "error code 104"
    patient = "Your dentist's online services are still being set up (code 104). To reach the office, call {phone}."
    office = "HQ has never heard from this office (code 104): the connector is installed but not started, was never enrolled, or a firewall or proxy blocks it."
    remedy = (
        "On the office's machine, enrol with the registration key: `econnector office enrol` asks for it.",
        "Start the connector: `econnector office run`, or its service.",
        "If it still cannot connect, run `econnector doctor`: it tests DNS, TCP, TLS, proxy and clock one by one.",
    )
    public = frozenset({"phone", "office"})
    check = "enrolment"


class KeyInactive(LinkFailure):
    """The office's registration key is disabled, or its support ended."""

    code = "103"
    title = "Your dentist's online services are switched off"
    today = "Error Code 103"
    patient = (
        "Your dentist's online services are switched off at the moment (code 103). To reach the office, call {phone}."
    )
    office = "The registration key is not active (code 103): {reason} since {since}."
    remedy = (
        "If support ended: renew it with the vendor; HQ then runs `econnector hq office enable NAME`.",
        "If the key was disabled: ask the vendor why; nothing on the office's machine needs to change.",
    )
    # Reason and time cross the link to the office's own screens; no sentence for patients has them.
    public = frozenset({"phone", "office", "reason", "since", "standing"})
    check = "registration-key"
    retry = False


class UnknownAddress(LinkFailure):
    """The address names no office or page."""

    code = "200"
    title = "This address is not right"
    today = "error code 200"
    patient = "There is no practice at this address (code 200). Check the address on the sheet or message your dentist gave you, and type it exactly."
    office = "A visitor asked for an office or page that does not exist (code 200)."
    remedy = (
        "Compare the address with the one `econnector hq office show NAME` prints.",
        "Correct the link on the office's web site or sheet.",
    )
    http = 404
    retry = False


class OfficeTooSlow(LinkFailure):
    """The office did not answer within the call's time limit."""

    code = "office-too-slow"
    title = "Your dentist's computer is taking too long"
    today = "Internal server error. Please notify the dental office to call support or try again later"
    patient = "Your dentist's computer is taking too long to answer. Nothing you entered is lost; please try once more in a minute."
    office = "The call {call} was not answered within {limit} seconds."
    remedy = (
        "Run `econnector doctor`: it measures the database's latency.",
        "See whether a backup or a large report is running on the database.",
    )
    public = frozenset({"call", "limit"})
    http = 504
    check = "database-latency"


class OfficeBusy(LinkFailure):
    """More is asked of the office at a time than HQ, or the office, allows."""

    code = "office-busy"
    title = "Your dentist's computer is very busy"
    patient = "Your dentist's computer is very busy. Please try again in {seconds} seconds."
    office = "More was asked of the office at a time than it may be ({limit}); what comes beyond is refused early instead of late."
    remedy = ("See which calls are slow: `econnector doctor`.",)
    public = frozenset({"seconds", "limit"})
    check = "database-latency"


class AnswerLost(LinkFailure):
    """The link broke while a call was in flight."""

    code = "answer-lost"
    title = "The connection to your dentist's computer broke"
    patient = "The connection to your dentist's computer broke before it answered. It usually comes back within a minute; please try again."
    office = "The link broke while the call {call} was in flight ({reason})."
    remedy = (
        "Nothing, if it happened once.",
        "If it comes back: run `econnector doctor` and look at the network steps.",
    )
    public = frozenset({"call", "reason"})
    check = "link"


class AnswerUncertain(LinkFailure):
    """A call that changes something was sent and its answer lost, and it had no key under which to ask again."""

    code = "answer-uncertain"
    title = "We don't know whether that was saved"
    patient = "The connection to your dentist's computer broke before it answered. Your change may or may not have been saved: look whether it is there before you do it again."
    office = "The answer to {call} was lost ({reason}); the office may or may not have done it."
    remedy = (
        "Look whether the change is there.",
        "If it comes back: run `econnector doctor` and look at the network steps.",
    )
    public = frozenset({"call", "reason"})
    check = "link"
    retry = False


class UnknownCall(LinkFailure):
    """The other side does not know this call: it is older."""

    code = "unknown-call"
    title = "Your dentist's eConnector needs an update"
    today = "CallMethod, unknown class: BlobFileSTs.DownloadDocument"
    patient = "This page needs a newer version of your dentist's eConnector. The office has been told. Everything else still works."
    office = "HQ asked for {call}, which the connector (version {version}) does not know."
    remedy = ("Update eConnector on the machine {machine}.", "Restart its service.")
    public = frozenset({"call", "version", "machine"})
    http = 501
    check = "versions"
    retry = False


class VersionTooOld(LinkFailure):
    """The two ends of the link have no protocol number in common."""

    code = "protocol-versions"
    title = "Your dentist's eConnector needs an update"
    today = "Listener Version does not match Program Version"
    patient = (
        "Your dentist's eConnector needs an update before these pages work again. To reach the office, call {phone}."
    )
    office = "The connector speaks protocol {ours}, HQ speaks {theirs}: they have none in common."
    remedy = ("Update eConnector on the office's machine.", "If it is the newest already, ask the vendor to update HQ.")
    public = frozenset({"ours", "theirs", "phone"})
    check = "versions"
    retry = False


class ProtocolBroken(LinkFailure):
    """The other side broke a rule of the link; the link was closed."""

    code = "protocol-broken"
    title = "The connection to your dentist's computer broke"
    patient = "The connection to your dentist's computer broke before it answered. It usually comes back within a minute; please try again."
    office = "The link was closed because the other side broke a rule: {reason}."
    remedy = (
        "If it comes back, something between office and HQ changes the data: look for a proxy that inspects traffic.",
        "Run `econnector doctor`.",
    )
    public = frozenset({"reason"})
    check = "link"


class HqAway(LinkFailure):
    """The connector cannot reach HQ."""

    code = "hq-away"
    title = "HQ cannot be reached"
    today = "Could not reach HQ. Please make sure you have an internet connection and try again or call support · Unable to connect to the remote server"
    patient = "We can't reach your dentist's online services right now."
    office = "The connector cannot reach {url}: {reason}. It keeps trying; patients see that the office is unreachable meanwhile."
    remedy = (
        "See that this machine has internet.",
        "Run `econnector doctor`: it tests DNS, TCP, proxy, TLS and clock one by one and names the one that fails.",
        "Ask whoever keeps the firewall to allow outbound connections to that address.",
    )
    check = "hq"


class HqNamedOtherwise(LinkFailure):
    """HQ has another name than the one that was dialled, so what the connector signs would not count there."""

    code = "hq-name"
    title = "HQ goes by another name"
    patient = "We can't reach your dentist's online services right now."
    office = "The connector dialled {dialled}, but the HQ that answered there calls itself {name}."
    remedy = (
        "If the vendor gave you the other name: set `hq.url` to it.",
        "Otherwise tell the vendor: HQ's setting `url` must be the address that offices dial.",
    )
    exit = 78
    check = "link"


class HqUntrusted(LinkFailure):
    """HQ's TLS certificate is not trusted."""

    code = "hq-untrusted"
    title = "HQ's certificate is not trusted"
    patient = "We can't reach your dentist's online services right now."
    office = "The certificate of {url} is not trusted: {reason}. The connector did not connect and sent nothing."
    remedy = (
        "If a firewall or antivirus inspects TLS here: exempt HQ's address from it, or give its CA file as `hq.ca` in the settings.",
        "See that this machine's clock is right.",
        "If HQ uses a private CA: set `hq.ca` to its PEM file.",
    )
    check = "hq"

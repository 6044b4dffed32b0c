"""What may be installed where, decided from facts alone (od-connector 2.2, 2.4, 3.4, 4.6); nothing is changed here.

=================================  ==================================================================================
Update Server in Open Dental       what installing does
=================================  ==================================================================================
blank                              asks whether this machine shall become it: yes, no (installs all the same), cancel
blank, and one has worked before   as above; Open Dental stops here without a word, so the question says it
this machine                       asks nothing
another machine                    asks whether this is an accident; only "no" goes on
=================================  ==================================================================================
"""

import datetime as dt
import ipaddress

import msgspec

from econnector.base.errors import (
    ConnectorElsewhere,
    Failure,
    InstallCloud,
    InstallDeclined,
    UpdateServerElsewhere,
)
from econnector.opendental.statistics import MULTIPLE_WITHIN, Entry

__all__ = [
    "BEGIN",
    "Facts",
    "Machine",
    "Question",
    "auto_reason",
    "declined",
    "is_this",
    "others_of",
    "questions",
    "refuse",
    "short_name",
    "takes_over",
]

NETBIOS = 15
"""Characters of a computer name that Windows and Open Dental compare."""
ANOTHER, OTHER, TAKE_OVER, BEGIN = "another-computer", "other-connector", "update-server", "begin-listening"
AUTO_SINCE: dict[tuple[int, ...], tuple[int, ...]] = {(22, 3): (22, 3, 48), (22, 4): (22, 4, 20)}
"""By release line, the first version whose updater installs an eConnector; all later lines do."""


class Machine(msgspec.Struct, frozen=True):
    """A computer, as others may name it."""

    name: str
    """Its host name."""
    addresses: frozenset[str] = frozenset()
    label: str = ""
    """What our own settings call it, where that differs."""


class Facts(msgspec.Struct, frozen=True):
    """Everything that the rules look at."""

    machine: Machine
    version: tuple[int, ...] = ()
    """The database's."""
    update_server: str = ""
    can_be_blank: bool = False
    ever_beaten: bool = False
    """Whether any connector of this database ever worked, on whatever machine."""
    beats_now: bool = False
    """Whether one works at this moment, on whatever machine."""
    stopped: bool = False
    """Whether the last one was stopped in order, so that it is out of the way."""
    now: dt.datetime = dt.datetime.min  # noqa: DTZ901 - the database's clock has no zone
    entries: tuple[Entry, ...] = ()
    """Of the statistics preference."""
    enrolled: bool = False
    """Whether this machine is enrolled at HQ, which is its consent too."""
    agreed: bool = False
    """Whether an installation that was interrupted was told to make this machine the Update Server."""
    here: bool = False
    """Whether a service of this machine runs with these settings."""
    cloud: str = ""
    """The file that says so; empty where there is none."""


class Question(msgspec.Struct, frozen=True):
    """Something that a person decides."""

    key: str
    text: str
    answers: tuple[str, ...]
    goes_on: tuple[str, ...]
    """The answers with which the installation goes on."""
    recommended: str = ""
    """What `--yes` says; empty where only a person can know."""
    more: str = ""
    """What it means, in a sentence or two."""


def is_this(name: str, machine: Machine) -> bool:
    """Return whether `name`, as somebody wrote it into Open Dental, is this machine; localhost is nobody's name."""
    wanted = name.strip().casefold()
    if wanted in {"", "localhost"}:
        return False
    try:
        address = ipaddress.ip_address(wanted)
    except ValueError:
        own = machine.name.casefold()
        short = own.partition(".")[0]
        return wanted in {own, short, short[:NETBIOS], machine.label.casefold()}
    return not address.is_loopback and str(address) in machine.addresses


def short_name(machine: Machine) -> str:
    """Return the machine's name as Open Dental recognises it on every computer: fifteen characters without domain."""
    return machine.name.partition(".")[0][:NETBIOS]


def refuse(facts: Facts) -> None:
    """Raise why nothing may be installed here, whatever anybody answers."""
    if facts.cloud:
        raise InstallCloud(file=facts.cloud)


def questions(facts: Facts) -> tuple[Question, ...]:
    """Return what must be answered before anything is done, in order; nothing for what was settled before."""
    asked = [_about_other(facts), _about_server(facts), None if facts.enrolled else _about_listening()]
    return tuple(question for question in asked if question is not None)


def declined(question: Question, answer: str, facts: Facts) -> Failure | None:
    """Return why this answer ends the installation; None if it goes on."""
    if answer in question.goes_on:
        return None
    if question.key == ANOTHER and answer == "yes":
        return UpdateServerElsewhere(server=facts.update_server, machine=facts.machine.name)
    if question.key == OTHER:
        return ConnectorElsewhere(where=_where(facts))
    return InstallDeclined(question=question.text, answer=answer)


def takes_over(facts: Facts, answer: str) -> bool:
    """Return whether this machine becomes the Update Server; `answer` is empty where nobody was asked."""
    return not facts.update_server.strip() and (answer == "yes" or facts.agreed)


def others_of(facts: Facts) -> tuple[Entry, ...]:
    """Return the other machines that said less than three hours ago that they are this office's connector."""
    fresh = [each for each in facts.entries if each.at is not None and facts.now - each.at < MULTIPLE_WITHIN]
    return tuple(each for each in fresh if not is_this(each.machine, facts.machine))


def auto_reason(facts: Facts) -> str:
    """Return why an updater may not install an eConnector here by itself, in one sentence; empty if it may."""
    if facts.ever_beaten:
        return "an eConnector has worked for this database before, so an updater installs none"
    line = facts.version[:2]
    if facts.version < AUTO_SINCE.get(line, min(AUTO_SINCE.values())):
        return f"the database version {'.'.join(map(str, facts.version)) or 'unknown'} is older than 22.3.48 or 22.4.20"
    if facts.update_server.strip() and not is_this(facts.update_server, facts.machine):
        return f"the Update Server is {facts.update_server}, and this computer is {facts.machine.name}"
    others = others_of(facts)
    return f"{others[0].machine} is this office's eConnector" if others else ""


def _about_other(facts: Facts) -> Question | None:
    if facts.here or facts.stopped or not (others_of(facts) or _unnamed(facts)):
        return None
    return Question(
        OTHER,
        "Is the other eConnector gone for good?",
        ("gone", "no"),
        ("gone",),
        more=f"An office has one eConnector, and {_where(facts)}. Answer gone only if it will not come back.",
    )


def _unnamed(facts: Facts) -> bool:
    """Return whether a connector works now that is surely not this machine's: nothing was ever set up here."""
    return facts.beats_now and not facts.enrolled


def _where(facts: Facts) -> str:
    others = others_of(facts)
    if not others:
        return "one works for this database at this moment, on another computer"
    return "; ".join(f"{each.machine} was it at {each.at:%Y-%m-%d %H:%M}" for each in others)


def _about_server(facts: Facts) -> Question | None:
    server, machine = facts.update_server.strip(), facts.machine
    if server:
        return None if is_this(server, machine) else _about_accident(server, machine)
    if facts.agreed or (facts.here and facts.ever_beaten):  # somebody has answered it: yes, or no
        return None
    before = "An eConnector has worked for this database before, and Open Dental does not say on which computer. "
    return Question(
        TAKE_OVER,
        f"Shall this computer ({short_name(machine)}) become the Update Server?",
        ("yes", "no", "cancel"),
        ("yes", "no"),
        recommended="no" if facts.can_be_blank else "yes",
        more=(before if facts.ever_beaten else "")
        + "Open Dental has no Update Server yet. Updates then start on this computer, where the eConnector is; with "
        "no, the eConnector is installed and the Update Server stays blank.",
    )


def _about_accident(server: str, machine: Machine) -> Question:
    return Question(
        ANOTHER,
        "Are you installing on a different computer by accident?",
        ("yes", "no", "cancel"),
        ("no",),
        more=f"The eConnector should be installed on the Update Server, {server}; this computer is {machine.name}. "
        "Only “no” goes on.",
    )


def _about_listening() -> Question:
    return Question(
        BEGIN,
        "May this computer begin listening for eServices?",
        ("yes", "no"),
        ("yes",),
        recommended="yes",
        more="The eConnector then runs on this computer as a service, and HQ may send this office's eServices (the "
        "patient portal, for one) through it. Nothing is opened to the internet: it dials out.",
    )

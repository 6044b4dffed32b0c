"""The calls that belong to the link itself, whatever eServices ride on it."""

import msgspec

from econnector.wire.call import Call

__all__ = [
    "CODE_OFFERS",
    "CODE_SYSTEMS",
    "DOCTOR",
    "ECHO",
    "HEARTBEAT",
    "CodeOffer",
    "CodeOffers",
    "CodeOffersWanted",
    "DoctorWanted",
    "Echo",
    "Examined",
    "FailureMet",
    "Found",
    "Heard",
    "Heartbeat",
    "OfficeContact",
    "Outage",
]

CODE_SYSTEMS = ("CDCREC", "CVX", "HCPCS", "ICD10CM", "ICD9CM", "LOINC", "RXNORM", "SNOMEDCT", "SOP", "UCUM")
"""The code systems that HQ may offer. CPT is bought by each office and never passes through HQ."""


class Outage(msgspec.Struct):
    """A time during which the connector could not do its work, as the office saw it."""

    began: str
    """ISO 8601, UTC."""
    ended: str
    cause: str
    """A failure's code."""
    reference: str = ""


class OfficeContact(msgspec.Struct):
    """Somebody who works for the office and wants a mail when it is unreachable."""

    name: str
    address: str
    language: str = "en"
    purpose: str = ""


class Heartbeat(msgspec.Struct):
    """What the connector tells HQ every minute. It holds no patient data."""

    version: str
    """Of eConnector."""
    program_version: str = ""
    """Of Open Dental."""
    database_version: str = ""
    status: str = "None"
    """What Open Dental's eConnector window shows: None, NotEnabled, Working, Error, Critical."""
    practice_title: str = ""
    practice_phone: str = ""
    machine: str = ""
    clock: str = ""
    """The connector's time, ISO 8601 UTC."""
    failure: str = ""
    """Code of what is wrong now, empty when nothing is."""
    failure_since: str = ""
    outages: list[Outage] = []
    utc_offset: int | None = None
    """Minutes that the office's clocks are ahead of UTC, so that HQ can say "last reachable today at 14:05"."""
    contacts: list[OfficeContact] | None = None
    """All contacts of the office; None (from older connectors) says nothing about them."""


class Heard(msgspec.Struct):
    """HQ's answer to a heartbeat."""

    version: str
    """HQ's."""
    clock: str
    """HQ's time, ISO 8601 UTC."""
    standing: str = "active"
    """Of the registration key: active, disabled, ended."""
    others: list[str] = []
    """Other machines that tried to be this office's connector in the last hours."""
    announces: bool = False
    """Whether HQ mails the office's contacts when it is unreachable."""


class Echo(msgspec.Struct):
    """Bytes that come back as they are: a link's own test."""

    payload: bytes = b""


class CodeOffersWanted(msgspec.Struct):
    """Which versions of code systems does HQ offer?"""


class CodeOffer(msgspec.Struct):
    """A version of a code system, and where its file is."""

    system: str
    """One of `CODE_SYSTEMS`."""
    version: str
    url: str
    checksum: str
    """SHA-256 of the file, in hexadecimal."""


class CodeOffers(msgspec.Struct):
    """All that HQ offers now."""

    offers: list[CodeOffer] = []


class DoctorWanted(msgspec.Struct):
    """What does the doctor find in the office?"""


class Found(msgspec.Struct):
    """What one check of the office's doctor found, as far as it may leave the office."""

    check: str
    """Its id."""
    area: str
    proves: str
    """What is so when the state is ok."""
    state: str
    """ok, attention, problem or unknown."""
    text: str = ""
    remedy: list[str] = []
    code: str = ""
    """The catalogue's, where it is one of its failures."""
    reference: str = ""
    seconds: float = 0.0


class FailureMet(msgspec.Struct):
    """A failure that somebody met in the office: what it was and when, and not whose."""

    at: str
    """ISO 8601, UTC."""
    code: str
    reference: str


class Examined(msgspec.Struct):
    """The office's half of the doctor. It holds no patient data and no secret."""

    machine: str
    version: str
    findings: list[Found] = []
    failures: list[FailureMet] = []
    """The last ones, newest first."""


HEARTBEAT = Call("link.heartbeat", Heartbeat, Heard, limit=10, changes=True)
ECHO = Call("link.echo", Echo, Echo, limit=10)
CODE_OFFERS = Call("link.code-offers", CodeOffersWanted, CodeOffers, limit=10)
DOCTOR = Call("link.doctor", DoctorWanted, Examined, limit=25)
"""HQ asks it of the office. Nothing is changed by it."""

"""What HQ may ask of the office for a partner's program. Everything here is read-only.

Every call carries the program's key as it came; only the office knows which keys there are and what each may do. All
raise `ApiKeyRefused`; all but `STATUS` raise `ApiRightMissing`.

Names follow Open Dental's own API: PascalCase for a column of the table, camelCase for what is derived or comes from
another one, enums by name. Dates are `2026-11-24` and times `2026-11-24 09:00:00`, in the office's local time; no time
is `0001-01-01 00:00:00`.
"""

from typing import Annotated, Final, Literal

import msgspec

from econnector.wire.call import Call

__all__ = [
    "APPOINTMENTS",
    "DOCUMENT",
    "DOCUMENTS",
    "MOST_OFFSET",
    "MOST_ROWS",
    "RIGHTS",
    "STATUS",
    "Appointment",
    "Appointments",
    "AppointmentsAsked",
    "AptStatus",
    "Document",
    "DocumentAsked",
    "DocumentHead",
    "Documents",
    "DocumentsAsked",
    "Right",
    "Status",
    "StatusAsked",
]

Right = Literal["schedule", "documents"]
RIGHTS: Final[tuple[Right, ...]] = ("schedule", "documents")
"""What a key may be allowed to see."""
MOST_ROWS: Final = 100
"""The longest page."""
MOST_OFFSET: Final = 1_000_000


class StatusAsked(msgspec.Struct):
    """Is the office there, and is the key good?"""

    key: str


class Status(msgspec.Struct):
    """The office, and what the key may do there."""

    office: str
    """The practice's name."""
    versionEConnector: str  # noqa: N815 - a name of the API
    versionOpenDental: str  # noqa: N815 - a name of the API
    serverDateTime: str  # noqa: N815 - a name of the API
    """The office's clock in UTC: `2026-11-24T14:00:00Z`."""
    rights: list[Right]


class AppointmentsAsked(msgspec.Struct):
    """One page of a day's schedule."""

    key: str
    date: str = ""
    """`2026-11-24`; empty for the office's today."""
    offset: int = 0
    limit: int = MOST_ROWS


AptStatus = Literal["Scheduled", "Complete", "ASAP", "Broken"]
"""What stands on a schedule; not what is planned or unscheduled, nor the notes that are kept as appointments."""


class Appointment(msgspec.Struct):
    """One appointment. Its note never leaves the office."""

    AptNum: int
    PatNum: int
    AptDateTime: str
    AptStatus: AptStatus
    minutes: Annotated[int, msgspec.Meta(ge=0)]
    """How long it takes, by its pattern."""
    provAbbr: str = ""  # noqa: N815 - a name of the API
    operatory: str = ""
    confirmed: str = ""
    """How it stands confirmed, in the practice's words."""


class Appointments(msgspec.Struct):
    """One page of a day's schedule, by time."""

    date: str
    offset: int
    limit: int
    more: bool
    """Whether others follow: ask again with `offset` + `limit`."""
    appointments: list[Appointment]


class DocumentsAsked(msgspec.Struct):
    """One page of a patient's documents."""

    key: str
    patient: int
    """PatNum."""
    offset: int = 0
    limit: int = MOST_ROWS


class Document(msgspec.Struct):
    """One document or picture."""

    DocNum: int
    PatNum: int
    DateCreated: str
    Description: str
    docCategory: str  # noqa: N815 - a name of the API
    """Where the practice files it, in its words."""
    extension: str
    """Of the file, in lower case with its dot: `.pdf`; empty where it has none."""
    fileSize: int | None = None  # noqa: N815 - a name of the API
    """In bytes; None where it is not known before the file is opened."""


class Documents(msgspec.Struct):
    """One page of a patient's documents, newest first."""

    offset: int
    limit: int
    more: bool
    """Whether older ones follow: ask again with `offset` + `limit`."""
    documents: list[Document]


class DocumentAsked(msgspec.Struct):
    """One document's file."""

    key: str
    document: int
    """DocNum."""


class DocumentHead(msgspec.Struct):
    """What comes before a file's bytes."""

    name: str
    media_type: str
    size: int
    """Bytes that will follow."""


STATUS = Call("api.status", StatusAsked, Status, limit=10)
APPOINTMENTS = Call("api.appointments", AppointmentsAsked, Appointments, limit=10)
DOCUMENTS = Call("api.documents", DocumentsAsked, Documents, limit=10)
DOCUMENT = Call("api.document", DocumentAsked, DocumentHead, limit=60, streams=True)

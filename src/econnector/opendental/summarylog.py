"""The traces of care summaries in Open Dental: who did what with one, and how that counts in the EHR measures.

An act in the portal is a row of the audit trail (permission 75): PatNum did it with the record of FKey. The measure
"View, Download, Transmit" counts rows of `ehrmeasureevent` of type 2 (electronic copy requested) of the patient whose
record it is, whoever acted for them; a file that was handed out is one of type 3 as well (electronic copy provided to
the patient). Each document that is made is a copy of the record in the audit trail (permission 68).
"""

import datetime as dt
from typing import Any, Final, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Select, bindparam, literal, select, union_all

from econnector.opendental import audit, times, writes
from econnector.opendental.audit import PORTAL_CHANGED, Permission
from econnector.opendental.schema import Schema
from econnector.opendental.tables import ehrmeasureevent, securitylog

__all__ = ["AGAIN", "DEEDS", "Deed", "Done", "Trace", "copied", "done", "note"]

Deed = Literal["viewed", "downloaded", "sent"]
Done = Literal["viewed", "downloaded", "sent", "opened", "copied"]
AGAIN: Final = dt.timedelta(minutes=10)
"""The same once more within so long is the same: a page loaded again, a download that was broken off."""
DEEDS: Final[tuple[tuple[str, Done], ...]] = (
    ("viewed the care summary", "viewed"),
    ("downloaded the care summary", "downloaded"),
    ("sent the care summary", "sent"),
    ("opened the sent care summary", "opened"),
)
"""How texts of the audit trail begin, after `PORTAL_CHANGED`."""

_FROM_PORTAL = 6
"""securitylog.LogSource."""
_REQUESTED, _PROVIDED = 2, 3
"""ehrmeasureevent.EventType: ElectronicCopyRequested, ElectronicCopyProvidedToPt."""


class Trace(msgspec.Struct, frozen=True):
    """One thing that was done with a summary."""

    at: dt.datetime | None
    who: int
    """PatNum; 0 where it was not noted."""
    done: Done
    detail: str
    """What the text says in brackets."""


def note(  # noqa: PLR0913 - who did what, with whose record, where
    connection: Connection,
    schema: Schema,
    deed: Deed,
    *,
    patient: int,
    about: int,
    detail: str = "",
    computer: str = "",
) -> None:
    """Note that `patient` viewed, downloaded or sent the summary of `about` (both PatNums), unless they just did.

    Each row is written only if it is not there: whoever dies between two of them leaves the rest to the next try.
    """
    now = times.now(connection)
    said = f"{deed} the care summary{f' ({detail})' if detail else ''}"
    text = f"{PORTAL_CHANGED}{said}."
    if not _acted(connection, patient, about, text, now - AGAIN):
        audit.record(
            connection, schema, Permission.PATIENT_PORTAL, text, patient=patient, about=about, computer=computer
        )
    by = "" if patient == about else f", by a representative (patient {patient})"
    for kind in (_REQUESTED, _PROVIDED) if deed == "downloaded" else (_REQUESTED,):
        _count(connection, schema, kind, about, f"{PORTAL_CHANGED}{said}{by}", now)


def copied(  # noqa: PLR0913 - an audit row is one thing
    connection: Connection, schema: Schema, *, patient: int, about: int, kind: str, computer: str = ""
) -> None:
    """Note that a document with the record of `about` was made for `patient` (both PatNums); `kind` is its format."""
    by = "" if patient == about else f" for a representative (patient {patient})"
    text = f"{PORTAL_CHANGED}CCD generated ({kind}){by}."
    audit.record(connection, schema, Permission.COPY, text, patient=about, computer=computer)


def done(connection: Connection, person: int, most: int, skip: int = 0, *, by_others: bool = False) -> list[Trace]:
    """Return what was done with the summary of `person` (a PatNum), newest first; `by_others`: not what they did.

    What another program counted in the measures, and did not write into the audit trail as the portal does, has
    nobody's name.
    """
    rows = connection.execute(_OF_OTHERS if by_others else _ALL, {"person": person, "most": most, "skip": skip})
    return [_trace(row) for row in rows]


def _acted(connection: Connection, patient: int, about: int, text: str, since: dt.datetime) -> bool:
    log = securitylog.c
    same = (log.PatNum == patient, log.FKey == about, log.PermType == int(Permission.PATIENT_PORTAL))
    lately = select(log.SecurityLogNum).where(*same, log.LogText == text, log.LogDateTime >= since).limit(1)
    return connection.scalar(lately) is not None


def _count(  # noqa: PLR0913, PLR0917 - one row
    connection: Connection, schema: Schema, kind: int, patient: int, more: str, now: dt.datetime
) -> None:
    event = ehrmeasureevent.c
    same = (event.PatNum == patient, event.EventType == kind, event.MoreInfo == more, event.DateTEvent >= now - AGAIN)
    if connection.scalar(select(event.EhrMeasureEventNum).where(*same).limit(1)) is None:
        values = {"PatNum": patient, "EventType": kind, "DateTEvent": now, "MoreInfo": more}
        writes.insert(connection, schema, ehrmeasureevent, values)


def _acts() -> Select[Any]:
    log = securitylog.c
    told = (log.LogDateTime.label("at"), log.PatNum.label("who"), log.LogText.label("text"))
    return select(*told, log.SecurityLogNum.label("number")).where(
        log.FKey == bindparam("person"),
        log.PermType == int(Permission.PATIENT_PORTAL),
        log.LogSource == _FROM_PORTAL,
        sa.or_(*(log.LogText.startswith(f"{PORTAL_CHANGED}{text}", autoescape=True) for text, _ in DEEDS)),
    )


def _elsewhere() -> Select[Any]:
    event = ehrmeasureevent.c
    told = (event.DateTEvent, literal(0).label("who"), literal("").label("text"))
    return select(*told, event.EhrMeasureEventNum).where(
        event.PatNum == bindparam("person"),
        event.EventType == _REQUESTED,
        sa.not_(event.MoreInfo.startswith(PORTAL_CHANGED, autoescape=True)),
    )


def _paged(traces: Any) -> Any:
    # What was done within one second has an order, too: a page never shows again what the page before it had.
    columns = traces.selected_columns
    ordered = traces.order_by(columns.at.desc(), columns.number.desc())
    return ordered.limit(bindparam("most")).offset(bindparam("skip"))


# One indexed look-up per table. Built once.
_ALL = _paged(union_all(_acts(), _elsewhere()))
_OF_OTHERS = _paged(_acts().where(securitylog.c.PatNum != bindparam("person")))


def _trace(row: Any) -> Trace:
    said = (row.text or "").removeprefix(PORTAL_CHANGED)
    kind: Done = next((told for begins, told in DEEDS if said.startswith(begins)), "copied")
    _, _, rest = said.partition(" (")
    return Trace(row.at, row.who, kind, rest.partition(")")[0])

"""The traces that the portal leaves in Open Dental: its audit trail (securitylog) and eService activity (eservicelog).

Texts are ours; they say what was done, never what was read. The audit window shows them with the patient's name.
"""

import ipaddress
import platform
from typing import TYPE_CHECKING

import structlog

from econnector.opendental import audit
from econnector.opendental.audit import Action, Permission
from econnector.opendental.schema import Schema

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["acted", "acted_once", "downloaded_statement", "looked", "mend", "signed_in"]

log = structlog.get_logger(__name__)


def signed_in(connection: "Connection", schema: Schema, patient: int, address: str, session: str) -> None:
    """Note a sign-in of `patient` (a PatNum) from `address`."""
    text = f"Patient portal: signed in{_from(address)}."
    audit.record(connection, schema, Permission.PATIENT_PORTAL_LOGIN, text, patient=patient, computer=platform.node())
    audit.note_activity(connection, schema, Action.SIGNED_IN, patient=patient, session=session)


def acted(connection: "Connection", schema: Schema, patient: int, about: int, text: str) -> None:
    """Note that `patient` did something with the records of `about` (both PatNums)."""
    audit.record(
        connection, schema, Permission.PATIENT_PORTAL, text, patient=patient, about=about, computer=platform.node()
    )


def looked(connection: "Connection", schema: Schema, patient: int, about: int, text: str) -> int:
    """Note that `patient` looked at the record of `about` (both PatNums); return the row's key, which is to be sealed.

    The row is there before anything is shown; its hash follows when it is (`Desk.show`), so that no page waits for it.
    """
    return audit.enter(
        connection, schema, Permission.PATIENT_PORTAL, text, patient=patient, about=about, computer=platform.node()
    )


def acted_once(connection: "Connection", schema: Schema, patient: int, about: int, text: str) -> None:
    """Note what can have been done once only, unless that is noted: `text` names it and nothing else."""
    if not audit.recorded(connection, Permission.PATIENT_PORTAL, text, patient=patient):
        acted(connection, schema, patient, about, text)


def downloaded_statement(connection: "Connection", schema: Schema, patient: int, session: str) -> None:
    """Note the download of a statement by `patient`."""
    audit.note_activity(connection, schema, Action.STATEMENT_DOWNLOADED, patient=patient, session=session)


def mend(connection: "Connection", schema: Schema) -> None:
    """Finish what a connector that was killed in the middle of writing left behind."""
    mended = audit.mend(connection, schema, platform.node())
    if mended:
        log.info("audit rows finished", rows=mended)


def _from(address: str) -> str:
    try:
        return f" from {ipaddress.ip_address(address.strip())}"
    except ValueError:
        return ""

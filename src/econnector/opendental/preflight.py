"""What the doctor asks of a practice as a whole: counted, never named."""

import msgspec
from sqlalchemy import Connection, func, select

from econnector.opendental import emailaddresses
from econnector.opendental.emailaddresses import MailAddress
from econnector.opendental.family import SHOWN_STATUSES, merged_away
from econnector.opendental.filed import FiledDocument, filed, located
from econnector.opendental.passwords import Form, form_of
from econnector.opendental.schema import Schema
from econnector.opendental.tables import clinic, computerpref, document, patient, userweb

__all__ = ["MailUse", "PortalPeople", "mail_uses", "newest_files", "other_folders", "portal_people"]

_PATIENT_PORTAL = 1
_MOST_CLINICS = 200


class PortalPeople(msgspec.Struct, frozen=True):
    """How many have a sign-in to the portal, and how many of them something is in the way of."""

    access: int = 0
    """Rows of `userweb` with a password."""
    no_mail: int = 0
    """Patients without an e-mail address: no invite, no notice, no code to set a new password."""
    old_password: int = 0
    """A password from before 13.1, or one that cannot be read: they cannot sign in."""
    gone: int = 0
    """Archived, deleted, deceased or prospective patients, and charts that were merged: they cannot sign in."""


class MailUse(msgspec.Struct, frozen=True):
    """One mail account and what it is used for."""

    account: MailAddress
    uses: tuple[str, ...]


def portal_people(connection: Connection) -> PortalPeople:
    """Return the counts."""
    wanted = (userweb.c.FKey, userweb.c.Password, patient.c.Email, patient.c.PatStatus)
    joined = select(*wanted).join_from(userweb, patient, patient.c.PatNum == userweb.c.FKey, isouter=True)
    rows = connection.execute(joined.where(userweb.c.FKeyType == _PATIENT_PORTAL)).all()
    rows = [row for row in rows if form_of(row.Password, ecw=True) is not Form.NO_ACCESS]
    merged = merged_away(connection, {row.FKey for row in rows})
    here = [row for row in rows if row.PatStatus in SHOWN_STATUSES and row.FKey not in merged]
    return PortalPeople(
        access=len(rows),
        no_mail=sum(not (row.Email or "").strip() for row in here),
        old_password=sum(form_of(row.Password, ecw=True) is Form.UNKNOWN for row in here),
        gone=len(rows) - len(here),
    )


def newest_files(connection: Connection, most: int) -> list[FiledDocument]:
    """Return the newest documents that should be files in the images folder."""
    named = (document.c.FileName != "") & (patient.c.ImageFolder != "")
    rows = connection.execute(
        located(named).order_by(document.c.DateCreated.desc(), document.c.DocNum.desc()).limit(most)
    )
    return [one for one in (filed(row, "") for row in rows) if not one.elsewhere]


def other_folders(connection: Connection, machine: str) -> dict[str, int]:
    """Return the images folders that other computers have as their own, and how many have each."""
    asked = select(computerpref.c.AtoZpath, func.count()).where(
        computerpref.c.AtoZpath != "", func.upper(computerpref.c.ComputerName) != machine.upper()
    )
    return {
        str(path).strip(): int(count) for path, count in connection.execute(asked.group_by(computerpref.c.AtoZpath))
    }


def mail_uses(connection: Connection, schema: Schema) -> list[MailUse]:
    """Return every account that mail of the connector leaves through: the practice's, its clinics', the notices'."""
    uses: dict[int, tuple[MailAddress, list[str]]] = {}

    def use(account: MailAddress | None, what: str) -> None:
        if account is not None:
            uses.setdefault(account.number, (account, []))[1].append(what)

    use(emailaddresses.for_clinic(connection, schema), "the practice")
    use(emailaddresses.for_notices(connection, schema), "notices of web mail")
    for row in connection.execute(select(clinic.c.ClinicNum, clinic.c.Abbr).limit(_MOST_CLINICS)):
        use(emailaddresses.for_clinic(connection, schema, row.ClinicNum), f"clinic {row.Abbr or row.ClinicNum}")
    return [MailUse(account, tuple(words)) for account, words in uses.values()]

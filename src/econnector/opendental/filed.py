"""Documents as the office files them: in image categories whose letters say who sees them, each with its file.

An image category is a `definition` of category 18; its `ItemValue` holds letters, among them S for statements and L
for what patients see in the portal. A document in a slot of a mount is not one of its own. Lists never read the
columns that hold whole files.
"""

import datetime as dt
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, LargeBinary, Select, bindparam, cast, func, literal, select

from econnector.opendental.tables import definition, document, patient

__all__ = ["LAST_KEY", "FiledDocument", "categories", "filed", "folder_of", "located"]

LAST_KEY = 2**63 - 1
"""The largest key that a column takes."""

_IMAGE_CATEGORIES = 18
_DELETED = 4
"""patient.PatStatus."""
_FOLDER = select(patient.c.ImageFolder).where(patient.c.PatNum == bindparam("number"), patient.c.PatStatus != _DELETED)


class FiledDocument(msgspec.Struct, frozen=True):
    """Where one document's file is."""

    number: int
    """DocNum."""
    patient: int
    created: dt.datetime | None
    title: str
    folder: str
    """patient.ImageFolder."""
    file_name: str
    """document.FileName."""
    elsewhere: str
    """Where the file is kept if not in the images folder (document.ExternalSource), else empty."""


def categories(letter: bytes) -> Select[tuple[int]]:
    """Return the image categories (DefNum) in use whose letters hold this capital."""
    # Compared as bytes: the database's comparison of texts would take a small letter for the capital.
    letters = cast(definition.c.ItemValue, LargeBinary)
    return select(definition.c.DefNum).where(
        definition.c.Category == _IMAGE_CATEGORIES,
        definition.c.IsHidden == 0,
        func.instr(letters, literal(letter, LargeBinary)) > 0,
    )


def located(which: ColumnElement[bool]) -> Select[Any]:
    """Return the question where the files of the documents that match are; `filed` reads its rows."""
    columns = "DocNum", "PatNum", "DateCreated", "Description", "FileName", "ExternalSource"
    return (
        select(*(document.c[name] for name in columns), patient.c.ImageFolder)
        .join_from(document, patient, patient.c.PatNum == document.c.PatNum)
        .where(which)
    )


def filed(row: Any, title: str) -> FiledDocument:
    """Return a row of `located`, under this title."""
    return FiledDocument(
        number=row.DocNum,
        patient=row.PatNum,
        created=row.DateCreated,
        title=title,
        folder=row.ImageFolder or "",
        file_name=row.FileName or "",
        elsewhere="" if row.ExternalSource in (None, "", "None") else row.ExternalSource,
    )


def folder_of(connection: Connection, number: int) -> str | None:
    """Return the images folder of a patient (a PatNum), empty for none yet; None for no chart or a deleted one."""
    if not 0 < number <= LAST_KEY:
        return None
    row = connection.execute(_FOLDER, {"number": number}).one_or_none()
    return None if row is None else row.ImageFolder or ""

"""Images and documents that the office shows in the portal.

They are filed in an image category with the letter L (`Documents.GetPatientPortalDocsForPat`). A category that also
has S holds statements: those are listed with the money (`statements`) and not a second time here. Only PDFs and
pictures are listed, by the ending of the file's name; what a file is, is read from its bytes when it is opened.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, func, or_, select

from econnector.opendental.filed import LAST_KEY, FiledDocument, categories, filed, located
from econnector.opendental.tables import definition, document

__all__ = ["ImageDocument", "Kind", "find", "listed"]

Kind = Literal["document", "picture", "xray"]

_PORTAL, _STATEMENTS = b"L", b"S"
_RADIOGRAPH, _PHOTO = 1, 2
_PICTURES = ("jpg", "jpeg", "jpe", "jfif", "png", "gif", "bmp", "tif", "tiff", "webp")
_ENDINGS = ("pdf", *_PICTURES)


class ImageDocument(msgspec.Struct, frozen=True):
    """One document as a list shows it."""

    number: int
    """DocNum."""
    patient: int
    created: dt.datetime | None
    title: str
    """What staff wrote; may be empty."""
    category: str
    """The category's name, in the practice's words."""
    kind: Kind
    file_name: str = ""
    """document.FileName."""


def _shown() -> ColumnElement[bool]:
    category, name = document.c.DocCategory, func.lower(document.c.FileName)
    # A name without an ending may be a picture that another program left; opening it will tell.
    viewable = or_(~name.contains(".", autoescape=True), *(name.endswith(f".{ending}") for ending in _ENDINGS))
    return (
        category.in_(categories(_PORTAL))
        & category.not_in(categories(_STATEMENTS))
        & (document.c.MountItemNum == 0)
        & viewable
    )


# Built once: building a statement takes longer than running it.
_LISTED = (
    select(
        document.c.DocNum,
        document.c.PatNum,
        document.c.DateCreated,
        document.c.Description,
        document.c.FileName,
        document.c.ImgType,
        definition.c.ItemName,
    )
    .join_from(document, definition, definition.c.DefNum == document.c.DocCategory)
    .where(document.c.PatNum.in_(bindparam("people", expanding=True)), _shown())
    .order_by(document.c.DateCreated.desc(), document.c.DocNum.desc())
    .limit(bindparam("most"))
    .offset(bindparam("skip"))
)
_ONE = located((document.c.DocNum == bindparam("number")) & _shown())


def listed(connection: Connection, people: Sequence[int], most: int, skip: int = 0) -> list[ImageDocument]:
    """Return the documents of `people` (PatNums), newest first, at most `most` after the first `skip`."""
    rows = connection.execute(_LISTED, {"people": list(people), "most": most, "skip": skip})
    return [
        ImageDocument(
            number=row.DocNum,
            patient=row.PatNum,
            created=row.DateCreated,
            title=(row.Description or "").strip(),
            category=(row.ItemName or "").strip(),
            kind=_kind(row.ImgType, row.FileName or ""),
            file_name=row.FileName or "",
        )
        for row in rows
    ]


def find(connection: Connection, number: int) -> FiledDocument | None:
    """Return the document with this DocNum, or None where there is none or the office does not show it.

    Who may open it is not decided here.
    """
    if not 0 < number <= LAST_KEY:
        return None
    row = connection.execute(_ONE, {"number": number}).one_or_none()
    return None if row is None else filed(row, (row.Description or "").strip())


def _kind(stored: int, file_name: str) -> Kind:
    if stored == _RADIOGRAPH:
        return "xray"
    return "picture" if stored == _PHOTO or file_name.lower().endswith(_PICTURES) else "document"

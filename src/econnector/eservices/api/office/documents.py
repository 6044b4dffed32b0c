"""A patient's documents: the list, and one file.

Programs see what the office shows to patients (`opendental.images`): PDFs and pictures in an image category with the
letter L that is in use. So the office decides by filing what may leave it, and nothing else does.
"""

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from econnector.base.errors import RecordMissing
from econnector.eservices.api import calls
from econnector.eservices.api.office.desk import Desk
from econnector.eservices.api.office.keys import Partner
from econnector.eservices.api.office.paging import Page, page_of, text_of
from econnector.opendental import filed, images
from econnector.opendental.filed import FiledDocument
from econnector.opendental.images import ImageDocument
from econnector.opendental.imagestore import ImagePlaces
from econnector.wire.call import Answers, Asked, Streamed

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["answer"]


def answer(desk: Desk, answers: Answers) -> None:
    """Answer `DOCUMENTS` and `DOCUMENT`. Both raise `ApiKeyRefused`, `ApiRightMissing`, `RecordMissing`.

    `DOCUMENT` raises `FileMissing`, too.
    """

    @answers.to(calls.DOCUMENTS)
    async def _(_asked: Asked, params: calls.DocumentsAsked) -> calls.Documents:
        partner = await desk.admit(params.key, "documents")
        return await _list(desk, partner, params)

    @answers.streaming(calls.DOCUMENT)
    async def _(_asked: Asked, params: calls.DocumentAsked) -> Streamed[calls.DocumentHead]:
        partner = await desk.admit(params.key, "documents")
        return await _open(desk, partner, params.document)


async def _list(desk: Desk, partner: Partner, params: calls.DocumentsAsked) -> calls.Documents:
    page = page_of(params)
    rows, more, folder, places = await desk.database.run(_listed, desk, partner, params.patient, page)
    sizes = await desk.images.sizes(places, folder, [row.file_name for row in rows])
    items = [_document(row, size) for row, size in zip(rows, sizes, strict=True)]
    return calls.Documents(offset=page.offset, limit=page.limit, more=more, documents=items)


def _listed(
    connection: "Connection", desk: Desk, partner: Partner, patient: int, page: Page
) -> tuple[list[ImageDocument], bool, str, ImagePlaces]:
    folder = filed.folder_of(connection, patient)
    if folder is None:
        raise RecordMissing
    rows, more = page.cut(images.listed(connection, [patient], *page.span))
    desk.note(connection, partner, f"read the list of documents: {len(rows)} from {page.offset} on.", patient)
    return rows, more, folder, desk.images.places(connection)


def _document(row: ImageDocument, size: int | None) -> calls.Document:
    return calls.Document(
        DocNum=row.number,
        PatNum=row.patient,
        DateCreated=text_of(row.created),
        Description=row.title,
        docCategory=row.category,
        extension=PurePosixPath(row.file_name).suffix.lower(),
        fileSize=size,
    )


async def _open(desk: Desk, partner: Partner, document: int) -> Streamed[calls.DocumentHead]:
    file, places = await desk.database.run(_find, desk, document)
    opened = await desk.images.open(desk.database, places, file, anywhere=True)
    try:
        await desk.database.run(_note_opened, desk, partner, file)
    except BaseException:
        await opened.chunks.aclose()
        raise
    head = calls.DocumentHead(f"{file.number}.{opened.extension}", opened.media_type, opened.size)
    return Streamed(head, opened.chunks)


def _find(connection: "Connection", desk: Desk, document: int) -> tuple[FiledDocument, ImagePlaces]:
    file = images.find(connection, document)
    if file is None or filed.folder_of(connection, file.patient) is None:
        raise RecordMissing
    return file, desk.images.places(connection)


def _note_opened(connection: "Connection", desk: Desk, partner: Partner, file: FiledDocument) -> None:
    desk.note(connection, partner, f"opened document {file.number}.", file.patient)

"""Images and documents that the office shows: the list, and one file."""

from typing import TYPE_CHECKING

from econnector.eservices.portal import calls
from econnector.eservices.portal.office import journal
from econnector.eservices.portal.office.around import begin, note_view, text_of
from econnector.eservices.portal.office.desk import Desk
from econnector.eservices.portal.office.opening import Drawer, open_filed
from econnector.eservices.portal.office.paging import cut, page_of
from econnector.opendental import images
from econnector.opendental.filed import FiledDocument
from econnector.storage.state.sessions import PortalSession
from econnector.wire.call import Answers, Asked, Streamed

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["answer"]


def answer(desk: Desk, answers: Answers) -> None:
    """Answer `DOCUMENTS` and `DOCUMENT_FILE`. Both raise `NotAllowed`, `PageOff`, `SessionEnded`, `ChangeRequired`."""

    @answers.to(calls.DOCUMENTS)
    async def _(_asked: Asked, params: calls.PageAsked) -> calls.Documents:
        session = await desk.session(params.token)
        return await desk.show(_documents, session, params)

    @answers.streaming(calls.DOCUMENT_FILE)
    async def _(_asked: Asked, params: calls.DocumentFile) -> Streamed[calls.FileHead]:
        return await open_filed(desk, _DRAWER, params.token, params.document)


def _documents(
    connection: "Connection", desk: Desk, session: PortalSession, params: calls.PageAsked
) -> calls.Documents:
    begun = begin(connection, desk, session, params, topic="documents")
    page = page_of(params)
    rows, more = cut(images.listed(connection, [begun.looking_at.number], *page.span))
    note_view(connection, begun.visitor, begun.looking_at, "list of documents")
    items = [
        calls.Document(row.number, text_of(row.created), title=row.title, category=row.category, kind=row.kind)
        for row in rows
    ]
    return calls.Documents(**begun.frame, items=items, page=page.number, more=more)


def _name(file: FiledDocument) -> str:
    day = f"{file.created:%Y-%m-%d}" if file.created else ""
    return " ".join(part for part in (day, file.title or "Document") if part)


def _note_opened(connection: "Connection", desk: Desk, session: PortalSession, file: FiledDocument) -> None:
    schema = desk.schema_of(connection)
    journal.acted(connection, schema, session.patient, file.patient, "Patient portal: opened a document.")


_DRAWER = Drawer("documents", images.find, _name, _note_opened)

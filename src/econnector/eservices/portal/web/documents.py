"""Images and documents: the list, and one file."""

from starlette.responses import Response

from econnector.eservices.portal.calls import DOCUMENT_FILE, DOCUMENTS, DocumentFile, PageAsked
from econnector.eservices.portal.web.frame import frame
from econnector.eservices.portal.web.visiting import PortalVisit
from econnector.web.download import FileAnswer, FileFacts

__all__ = ["PAGES"]


async def _list(visit: PortalVisit) -> Response:
    """List what the office shows, newest first."""
    shown = await visit.ask(DOCUMENTS, PageAsked(visit.signed_in(), visit.person, visit.page_number))
    return visit.page("portal/documents.html", frame=frame(visit, "/documents", shown), shown=shown)


async def _open(visit: PortalVisit) -> Response:
    """Show a document in the browser."""
    return await _file(visit, inline=True)


async def _download(visit: PortalVisit) -> Response:
    """Save a document."""
    return await _file(visit, inline=False)


async def _file(visit: PortalVisit, *, inline: bool) -> Response:
    document = visit.number(visit.request.path_params["document"])
    source = await visit.download(DOCUMENT_FILE, DocumentFile(visit.signed_in(), document))
    head = source.result
    return await FileAnswer.begin(FileFacts(head.name, head.media_type, head.size), source, inline=inline)


PAGES = (
    ("/documents", _list, "GET"),
    ("/documents/{document}", _open, "GET"),
    ("/documents/{document}/download", _download, "GET"),
)

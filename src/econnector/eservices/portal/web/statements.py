"""Statements: the list, one statement's file, and all of them in one."""

from starlette.responses import Response

from econnector.eservices.portal.calls import STATEMENT_ARCHIVE, STATEMENT_FILE, STATEMENTS, PersonAsked, StatementFile
from econnector.eservices.portal.web.frame import frame
from econnector.eservices.portal.web.visiting import PortalVisit
from econnector.web.download import FileAnswer, FileFacts

__all__ = ["PAGES"]


async def _list(visit: PortalVisit) -> Response:
    """List the statements, with the balance of now and of the last one."""
    shown = await visit.ask(STATEMENTS, PersonAsked(visit.signed_in(), visit.person))
    around = frame(visit, "/statements", shown)
    several = len({statement.person for statement in shown.items}) > 1
    return visit.page("portal/statements.html", frame=around, shown=shown, several=several)


async def _open(visit: PortalVisit) -> Response:
    """Show a statement's PDF in the browser."""
    return await _file(visit, inline=True)


async def _download(visit: PortalVisit) -> Response:
    """Save a statement's PDF."""
    return await _file(visit, inline=False)


async def _archive(visit: PortalVisit) -> Response:
    """Save all statements of the list in one zip."""
    source = await visit.download(STATEMENT_ARCHIVE, PersonAsked(visit.signed_in(), visit.person))
    head = source.result
    return await FileAnswer.begin(FileFacts(head.name, head.media_type, head.size), source, inline=False)


async def _file(visit: PortalVisit, *, inline: bool) -> Response:
    document = visit.number(visit.request.path_params["document"])
    source = await visit.download(STATEMENT_FILE, StatementFile(visit.signed_in(), document))
    head = source.result
    return await FileAnswer.begin(FileFacts(head.name, head.media_type, head.size), source, inline=inline)


PAGES = (
    ("/statements", _list, "GET"),
    ("/statements/all", _archive, "GET"),
    ("/statements/{document}", _open, "GET"),
    ("/statements/{document}/download", _download, "GET"),
)

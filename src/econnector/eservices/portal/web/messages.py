"""Web mail: the mailbox, one message with its talk, and the files that came with it. Writing is in `composing.py`."""

from starlette.responses import Response

from econnector.eservices.portal.calls import MESSAGE, MESSAGE_FILE, MESSAGES, MessageAsked, MessageFile, MessagesAsked
from econnector.eservices.portal.web import composing
from econnector.eservices.portal.web.frame import frame
from econnector.eservices.portal.web.visiting import PortalVisit
from econnector.web.download import FileAnswer, FileFacts

__all__ = ["PAGES"]

_MOST_PAGES = 10_000


async def _box(visit: PortalVisit) -> Response:
    """List the messages from the office, or those that were sent there."""
    query = visit.request.query_params
    page = min(max(visit.number(query.get("page", "1")), 1), _MOST_PAGES)
    box = "sent" if query.get("box") == "sent" else "inbox"
    shown = await visit.ask(MESSAGES, MessagesAsked(visit.signed_in(), visit.person, box=box, page=page))
    around = frame(visit, "/messages", shown)
    return visit.page("portal/messages.html", frame=around, shown=shown)


async def _message(visit: PortalVisit) -> Response:
    """Show a message and what went before and after it; opening it is reading it."""
    number = visit.number(visit.request.path_params["message"])
    shown = await visit.ask(MESSAGE, MessageAsked(visit.signed_in(), visit.person, message=number))
    around = frame(visit, f"/messages/{number}", shown)
    sent = visit.request.query_params.get("notice") == "sent"
    return visit.page("portal/message.html", frame=around, shown=shown, sent=sent)


async def _open(visit: PortalVisit) -> Response:
    """Show a file in the browser, if it is a picture or a PDF; save any other."""
    return await _file(visit, inline=True)


async def _download(visit: PortalVisit) -> Response:
    """Save a file."""
    return await _file(visit, inline=False)


async def _file(visit: PortalVisit, *, inline: bool) -> Response:
    path = visit.request.path_params
    params = MessageFile(visit.signed_in(), visit.number(path["message"]), visit.number(path["file"]))
    source = await visit.download(MESSAGE_FILE, params)
    head = source.result
    return await FileAnswer.begin(FileFacts(head.name, head.media_type, head.size), source, inline=inline)


PAGES = (
    ("/messages", _box, "GET"),
    *composing.PAGES,
    ("/messages/{message}", _message, "GET"),
    ("/messages/{message}/files/{file}", _open, "GET"),
    ("/messages/{message}/files/{file}/download", _download, "GET"),
)

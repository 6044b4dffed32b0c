"""One filed document, opened: whose it may be, its file, and the trace of it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from econnector.base.errors import NotAllowed
from econnector.eservices.portal import calls
from econnector.eservices.portal.office.admission import admit
from econnector.eservices.portal.office.around import text_of
from econnector.eservices.portal.office.desk import Desk
from econnector.opendental.filed import FiledDocument
from econnector.opendental.imagestore import ImagePlaces
from econnector.storage.state.portalrules import Topic
from econnector.storage.state.sessions import PortalSession
from econnector.wire.call import Streamed

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Drawer", "open_filed"]


class Drawer(msgspec.Struct, frozen=True):
    """A kind of documents that are opened one by one."""

    topic: Topic
    find: Callable[["Connection", int], FiledDocument | None]
    """Finds one by DocNum, whosever it is; None for what is of another kind."""
    name: Callable[[FiledDocument], str]
    """What its file is called, without the ending."""
    note: Callable[["Connection", Desk, PortalSession, FiledDocument], None]
    """Writes the trace, once it is open."""


async def open_filed(desk: Desk, drawer: Drawer, token: str, document: int) -> Streamed[calls.FileHead]:
    """Open the file of a document.

    Raises `NotAllowed` for a document that is not there, is of another kind or is a stranger's, all alike;
    `FileMissing`, `PageOff`, `SessionEnded`, `ChangeRequired`.
    """
    session = await desk.session(token)
    file, places = await desk.database.run(_find, desk, session, drawer, document)
    opened = await desk.images.open(desk.database, places, file, anywhere=True)
    try:
        await desk.database.run(drawer.note, desk, session, file)
    except BaseException:
        await opened.chunks.aclose()
        raise
    head = calls.FileHead(
        name=f"{drawer.name(file)}.{opened.extension}",
        media_type=opened.media_type,
        size=opened.size,
        modified=text_of(file.created),
    )
    return Streamed(head, opened.chunks)


def _find(
    connection: "Connection", desk: Desk, session: PortalSession, drawer: Drawer, document: int
) -> tuple[FiledDocument, ImagePlaces]:
    visitor = admit(connection, desk.schema_of(connection), session, topic=drawer.topic)
    file = drawer.find(connection, document)
    if file is None or not visitor.may_see(file.patient):
        raise NotAllowed
    return file, desk.images.places(connection)

"""All statements of a list in one zip, written while it is sent."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import msgspec

from econnector.base.errors import FileMissing, NotAllowed
from econnector.documents.archive import MOST_BYTES, Entry, size_of, stream, unique_names
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import journal
from econnector.eservices.portal.office.around import begin, text_of, whose
from econnector.eservices.portal.office.desk import Desk
from econnector.eservices.portal.office.telling import tell_office
from econnector.opendental import statements
from econnector.opendental.family import Relative
from econnector.opendental.filed import FiledDocument
from econnector.opendental.imagestore import ImagePlaces
from econnector.storage.files import account
from econnector.storage.state.sessions import PortalSession
from econnector.wire.call import Answers, Asked, Streamed

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy import Connection

__all__ = ["answer"]

_NOTE = "Not included - No incluidos"
_LEFT_OUT = (
    "These statements are not in this file. Ask the office for them.\r\n"
    "Estos estados de cuenta no están en este archivo. Pídalos en el consultorio.\r\n\r\n"
)


class _Found(msgspec.Struct, frozen=True):
    """What goes in, and where it comes from."""

    files: list[FiledDocument]
    places: ImagePlaces
    names: dict[int, str]
    """Of the people, by PatNum."""
    looking_at: Relative


class _Measured(msgspec.Struct, frozen=True):
    """A file that can be opened."""

    file: FiledDocument
    extension: str
    size: int


def answer(desk: Desk, answers: Answers) -> None:
    """Answer `STATEMENT_ARCHIVE`. Raises `NotAllowed` where there is none, and `FileMissing` where none opens."""

    @answers.streaming(calls.STATEMENT_ARCHIVE)
    async def _(asked: Asked, params: calls.PersonAsked) -> Streamed[calls.FileHead]:
        session = await desk.session(params.token)
        found = await desk.database.run(_find, desk, session, params)
        measured, gone = await _measure(desk, asked, found)
        await desk.database.run(_note, desk, session, found, len(measured))
        entries = _entries(desk, found, measured, gone)
        day = text_of(desk.clock.now().date())
        head = calls.FileHead(name=f"Statements {day}.zip", media_type="application/zip", size=size_of(entries))
        return Streamed(head, stream(entries))


def _find(connection: "Connection", desk: Desk, session: PortalSession, params: calls.PersonAsked) -> _Found:
    begun = begin(connection, desk, session, params, topic="account")
    files = statements.files(connection, whose(begun.visitor, begun.looking_at))
    if not files:
        raise NotAllowed
    names = {person.number: person.name for person in begun.visitor.people}
    return _Found(files, desk.images.places(connection), names, begun.looking_at)


async def _measure(desk: Desk, asked: Asked, found: _Found) -> tuple[list[_Measured], list[FiledDocument]]:
    """Return what can be opened, newest first as far as an archive takes it, and the rest.

    The office finds why a file cannot be opened under the reference of this download.
    """
    measured: list[_Measured] = []
    gone: list[FiledDocument] = []
    failed: FileMissing | None = None
    room = MOST_BYTES
    for file in found.files:
        try:
            opened = await desk.images.open(desk.database, found.places, file, anywhere=True)
        except FileMissing as failure:
            failed = failure
            await tell_office(desk, asked, failure)
            gone.append(file)
            continue
        await opened.chunks.aclose()
        room -= opened.size
        if room < 0:
            gone.append(file)
            continue
        measured.append(_Measured(file, opened.extension, opened.size))
    if failed and not measured:
        raise failed
    return measured, gone


def _entries(desk: Desk, found: _Found, measured: list[_Measured], gone: list[FiledDocument]) -> list[Entry]:
    wanted = [(_stem(one.file, found.names), one.extension) for one in measured]
    names = unique_names([*wanted, (_NOTE, "txt")])
    entries = [
        Entry(name, one.file.created, one.size, _Opening(desk, found.places, one).chunks)
        for name, one in zip(names, measured, strict=False)
    ]
    if gone:
        lines = "".join(f"{_stem(file, found.names)}\r\n" for file in gone)
        entries.append(_text(names[-1], _LEFT_OUT + lines, desk.clock.now().replace(tzinfo=None)))
    return entries


def _text(name: str, text: str, when: "dt.datetime") -> Entry:
    content = b"\xef\xbb\xbf" + text.encode()  # with the mark that old Windows programs need to see it as UTF-8

    async def chunks() -> AsyncIterator[bytes]:
        yield content

    return Entry(name, when, len(content), chunks)


def _stem(file: FiledDocument, names: dict[int, str]) -> str:
    day = f"{file.created:%Y-%m-%d}" if file.created else ""
    return " ".join(part for part in (day, file.title, names.get(file.patient, "")) if part)


class _Opening:
    """Opens a measured file when its turn comes: an archive never holds more than one open."""

    def __init__(self, desk: Desk, places: ImagePlaces, one: _Measured) -> None:
        self._desk, self._places, self._one = desk, places, one

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the bytes. Raises `FileMissing` if it is not what was measured: then the download breaks off."""
        opened = await self._desk.images.open(self._desk.database, self._places, self._one.file, anywhere=True)
        try:
            if opened.size != self._one.size:
                reason = "Its size changed while it was being downloaded."
                raise FileMissing(path=f"document {self._one.file.number}", account=account(), reason=reason)
            async for chunk in opened.chunks:
                yield chunk
        finally:
            await opened.chunks.aclose()


def _note(connection: "Connection", desk: Desk, session: PortalSession, found: _Found, count: int) -> None:
    schema = desk.schema_of(connection)
    text = f"Patient portal: downloaded statements in one file ({count})."
    journal.acted(connection, schema, session.patient, found.looking_at.number, text)
    journal.downloaded_statement(connection, schema, session.patient, session.number)

"""The care summary: read with the rights of who asks, shown section by section, made into files.

A page shows as much of a long record as one answer may hold, and says how much that is; a section can be read page by
page, and files hold everything.
"""

import io
import platform
import zipfile
from collections.abc import Collection
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from econnector.base.errors import NotAllowed
from econnector.documents.archive import unique_names
from econnector.documents.ccd.document import build, told
from econnector.documents.ccd.page import page
from econnector.documents.ccd.pdf import pdf
from econnector.eservices.portal import calls
from econnector.eservices.portal.office.around import Begun, begin
from econnector.eservices.portal.office.desk import Desk
from econnector.eservices.portal.office.summarysections import all_sections, one_section
from econnector.opendental import summarylog
from econnector.opendental.schema import Schema
from econnector.opendental.summary import missing, read
from econnector.opendental.summary.records import Address, Name, Period, Summary
from econnector.storage.state.sessions import PortalSession
from econnector.wire.call import Answers, Asked, Streamed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncIterator

    from sqlalchemy import Connection

__all__ = ["Files", "Format", "answer", "in_chunks", "make_files", "need_complete", "note_deed"]

Format = Literal["xml", "html", "pdf"]
_FORMATS: Final[tuple[Format, ...]] = ("xml", "html", "pdf")
_MEDIA: Final = {"xml": "application/xml", "html": "text/html", "pdf": "application/pdf", "zip": "application/zip"}
_TITLES: Final = {"en": "Care summary", "es": "Resumen de atención"}
_CHUNK: Final = 32 * 1024


class Files(msgspec.Struct, frozen=True):
    """The summary as files."""

    about: int
    """PatNum of the one whose record it is."""
    made: "dt.datetime"
    contents: dict[Format, bytes]
    """In the order in which they were asked for."""
    stem: str
    """What they are called, without the ending."""

    def name(self, ending: str) -> str:
        """Return a file's name: plain on any system."""
        (name,) = unique_names([(self.stem, ending)])
        return name

    def zipped(self) -> bytes:
        """Return all of them in one zip. Packs: to be called in a thread."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for ending, content in self.contents.items():
                entry = zipfile.ZipInfo(self.name(ending), self.made.timetuple()[:6])
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                archive.writestr(entry, content)
        return packed.getvalue()


def answer(desk: Desk, answers: Answers) -> None:
    """Answer `CARE_SUMMARY` and `CARE_SUMMARY_FILE`.

    Both raise `CareSummaryNotSetUp`, `CareSummaryNotLoaded`, `NotAllowed`, `PageOff`, `SessionEnded`, `ChangeRequired`.
    """

    @answers.to(calls.CARE_SUMMARY)
    async def _(_asked: Asked, params: calls.CareSummaryAsked) -> calls.CareSummary:
        session = await desk.session(params.token)
        if params.bare:
            begun = await desk.database.run(_begin, desk, session, params)
            return calls.CareSummary(**begun.frame)
        return await _show(desk, session, params)

    @answers.streaming(calls.CARE_SUMMARY_FILE)
    async def _(_asked: Asked, params: calls.CareSummaryFile) -> Streamed[calls.FileHead]:
        session = await desk.session(params.token)
        return await _file(desk, session, params)


async def _show(desk: Desk, session: PortalSession, params: calls.CareSummaryAsked) -> calls.CareSummary:
    period = Period(params.first, params.last)
    async with desk.reading.place():
        begun, summary = await desk.database.run(_read, desk, session, params, period)
        sections, more = await desk.reading.make(_sections, summary, _language(begun, params.language), params)
    about = begun.looking_at.number
    await note_deed(desk, session, "viewed", about)
    practice = summary.practice
    return calls.CareSummary(
        **begun.frame,
        made=summary.made.replace(tzinfo=None).isoformat(timespec="seconds"),
        name=_name(summary.subject.name),
        born=summary.subject.birth_date.isoformat() if summary.subject.birth_date else "",
        provider=_name(summary.provider.name),
        place=practice.name,
        phone=practice.phone,
        address=_lines(practice.address),
        sections=sections,
        page=params.page if params.section else 0,
        more=more,
    )


def _sections(
    summary: Summary, language: str, params: calls.CareSummaryAsked
) -> tuple[list[calls.SummarySection], bool]:
    """Return what is shown, and whether another page follows. Raises `NotAllowed` for a section that there is not."""
    sections = told(summary, language)
    if not params.section:
        return all_sections(sections), False
    found = next((one for one in sections if one.key == params.section), None)
    if found is None:
        raise NotAllowed
    shown, more = one_section(found, max(params.page, 0))
    return [shown], more


async def _file(desk: Desk, session: PortalSession, params: calls.CareSummaryFile) -> Streamed[calls.FileHead]:
    """Return one of the files, or all of them in one. Raises `NotAllowed` for a kind that there is not, too."""
    wanted = _FORMATS if params.kind == "zip" else [one for one in _FORMATS if one == params.kind]
    if not wanted:
        raise NotAllowed
    period = Period(params.first, params.last)
    files = await make_files(desk, session, params.person, period, params.language, wanted)
    content = await desk.printing.make(files.zipped) if params.kind == "zip" else files.contents[wanted[0]]
    await note_deed(desk, session, "downloaded", files.about, params.kind)
    head = calls.FileHead(
        name=files.name(params.kind),
        media_type=_MEDIA[params.kind],
        size=len(content),
        modified=files.made.replace(tzinfo=None).isoformat(timespec="seconds"),
    )
    return Streamed(head, in_chunks(content))


async def in_chunks(content: bytes) -> "AsyncIterator[bytes]":
    """Yield a file that was made, piece by piece."""
    for start in range(0, len(content), _CHUNK):
        yield content[start : start + _CHUNK]


async def make_files(  # noqa: PLR0913, PLR0917 - who asks for what of whom
    desk: Desk,
    session: PortalSession,
    person: int,
    period: Period,
    language: str,
    formats: Collection[Format] = _FORMATS,
) -> Files:
    """Return the summary of `person` (a PatNum, 0 for the one who signed in) as files, for `session` to have.

    `session` comes from ``await desk.session(params.token)``; whether it may see the health of `person` is decided
    here, now. `language` is `en` or `es`, anything else means the practice's own. Of `formats` (all three, unless
    fewer are asked for) each is made beside the event loop, few at once; ``files.zipped()`` packs them and wants a
    thread, too: ``await desk.printing.make(files.zipped)``.

    The copy is noted in Open Dental's audit trail, as is due for every document that is made. What is done with it is
    not: whoever hands it out calls `note_deed` then.

    Raises `CareSummaryNotSetUp`, `CareSummaryNotLoaded`, `NotAllowed`, `PageOff`, `SessionEnded`, `ChangeRequired`.
    """
    asked = calls.PersonAsked("", person)
    async with desk.printing.place():
        begun, summary = await desk.database.run(_read, desk, session, asked, period)
        spoken = _language(begun, language)
        contents = await desk.printing.make(_contents, summary, spoken, formats)
    about = begun.looking_at.number
    await desk.database.run(_note_copy, desk, session.patient, about, ", ".join(contents))
    stem = f"{_TITLES[spoken]} {_name(summary.subject.name)} {summary.made:%Y-%m-%d}"
    return Files(about, summary.made, contents, stem)


def _contents(summary: Summary, language: str, formats: Collection[Format]) -> dict[Format, bytes]:
    said = told(summary, language)
    makers = {
        "xml": lambda: build(summary),
        "html": lambda: page(summary, said, language),
        "pdf": lambda: pdf(summary, said, language),
    }
    return {each: makers[each]() for each in formats}


async def note_deed(desk: Desk, session: PortalSession, deed: summarylog.Deed, about: int, detail: str = "") -> None:
    """Note that the holder of `session` viewed, downloaded or sent the summary of `about` (a PatNum).

    It stands in Open Dental's audit trail, in the history that the patient reads, and counts in the EHR measure
    "View, Download, Transmit"; the same once more within ten minutes is the same. `detail` is a word such as a file's
    ending; it is part of the text, so nothing that names anybody.
    """
    # One at a time: two that look for the row before either writes it would both write it.
    async with desk.noting:
        await desk.database.run(_note, desk, deed, session.patient, about, detail)


def _note(  # noqa: PLR0913, PLR0917 - who did what, with whose record
    connection: "Connection", desk: Desk, deed: summarylog.Deed, patient: int, about: int, detail: str
) -> None:
    schema, computer = desk.schema_of(connection), platform.node()
    summarylog.note(connection, schema, deed, patient=patient, about=about, detail=detail, computer=computer)


def _note_copy(connection: "Connection", desk: Desk, patient: int, about: int, kind: str) -> None:
    schema, computer = desk.schema_of(connection), platform.node()
    summarylog.copied(connection, schema, patient=patient, about=about, kind=kind, computer=computer)


def _begin(connection: "Connection", desk: Desk, session: PortalSession, asked: calls.PersonAsked) -> Begun:
    return begin(connection, desk, session, asked, topic="health")


def _read(
    connection: "Connection", desk: Desk, session: PortalSession, asked: calls.PersonAsked, period: Period
) -> tuple[Begun, Summary]:
    """Return who asks, and the summary. Raises why there is none."""
    begun = _begin(connection, desk, session, asked)
    person, schema = begun.looking_at.number, begun.visitor.schema
    need_complete(connection, schema, person)
    try:
        return begun, read.read(connection, schema, person, period)
    except LookupError:  # gone between two questions
        raise NotAllowed from None


def need_complete(connection: "Connection", schema: Schema, person: int) -> None:
    """Raise `CareSummaryNotSetUp` or `CareSummaryNotLoaded` where `person` (a PatNum) cannot have a summary."""
    if failure := missing.refusal(missing.missing(connection, schema, person)):
        raise failure


def _language(begun: Begun, wanted: str) -> str:
    """Return the language that is wanted, else the practice's own, as far as it is spoken."""
    own = begun.visitor.settings["LanguageAndRegion"][:2].lower()
    return next((one for one in (wanted, own) if one in _TITLES), "en")


def _name(name: Name) -> str:
    whole = " ".join(part for part in (name.prefix, *name.given, name.family) if part)
    return f"{whole}, {name.suffix}" if name.suffix else whole


def _lines(address: Address) -> list[str]:
    town = ", ".join(part for part in (address.city, f"{address.state} {address.zip}".strip()) if part)
    return [part for part in (*address.lines, town, address.country) if part]

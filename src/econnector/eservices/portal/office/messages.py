"""Web mail: the mailbox, a message with its talk, the files that came with it, and the form for a new one."""

import asyncio
from typing import TYPE_CHECKING

from econnector.base.errors import NotAllowed
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import journal, writing
from econnector.eservices.portal.office.admission import admit
from econnector.eservices.portal.office.around import Begun, begin, note_reading, note_view, text_of
from econnector.eservices.portal.office.desk import Desk
from econnector.opendental import mailfiles, readers, webmail
from econnector.opendental.imagestore import ImagePlaces
from econnector.opendental.webmail import Line, Mail
from econnector.storage.state import messages as drafts
from econnector.storage.state.sessions import PortalSession
from econnector.wire.call import Answers, Asked, Streamed

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["answer"]

_PAGE = 20
_LONGEST, _OTHERS, _OTHER_LONGEST = 60_000, 20, 6_000
"""Characters of the opened message; how many others of its talk, and characters of each: an answer is 1 MiB at most."""
_MOST_PAGES = 10_000
_QUOTED = 6_000
"""Characters of the message that is answered."""


def answer(desk: Desk, answers: Answers) -> None:
    """Answer the calls of `calls/messages.py`. All raise `NotAllowed`, `SessionEnded`, `ChangeRequired`, `PageOff`."""
    turn = asyncio.Lock()
    writing.answer(desk, answers, turn)

    @answers.to(calls.MESSAGES)
    async def _(_asked: Asked, params: calls.MessagesAsked) -> calls.Messages:
        session = await desk.session(params.token)
        await writing.mend(desk, turn)
        return await desk.show(_messages, session, params)

    @answers.to(calls.MESSAGE)
    async def _(_asked: Asked, params: calls.MessageAsked) -> calls.MessagePage:
        session = await desk.session(params.token)
        return await desk.show(_message, session, params)

    @answers.to(calls.MESSAGE_FORM)
    async def _(_asked: Asked, params: calls.MessageFormAsked) -> calls.MessageForm:
        session = await desk.session(params.token)
        draft = writing.draft_key(session, params.draft) if params.draft else ""
        added = await desk.state.run(drafts.added, draft) if draft else []
        return await desk.database.run(_form, desk, session, params, added)

    @answers.streaming(calls.MESSAGE_FILE)
    async def _(_asked: Asked, params: calls.MessageFile) -> Streamed[calls.FileHead]:
        return await _file(desk, params)


def _messages(
    connection: "Connection", desk: Desk, session: PortalSession, params: calls.MessagesAsked
) -> calls.Messages:
    begun = begin(connection, desk, session, params, topic="messages")
    sent = params.box == "sent"
    page = min(max(params.page, 1), _MOST_PAGES)
    about = _about_whom(begun)
    states = webmail.FROM_PATIENT if sent else webmail.FROM_OFFICE
    found = webmail.listed(connection, about, states, most=_PAGE + 1, skip=(page - 1) * _PAGE)
    note_view(connection, begun.visitor, begun.looking_at, "list of messages")
    return calls.Messages(
        **begun.frame,
        items=[_as_line(begun, line, sent=sent) for line in found[:_PAGE]],
        box="sent" if sent else "inbox",
        page=page,
        more=len(found) > _PAGE,
    )


def _message(
    connection: "Connection", desk: Desk, session: PortalSession, params: calls.MessageAsked
) -> calls.MessagePage:
    begun = begin(connection, desk, session, params, topic="messages")
    visitor, me = begun.visitor, begun.visitor.me.number
    found = webmail.conversation(connection, params.message, longest=_LONGEST, most=_OTHERS, characters=_OTHER_LONGEST)
    if not found or not visitor.may_see(found[0].about):
        raise NotAllowed
    mail, *others = found
    if mail.patient == me and mail.state == webmail.SENT:
        webmail.mark_read(connection, visitor.schema, mail.number)
        if begun.looking_at.number in (me, mail.about):
            begun.frame["unread"] -= 1  # it was counted before it was opened
    note_reading(connection, visitor, mail.about, f"Patient portal: read message {mail.number}.")
    return calls.MessagePage(
        **begun.frame,
        opened=_as_message(begun, mail, _LONGEST),
        others=[_as_message(begun, one, _OTHER_LONGEST) for one in others],
    )


def _form(
    connection: "Connection",
    desk: Desk,
    session: PortalSession,
    params: calls.MessageFormAsked,
    added: list[drafts.Added],
) -> calls.MessageForm:
    begun = begin(connection, desk, session, params, topic="messages")
    mail = webmail.find(connection, params.reply, _QUOTED) if params.reply else None
    if params.reply and (mail is None or not begun.visitor.may_see(mail.about)):
        raise NotAllowed
    about = mail.about if mail else begun.looking_at.number
    settings = begun.visitor.settings
    found = readers.listed(connection, about, settings)
    numbers = [one.number for one in found]
    chosen = mail.provider if mail and mail.provider in numbers else 0
    return calls.MessageForm(
        **begun.frame,
        recipients=[calls.Recipient(one.number, one.name, one.own) for one in found],
        files_allowed=mailfiles.kept_here(settings),
        added=[calls.AddedFile(one.file, one.name, one.size) for one in added if one.whole],
        answered=_as_message(begun, mail, _QUOTED) if mail else None,
        subject=webmail.reply_subject(mail.subject) if mail else "",
        provider=chosen or (numbers[0] if numbers and (found[0].own or len(found) == 1) else 0),
        about=about,
    )


async def _file(desk: Desk, params: calls.MessageFile) -> Streamed[calls.FileHead]:
    """Open a file. Raises `NotAllowed` alike for what is not there and what is a stranger's, `FileMissing`."""
    session = await desk.session(params.token)
    shown, stored, about, places = await desk.database.run(_find_file, desk, session, params)
    opened = await mailfiles.open_file(desk.images, places, stored, f"file {params.file} of message {params.message}")
    try:
        await desk.database.run(_note_file, desk, session, about, params.message)
    except BaseException:
        await opened.chunks.aclose()
        raise
    return Streamed(calls.FileHead(name=shown, media_type=opened.media_type, size=opened.size), opened.chunks)


def _find_file(
    connection: "Connection", desk: Desk, session: PortalSession, params: calls.MessageFile
) -> tuple[str, str, int, ImagePlaces]:
    visitor = admit(connection, desk.schema_of(connection), session, topic="messages")
    mail = webmail.find(connection, params.message, 0)
    if mail is None or not visitor.may_see(mail.about):
        raise NotAllowed
    names = webmail.attachment(connection, mail.number, params.file)
    if names is None:
        raise NotAllowed
    return *names, mail.about, desk.images.places(connection)


def _note_file(connection: "Connection", desk: Desk, session: PortalSession, about: int, message: int) -> None:
    text = f"Patient portal: opened a file of message {message}."
    journal.acted(connection, desk.schema_of(connection), session.patient, about, text)


def _about_whom(begun: Begun) -> list[int]:
    """Return about whom messages are shown: of oneself, about everybody one may see; of somebody else, that one."""
    visitor, looking_at = begun.visitor, begun.looking_at
    if looking_at.number != visitor.me.number:
        return [looking_at.number]
    return [person.number for person in visitor.people]


def _as_line(begun: Begun, line: Line, *, sent: bool) -> calls.MessageLine:
    return calls.MessageLine(
        message=line.number,
        date=text_of(line.at),
        subject=line.subject,
        provider=line.reader if sent else line.writer,
        about=line.about,
        about_name=begun.name(line.about),
        unread=_unread(begun, line),
        start=line.start,
        files=line.files,
        writer=line.writer if sent else "",
    )


def _as_message(begun: Begun, mail: Mail, longest: int) -> calls.Message:
    """Return a message as the contract has it, with at most `longest` characters of its text."""
    mine = mail.state in webmail.FROM_PATIENT
    return calls.Message(
        message=mail.number,
        date=text_of(mail.at),
        subject=mail.subject,
        text=mail.text[:longest],
        provider=mail.reader if mine else mail.writer,
        writer=mail.writer,
        mine=mine,
        about=mail.about,
        about_name=begun.name(mail.about),
        read=not _unread(begun, mail),
        files=[calls.Attached(number, name) for number, name in mail.attached],
        cut=len(mail.text) > longest,
    )


def _unread(begun: Begun, line: Line) -> bool:
    """Return whether the one it is for has not read it. What is for somebody else's login is theirs to read."""
    if line.state in webmail.FROM_PATIENT:
        return line.state == webmail.RECEIVED
    return line.state == webmail.SENT and line.patient == begun.visitor.me.number

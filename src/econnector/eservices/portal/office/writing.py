"""Web mail that a patient writes: the form, the files that are added to it, and sending it exactly once.

A draft becomes one message, however often it is sent. What will be written is planned in the state file first, with a
time that no other message of the patient has; each later step finds out whether it was done. A connector that dies on
any line leaves a plan, and whoever sends the draft again, or looks into the mailbox two minutes later, completes it.
"""

import asyncio
import datetime as dt
import hashlib
import re
import secrets
from typing import TYPE_CHECKING

import msgspec

from econnector.base.errors import AttachmentRejected, FileMissing, MessageRejected, NotAllowed, ValueRejected
from econnector.documents import incoming
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import journal
from econnector.eservices.portal.office.admission import admit
from econnector.eservices.portal.office.around import text_of
from econnector.eservices.portal.office.desk import Desk
from econnector.eservices.portal.office.telling import tell_office
from econnector.opendental import mailfiles, preferences, readers, times, webmail
from econnector.opendental.imagestore import ImagePlaces
from econnector.opendental.schema import Schema
from econnector.storage.state import messages
from econnector.storage.state.messages import Plan, Planned
from econnector.storage.state.sessions import PortalSession
from econnector.wire.call import Answers, Asked

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["answer", "draft_key", "mend"]

_DRAFT = re.compile(r"[A-Za-z0-9_-]{8,64}")
_MOST_OF_ONE, _MOST_OF_ALL = 3 * calls.FILE_BYTES, 25 * calls.FILE_BYTES
"""Bytes of files in drafts, of one patient and of all."""
_MOST_FILE = 100
"""Numbers of files in one draft; most of them taken out again."""
_MOST_PARTS = 4 * calls.FILE_BYTES // calls.PIECE_BYTES
_AN_HOUR, _MOST_AN_HOUR = 3600.0, 30
"""How many messages one login may send."""
_DEAD_AFTER = 120.0
"""Seconds after which nobody is still at work on a plan: a call takes one minute at most."""
_WHY = {
    "empty": "The file is empty.",
    "type": "Only pictures (JPEG, PNG, GIF, TIFF, BMP) and PDFs can be sent.",
    "bomb": "The file becomes far too large when it is opened.",
    "active": "The PDF holds a program or other files. Print it to a new PDF and send that one.",
    "locked": "The PDF is locked, so that nobody can see what is in it. Print it to a new PDF and send that one.",
    "size": "The files of one message may have 20 MB together.",
    "count": "A message takes five files.",
    "unfinished": "A file did not arrive whole. Add it again.",
    "waiting": "Too many files are waiting to be sent. Try again in an hour.",
    "place": "This practice cannot take files with messages.",
    "subject": "Write a subject of at most 150 characters.",
    "text": "Write a message of at most 10,000 characters.",
    "provider": "Nobody in the office reads messages to this provider. Choose another one.",
    "often": "You have sent many messages within an hour. Call the office if it is urgent.",
    "sent-before": "This message was sent already, before your last change to it. You find it under Sent.",
}


class _Order(msgspec.Struct, frozen=True):
    """A message that may be sent."""

    schema: Schema
    sending: webmail.Sending
    now: dt.datetime
    """The practice's."""
    places: ImagePlaces


def answer(desk: Desk, answers: Answers, turn: asyncio.Lock) -> None:
    """Answer `MESSAGE_PIECE`, `MESSAGE_DROP` and `MESSAGE_SEND`; whoever has the `turn` writes messages."""

    @answers.to(calls.MESSAGE_PIECE)
    async def _(_asked: Asked, params: calls.MessagePiece) -> calls.Nothing:
        return await _piece(desk, params)

    @answers.to(calls.MESSAGE_DROP)
    async def _(_asked: Asked, params: calls.MessageDrop) -> calls.Nothing:
        session = await desk.session(params.token)
        await desk.database.run(_admitted, desk, session)
        if 0 <= params.file < _MOST_FILE:
            await desk.state.run(messages.drop, draft_key(session, params.draft), params.file)
        return calls.Nothing()

    @answers.to(calls.MESSAGE_SEND)
    async def _(asked: Asked, params: calls.MessageSend) -> calls.MessageSent:
        # The same draft may come twice at once, by two keys: the second waits and finds it sent.
        async with turn:
            return await _send(desk, asked, params)


async def mend(desk: Desk, turn: asyncio.Lock) -> None:
    """Complete what a connector that died left in the middle of sending."""
    before = desk.clock.now().timestamp() - _DEAD_AFTER
    if desk.preview or not await desk.state.run(messages.unfinished, before):
        return
    async with turn:
        for plan in await desk.state.run(messages.unfinished, before):
            await _finished(desk, plan)


# -- files -------------------------------------------------------------------------------------------------------------


async def _piece(desk: Desk, params: calls.MessagePiece) -> calls.Nothing:
    """Keep a piece of a file. Raises `AttachmentRejected`; then nothing of the file is left."""
    session = await desk.session(params.token)
    draft = draft_key(session, params.draft)
    if not 0 <= params.file < _MOST_FILE:
        raise _refused("count")
    if not params.part or params.last:
        await desk.database.run(_admitted, desk, session)
    if not params.part and not await _accepts(desk):
        raise _refused("place")
    try:
        if not params.part:
            incoming.recognise(params.data)
        await desk.state.run(_take, draft, session.patient, params, desk.clock.now().timestamp())
        if params.last:
            await asyncio.to_thread(incoming.judge, await desk.state.run(messages.content, draft, params.file))
    except incoming.Refused as refused:
        await desk.state.run(messages.drop, draft, params.file)
        raise _refused(refused.rule) from None
    except AttachmentRejected:
        await desk.state.run(messages.drop, draft, params.file)
        raise
    return calls.Nothing()


def _take(state: "Connection", draft: str, patient: int, params: calls.MessagePiece, now: float) -> None:
    """Keep a piece within all bounds, or nothing of it."""
    if len(params.data) > calls.PIECE_BYTES or not 0 <= params.part < _MOST_PARTS:
        raise _refused("size")
    here = {one.file: one for one in messages.added(state, draft)}
    if params.part and params.file not in here:
        raise _refused("unfinished")
    name = params.name[:255]
    messages.put(state, draft, patient, params.file, params.part, name, params.data, now, last=params.last)
    after = messages.added(state, draft)
    if len(after) > calls.FILES_MOST:
        raise _refused("count")
    if sum(one.size for one in after) > calls.FILE_BYTES:
        raise _refused("size")
    mine, everybodys = messages.staged(state, patient)
    if mine > _MOST_OF_ONE or everybodys > _MOST_OF_ALL:
        raise _refused("waiting")


def _admitted(connection: "Connection", desk: Desk, session: PortalSession) -> None:
    admit(connection, desk.schema_of(connection), session, topic="messages")


async def _accepts(desk: Desk) -> bool:
    settings = await desk.database.run(lambda connection: preferences.read_many(connection, mailfiles.SETTINGS))
    return mailfiles.kept_here(settings)


# -- sending -----------------------------------------------------------------------------------------------------------


async def _send(desk: Desk, asked: Asked, params: calls.MessageSend) -> calls.MessageSent:
    """Send a draft once. Raises `MessageRejected`, `AttachmentRejected`, `NotAllowed`."""
    session = await desk.session(params.token)
    draft, digest = draft_key(session, params.draft), _digest_of(params)
    known = await desk.state.run(messages.known, draft)
    if known is not None and known.content != digest:
        # Of a try that broke off nobody knows yet whether it got through: it counts if its row is there.
        if known.done or await _finished(desk, known):
            raise _rejected("sent-before")
        known = None
    if known is not None and known.done:
        await desk.database.run(_admitted, desk, session)
        await desk.state.run(messages.drop, draft)
        return calls.MessageSent(known.number)
    order = await desk.database.run(_order, desk, session, params)
    plan = known or await _plan(desk, order, draft, digest, session, params.files)
    try:
        await _keep_files(desk, order, plan, params.files)
    except FileMissing as missing:
        await tell_office(desk, asked, missing)
        raise _refused("place") from None
    number = await desk.database.run(_write, order, plan)
    await desk.state.run(messages.finish, draft, number)
    return calls.MessageSent(number)


async def _finished(desk: Desk, plan: Plan) -> bool:
    """Complete a plan of which the row is written; forget any other."""
    number = await desk.database.run(_complete, desk, plan)
    if number:
        await desk.state.run(messages.finish, plan.draft, number)
    else:
        await desk.state.run(messages.forget, plan.draft)
    return bool(number)


def _order(connection: "Connection", desk: Desk, session: PortalSession, params: calls.MessageSend) -> _Order:
    """Return the message that may be sent, of who sends it as the database has them now."""
    schema = desk.schema_of(connection)
    visitor = admit(connection, schema, session, topic="messages")
    if not visitor.may_see(params.about):
        raise NotAllowed
    subject, text = _words(params)
    found = readers.listed(connection, params.about, visitor.settings)
    reader = next((one for one in found if one.number == params.provider), None)
    if reader is None:
        raise _rejected("provider")
    now = times.now(connection)
    sending = webmail.Sending(
        patient=visitor.me.number,
        about=params.about,
        provider=reader.number,
        writer=visitor.me.name,
        reader=reader.name,
        subject=subject,
        text=text,
        at=now,
    )
    return _Order(schema, sending, now, desk.images.places(connection))


def _words(params: calls.MessageSend) -> tuple[str, str]:
    """Return subject and text as they are stored: what Open Dental's columns hold, lines as Windows ends them."""
    subject = " ".join(webmail.holdable(params.subject).split())
    if not subject or len(params.subject) > calls.SUBJECT_MOST:
        raise _rejected("subject")
    text = "\r\n".join(webmail.show(webmail.holdable(params.text)).strip().split("\n"))
    if not text or len(webmail.show(params.text)) > calls.TEXT_MOST:
        raise _rejected("text")
    return subject, text


async def _plan(  # noqa: PLR0913, PLR0917 - a plan is all of these
    desk: Desk, order: _Order, draft: str, digest: str, session: PortalSession, files: list[calls.AddedFile]
) -> Plan:
    now = desk.clock.now().timestamp()
    if await desk.state.run(messages.planned_since, session.patient, now - _AN_HOUR) >= _MOST_AN_HOUR:
        raise _rejected("often")
    wanted = Plan(
        draft=draft,
        patient=session.patient,
        content=digest,
        at="",
        files=await _names(desk, order, draft, files),
        session=session.number,
    )
    moments = [text_of(order.now + dt.timedelta(seconds=later)) for later in range(_MOST_AN_HOUR + 1)]
    plan = await desk.state.run(messages.plan, wanted, moments, now)
    if plan is None:
        raise _rejected("often")
    return plan


async def _names(desk: Desk, order: _Order, draft: str, files: list[calls.AddedFile]) -> tuple[Planned, ...]:
    """Return under which names the files will be kept; all of them must be here, and whole."""
    here = {one.file: one for one in await desk.state.run(messages.added, draft)}
    if any(one.file not in here or not here[one.file].whole or here[one.file].size != one.size for one in files):
        raise _refused("unfinished")
    planned: list[Planned] = []
    for wanted in files:
        content = await desk.state.run(messages.content, draft, wanted.file)
        shown = incoming.tidy_name(here[wanted.file].name, incoming.recognise(content))
        # A moment of its own, so that no two files of any day have the same name.
        at = order.now + dt.timedelta(microseconds=secrets.randbelow(1_000_000))
        planned.append(Planned(shown, webmail.stored_name(shown, at, secrets.randbelow(10_000))))
    return tuple(planned)


async def _keep_files(desk: Desk, order: _Order, plan: Plan, files: list[calls.AddedFile]) -> None:
    """Write the files into the images folder, before anything in the database names them. Raises `FileMissing`."""
    for file, wanted in zip(plan.files, files, strict=True):
        content = await desk.state.run(messages.content, plan.draft, wanted.file)
        if len(content) != wanted.size:
            raise _refused("unfinished")
        await mailfiles.keep(desk.images, order.places, file.stored, content)


def _write(connection: "Connection", order: _Order, plan: Plan) -> int:
    """Write the message and everything that goes with it, each of them unless it is there."""
    names = tuple((one.shown, one.stored) for one in plan.files)
    sending = msgspec.structs.replace(order.sending, at=dt.datetime.fromisoformat(plan.at), files=names)
    number = webmail.send(connection, order.schema, sending)
    _after(connection, order.schema, sending, number)
    return number


def _complete(connection: "Connection", desk: Desk, plan: Plan) -> int:
    """Complete a message of which the row was written; return its number, 0 if it was not."""
    at = dt.datetime.fromisoformat(plan.at)
    number = webmail.find_sent(connection, plan.patient, at)
    if not number:
        return 0
    schema = desk.schema_of(connection)
    webmail.attach(connection, schema, number, [(one.shown, one.stored) for one in plan.files])
    mail = webmail.find(connection, number, 0)
    if mail is not None:
        sending = webmail.Sending(mail.patient, mail.about, mail.provider, "", "", "", "", at)
        _after(connection, schema, sending, number)
    return number


def _after(connection: "Connection", schema: Schema, sending: webmail.Sending, number: int) -> None:
    webmail.measure(connection, schema, sending.patient, sending.at)
    journal.acted_once(
        connection, schema, sending.patient, sending.about, f"Patient portal: sent message {number} to the office."
    )
    readers.alert(connection, schema, sending.provider)


# -- details -----------------------------------------------------------------------------------------------------------


def draft_key(session: PortalSession, draft: str) -> str:
    """Return how a draft of this person is known. Raises `ValueRejected` for what is no name of a draft."""
    if not _DRAFT.fullmatch(draft):
        raise ValueRejected(field="draft", why="Open the form again and send it once more.")
    return hashlib.sha256(f"{session.patient}\0{draft}".encode()).hexdigest()


def _digest_of(params: calls.MessageSend) -> str:
    files = [(one.name, one.size) for one in params.files]
    said = (params.provider, params.about, params.subject, params.text, files)
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def _refused(rule: str) -> AttachmentRejected:
    return AttachmentRejected(rule=rule, why=_WHY[rule])


def _rejected(rule: str) -> MessageRejected:
    return MessageRejected(rule=rule, why=_WHY[rule])

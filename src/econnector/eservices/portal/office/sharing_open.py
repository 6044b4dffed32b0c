"""Opening what was sent: who has the mail's link, and knows the code, downloads the care summary for seven days.

Whatever is wrong is answered alike and on the same beat; the real cause goes to the access log. Opening the link does
nothing: programs that open every link of a mail do no harm. A code counts as wrong before it is looked at, so that many
tries at once are no way around the five there are. Nothing was stored: the sender's right to see the record is asked
for anew, at each step, so that consent that was withdrawn, access that was removed and a chart that was merged end it.
"""

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Final, NoReturn, get_args

import structlog

from econnector.base.errors import AccessFailure, ShareRejected
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import journal, tries
from econnector.eservices.portal.office.admission import admit
from econnector.eservices.portal.office.desk import Desk
from econnector.eservices.portal.office.sharing_keys import TICKET_LASTS, Ticket, addressee, digest_of, is_code
from econnector.eservices.portal.office.sharing_send import detail_of
from econnector.eservices.portal.office.summary import Format, in_chunks, make_files
from econnector.opendental import logins, passwords
from econnector.opendental.audit import PORTAL_CHANGED
from econnector.opendental.summary.records import Period
from econnector.storage.state import consent, summary_shares, throttle
from econnector.storage.state.sessions import PortalSession
from econnector.storage.state.summary_shares import Share
from econnector.wire.call import Answers, Asked, Streamed

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["answer"]

log = structlog.get_logger(__name__)

_MEDIA: Final = {"zip": "application/zip", "pdf": "application/pdf"}
_NAMES: Final = {"en": "Health document", "es": "Documento de salud"}
"""What the download is called: the page that HQ shows to somebody who is not signed in names nobody."""


def answer(desk: Desk, answers: Answers) -> None:
    """Answer `OPEN_SHARE` and `SHARED_FILE`; both raise `ShareRejected` for whatever is wrong."""

    @answers.to(calls.OPEN_SHARE)
    async def _(asked: Asked, params: calls.OpenShare) -> calls.OpenedShare:
        return await _open(desk, asked, params)

    @answers.streaming(calls.SHARED_FILE)
    async def _(asked: Asked, params: calls.SharedFile) -> Streamed[calls.FileHead]:
        return await _file(desk, asked, params)


async def _open(desk: Desk, asked: Asked, params: calls.OpenShare) -> calls.OpenedShare:
    """Return a ticket to who has link and code."""
    async with desk.same_time():
        now = desk.clock.now()
        digest = await asyncio.to_thread(digest_of, desk.seal, params.link)
        this = await desk.state.run(throttle.begin, f"share:{digest}", "", params.address, now)
        share = await desk.state.run(summary_shares.find, digest) if this.allowed else None
        why = await _refusal(desk, share, params.code, now) if this.allowed else "slowed down"
        if why or share is None:
            await _refuse(desk, asked, params, why, slowed=not this.allowed)
        await desk.state.run(throttle.passed, this, now)
    until = min(now + TICKET_LASTS, share.until)
    ticket = await asyncio.to_thread(Ticket(share.number, until.timestamp()).written, desk.seal)
    return calls.OpenedShare(ticket, int((until - now).total_seconds()), share.language)


async def _refuse(
    desk: Desk, asked: Asked, params: calls.OpenShare | calls.SharedFile, why: str, *, slowed: bool = False
) -> NoReturn:
    log.info("share refused", reference=asked.reference, reason=why)
    await tries.share_refused(desk, params, why, asked.reference, slowed=slowed)
    raise ShareRejected(reason=why)


async def _refusal(desk: Desk, share: Share | None, code: str, now: dt.datetime) -> str:
    """Return why link and code open nothing; empty when they do."""
    # As much is done for a link that nobody has.
    counted = await desk.state.run(summary_shares.try_code, share.number if share else "")
    fits = await asyncio.to_thread(is_code, desk.seal, share.salt if share else "", code)
    if share is None:
        return "no such link"
    if not counted:
        return "too many wrong codes"
    if not fits:
        return "wrong code"
    await desk.state.run(summary_shares.right, share.number)
    return await _ended(desk, share, now)


async def _ended(desk: Desk, share: Share, now: dt.datetime) -> str:
    """Return what has ended a share; empty while it may be opened."""
    standing = share.standing(now)
    if standing != "open":
        return _ENDED[standing]
    try:
        await desk.database.run(_may_send, desk, await _sender(desk, share), share.about)
    except AccessFailure as failure:
        return f"its sender may not see this record any more ({failure.code})"
    return ""


_ENDED: Final = {
    "withdrawn": "it was withdrawn",
    "closed": "too many wrong codes",
    "old": "too old",
    "used-up": "it was downloaded too often",
}


async def _sender(desk: Desk, share: Share) -> PortalSession:
    """Return the session that the sender would have now, wherever they are. Raises `AccessFailure` if they had none."""
    now = desk.clock.now()
    privacy = await desk.state.run(consent.privacy, share.sender, now.astimezone().date())
    login = await desk.database.run(logins.by_number, share.login)
    return PortalSession(
        number=share.session,
        login=share.login,
        patient=share.sender,
        password=passwords.fingerprint(login.stored) if login else "",
        began=now,
        used=now,
        privacy=privacy,
    )


def _may_send(connection: "Connection", desk: Desk, sender: PortalSession, about: int) -> None:
    admit(connection, desk.schema_of(connection), sender, topic="health").pick(about)


async def _file(desk: Desk, asked: Asked, params: calls.SharedFile) -> Streamed[calls.FileHead]:
    """Make the files and note that they were had. Raises what keeps a summary from being made, too."""
    async with desk.same_time():
        now = desk.clock.now()
        number = await asyncio.to_thread(Ticket.read, desk.seal, params.ticket, now)
        share = await desk.state.run(summary_shares.by_number, number)
        why = await _ended(desk, share, now) if share else "no such ticket, or too old"
        if why or share is None:
            await _refuse(desk, asked, params, why)
        content = await _content(desk, share, params.kind)
    await _note(desk, share, now)
    head = calls.FileHead(f"{_NAMES[share.language]}.{params.kind}", _MEDIA[params.kind], len(content))
    return Streamed(head, in_chunks(content))


async def _content(desk: Desk, share: Share, kind: calls.SharedKind) -> bytes:
    first, last = (_day(text) for text in (share.first, share.last))
    wanted: tuple[Format, ...] = ("pdf",) if kind == "pdf" else get_args(Format)
    try:
        sender = await _sender(desk, share)
        files = await make_files(desk, sender, share.about, Period(first, last), share.language, wanted)
    except AccessFailure:  # ended between two questions
        raise ShareRejected(reason="its sender may not see this record any more") from None
    return files.contents["pdf"] if kind == "pdf" else await desk.printing.make(files.zipped)


def _day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


async def _note(desk: Desk, share: Share, now: dt.datetime) -> None:
    """Note it before the first byte leaves: in the trails, and for the sender to see."""
    to = await asyncio.to_thread(addressee, desk.seal, share)
    await desk.database.run(_trace, desk, share, detail_of(share, to))
    await desk.state.run(summary_shares.note_opened, share.number, now)


def _trace(connection: "Connection", desk: Desk, share: Share, detail: str) -> None:
    text = f"{PORTAL_CHANGED}opened the sent care summary ({detail})."
    journal.acted(connection, desk.schema_of(connection), share.sender, share.about, text)

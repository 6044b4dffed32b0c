"""Sending a care summary by mail, exactly once, and taking it back.

What will be sent is planned in the state file first; then it is noted in Open Dental's trails, then the letter is
handed in. Each step finds out whether it was done. Whoever dies in between leaves a plan: the same form sent again
completes it, and so does the next look at the page, if the trails know of it; a plan that no trail knows of is
forgotten, because its sender was told that it failed. A letter that was handed in twice is one letter.
"""

import asyncio
import datetime as dt
import platform
import secrets
from typing import TYPE_CHECKING, Final

import msgspec

from econnector.base.errors import NotAllowed, ShareNotSent
from econnector.base.ids import new_reference
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import journal
from econnector.eservices.portal.office.admission import admit, is_of_age
from econnector.eservices.portal.office.around import card, text_of
from econnector.eservices.portal.office.desk import Desk
from econnector.eservices.portal.office.sharing_keys import Addressee, addressee, digest_of, sealed, token_of
from econnector.eservices.portal.office.sharing_letter import WORDS, letter, opening_page
from econnector.eservices.portal.office.summary import need_complete
from econnector.eservices.portal.office.writing import draft_key
from econnector.mail.compose import new_message_id, usable
from econnector.opendental import audit, portalaccess, summarylog
from econnector.opendental.audit import PORTAL_CHANGED, Permission
from econnector.opendental.reachable import reachable
from econnector.storage.state import summary_shares
from econnector.storage.state.sessions import PortalSession
from econnector.storage.state.summary_shares import Share

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["detail_of", "mend", "send", "withdraw"]

_DEAD_AFTER: Final = dt.timedelta(minutes=2)
"""After so long nobody is still at work on a plan: a call takes one minute at most."""
_LONGEST_SHOWN: Final = 120
"""Characters of an address in the trails; the column of the measures holds 255 for the whole sentence."""
_PURPOSE: Final = "portal"
_WHY: Final = {
    "address": "Enter one e-mail address, such as name@example.com.",
    "note": "Write at most 80 characters.",
    "period": "The first day must not be after the last one, nor in the future.",
    "language": "Choose English or Spanish.",
    "open": "Ten links that you sent are still open. Withdraw one that is not needed, then send this one.",
    "often": "You have sent many within a day. Try again tomorrow, or download the summary and pass it on yourself.",
    "mail": "The office cannot send e-mail now. Download the summary and pass it on yourself, or ask the office.",
    "sent-before": "This was sent already, before your last change to it. You find it in the list below.",
}


class _Order(msgspec.Struct, frozen=True):
    """What may be sent, checked."""

    about: int
    to: Addressee
    params: calls.ShareSummary


class _Envelope(msgspec.Struct, frozen=True):
    """What a letter needs of the practice."""

    practice: calls.Practice
    page: str
    clinic: int


async def send(desk: Desk, params: calls.ShareSummary) -> calls.ShareSent:
    """Send a summary once. Raises `ShareNotSent`, `NotAllowed`, and what keeps a summary from being made."""
    session = await desk.session(params.token)
    draft = draft_key(session, params.draft)
    order, envelope = await desk.database.run(_order, desk, session, params)
    if desk.post is None or not envelope.page:
        raise _refused("mail")
    content = await asyncio.to_thread(_digest_of, desk, order)
    known = await desk.state.run(summary_shares.by_draft, draft)
    if known is not None and known.content != content:
        # Of a try that broke off nobody knows yet whether it got through: it counts if the trails know of it.
        if known.done or await _finished(desk, known):
            raise _refused("sent-before")
        known = None
    if known is None:
        wanted = await asyncio.to_thread(_planned, desk, session, order, draft, content)
        known = await desk.state.run(_plan, wanted)
    if not known.done:
        await _deliver(desk, known, envelope)
    return calls.ShareSent(known.number)


async def mend(desk: Desk, turn: asyncio.Lock) -> None:
    """Complete what a connector that died left in the middle of sending."""
    before = desk.clock.now() - _DEAD_AFTER
    if desk.preview or not await desk.state.run(summary_shares.unfinished, before):
        return
    async with turn:
        for share in await desk.state.run(summary_shares.unfinished, before):
            await _finished(desk, share)


async def withdraw(desk: Desk, params: calls.WithdrawShare) -> calls.Nothing:
    """End a share: its sender may, and whom it is about, if of age. Raises `NotAllowed` for any other, known or not."""
    session = await desk.session(params.token)
    share = await desk.state.run(summary_shares.by_number, params.share)
    await desk.database.run(_may_withdraw, desk, session, share)
    if share is None:
        raise NotAllowed
    if share.standing(desk.clock.now()) not in {"open", "withdrawn"}:
        return calls.Nothing()
    # It ends first: the trace is written by the next try if this one dies before it.
    await desk.state.run(summary_shares.withdraw, share.number, session.patient, desk.clock.now())
    ended = await desk.state.run(summary_shares.by_number, share.number)
    to = await asyncio.to_thread(addressee, desk.seal, share)
    text = f"{PORTAL_CHANGED}withdrew the sent care summary ({detail_of(share, to)})."
    await desk.database.run(_note_once, desk, (ended or share).withdrawn_by or session.patient, share.about, text)
    return calls.Nothing()


def detail_of(share: Share, to: Addressee) -> str:
    """Return how the trails name a share: to whom, and its number."""
    address = to.address if len(to.address) <= _LONGEST_SHOWN else f"{to.address[: _LONGEST_SHOWN - 1]}…"
    return f"to {address}, {share.number}"


# -- what is to be sent ------------------------------------------------------------------------------------------------


def _order(
    connection: "Connection", desk: Desk, session: PortalSession, params: calls.ShareSummary
) -> tuple[_Order, _Envelope]:
    """Return what may be sent by whom the database knows now."""
    schema = desk.schema_of(connection)
    about = admit(connection, schema, session, topic="health").pick(params.person)
    to = _to(params)
    today = desk.clock.now().astimezone().date()
    if params.first and params.first > min(params.last or today, today):
        raise _refused("period")
    if params.language not in WORDS:
        raise _refused("language")
    # A link that leads to nothing is sent to nobody.
    need_complete(connection, schema, about.number)
    return _Order(about.number, to, params), _envelope(connection, about.number)


def _to(params: calls.ShareSummary) -> Addressee:
    address, note = params.address.strip(), " ".join(params.note.split())
    if not usable(address) or "." not in address.rpartition("@")[2]:
        raise _refused("address")
    if len(note) > calls.NOTE_MOST or not note.isprintable():
        raise _refused("note")
    return Addressee(address, note)


def _envelope(connection: "Connection", about: int) -> _Envelope:
    page = opening_page(portalaccess.settings(connection).url)
    return _Envelope(card(connection), page, reachable(connection, about).clinic)


def _digest_of(desk: Desk, order: _Order) -> str:
    params = order.params
    said = (order.about, order.to, params.first, params.last, params.language)
    return desk.seal.digest("share-content", msgspec.json.encode(said).decode())


def _planned(desk: Desk, session: PortalSession, order: _Order, draft: str, content: str) -> Share:
    number, salt = new_reference(), secrets.token_hex(16)
    return Share(
        number=number,
        draft=draft,
        content=content,
        link=digest_of(desk.seal, token_of(desk.seal, salt)),
        salt=salt,
        login=session.login,
        sender=session.patient,
        about=order.about,
        session=session.number,
        to=sealed(desk.seal, number, order.to),
        first=text_of(order.params.first),
        last=text_of(order.params.last),
        language=order.params.language,
        mail=new_message_id("portal.econnector.local"),
        sent=desk.clock.now(),
    )


def _plan(state: "Connection", wanted: Share) -> Share:
    """Write it down, within all bounds."""
    crowd = summary_shares.crowded(state, wanted.sender, wanted.sent)
    if crowd and summary_shares.by_draft(state, wanted.draft) is None:
        raise _refused(crowd)
    return summary_shares.plan(state, wanted)


# -- sending it --------------------------------------------------------------------------------------------------------


async def _deliver(desk: Desk, share: Share, envelope: _Envelope) -> None:
    """Note it in the trails, then hand the letter in."""
    to = await asyncio.to_thread(addressee, desk.seal, share)
    async with desk.noting:
        await desk.database.run(_trace, desk, share, detail_of(share, to))
    if desk.post is not None and share.standing(desk.clock.now()) == "open":
        token = await asyncio.to_thread(token_of, desk.seal, share.salt)
        until = text_of(share.until.astimezone().date())
        made = letter(to.address, share.language, envelope.practice, envelope.page, token, until, share.mail)
        # Nobody's mail in the chart: it is the patient's to whom they write, and the link is kept nowhere.
        await desk.post.hand_in(made, purpose=_PURPOSE, clinic=envelope.clinic)
    await desk.state.run(summary_shares.finish, share.number)


async def _finished(desk: Desk, share: Share) -> bool:
    """Complete a plan that the trails know of; forget any other."""
    to = await asyncio.to_thread(addressee, desk.seal, share)
    if not await desk.database.run(_is_noted, share, detail_of(share, to)):
        await desk.state.run(summary_shares.forget, share.number)
        return False
    envelope = await desk.database.run(_envelope, share.about)
    if envelope.page:
        await _deliver(desk, share, envelope)
    return True


def _text(detail: str) -> str:
    """Return what `summarylog` writes of it."""
    return f"{PORTAL_CHANGED}sent the care summary ({detail})."


def _is_noted(connection: "Connection", share: Share, detail: str) -> bool:
    return audit.recorded(connection, Permission.PATIENT_PORTAL, _text(detail), patient=share.sender)


def _trace(connection: "Connection", desk: Desk, share: Share, detail: str) -> None:
    # Its own look for what is there goes back some minutes; a plan that is completed later is noted already.
    late = desk.clock.now() - share.sent >= summarylog.AGAIN
    if late and _is_noted(connection, share, detail):
        return
    summarylog.note(
        connection,
        desk.schema_of(connection),
        "sent",
        patient=share.sender,
        about=share.about,
        detail=detail,
        computer=platform.node(),
    )


# -- taking it back ----------------------------------------------------------------------------------------------------


def _may_withdraw(connection: "Connection", desk: Desk, session: PortalSession, share: Share | None) -> None:
    """Raise `NotAllowed` unless this is theirs to end, whatever else they may see by now."""
    visitor = admit(connection, desk.schema_of(connection), session, topic="any")
    mine = share is not None and share.sender == visitor.me.number
    of_me = share is not None and share.about == visitor.me.number and is_of_age(visitor.me, session.privacy)
    if not mine and not of_me:
        raise NotAllowed


def _note_once(connection: "Connection", desk: Desk, patient: int, about: int, text: str) -> None:
    journal.acted_once(connection, desk.schema_of(connection), patient, about, text)


def _refused(rule: str) -> ShareNotSent:
    return ShareNotSent(rule=rule, why=_WHY[rule])

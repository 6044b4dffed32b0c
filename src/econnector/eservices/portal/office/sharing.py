"""Care summaries that were sent: the list of them, and the code of one that was just sent.

- `sharing_send.py`    sending one, once, and taking it back
- `sharing_letter.py`  its letter
- `sharing_open.py`    the receiver
- `sharing_keys.py`    link, code and ticket
"""

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Final

import msgspec

from econnector.eservices.portal import calls
from econnector.eservices.portal.office import sharing_open, sharing_send
from econnector.eservices.portal.office.admission import is_of_age
from econnector.eservices.portal.office.around import Begun, begin
from econnector.eservices.portal.office.desk import Desk
from econnector.eservices.portal.office.sharing_keys import Addressee, addressee, code_of
from econnector.opendental import accesslog
from econnector.storage.state import outbox, summary_shares
from econnector.storage.state.sessions import PortalSession
from econnector.storage.state.summary_shares import GOOD_FOR, Share
from econnector.wire.call import Answers, Asked

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["answer"]

_MOST: Final = 100
"""Of the list."""
_CODE_SHOWN: Final = dt.timedelta(hours=1)
_MAIL: Final[dict[str, calls.SharedState]] = {
    outbox.WAITING: "waiting",
    outbox.SENDING: "waiting",
    outbox.FAILED: "undelivered",
    outbox.REMOVED: "undelivered",
}
"""What the letter's state in the outgoing mail says of an open share."""


class _Row(msgspec.Struct, frozen=True):
    """A share with what else is known of it."""

    share: Share
    to: Addressee
    mail: str
    """The letter's state; empty where the outgoing mail has forgotten it."""


def answer(desk: Desk, answers: Answers) -> None:
    """Answer `SHARING`, `SHARE` and `WITHDRAW_SHARE`, and what `sharing_open` answers.

    All raise `NotAllowed`, `PageOff`, `SessionEnded`, `ChangeRequired`.
    """
    turn = asyncio.Lock()
    sharing_open.answer(desk, answers)

    @answers.to(calls.SHARING)
    async def _(_asked: Asked, params: calls.SharingAsked) -> calls.Sharing:
        session = await desk.session(params.token)
        await sharing_send.mend(desk, turn)
        begun = await desk.database.run(_begin, desk, session, params)
        rows = await _rows(desk, session, begun.looking_at.number)
        names = await desk.database.run(accesslog.names, {row.share.sender for row in rows})
        return _page(desk, session, params, begun, rows, names)

    @answers.to(calls.SHARE)
    async def _(_asked: Asked, params: calls.ShareSummary) -> calls.ShareSent:
        # The same form may come twice at once, by two keys: the second waits and finds it sent.
        async with turn:
            return await sharing_send.send(desk, params)

    @answers.to(calls.WITHDRAW_SHARE)
    async def _(_asked: Asked, params: calls.WithdrawShare) -> calls.Nothing:
        async with turn:
            return await sharing_send.withdraw(desk, params)


async def _rows(desk: Desk, session: PortalSession, about: int) -> list[_Row]:
    """Return what was sent about somebody (a PatNum): of oneself by anybody, of others by oneself."""
    if desk.preview:  # to whom a patient writes is not the office's to see
        return []
    sender = 0 if about == session.patient else session.patient

    def read(state: "Connection") -> list[tuple[Share, str]]:
        found = summary_shares.listed(state, about, sender, _MOST)
        return [(share, outbox.state_of(state, share.mail)) for share in found]

    shares = await desk.state.run(read)
    return await asyncio.to_thread(lambda: [_Row(share, addressee(desk.seal, share), mail) for share, mail in shares])


def _begin(connection: "Connection", desk: Desk, session: PortalSession, params: calls.SharingAsked) -> Begun:
    return begin(connection, desk, session, params, topic="health")


def _page(  # noqa: PLR0913, PLR0917 - what the page is made of
    desk: Desk,
    session: PortalSession,
    params: calls.SharingAsked,
    begun: Begun,
    rows: list[_Row],
    names: dict[int, str],
) -> calls.Sharing:
    me, now = begun.visitor.me, desk.clock.now()
    of_age = is_of_age(me, session.privacy)
    return calls.Sharing(
        **begun.frame,
        items=[_shared(row, me.number, names, now, of_age=of_age) for row in rows],
        made=_made(desk, session, params.share, rows, now),
        days=GOOD_FOR.days,
    )


def _shared(row: _Row, me: int, names: dict[int, str], now: dt.datetime, *, of_age: bool) -> calls.Shared:
    share, mine = row.share, row.share.sender == me
    standing = share.standing(now)
    mailed = _MAIL.get(row.mail, "open") if share.done else "waiting"
    return calls.Shared(
        share=share.number,
        address=row.to.address,
        sent=_local(share.sent),
        until=_local(share.until),
        state=mailed if standing == "open" and not share.opened else standing,
        note=row.to.note if mine else "",
        by=share.sender,
        by_name=names.get(share.sender, ""),
        first=share.first,
        last=share.last,
        language=share.language,
        opened=share.opened,
        opened_first=_local(share.opened_first),
        opened_last=_local(share.opened_last),
        may_withdraw=standing == "open" and (mine or of_age),
    )


def _made(
    desk: Desk, session: PortalSession, number: str, rows: list[_Row], now: dt.datetime
) -> calls.MadeShare | None:
    """Return the code of what this session has just sent."""
    for row in rows:
        share = row.share
        fresh = now - share.sent < _CODE_SHOWN and share.standing(now) == "open" and not share.opened
        if share.number == number and share.session == session.number and share.sender == session.patient and fresh:
            return calls.MadeShare(share.number, code_of(desk.seal, share.salt), row.to.address)
    return None


def _local(moment: dt.datetime | None) -> str:
    return moment.astimezone().replace(tzinfo=None, microsecond=0).isoformat() if moment else ""

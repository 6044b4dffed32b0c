"""Who viewed, downloaded and sent a care summary: for the one whose record it is, and for who may see it."""

from typing import TYPE_CHECKING

from econnector.eservices.portal import calls
from econnector.eservices.portal.office.around import begin, note_view, text_of
from econnector.eservices.portal.office.desk import Desk
from econnector.eservices.portal.office.paging import cut, page_of
from econnector.opendental import accesslog, summarylog
from econnector.storage.state.sessions import PortalSession
from econnector.wire.call import Answers, Asked

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["answer"]


def answer(desk: Desk, answers: Answers) -> None:
    """Answer `CARE_SUMMARY_HISTORY`. Raises `NotAllowed`, `PageOff`, `SessionEnded`, `ChangeRequired`."""

    @answers.to(calls.CARE_SUMMARY_HISTORY)
    async def _(_asked: Asked, params: calls.PageAsked) -> calls.CareSummaryHistory:
        session = await desk.session(params.token)
        return await desk.show(_history, session, params)


def _history(
    connection: "Connection", desk: Desk, session: PortalSession, params: calls.PageAsked
) -> calls.CareSummaryHistory:
    begun = begin(connection, desk, session, params, topic="health")
    person, page = begun.looking_at.number, page_of(params)
    oneself = person == begun.visitor.me.number
    traces, more = cut(summarylog.done(connection, person, *page.span, by_others=not oneself))
    names = accesslog.names(connection, {trace.who for trace in traces if trace.who})
    note_view(connection, begun.visitor, begun.looking_at, "history of the care summary")
    items = [
        calls.SummaryDeed(
            date=text_of(trace.at),
            what=trace.done,
            who=trace.who,
            who_name=names.get(trace.who, ""),
            representative=trace.who not in (0, person),
            detail=_detail(trace),
        )
        for trace in traces
    ]
    return calls.CareSummaryHistory(**begun.frame, items=items, page=page.number, more=more)


def _detail(trace: summarylog.Trace) -> str:
    """Return the kind of file of a download, and to whom it was sent (`sharing_send` writes `to …, number`)."""
    if trace.done == "downloaded":
        return trace.detail
    return trace.detail.removeprefix("to ").rpartition(", ")[0] if trace.done == "sent" else ""

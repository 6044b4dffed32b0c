"""Who looked: Open Dental's trails of a record, in the words that the patient's pages know.

The trails hold texts that the portal wrote (`journal`, `around.note_view`) and that another portal may have written
before; only what is known here is told, so that no text of anybody else reaches a page.
"""

import datetime as dt
import re
from typing import TYPE_CHECKING

from econnector.eservices.portal import calls
from econnector.eservices.portal.office.around import begin, note_view, text_of
from econnector.eservices.portal.office.desk import Desk
from econnector.eservices.portal.office.paging import cut, page_of
from econnector.opendental import accesslog
from econnector.opendental.accesslog import Trace
from econnector.storage.state.sessions import PortalSession
from econnector.wire.call import Answers, Asked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

__all__ = ["OFFICE", "UNKNOWN", "WORDS", "answer", "word_of"]

WORDS = (
    ("looked at the home page", "home"),
    ("looked at the account", "account"),
    ("looked at the list of statements", "statements"),
    ("looked at the payments", "payments"),
    ("looked at the list of documents", "documents"),
    ("looked at the list of messages", "messages"),
    ("looked at the appointment", "appointments"),
    ("looked at the health page", "health"),
    ("looked at the treatment plan", "treatment-plan"),
    ("looked at the history of the care summary", "summary-history"),
    ("viewed the care summary", "summary-viewed"),
    ("downloaded the care summary", "summary-downloaded"),
    ("sent the care summary", "summary-sent"),
    ("opened the sent care summary", "summary-opened"),
    ("withdrew the sent care summary", "summary-withdrawn"),
    ("looked at the access log", "who-looked"),
    ("opened a statement", "statement-opened"),
    ("downloaded statements in one file", "statements-downloaded"),
    ("opened a document", "document-opened"),
    ("read message", "message-read"),
    ("opened a file of message", "message-file"),
    ("sent message", "message-sent"),
    ("confirmed the appointment", "appointment-confirmed"),
    ("changed the", "sign-in-changed"),
    ("asked for a code by mail", "code-asked"),
    ("chose a new password", "password-new"),
    ("accepted the invite", "invite-accepted"),
    ("turned two-step sign-in", "two-step-changed"),
    ("set up a new app", "two-step-changed"),
    ("made new recovery codes", "two-step-changed"),
    ("added a passkey", "two-step-changed"),
    ("removed a passkey", "two-step-changed"),
    ("ended one of their sessions", "sessions-ended"),
    ("signed out everywhere", "sessions-ended"),
    ("withdrew from", "privacy-changed"),
    ("allowed", "privacy-changed"),
    ("signed in", "signed-in"),
)
"""How texts of the trail begin, after `Patient portal: `, and the pages' word for each."""
OFFICE = (
    ("previewed by the office", "office-previewed"),
    ("recorded for the patient", "office-privacy"),
    ("the patient's words about", "office-privacy"),
    ("two-step sign-in turned off", "office-two-step"),
    ("signed out everywhere", "office-signed-out"),
)
"""How texts begin of what the office did; all the rest is about the access that it gives."""
UNKNOWN = "used"
"""The word for everything else."""

_OURS = "Patient portal: "
_FROM = re.compile(r" from ([0-9A-Fa-f:.]{3,45}?)\.?$")
_TOGETHER = dt.timedelta(minutes=1)
"""How far apart the two traces of one sign-in may be."""


def answer(desk: Desk, answers: Answers) -> None:
    """Answer `WHO_LOOKED`. Raises `NotAllowed`, `SessionEnded`, `ChangeRequired`."""

    @answers.to(calls.WHO_LOOKED)
    async def _(_asked: Asked, params: calls.PageAsked) -> calls.WhoLooked:
        session = await desk.session(params.token)
        return await desk.show(_looked, session, params)


def _looked(connection: "Connection", desk: Desk, session: PortalSession, params: calls.PageAsked) -> calls.WhoLooked:
    # "every": the traces tell of all topics, so they are for those who may see all of them.
    begun = begin(connection, desk, session, params, topic="every")
    person, page = begun.looking_at.number, page_of(params)
    oneself = person == begun.visitor.me.number
    read = accesslog.of_oneself if oneself else accesslog.of_record
    traces, more = cut(read(connection, person, *page.span))
    names = accesslog.names(connection, {trace.who for trace in traces})
    if not oneself:
        note_view(connection, begun.visitor, begun.looking_at, "access log")
    return calls.WhoLooked(**begun.frame, items=_told(traces, names), page=page.number, more=more)


def word_of(trace: Trace) -> str:
    """Return the pages' word for what a trace tells."""
    if trace.kind == "office":
        text = trace.text.removeprefix(_OURS)
        return next((word for begins, word in OFFICE if text.startswith(begins)), "office-access")
    if trace.kind != "acted":
        return {"signed-in": "signed-in", "statement-downloaded": "statement-opened", "paid": "paid"}[trace.kind]
    text = trace.text.removeprefix(_OURS)
    return next((word for begins, word in WORDS if text.startswith(begins)), UNKNOWN)


def _told(traces: list[Trace], names: "Mapping[int, str]") -> list[calls.Look]:
    """Return the traces as the contract has them; the same thing several times in a row on one day is one line."""
    told: list[calls.Look] = []
    for trace in traces:
        if not trace.audited and _said_better(trace, traces):
            continue
        found = _FROM.search(trace.text) if trace.kind == "signed-in" else None
        look = calls.Look(
            date=text_of(trace.at),
            what=word_of(trace),
            who=trace.who,
            who_name=names.get(trace.who, ""),
            address=found[1] if found else "",
        )
        if told and _alike(told[-1], look):
            told[-1].times += 1
        else:
            told.append(look)
    return told


def _said_better(activity: Trace, traces: list[Trace]) -> bool:
    """Return whether the audit trail tells of the same sign-in."""
    return any(
        trace.audited and trace.kind == activity.kind and trace.who == activity.who and _close(trace, activity)
        for trace in traces
    )


def _close(one: Trace, other: Trace) -> bool:
    return one.at is not None and other.at is not None and abs(one.at - other.at) <= _TOGETHER


def _alike(one: calls.Look, other: calls.Look) -> bool:
    same = (one.what, one.who, one.address) == (other.what, other.who, other.address)
    return same and one.date[:10] == other.date[:10]

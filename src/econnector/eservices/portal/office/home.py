"""The home page: what matters now.

Beyond the question who asks it costs two: the next visits, and what there is (`glance`); of somebody else, the trace.
"""

from typing import TYPE_CHECKING

from econnector.eservices.portal import calls
from econnector.eservices.portal.office.appointments import as_shown, remember, with_clinics
from econnector.eservices.portal.office.around import begin, note_view, text_of, whose
from econnector.eservices.portal.office.cashier.showing import payable
from econnector.eservices.portal.office.desk import Desk
from econnector.eservices.portal.office.statements import balance_of, holder_of
from econnector.opendental import appointments
from econnector.opendental.glance import glance
from econnector.storage.state.sessions import PortalSession
from econnector.wire.call import Answers, Asked

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["answer"]

_COMING = 3
"""Visits on the home page."""


def answer(desk: Desk, answers: Answers) -> None:
    """Answer `HOME`. Raises `NotAllowed`, `SessionEnded`, `ChangeRequired`."""

    @answers.to(calls.HOME)
    async def _(_asked: Asked, params: calls.PersonAsked) -> calls.Home:
        session = await desk.session(params.token)
        shown = await desk.show(_home, session, params)
        await remember(desk, shown.coming)
        return shown


def _home(connection: "Connection", desk: Desk, session: PortalSession, params: calls.PersonAsked) -> calls.Home:
    begun = begin(connection, desk, session, params, topic="any")
    visitor, looking_at = begun.visitor, begun.looking_at
    person = looking_at.number
    visits = visitor.allows(person, "appointments")
    rows = appointments.coming(connection, person, clinics=with_clinics(visitor)) if visits else []
    found = glance(connection, statements_of=whose(visitor, looking_at), check_ups_of=person if visits else None)
    balance = balance_of(visitor, looking_at)
    if person != visitor.me.number:
        note_view(connection, visitor, looking_at, "home page")
    return calls.Home(
        **begun.frame,
        coming=[as_shown(row, visitor) for row in rows[:_COMING]],
        check_up_due=text_of(found.check_up_due),
        balance_cents=balance.cents if balance else 0,
        balance_known=balance is not None,
        balance_holder=holder_of(connection, visitor, looking_at),
        balance_as_of=text_of(balance.as_of) if balance else "",
        payable=payable(connection, desk, visitor, visitor.purse(looking_at)),
        statement_count=found.statement_count,
        latest_statement=text_of(found.newest_statement),
        last_sign_in=session.before,
    )

"""What is kept of each try to sign in, for the office's access log: the real reason behind "Login failed"."""

from econnector.eservices.portal import calls
from econnector.eservices.portal.office.desk import Desk
from econnector.opendental.logins import Login
from econnector.storage.state import portal_tries

__all__ = ["entered", "invite_refused", "refused", "share_refused", "step_refused"]


async def refused(  # noqa: PLR0913 - one try
    desk: Desk, params: calls.SignIn, login: Login | None, reason: str, reference: str, *, slowed: bool = False
) -> None:
    """Keep that a name and password were refused, or that the try was `slowed` down."""
    outcome = portal_tries.SLOWED if slowed else portal_tries.REFUSED
    await _note(desk, outcome, login, params.user_name, params.address, params.agent, reason, reference)


async def step_refused(  # noqa: PLR0913, PLR0917 - one try
    desk: Desk, login: Login, address: str, agent: str, reason: str, reference: str
) -> None:
    """Keep that the second step was refused."""
    await _note(desk, portal_tries.REFUSED, login, "", address, agent, reason, reference)


async def invite_refused(  # noqa: PLR0913 - one try
    desk: Desk, params: calls.Invite, login: Login | None, reason: str, reference: str, *, slowed: bool
) -> None:
    """Keep that an invite was refused, or that the try was `slowed` down; nothing of the code that was typed."""
    outcome = portal_tries.SLOWED if slowed else portal_tries.REFUSED
    reason = f"invite: {reason}"
    await _note(desk, outcome, login, "", params.address, params.agent, reason, reference)


async def share_refused(
    desk: Desk, params: calls.OpenShare | calls.SharedFile, reason: str, reference: str, *, slowed: bool
) -> None:
    """Keep that what a patient sent to somebody was not opened, or that the try was `slowed` down; not whose it is."""
    outcome = portal_tries.SLOWED if slowed else portal_tries.REFUSED
    await _note(desk, outcome, None, "", params.address, params.agent, f"sent care summary: {reason}", reference)


async def entered(desk: Desk, login: Login, address: str, agent: str) -> None:
    """Keep that somebody signed in."""
    await _note(desk, portal_tries.IN, login, "", address, agent, "", "")


async def _note(  # noqa: PLR0913, PLR0917 - a row's values
    desk: Desk, outcome: str, login: Login | None, typed: str, address: str, agent: str, reason: str, reference: str
) -> None:
    await desk.state.run(
        lambda state: portal_tries.note(
            state,
            desk.clock.now(),
            outcome,
            reason=reason,
            patient=login.patient if login else 0,
            name=login.user_name if login else portal_tries.masked(typed),
            address=address,
            agent=agent,
            reference=reference,
        )
    )

"""Trying the mail account now, for a person who waits for the answer: with a test mail, or by logging in alone."""

import msgspec

from econnector.base.errors import ValueRejected
from econnector.mail.aside import aside
from econnector.mail.compose import new_message_id, usable
from econnector.mail.letter import Letter
from econnector.mail.smtp import deliver, probe
from econnector.office.mail.accounts import Accounts
from econnector.storage.state.outbox import Lane

__all__ = ["Tried", "log_in", "send_test"]

SECONDS = 30.0
_SUBJECT = "Test mail from eConnector"
_TEXT = """\
This is a test mail. The eConnector of your practice sent it through the e-mail account {account}.

That it arrived means that mail from eServices can be sent. Nobody needs to answer it.
"""


class Tried(msgspec.Struct, frozen=True):
    """An account that works."""

    account: str
    sender: str
    server: str
    how: str = ""
    """How the connection stood, in words."""


async def send_test(accounts: Accounts, to: str, clinic: int = 0) -> Tried:
    """Send a test mail now, past queue and pause; return through which account.

    Raises ValueRejected for an address that is none, the account's and the database's failures, and those of
    `mail.smtp.deliver`.
    """
    if not usable(to.strip()):
        raise ValueRejected(field="to", why="Enter one e-mail address, such as name@example.com.")
    chosen, account = await accounts.look(Lane(clinic, notices=False))
    text = _TEXT.format(account=chosen.name)
    letter = Letter([to.strip()], _SUBJECT, text, new_message_id())
    await aside(deliver, account, letter, SECONDS)
    return Tried(chosen.name, account.sender, f"{account.host}:{account.port}")


async def log_in(accounts: Accounts, clinic: int = 0, seconds: float = SECONDS) -> Tried:
    """Connect, encrypt and log in, and send nothing; raises as `send_test`."""
    chosen, account = await accounts.look(Lane(clinic, notices=False))
    how = await aside(probe, account, seconds)
    return Tried(chosen.name, account.sender, f"{account.host}:{account.port}", how)

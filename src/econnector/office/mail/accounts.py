"""Which account a mail leaves through, and what the practice says about sending: read live, kept while it is away."""

import time
from pathlib import Path
from typing import Any, cast

import msgspec

from econnector.base.errors import OfficeFailure, SenderMissing
from econnector.mail.letter import Account, Security
from econnector.opendental import emailaddresses, preferences
from econnector.opendental.emailaddresses import MailAddress
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state.outbox import Lane

__all__ = ["Accounts", "Policy", "account_of"]

LIVE_SECONDS = 3.0
"""How long what was read counts as live."""
_DEFAULTS = {
    "SendEmailsInDiffProcess": "0",
    "EmailSendExternalTimeoutMs": "60000",
    "EmailSendExternalManagerTimeoutMs": "240000",
    "EmailAlertMaxConsecutiveFails": "3",
}
_YES = "1"


class Policy(msgspec.Struct, frozen=True):
    """What the practice says about sending."""

    other_process: bool = False
    seconds: float = 60.0
    """For one try."""
    total: float = 240.0
    """For all tries in a row, the mail process's restarts included."""
    most_fails: int = 3
    """In a row; one more raises an alert."""


class Accounts:
    """The practice's mail accounts."""

    def __init__(
        self, database: Database, schemas: Schemas, ca: Path | None = None, *, live: float = LIVE_SECONDS
    ) -> None:
        """`ca` is the PEM file of a private certificate authority, where the mail server has one."""
        self._database, self._schemas, self._ca, self._live = database, schemas, ca, live
        self._seen: dict[Lane, tuple[float, MailAddress | None]] = {}
        self._policy: tuple[float, Policy] | None = None

    async def find(self, lane: Lane) -> tuple[MailAddress, Account] | None:
        """Return a lane's account, ready to use; None while the database is away and it was never read.

        Raises SenderMissing, MailOauth or MailPasswordUnreadable for an account that nothing can be sent through.
        """
        known = self._seen.get(lane)
        if known is None or self._old(known[0]):
            try:
                return await self.look(lane)
            except OfficeFailure:  # what was read last counts: an outage mail may be about this very database
                if known is None:
                    return None
        return self._usable(lane, known[1])

    async def look(self, lane: Lane) -> tuple[MailAddress, Account]:
        """Return a lane's account as it stands in the database now. Raises as `find`, and the database's failures."""
        chosen = await self._database.run(_choose, self._schemas, lane)
        self._seen[lane] = time.monotonic(), chosen
        return self._usable(lane, chosen)

    def _usable(self, lane: Lane, chosen: MailAddress | None) -> tuple[MailAddress, Account]:
        if chosen is None:
            which = "for notices of web mail" if lane.notices else "in Open Dental's e-mail setup"
            raise SenderMissing(account="the practice", reason=f"no account is chosen {which}")
        return chosen, self._ready(chosen)

    def _ready(self, chosen: MailAddress) -> Account:
        return account_of(chosen, self._ca)

    async def policy(self) -> Policy:
        """Return what the practice says now, or said before its database went away."""
        if self._policy is None or self._old(self._policy[0]):
            try:
                found = await self._database.run(_read)
            except OfficeFailure:
                return self._policy[1] if self._policy else Policy()
            self._policy = time.monotonic(), _policy(found)
        return self._policy[1]

    def _old(self, read: float) -> bool:
        return time.monotonic() - read > self._live


def account_of(chosen: MailAddress, ca: Path | None) -> Account:
    """Return the account ready to use. Raises SenderMissing, MailOauth or MailPasswordUnreadable."""
    chosen.check()
    return Account(
        host=chosen.host,
        port=chosen.port,
        security=cast("Security", chosen.security),
        user=chosen.user,
        password=chosen.password(),
        sender=chosen.sender,
        ca=str(ca or ""),
    )


def _choose(connection: Any, schemas: Schemas, lane: Lane) -> MailAddress | None:
    schema = schemas(connection)
    if lane.notices:
        return emailaddresses.for_notices(connection, schema)
    return emailaddresses.for_clinic(connection, schema, lane.clinic)


def _read(connection: Any) -> dict[str, str]:
    return preferences.read_many(connection, (), **_DEFAULTS)


def _policy(found: dict[str, str]) -> Policy:
    seconds = _number(found, "EmailSendExternalTimeoutMs") / 1000
    return Policy(
        other_process=found["SendEmailsInDiffProcess"].strip() == _YES,
        seconds=seconds,
        total=max(_number(found, "EmailSendExternalManagerTimeoutMs") / 1000, seconds),
        most_fails=_number(found, "EmailAlertMaxConsecutiveFails"),
    )


def _number(found: dict[str, str], name: str) -> int:
    """Return a setting's number; what is none, or zero, is the default."""
    text = found[name].strip()
    return int(text) if text.isdecimal() and int(text) > 0 else int(_DEFAULTS[name])

"""What Open Dental is told of the office's mail: the rows of patients' mails, and the alert when too many fail."""

import datetime as dt
import time
from typing import Any

import structlog

from econnector.base.errors import Failure, OfficeFailure
from econnector.opendental import alerts, emailmessages, times
from econnector.opendental.alerts import Kind
from econnector.opendental.emailmessages import PatientMail
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state import outbox
from econnector.storage.state.outbox import Mail

__all__ = ["Recorder"]

log = structlog.get_logger(__name__)

_AGAIN_SECONDS = 15.0
_SECOND = dt.timedelta(seconds=1)


class Recorder:
    """Writes into Open Dental's database; what cannot be written now is written later."""

    def __init__(self, state: Database, database: Database, schemas: Schemas) -> None:
        """`state` is the connector's state file, `database` Open Dental's."""
        self._state, self._database, self._schemas = state, database, schemas
        self._not_before = 0.0
        self._fails: dict[int, int] = {}
        self._quiet: set[int] = set()
        """Clinics whose alert is known not to be there."""

    async def record_one(self) -> bool:
        """Record one patient's mail that was sent or given up; False if there is none, or not now."""
        if time.monotonic() < self._not_before:
            return False
        mail = await self._state.run(outbox.to_note)
        if mail is None:
            return False
        try:
            await self._record(mail)
        except OfficeFailure as failure:
            log.info("a mail cannot be recorded now", mail=mail.id, code=failure.code)
            self._not_before = time.monotonic() + _AGAIN_SECONDS
            return False
        except (Failure, ValueError) as error:  # no later try would do better
            log.exception("a mail cannot be recorded", mail=mail.id, kind=type(error).__name__)
            await self._state.run(outbox.noted, mail.id, mail.state)
        return True

    async def _record(self, mail: Mail) -> None:
        # The time is kept before the row is written: whoever comes after a death in between finds the row by it.
        at = dt.datetime.fromisoformat(mail.note_at or await self._choose_time(mail))
        reason = "" if mail.state == outbox.SENT else (mail.reason or outbox.LATE)
        noted = PatientMail(
            patient=mail.patient,
            to=mail.recipient,
            sender=mail.sender,
            subject=mail.subject,
            text=mail.record or mail.text,
            kind=mail.kind,
            at=at,
            reason=reason,
        )
        await self._database.run(_note, self._schemas, noted)
        await self._state.run(outbox.noted, mail.id, mail.state)

    async def _choose_time(self, mail: Mail) -> str:
        at = await self._database.run(times.now)
        while not await self._state.run(outbox.note_at, mail.id, at.isoformat()):
            at += _SECOND
        return at.isoformat()

    # -- the alert -------------------------------------------------------------------------------------------------

    async def failed(self, clinic: int, most: int) -> None:
        """Count a failed try; more than `most` in a row raise Open Dental's alert for the clinic."""
        self._fails[clinic] = self._fails.get(clinic, 0) + 1
        if self._fails[clinic] <= most:
            return
        self._quiet.discard(clinic)
        await self._tell(_alert, clinic, self._fails[clinic])

    async def succeeded(self, clinic: int) -> None:
        """Begin counting anew: mail goes out again, so the alert goes, too."""
        self._fails.pop(clinic, None)
        if clinic not in self._quiet and await self._tell(_all_clear, clinic):
            self._quiet.add(clinic)

    async def _tell(self, f: Any, *words: int) -> bool:
        try:
            await self._database.run(f, self._schemas, *words)
        except OfficeFailure as failure:
            log.info("the alert about mail cannot be written now", code=failure.code)
            return False
        return True


def _note(connection: Any, schemas: Schemas, mail: PatientMail) -> None:
    emailmessages.note(connection, schemas(connection), mail)


def _alert(connection: Any, schemas: Schemas, clinic: int, fails: int) -> None:
    text = f"{fails} consecutive failed email sends detected. {times.now(connection):%m/%d/%Y %H:%M:%S}"
    alerts.raise_once(connection, schemas(connection), Kind.MAIL_FAILS, text, clinic)


def _all_clear(connection: Any, _: Schemas, clinic: int) -> None:
    alerts.clear(connection, Kind.MAIL_FAILS, clinic)

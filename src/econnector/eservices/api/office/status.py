"""Whether the office is there, and what the key may do. Nothing of a patient is read, and no trace is left."""

import datetime as dt
from typing import TYPE_CHECKING

from econnector.base.version import version
from econnector.eservices.api import calls
from econnector.eservices.api.office.desk import Desk
from econnector.opendental import practice, preferences
from econnector.wire.call import Answers, Asked

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["answer"]


def answer(desk: Desk, answers: Answers) -> None:
    """Answer `STATUS`. Raises `ApiKeyRefused`."""

    @answers.to(calls.STATUS)
    async def _(_asked: Asked, params: calls.StatusAsked) -> calls.Status:
        partner = await desk.keys.partner(params.key)
        title, program = await desk.database.run(_practice, desk)
        now = desk.clock.now().astimezone(dt.UTC)
        return calls.Status(title, version(), program, f"{now:%Y-%m-%dT%H:%M:%SZ}", partner.listed())


def _practice(connection: "Connection", desk: Desk) -> tuple[str, str]:
    """Return the practice's name and its version of Open Dental."""
    schema = desk.schema_of(connection)
    found = practice.practice(preferences.read_many(connection, practice.SETTINGS))
    return found.title, schema.program_version or schema.version

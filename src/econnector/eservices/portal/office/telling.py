"""Telling the office of a failure that the patient's answer says in other words, or not at all."""

from econnector.base.errors import Failure
from econnector.eservices.portal.office.desk import Desk
from econnector.storage.state import failures
from econnector.wire.call import Asked

__all__ = ["tell_office"]


async def tell_office(desk: Desk, asked: Asked, failure: Failure) -> None:
    """Keep `failure` under the reference of the call that met it."""
    at = desk.clock.now().isoformat(timespec="seconds")
    met = failures.Met(asked.reference, failure.code, asked.call, dict(failure.facts), at)
    await desk.state.run(failures.record, met)

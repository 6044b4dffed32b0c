"""Check of what care summaries cannot do without: code tables, the practice's entry, providers, every portal chart."""

from collections import Counter

from econnector.base.errors import CareSummaryNotSetUp, DatabaseAway, DatabaseRefused, OfficeFailure
from econnector.office.doctor.check import Check, Finding, attention, from_failure, ok
from econnector.office.doctor.scene import NotNowError, Scene
from econnector.office.summaries import Readiness, Summaries
from econnector.opendental.schema import Schemas
from econnector.opendental.summary.missing import refusal

__all__ = ["CHECKS"]


async def _summaries(scene: Scene) -> Finding:
    database = scene.database()
    hand = Summaries(database, database, Schemas(), scene.loaded.value.machine_name, scene.clock)
    try:
        found = await hand.check()
    except (DatabaseAway, DatabaseRefused):
        raise NotNowError("the database cannot be reached, and everything stands there (see database)") from None
    except OfficeFailure as failure:
        raise NotNowError(f"the database cannot be asked: {failure.office_text()}") from None
    return _judge(found)


def _judge(found: Readiness) -> Finding:
    failure = refusal(found.everywhere)
    lines = [one.text for one in found.everywhere]
    if not found.looked_at:
        return ok("nobody has access to the portal yet, so nobody misses a care summary", *lines)
    if failure is not None:
        return from_failure(failure, *lines)
    whom = f"{found.looked_at:,} whom the portal can show"
    if not found.short:
        return ok(f"a care summary can be made for all {whom}")
    # How many lack what, and not who: findings go to support.
    counts = Counter(lacks.text for one in found.short for lacks in one.missing)
    text = f"for {len(found.short):,} of {whom} no care summary can be made: their charts lack something"
    return attention(text, CareSummaryNotSetUp.remedy, *(f"{count:,} lack: {what}" for what, count in counts.items()))


CHECKS = (Check("summaries", "portal", "Care summaries can be made for everybody in the portal.", 14, _summaries),)

"""Care summaries as the office has to do with them: who could open theirs today, who could not and why, and the files.

`check` looks at what must be recorded and makes no document; it writes nothing. `export` makes the XML that the portal
would give out, and leaves the trace of a copy in Open Dental's audit trail.
"""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from econnector.base.errors import AccessAsItWas
from econnector.office.desk import Who
from econnector.office.hand import Hand, chart_of, need_setup
from econnector.opendental import audit, patients
from econnector.opendental.patients import Patient
from econnector.opendental.summary.missing import Missing, missing_everywhere, missing_many, portal_patients, refusal
from econnector.opendental.summary.read import read
from econnector.opendental.summary.records import Period

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Checked", "Exported", "Readiness", "Summaries"]

_AT_ONCE: Final = 500
_WITHIN: Final = 60.0


class Checked(msgspec.Struct, frozen=True):
    """One patient whose care summary cannot be made."""

    patient: Patient
    missing: list[Missing]
    """What the chart lacks; what all lack stands in `Readiness.everywhere`."""


class Readiness(msgspec.Struct, frozen=True):
    """How care summaries stand."""

    everywhere: list[Missing]
    """What is missing for everybody: settings of the practice, its default provider, code tables."""
    looked_at: int
    """How many patients were looked at."""
    short: list[Checked]
    """Those whose charts lack something, by name."""

    @property
    def ready(self) -> bool:
        """Whether everybody who was looked at can have a care summary."""
        return not self.everywhere and not self.short


class Exported(msgspec.Struct, frozen=True):
    """One patient's document, or why there is none."""

    patient: Patient
    content: bytes = b""
    missing: list[Missing] = []


class Summaries(Hand):
    """One practice's care summaries. Every method may raise the database's failures."""

    async def check(self, number: int = 0) -> Readiness:
        """Return what is missing for the patient `number` (a PatNum), or for everybody whom the portal could show.

        Raises `AccessAsItWas` for a chart that is missing, archived or merged.
        """
        numbers = [number] if number else await self._database.run(portal_patients, within=_WITHIN)
        everywhere = await self._database.run(self._everywhere, within=_WITHIN)
        if number:
            await self._database.run(chart_of, number, within=_WITHIN)
        short: list[Checked] = []
        for start in range(0, len(numbers), _AT_ONCE):
            short += await self._database.run(self._short, numbers[start : start + _AT_ONCE], within=_WITHIN)
        short.sort(key=lambda one: (one.patient.name.casefold(), one.patient.number))
        return Readiness(everywhere, len(numbers), short)

    async def export(self, who: Who, numbers: Sequence[int], period: Period) -> AsyncIterator[Exported]:
        """Yield each patient's document, with what happened within `period`.

        Raises `PermissionMissing`, and before the first document what `refusal` makes of what everybody lacks.
        """
        need_setup(who)
        if failure := refusal(await self._database.run(self._everywhere, within=_WITHIN)):
            raise failure
        for number in numbers:
            yield await self._database.run(self._export, who, number, period, within=_WITHIN)

    async def everybody(self) -> list[int]:
        """Return the PatNums of everybody whom the portal could show."""
        return await self._database.run(portal_patients, within=_WITHIN)

    def _everywhere(self, connection: "Connection") -> list[Missing]:
        return missing_everywhere(connection, self._schemas(connection))

    def _short(self, connection: "Connection", numbers: Sequence[int]) -> list[Checked]:
        found = missing_many(connection, self._schemas(connection), numbers)
        lacking = {number: missing for number, missing in found.items() if missing}
        return [Checked(one, lacking[one.number]) for one in patients.by_numbers(connection, list(lacking))]

    def _export(self, connection: "Connection", who: Who, number: int, period: Period) -> Exported:
        from econnector.documents.ccd.document import build  # noqa: PLC0415 - heavy, and `check` needs none of it

        chart = chart_of(connection, number)
        schema = self._schemas(connection)
        if missing := missing_many(connection, schema, [number])[number]:
            return Exported(chart, missing=missing)
        try:
            summary = read(connection, schema, number, period)
        except LookupError:
            raise AccessAsItWas(why="This chart is not there any more.") from None
        content = build(summary)
        by = "" if who.user else f" (command line, operating-system account {who.name})"
        audit.record(
            connection,
            schema,
            audit.Permission.COPY,
            f"{audit.PORTAL_CHANGED}care summary exported to a file.{by}",
            user=who.user,
            patient=number,
            computer=self._machine,
            source=audit.NO_SOURCE,
        )
        return Exported(chart, content)

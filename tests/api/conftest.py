"""An office that answers partners' programs, as the connector does, and the person who hands out its keys."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from econnector.eservices.api import calls
from econnector.eservices.api.calls import Right
from econnector.eservices.api.office import api_answers
from econnector.eservices.api.office.keys import REMEMBERED
from econnector.office.apikeys import ApiKeys, Made
from econnector.office.desk import Who
from econnector.opendental import tables
from econnector.opendental.schema import Schemas
from tests.support.practice import PortalOffice, portal_office, portal_office_sqlite

__all__ = ["portal_office", "portal_office_sqlite"]

ME = Who(0, "me", may_setup=True, may_admin=True)
PC = "FRONT-DESK"


class ApiOffice:
    """A small practice; what is asked and answered goes through the wire's encoding."""

    def __init__(self, behind: PortalOffice) -> None:
        self.behind, self.rows, self.ask, self.download = behind, behind.rows, behind.ask, behind.download
        self.keys = ApiKeys(behind.database, behind.state, Schemas(), PC, behind.clock)
        self.start()

    def start(self) -> None:
        """Answer as a connector that has just started: nothing is remembered."""
        it = self.behind
        it.answers = api_answers(it.database, it.state, Schemas(), it.images, it.clock)

    async def key(self, *rights: Right, name: str = "Bright Recall") -> Made:
        """Make a key."""
        return await self.keys.add(ME, name, rights)

    async def forget(self) -> None:
        """Let the time pass for which keys are remembered."""
        self.behind.clock.advance(REMEMBERED)

    async def traces(self) -> list[tuple[int, str]]:
        """Return what programs left in the audit trail: of whom, and the text. Each must have its hash."""
        rows = await self.rows(tables.securitylog, LogSource=23)
        sealed = {row.SecurityLogNum for row in await self.rows(tables.securityloghash)}
        assert {row.SecurityLogNum for row in rows} <= sealed
        assert {row.PermType for row in rows} <= {68}
        return [(row.PatNum, row.LogText) for row in rows]

    async def every(self, key: str) -> dict[str, Any]:
        """Ask for everything with this key; return the answers or failures by call."""
        found: dict[str, Any] = {}
        asked: tuple[tuple[Any, msgspec.Struct], ...] = (
            (calls.STATUS, calls.StatusAsked(key)),
            (calls.APPOINTMENTS, calls.AppointmentsAsked(key)),
            (calls.DOCUMENTS, calls.DocumentsAsked(key, 11)),
            (calls.DOCUMENT, calls.DocumentAsked(key, 820)),
        )
        for call, params in asked:
            try:
                found[call.name] = await self.ask(call, params)
            except Exception as failure:  # noqa: BLE001 - which one is what the test looks at
                found[call.name] = failure
        return found


@pytest.fixture
def office(portal_office_sqlite: PortalOffice) -> ApiOffice:
    """Return an office on SQLite."""
    return ApiOffice(portal_office_sqlite)


@pytest.fixture
def real_office(portal_office: PortalOffice) -> ApiOffice:
    """Return an office on every kind of database."""
    return ApiOffice(portal_office)


@pytest.fixture
async def other_office(tmp_path: Path) -> AsyncIterator[ApiOffice]:
    """Another practice."""
    from tests.support.practice import _open, practice_file  # noqa: PLC0415 - of this fixture alone

    folder = tmp_path / "other"
    folder.mkdir()
    async for behind in _open(practice_file(folder), folder):
        yield ApiOffice(behind)

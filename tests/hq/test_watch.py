"""HQ notices by itself that an office fell silent, whatever became of the link."""

import datetime as dt

from econnector.base.clock import ManualClock
from econnector.hq.registry import connectors, history, offices
from econnector.hq.registry.connectors import Granted, Presented
from econnector.hq.registry.database import Registry
from econnector.hq.watch import look
from tests.hq.conftest import NOW


async def test_an_office_whose_hq_node_was_killed_is_noticed_and_written_down_once(registry: Registry) -> None:
    clock = ManualClock(NOW)
    watching = Registry(registry.engine.url.render_as_string(hide_password=False))
    office, key = await watching.run(offices.add, "smile", clock.now())
    granted = await watching.run(connectors.admit, Presented("a" * 64, "i", "FRONTDESK", key=key), clock.now())
    assert isinstance(granted, Granted)
    clock.advance(150)
    assert await look(watching, clock) == []
    clock.advance(1)
    assert await look(watching, clock) == ["smile"]
    clock.advance(dt.timedelta(days=2).total_seconds())
    assert await look(watching, clock) == []
    kinds = [event.kind for event in await watching.run(history.recent, office.id)]
    assert kinds == ["unreachable", "enrolled", "added"]
    await watching.close()

"""What the window's pages stand on, whoever serves them."""

from collections.abc import Callable
from dataclasses import dataclass

from econnector.base.clock import SYSTEM, Clock
from econnector.base.settings import Loaded
from econnector.office.addresses import database_place
from econnector.office.desk import Desk
from econnector.office.left import Left, read_left
from econnector.office.running import Running
from econnector.office.service.services import Services
from econnector.office.settings import Settings
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database

__all__ = ["Scene"]


@dataclass(frozen=True, slots=True)
class Scene:
    """One office's parts. The connector and the command `office window` each put one together."""

    loaded: Loaded[Settings]
    database: Database
    """Open Dental's; opened by the first who asks, away when it is away (`DatabaseAway` and its like)."""
    schemas: Schemas
    state: Database
    """The connector's own file: `open_state`'s in the connector, `join_state`'s beside it."""
    address: str
    """Where the window is served: a loopback address."""
    port: int
    inside: bool
    """The connector itself serves the window; else the command does, and the connector may be away."""
    clock: Clock = SYSTEM
    services: Callable[[], Services] = Services
    """Makes the hand on this machine's services; it blocks, and so does everything it does: call them in a thread."""

    @property
    def settings(self) -> Settings:
        """The settings that the connector runs with."""
        return self.loaded.value

    @property
    def desk(self) -> Desk:
        """What a person does with the eConnector."""
        return Desk(self.database, self.schemas, self.machine, self.left, self.clock)

    @property
    def machine(self) -> str:
        """What this machine is called."""
        return self.settings.machine_name

    @property
    def database_name(self) -> str:
        """Which database this is about, for people: `opendental on localhost:3306`."""
        place = database_place(self.loaded)
        return f"{place.name} on {place.server}" if place.user else place.name

    async def left(self) -> Left:
        """Return what the connector of this machine said last about itself."""
        return await read_left(self.state)

    async def running(self) -> Running:
        """Return how the connector of this machine stands, or stood."""
        return (await self.left()).running

    async def alive(self) -> bool:
        """Return whether the connector of this machine runs."""
        return self.inside or (await self.running()).alive(self.clock.now())

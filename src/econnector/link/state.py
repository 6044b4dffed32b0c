"""How the office's link stands, as people are told."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from econnector.base.errors import Failure

__all__ = ["LinkState", "Status"]


class Status(StrEnum):
    """Where the dialler is."""

    DISCONNECTED = "disconnected"
    """Not connected; the next try comes by itself."""
    CONNECTING = "connecting"
    ONLINE = "online"
    STANDBY = "standby"
    """Another machine is the office's connector; this one only asks now and then whether that has changed."""
    REFUSED = "refused"
    """HQ says no (`failure` says why); tried again every few minutes at most."""
    DRAINING = "draining"
    """The link is about to end: HQ asked for a new one, or the connector stops."""


@dataclass(frozen=True, slots=True)
class LinkState:
    """One state, and since when."""

    status: Status
    since: dt.datetime
    failure: Failure | None = None
    """Why the last try or link ended; None once online."""
    office: str = ""
    """The office's name at HQ, from its last welcome."""
    title: str = ""
    epoch: int = 0
    hq_version: str = ""
    clock_ahead: float = 0.0
    """Seconds by which this machine's clock is ahead of HQ's, as of the last handshake."""

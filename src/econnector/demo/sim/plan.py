"""What a simulation shall be, and what came of it."""

from pathlib import Path

import msgspec

__all__ = ["Plan", "Returned", "Second", "Told"]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wished for."""

    offices: int = 100
    pages_per_second: float = 20.0
    """Each is one call on one office's link."""
    rest: float = 0.0
    """Seconds that all stand idle before people come: what an idle office costs is measured then."""
    seconds: float = 60.0
    """That people come."""
    slow: int = 0
    """How many of the offices answer late."""
    slow_seconds: float = 3.0
    restart_every: float = 0.0
    """Kill HQ so often and start it again; 0: never."""
    away: float = 0.0
    """Seconds between."""
    tls: bool = False
    settings: Path | None = None
    """Of an HQ that runs already; without, one is started."""
    registry: str = ""
    """Of the HQ that is started; without, a SQLite file."""
    seed: int = 1


class Second(msgspec.Struct, frozen=True):
    """How it stands, once a second. Times are in milliseconds, of pages of the second before."""

    at: float
    online: int
    answered: int
    failed: int
    p50: float
    p99: float
    memory_mb: float
    """HQ's resident memory; 0 where HQ is not ours."""


class Returned(msgspec.Struct, frozen=True):
    """How the offices came back after HQ was killed: seconds from when it listened again."""

    half: float
    most: float
    """95 of 100."""
    all: float
    p99: float = 0.0
    """Milliseconds, of pages of offices that were back while others still came; 0 where there were none."""
    cpu_ms_each: float = 0.0
    """HQ's, for each office: to start, and to take all of them in."""


class Told(msgspec.Struct, kw_only=True):
    """What came of it."""

    offices: int
    connected_seconds: float
    """From the first dial to the last office that was connected."""
    pages: int = 0
    failed: int = 0
    """Pages of other status than 200, or without an answer, while HQ was up and the office connected."""
    away: int = 0
    """Pages that were answered "your dentist's office cannot be reached", or by nobody, while HQ was down or the office
    on its way back."""
    p50: float = 0.0
    p99: float = 0.0
    slow_p50: float = 0.0
    """Of the slow offices."""
    heartbeats: int = 0
    heartbeats_late: int = 0
    """That HQ did not answer within ten seconds of their time, while it was up."""
    restarts: list[Returned] = []
    memory_mb: float = 0.0
    memory_kib_each: float = 0.0
    """What HQ's memory grew by per office."""
    rest_cpu: float = 0.0
    """HQ's, in percent of one core, while all stood idle."""
    cpu_seconds: float = 0.0
    """HQ's."""
    own_cpu_seconds: float = 0.0
    """Of the process that plays the offices and the people."""

"""How far two clocks may be apart before somebody is told (Open Dental's alert 24 and the doctor)."""

import datetime as dt

__all__ = ["MOST_SECONDS", "apart"]

MOST_SECONDS = 60
"""Open Dental calls a connector down after six minutes without a heartbeat; a minute leaves room to act."""


def apart(ours: dt.datetime, theirs: dt.datetime) -> float:
    """Return by how many seconds `ours` is ahead of `theirs`; both naive in office time, or both aware."""
    return (ours - theirs).total_seconds()

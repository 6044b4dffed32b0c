"""How the practice wants its portal: which parts are on, how long sessions last, from what age people decide.

One row of the state file, read anew for every call: what the window changes counts for the next click. The defaults are
what Open Dental does, so that nothing changes until somebody decides it.
"""

import datetime as dt
from typing import Final, Literal

import msgspec
import sqlalchemy as sa

from econnector.storage.state import meta

__all__ = ["FULL_AGES", "IDLE_MINUTES", "OVERALL_HOURS", "TOPICS", "Rules", "Topic", "read", "write"]

Topic = Literal["appointments", "account", "messages", "health", "documents"]
TOPICS: Final[tuple[Topic, ...]] = ("appointments", "account", "messages", "health", "documents")
"""The parts of a record that are switched and consented to one by one."""

IDLE_MINUTES: Final = (5, 60)
"""The least and the most; more than an hour is more than NIST SP 800-63B-4 leaves to a portal of health records."""
OVERALL_HOURS: Final = (1, 24)
FULL_AGES: Final = (12, 25)
_NAME = "portal-rules"


class Rules(msgspec.Struct, frozen=True):
    """The practice's choices."""

    off: frozenset[str] = frozenset()
    """Topics whose pages the portal does not have."""
    idle_minutes: int = IDLE_MINUTES[1]
    overall_hours: int = OVERALL_HOURS[1]
    full_age: int = 18
    """From this age a person decides who of the family sees what."""
    private: frozenset[str] = frozenset()
    """Topics that the family of a person of full age does not see until that person allows it."""

    @property
    def on(self) -> frozenset[str]:
        """The topics that the portal has."""
        return frozenset(TOPICS) - self.off

    @property
    def idle(self) -> dt.timedelta:
        """How long a session lives without being used."""
        return dt.timedelta(minutes=self.idle_minutes)

    @property
    def overall(self) -> dt.timedelta:
        """How long a session lives at most."""
        return dt.timedelta(hours=self.overall_hours)


def read(connection: sa.Connection) -> Rules:
    """Return the practice's choices, the defaults where nobody has chosen."""
    return msgspec.json.decode(meta.read(connection, _NAME, "{}"), type=Rules)


def write(connection: sa.Connection, rules: Rules) -> None:
    """Keep the practice's choices. Raises `ValueError` for numbers out of bounds and for topics that there are not."""
    bounds = ((rules.idle_minutes, IDLE_MINUTES), (rules.overall_hours, OVERALL_HOURS), (rules.full_age, FULL_AGES))
    if any(not least <= number <= most for number, (least, most) in bounds):
        raise ValueError("out of bounds")
    if not rules.off | rules.private <= frozenset(TOPICS):
        raise ValueError("no such topic")
    meta.write(connection, _NAME, msgspec.json.encode(rules, order="sorted").decode())

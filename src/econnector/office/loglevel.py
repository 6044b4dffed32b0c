"""How much the running connector writes: chosen by a person, switched within seconds, kept over restarts."""

import structlog

from econnector.base import logs
from econnector.office.practice import Practice
from econnector.storage.database import Database
from econnector.storage.state import meta

__all__ = ["LOOK_SECONDS", "NAME", "LogLevel", "choose", "chosen"]

log = structlog.get_logger(__name__)

NAME = "log-level"
"""Under which the state file's meta table keeps what a person chose."""
LOOK_SECONDS = 2.0
_NETBIOS = 15
"""Open Dental knows a computer by at most this many characters of its name."""


async def choose(state: Database, word: str) -> str:
    """Keep a level, in whatever words; empty goes back to the settings file's. Return the word that people read.

    Raises ValueError for a word that is no level.
    """
    shown = logs.word_of(logs.level_of(word)) if word else ""
    if shown:
        await state.run(meta.write, NAME, shown)
    else:
        await state.run(meta.forget, NAME)
    return shown


async def chosen(state: Database, setting: str) -> str:
    """Return the word for the level that counts: what was chosen, else the settings file's."""
    found = await state.run(meta.read, NAME)
    return found if found in logs.WORDS else logs.word_of(logs.level_of(setting))


class LogLevel:
    """Follows what a person chose, and Open Dental's own list of computers that log all (`HasVerboseLogging`)."""

    def __init__(self, state: Database, setting: str, practice: Practice, machine: str) -> None:
        """`setting` is the level of the settings file; `machine` is what Open Dental calls this computer."""
        self._state, self._setting, self._practice = state, setting, practice
        name = machine.lower()
        self._names = {name, name.partition(".")[0], name.partition(".")[0][:_NETBIOS]}

    async def look(self) -> None:
        """Switch if something else is wanted now."""
        wanted = await self._wanted()
        if wanted != logs.current_level():
            logs.set_level(min(wanted, logs.level_of("information")))  # so that the change itself is written
            log.info("the log level changes", to=logs.word_of(wanted))
            logs.set_level(wanted)

    async def _wanted(self) -> int:
        found = await self._state.run(meta.read, NAME)
        level = logs.level_of(found if found in logs.WORDS else self._setting)
        facts = self._practice.facts
        listed = facts is not None and self._names & facts.verbose_computers
        return min(level, logs.level_of("verbose")) if listed else level

"""What an updater calls: install the eConnector where none ever worked, ask nobody, and say in a line what it did."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from econnector.base.errors import InstallFailure, QuestionUnanswered
from econnector.office.desk import Who
from econnector.office.install import beats, rules
from econnector.office.install.install import Asking, Installation, Outcome, Progress
from econnector.office.install.rules import Question
from econnector.office.install.survey import survey
from econnector.office.service.services import Services
from econnector.office.settings import load_settings

__all__ = ["Auto", "auto_install"]


class Auto(msgspec.Struct, frozen=True):
    """What was done."""

    installed: bool
    why: str
    """In one line."""
    outcome: Outcome | None = None


async def auto_install(
    file: Path, services: Services, who: Who, key: Callable[[str], str], tell: Callable[[Progress], None]
) -> Auto:
    """Install if the rules of automatic installation allow it. Raises any `Failure` of an installation."""
    why_not = await _why_not(file, services)
    if why_not:
        return Auto(installed=False, why=f"Not installed: {why_not}.")
    asking = Asking(_recommended, key)
    outcome = await Installation(file, services, asking, who, tell=tell).run()
    server = outcome.update_server
    also = f"the Update Server is {server}" if server else "the Update Server stays blank"
    return Auto(installed=True, why=f"{outcome.message} as {outcome.service}; {also}.", outcome=outcome)


async def _why_not(file: Path, services: Services) -> str:
    loaded = load_settings(file, environment={})
    try:
        async with beats.database_of(loaded) as database:
            facts = (await survey(loaded, services, database)).facts
        rules.refuse(facts)
    except InstallFailure as failure:
        return failure.office_text().rstrip(".")
    return rules.auto_reason(facts)


def _recommended(question: Question) -> str:
    if not question.recommended:
        raise QuestionUnanswered(
            question=question.text, why="an updater may not answer it", how="`econnector office install`"
        )
    return question.recommended

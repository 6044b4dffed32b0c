"""Installing the eConnector on this machine, step by step; a second run after a crash goes on where the first ended.

Everything is asked before anything is changed. Each step looks first whether it is done already.
"""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from econnector.base.errors import (
    Failure,
    HeartbeatMissing,
    SettingInvalid,
    SettingMissing,
)
from econnector.base.settings import Loaded
from econnector.office.addresses import hq_url
from econnector.office.desk import Desk, Who
from econnector.office.enrol import enrol
from econnector.office.install import agreed, beats, rules, writing
from econnector.office.install.rules import Facts, Question
from econnector.office.install.survey import Surveyed, check_rights, survey
from econnector.office.left import Left, read_file
from econnector.office.service.contract import ServiceState
from econnector.office.service.names import DEFAULT
from econnector.office.service.services import Services
from econnector.office.settings import Settings, load_settings
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database

__all__ = ["STEPS", "Asking", "Installation", "Outcome", "Progress", "Step", "missing_settings"]

Step = Literal["settings", "database", "rules", "enrolment", "service", "heartbeat", "update-server"]
STEPS: dict[Step, str] = {
    "settings": "Reading the settings",
    "database": "Reaching the database",
    "rules": "Deciding whether it may be installed here",
    "enrolment": "Making this computer known to HQ",
    "service": "Installing and starting the service",
    "heartbeat": "Waiting for its first heartbeat",
    "update-server": "Naming the Update Server",
}
BEAT_SECONDS = 60.0
_REFUSED = {"standby", "refused"}
_WITHIN = 15.0


class Progress(msgspec.Struct, frozen=True):
    """How far a step is."""

    step: Step
    state: Literal["begun", "done", "already"]
    text: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """What an installation ended with."""

    service: str
    office: str
    """The office's name at HQ."""
    update_server: str
    """As it stands in Open Dental now; may be empty."""
    changed: tuple[Step, ...]
    """The steps that had anything to do."""
    message: str = "eConnector successfully installed"


class Asking(msgspec.Struct, frozen=True):
    """Who answers."""

    answer: Callable[[Question], str]
    """Returns one of the question's answers. Raises `QuestionUnanswered`."""
    key: Callable[[str], str]
    """Returns the registration key; is told the one that Open Dental knows, or an empty text."""


class Installation:
    """One run."""

    def __init__(  # noqa: PLR0913 - what an installation stands on
        self,
        file: Path,
        services: Services,
        asking: Asking,
        who: Who,
        *,
        name: str = DEFAULT,
        account: str = "",
        log_on: str = "",
        tell: Callable[[Progress], None] = lambda _: None,
        seconds: float = BEAT_SECONDS,
    ) -> None:
        """`file` is the settings file that the service shall run with; `account` and `log_on` as `Definition`'s."""
        self._file, self._services, self._asking, self._who = file.absolute(), services, asking, who
        self._name, self._account, self._log_on = name, account, log_on
        self._tell, self._seconds = tell, seconds
        self._schemas, self._changed = Schemas(), list[Step]()
        self.step: Step = "settings"
        """The one that runs now; of an installation that failed, the one that did."""

    async def run(self) -> Outcome:
        """Install. Raises any `Failure`; `step` says where, and what is done stays done."""
        loaded = self._settings()
        async with beats.database_of(loaded) as database:
            surveyed = await self._reach(loaded, database)
            takes_over = await self._decide(loaded, surveyed)
            office = await self._enrol(loaded, surveyed, database)
            since = await self._serve(database)
            await self._wait_for_beat(loaded, database, since)
            server = await self._name_server(surveyed.facts, database, takes_over=takes_over)
        if takes_over:
            await agreed.settle(loaded, agreed=False)
        return Outcome(self._name, office, server, tuple(self._changed))

    # -- steps -------------------------------------------------------------------------------------------------

    def _settings(self) -> Loaded[Settings]:
        self._begin("settings")
        # As the service will read it: nothing from this shell.
        loaded = load_settings(self._file, environment={})
        hq_url(loaded)
        self._end("already", str(self._file))
        return loaded

    async def _reach(self, loaded: Loaded[Settings], database: Database) -> Surveyed:
        self._begin("database")
        surveyed = await survey(loaded, self._services, database)
        version = ".".join(map(str, surveyed.facts.version))
        self._end("already", f"{database.server}, Open Dental {version}")
        return surveyed

    async def _decide(self, loaded: Loaded[Settings], surveyed: Surveyed) -> bool:
        """Ask what must be asked; return whether this machine becomes the Update Server."""
        self._begin("rules")
        facts, answers = surveyed.facts, dict[str, str]()
        rules.refuse(facts)
        await asyncio.to_thread(check_rights, loaded, self._services, surveyed)
        for question in rules.questions(facts):
            answer = await asyncio.to_thread(self._asking.answer, question)
            failure = rules.declined(question, answer, facts)
            if failure is not None:
                raise failure
            answers[question.key] = answer
        takes_over = rules.takes_over(facts, answers.get(rules.TAKE_OVER, ""))
        if takes_over and not facts.agreed:
            await agreed.settle(loaded, agreed=True)
        self._end("already", "nothing speaks against it")
        return takes_over

    async def _enrol(self, loaded: Loaded[Settings], surveyed: Surveyed, database: Database) -> str:
        self._begin("enrolment")
        office = (await read_file(loaded)).office
        if office:
            self._end("already", office)
            return office
        key = await asyncio.to_thread(self._asking.key, surveyed.registration_key)
        welcomed = await enrol(loaded, key)
        machine = loaded.value.machine_name
        await database.run(writing.note_consent, self._schemas, self._who, machine, within=_WITHIN)
        self._end("done", welcomed.title or welcomed.office)
        return welcomed.office

    async def _serve(self, database: Database) -> dt.datetime | None:
        """Return since when a heartbeat counts, by the database's clock; None when the service ran already."""
        self._begin("service")
        serving = await asyncio.to_thread(self._services.serving, self._file)
        if serving:
            self._name = serving
        if await asyncio.to_thread(self._services.state, self._name) is ServiceState.RUNNING and serving:
            self._end("already", f"{self._name} runs")
            return None
        since = await beats.database_time(database)
        await asyncio.to_thread(self._install_and_start, added=bool(serving))
        self._end("done", f"{self._name} is installed and runs")
        return since

    def _install_and_start(self, *, added: bool) -> None:
        services, name = self._services, self._name
        if not added:
            services.add(name, self._file, self._account)
        if services.state(name) is ServiceState.NOT_INSTALLED:
            services.install(name, log_on=self._log_on)
        services.start(name)

    async def _wait_for_beat(self, loaded: Loaded[Settings], database: Database, since: dt.datetime | None) -> None:
        self._begin("heartbeat")
        if not await beats.wait(database, since, self._seconds, lambda: _is_refused(loaded)):
            raise await self._why_silent(loaded, database)
        self._end("already" if since is None else "done", "Open Dental shows Working")

    async def _why_silent(self, loaded: Loaded[Settings], database: Database) -> Failure:
        """Return the connector's own reason, if it has one: another machine owns the office, or no database."""
        left = await read_file(loaded)
        trouble = left.running.link_trouble if left.running.link in _REFUSED else None
        trouble = left.running.database_trouble or trouble
        if trouble is not None:
            return trouble.failure()

        async def seen_before() -> Left:
            return left

        stands = await Desk(database, self._schemas, loaded.value.machine_name, seen_before).status()
        return HeartbeatMissing(
            name=self._name,
            seconds=f"{self._seconds:g}",
            why=stands.why,
            next=stands.next_step.text or "Wait a minute, then look again.",
            settings=self._file,
        )

    async def _name_server(self, facts: Facts, database: Database, *, takes_over: bool) -> str:
        self._begin("update-server")
        name = rules.short_name(facts.machine)
        changed = takes_over and await database.run(
            writing.take_over, self._schemas, name, self._who, name, within=_WITHIN
        )
        server = name if changed else facts.update_server
        self._end("done" if changed else "already", server or "Open Dental names none")
        return server

    def _begin(self, step: Step) -> None:
        self.step = step
        self._tell(Progress(step, "begun"))

    def _end(self, state: Literal["done", "already"], text: str) -> None:
        if state == "done":
            self._changed.append(self.step)
        self._tell(Progress(self.step, state, text))


async def _is_refused(loaded: Loaded[Settings]) -> bool:
    """Return whether HQ keeps the connector from beating, so that nobody needs to wait for it."""
    return (await read_file(loaded)).running.link in _REFUSED


def missing_settings(file: Path) -> bool:
    """Return whether the settings file has to be made, or says too little to run with."""
    with contextlib.suppress(SettingInvalid):
        try:
            hq_url(load_settings(file, environment={}))
        except SettingMissing:
            return True
    return not file.exists()

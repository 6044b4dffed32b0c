"""The Install button: the questions of `econnector office install` as a form, then its steps as they are done."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from starlette.responses import Response

from econnector.base.errors import Failure, QuestionUnanswered, SettingMissing, Unexpected
from econnector.office.install import beats, rules
from econnector.office.install.install import STEPS, Asking, Installation, Outcome, Progress, Step
from econnector.office.install.rules import Question
from econnector.office.install.survey import Surveyed, survey
from econnector.office.service.contract import ServiceState
from econnector.office.settings import PREFIX
from econnector.office.window.frame import Page, Section, Visitor
from econnector.office.window.scene import Scene

__all__ = ["PAGES", "SECTION", "busy"]

State = Literal["waits", "begun", "done", "already", "failed"]


@dataclass(slots=True)
class _Run:
    """One installation that was begun in this window."""

    states: dict[Step, tuple[State, str]] = field(default_factory=lambda: dict.fromkeys(STEPS, ("waits", "")))
    task: asyncio.Task[None] | None = None
    outcome: Outcome | None = None
    failure: Failure | None = None

    @property
    def runs(self) -> bool:
        """Whether it is not over yet."""
        return self.task is not None and not self.task.done()

    def hear(self, progress: Progress) -> None:
        """Note how far it is."""
        self.states[progress.step] = (progress.state, progress.text)


_RUNS: dict[Path, _Run] = {}
"""By settings file: a machine may have several windows."""


def busy(file: Path | None) -> bool:
    """Return whether this process installs with that settings file now."""
    run = _RUNS.get(file.absolute()) if file is not None else None
    return run is not None and run.runs


async def show(visitor: Visitor) -> Response:
    """Say what is installed, or ask what must be asked."""
    scene = visitor.scene
    file = _file(scene)
    if busy(file):
        return visitor.go("/install/progress")
    service = await asyncio.to_thread(_running_service, scene)
    if service or scene.inside:
        return visitor.page("window/install.html", service=service, inside=scene.inside, file=file)
    found = await _survey(scene)
    rules.refuse(found.facts)
    status = 422 if visitor.form.mistakes else 200
    return visitor.page(
        "window/install.html",
        status,
        service="",
        inside=False,
        file=file,
        questions=rules.questions(found.facts),
        needs_key=not found.facts.enrolled,
        known_key=found.registration_key[-4:],
    )


async def begin(visitor: Visitor) -> Response:
    """Begin to install with the form's answers."""
    scene, form = visitor.scene, visitor.form
    file = _file(scene)
    if busy(file):
        return visitor.go("/install/progress")
    found = await _survey(scene)
    for question in rules.questions(found.facts):
        if form.get(question.key) not in question.answers:
            form.wrong(question.key, "Choose one of the answers.")
    if not found.facts.enrolled and not (form.get("key").strip() or found.registration_key):
        form.wrong("key", "Enter the registration key; the vendor has it.")
    if form.mistakes:
        return await show(visitor)
    asking = Asking(_Answers(dict(form.values)).answer, lambda known: form.get("key").strip() or known)
    run = _RUNS[file] = _Run()
    work = Installation(file, await asyncio.to_thread(scene.services), asking, visitor.who, tell=run.hear)
    run.task = asyncio.create_task(_do(work, run))
    return visitor.go("/install/progress")


async def progress(visitor: Visitor) -> Response:
    """Show the steps; while it runs the page looks again by itself."""
    run = _RUNS.get(_file(visitor.scene))
    if run is None:  # the connector runs now and serves the window; what began it has ended
        return visitor.go("/install")
    failed = visitor.failed(run.failure) if run.failure is not None else None
    steps = [(words, *run.states[step]) for step, words in STEPS.items()]
    return visitor.page("window/install-progress.html", steps=steps, run=run, failed=failed)


class _Answers:
    """What the form said."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    def answer(self, question: Question) -> str:
        """Return the answer; one that came up only now is asked on the page that follows."""
        given = self._values.get(question.key, "")
        if given not in question.answers:
            raise QuestionUnanswered(
                question=question.text, why="it came up only now", how="the Install page, which asks it"
            )
        return given


async def _do(work: Installation, run: _Run) -> None:
    try:
        run.outcome = await work.run()
    except Failure as failure:
        run.failure = failure
    except Exception as fault:  # noqa: BLE001 - nobody else would tell the person who waits
        run.failure = Unexpected(kind=type(fault).__name__)
    if run.failure is not None:
        run.states[work.step] = ("failed", "")


async def _survey(scene: Scene) -> Surveyed:
    services = await asyncio.to_thread(scene.services)
    async with beats.database_of(scene.loaded) as database:
        return await survey(scene.loaded, services, database)


def _file(scene: Scene) -> Path:
    """Return the settings file. Raises SettingMissing: a service cannot run with what stands in this shell."""
    if scene.loaded.file is None:
        where = "a settings file (there is none; a service cannot run with variables of a shell)"
        raise SettingMissing(name="hq.url", places=where, variable=f"{PREFIX}_HQ_URL")
    return scene.loaded.file.absolute()


def _running_service(scene: Scene) -> str:
    """Return the service that runs with this settings file, empty if none does."""
    services, file = scene.services(), scene.loaded.file
    name = services.serving(file) if file else ""
    return name if name and services.state(name) is ServiceState.RUNNING else ""


SECTION = Section("Install", "/install", "down")
PAGES = (
    Page("/install", show),
    Page("/install", begin, method="POST", needs="setup"),
    Page("/install/progress", progress),
)

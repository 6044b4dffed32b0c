"""The doctor for HQ: its support asks over the link what this office's own doctor finds.

Findings are written for support: they count patients and never name them. What leaves here leaves the office, so the
details stay, and the rest is looked through once more for what could tell of a patient or open a door.
"""

import asyncio
import re
from collections.abc import Sequence

from econnector.base.clock import Clock
from econnector.base.errors import Failure
from econnector.base.settings import Loaded
from econnector.base.version import version
from econnector.link.calls import DOCTOR, DoctorWanted, Examined, FailureMet, Found
from econnector.office.doctor import CHECKS
from econnector.office.doctor.check import Check, Finding, examine
from econnector.office.doctor.scene import Scene
from econnector.office.settings import Settings
from econnector.storage.database import Database
from econnector.storage.state import failures
from econnector.wire.call import Answers, Asked

__all__ = ["RemoteDoctor", "fit_to_leave"]

_FAILURES = 20
_LONGEST = 1000
"""Characters of one text."""
_DOTS = "…"
_HIDDEN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<=://)[^/\s@]+@"), ""),
    (re.compile(r"(?i)\b(password|passwort|secret|token|key)(\s*=\s*|:)(?=\S)\S+"), rf"\1\2{_DOTS}"),
    # A patient's folder is `<letter>/<name and number>`, and whatever is in it.
    (re.compile(r"(?<=[\\/])([A-Z])([\\/])[^\\/\s,;][^,;\n]*"), rf"\1\2{_DOTS}"),
    (re.compile(r"(?i)\b(patient|patnum|document|docnum|statement|message)(\s*#?\s*)\d+"), rf"\1\2{_DOTS}"),
)


def fit_to_leave(text: str) -> str:
    """Return a finding's text without credentials, patients' folders and record numbers."""
    for pattern, instead in _HIDDEN:
        text = pattern.sub(instead, text)
    return text[:_LONGEST]


class RemoteDoctor:
    """Examines this machine when HQ asks; whoever asks while it looks gets the same findings."""

    def __init__(
        self, loaded: Loaded[Settings], state: Database, clock: Clock, checks: Sequence[Check] = CHECKS
    ) -> None:
        """Nothing is looked at before HQ asks."""
        self._loaded, self._state, self._clock, self._checks = loaded, state, clock, checks
        self._looking: asyncio.Task[Examined] | None = None

    def answer_to(self, answers: Answers) -> None:
        """Have it answer: also while the database is away, which is when it is asked."""

        @answers.to(DOCTOR)
        async def _doctor(_: Asked, __: DoctorWanted) -> Examined:
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._examine())
            return await asyncio.shield(self._looking)

    async def _examine(self) -> Examined:
        scene = Scene.beside(self._loaded, self._clock)
        try:
            findings = await examine(scene, self._checks)
        finally:
            await scene.close()
        return Examined(self._loaded.value.machine_name, version(), [*map(_found, findings)], await self._failures())

    async def _failures(self) -> list[FailureMet]:
        try:
            met = await self._state.run(failures.latest, _FAILURES)
        except Failure:
            return []  # the check of the state file says why
        return [FailureMet(each.at, each.code, each.reference) for each in met]


def _found(finding: Finding) -> Found:
    return Found(
        check=finding.check,
        area=finding.area,
        proves=finding.proves,
        state=finding.state,
        text=fit_to_leave(finding.text),
        remedy=[fit_to_leave(step) for step in finding.remedy],
        code=finding.code,
        reference=finding.reference,
        seconds=finding.seconds,
    )

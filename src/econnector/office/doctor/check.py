"""What a check is, and how all of them are run: side by side, each within its own time, whatever is broken."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
import structlog

from econnector.base.errors import Failure, Unexpected
from econnector.office.doctor.scene import NotNowError, Scene

__all__ = [
    "EXITS",
    "Check",
    "Finding",
    "Fix",
    "State",
    "attention",
    "examine",
    "from_failure",
    "offering",
    "ok",
    "problem",
    "unknown",
    "worst",
]

log = structlog.get_logger(__name__)

State = Literal["ok", "attention", "problem", "unknown"]
EXITS: dict[State, int] = {"ok": 0, "attention": 1, "problem": 2, "unknown": 3}
"""Exit status by the worst finding, as monitoring programs (Nagios) expect it."""
_US = "Run `econnector doctor`"
_ORDER: tuple[State, ...] = ("ok", "unknown", "attention", "problem")


class Finding(msgspec.Struct):
    """What one check found."""

    check: str = ""
    area: str = ""
    proves: str = ""
    state: State = "ok"
    text: str = ""
    remedy: list[str] = []
    code: str = ""
    """The catalogue's code, where it is one of its failures."""
    reference: str = ""
    details: list[str] = []
    """One line each: steps, places, figures."""
    fix: str = ""
    """The `Fix` that is offered for it, by its id; empty for none."""
    mend: str = ""
    """What that fix would do, in one sentence."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Fix:
    """A remedy that is safe to let a machine do, once a person has said yes."""

    id: str
    does: str
    """What it would do, in one sentence; `offering` fills in its blanks."""
    deed: Callable[[Scene], Awaitable[str]]
    """Does it and returns in a sentence what was done. Done twice it does no harm. May raise a `Failure`, OSError."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question to this machine and what it stands on."""

    id: str
    """As named by `Failure.check`."""
    area: str
    """What `--only` also takes."""
    proves: str
    """What is so when the answer is ok."""
    limit: float
    """Seconds after which it gives up."""
    ask: Callable[[Scene], Awaitable[Finding]]
    """May raise a `Failure`: it becomes a problem with its words; and `NotNowError`."""
    fixes: tuple[Fix, ...] = ()
    """What findings of it may offer."""

    async def run(self, scene: Scene) -> Finding:
        """Return the finding; never raises but for cancellation."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(self.limit):
                finding = await self.ask(scene)
        except TimeoutError:
            finding = unknown(f"no answer within {self.limit:g} seconds")
        except NotNowError as error:
            finding = unknown(f"not examined: {error}")
        except Failure as failure:
            finding = from_failure(failure)
        except Exception as error:
            fault = Unexpected(kind=type(error).__name__)
            log.exception("a check failed", check=self.id, reference=fault.reference)
            finding = msgspec.structs.replace(from_failure(fault), state="unknown")
        seconds = round(time.monotonic() - began, 3)
        return msgspec.structs.replace(finding, check=self.id, area=self.area, proves=self.proves, seconds=seconds)


def ok(text: str, *details: str) -> Finding:
    """Return the finding that all is well."""
    return Finding(text=text, details=list(details))


def attention(text: str, remedy: Sequence[str], *details: str) -> Finding:
    """Return the finding that it works, and somebody should look."""
    return Finding(state="attention", text=text, remedy=list(remedy), details=list(details))


def problem(text: str, remedy: Sequence[str], *details: str) -> Finding:
    """Return the finding that something does not work, where the catalogue has no failure for it."""
    return Finding(state="problem", text=text, remedy=list(remedy), details=list(details))


def offering(finding: Finding, fix: Fix, **facts: object) -> Finding:
    """Return the finding with a fix for it; `facts` fill in what it would do."""
    return msgspec.structs.replace(finding, fix=fix.id, mend=fix.does.format(**facts))


def unknown(text: str) -> Finding:
    """Return the finding that nothing can be said."""
    return Finding(state="unknown", text=text)


def from_failure(failure: Failure, *details: str) -> Finding:
    """Return a failure of the catalogue as a problem that was found."""
    return Finding(
        state="problem",
        text=failure.office_text(),
        remedy=_steps(failure),
        code=failure.code,
        reference=failure.reference,
        details=list(details),
    )


def _steps(failure: Failure) -> list[str]:
    """Return the remedy without the step that led here."""
    steps = list(failure.remedy_steps())
    return [step for step in steps if not step.startswith(_US) or step.endswith("afterwards.")] or steps


async def examine(
    scene: Scene, checks: Iterable[Check], told: Callable[[Finding], None] = lambda _: None
) -> list[Finding]:
    """Run `checks` side by side; return their findings in the order given. `told` hears each as soon as it is there."""

    async def one(check: Check) -> Finding:
        finding = await check.run(scene)
        told(finding)
        return finding

    return list(await asyncio.gather(*(one(check) for check in checks)))


def worst(findings: Iterable[Finding]) -> State:
    """Return the worst state among them; `ok` when there is none."""
    return max((finding.state for finding in findings), key=_ORDER.index, default="ok")

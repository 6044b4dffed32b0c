"""How failures cross a link: code, reference and public facts, nothing else."""

import re
import traceback

import structlog

from econnector.base.errors import (
    AnswerLost,
    AnswerUncertain,
    Failure,
    OfficeTooSlow,
    Unexpected,
    UnknownCall,
    failure_from,
)
from econnector.wire.messages import Fault

__all__ = ["fault_of", "heard", "link_fault", "unexpected"]

log = structlog.get_logger(__name__)

_LOST = frozenset({AnswerLost.code, OfficeTooSlow.code})
_REFERENCE = re.compile(r"[A-Za-z0-9-]{1,40}", re.ASCII)
_OURS = frozenset({"self", "reference"})
"""What a failure is made with, and no fact."""
_FRAMES = 6
_LONGEST_FACT = 100


def fault_of(failure: Failure) -> Fault:
    """Return what the other side may know of `failure`."""
    return Fault(failure.code, failure.reference, failure.public_facts())


def link_fault(kind: type[Failure], **facts: object) -> Fault:
    """Return a fault that the way itself makes; whoever asked puts the call's own reference to it."""
    return Fault(kind.code, "", {name: str(value) for name, value in facts.items()})


def heard(fault: Fault, call: str, reference: str, *, repeatable: bool) -> Failure:
    """Return the failure that the asker of `call` meets.

    `repeatable`: whether the call may be sent again without harm, because it changes nothing or carries a key that
    the asker knows. If not, a lost answer means that nobody knows whether it was done.
    """
    facts = {"call": call} | {name: value for name, value in fault.facts.items() if name not in _OURS}
    # The other side may say anything, and a reference stands in headers and as a picture.
    reference = fault.reference if _REFERENCE.fullmatch(fault.reference) else reference
    if fault.code == UnknownCall.code:
        # Whoever asks is the newer one, and its operators tell the other side's to update.
        older = {name: facts.get(name, "")[:_LONGEST_FACT] for name in ("call", "version", "machine")}
        log.warning("the other side is too old for a call", reference=reference, **older)
    if fault.code in _LOST and not repeatable:
        facts.setdefault("reason", "no answer in time")
        return AnswerUncertain(reference=reference, **facts)
    return failure_from(fault.code, reference, facts)


def unexpected(error: Exception, call: str, reference: str) -> Unexpected:
    """Log a fault of the software with where it happened and return what the other side may know of it.

    The exception's text and its locals stay out of the log: they may hold what a patient typed.
    """
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    log.error("a call met an unexpected fault", call=call, reference=reference, kind=type(error).__name__, at=places)
    return Unexpected(reference=reference, kind=type(error).__name__)

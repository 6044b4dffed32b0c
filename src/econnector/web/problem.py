"""A failure as its reader is told, and as a program reads it: JSON after RFC 9457. Every door says it alike."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

__all__ = ["MEDIA_TYPE", "FailureView", "Problem", "first_sentence", "problem", "seconds", "tell"]

MEDIA_TYPE = "application/problem+json"
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_BLANK = re.compile(r"\{(\w+)\}")
_WAIT_FACT = "seconds"
_WAIT = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FailureView:
    """What a person is shown of a failure, in their language."""

    code: str
    title: str
    text: str
    reference: str
    status: int
    still: str
    """What still works, or an empty text."""
    retry: bool
    """Whether the same page may be asked for again."""
    wait_seconds: int = 0
    """When it is worth trying again; 0 when nobody knows."""
    steps: tuple[str, ...] = ()
    """What to do, in order; only where the office reads."""


class Problem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A failure as a program reads it; members that say nothing are left out."""

    type: str
    """`urn:econnector:failure:` and the code."""
    title: str
    status: int
    detail: str
    code: str
    """Stable: what a program decides by."""
    reference: str
    """What to tell whoever runs it."""
    retry: bool
    """Whether the same request may be sent again."""
    parameter: str = ""
    """Of the query, where one is at fault."""
    remedy: tuple[str, ...] = ()
    """What to do, in order; only where the office reads."""


def problem(shown: FailureView, parameter: str = "") -> Problem:
    """Return what is shown of a failure as its JSON object."""
    return Problem(
        type=f"urn:econnector:failure:{shown.code}",
        title=shown.title,
        status=shown.status,
        detail=shown.text,
        code=shown.code,
        reference=shown.reference,
        retry=shown.retry,
        parameter=parameter,
        remedy=shown.steps,
    )


def tell(template: str, facts: Mapping[str, str]) -> str:
    """Fill in the facts; a sentence that needs one nobody knows is left out rather than shown with a hole."""
    known = [
        sentence
        for sentence in _SENTENCE_END.split(template)
        if all(facts.get(name) for name in _BLANK.findall(sentence))
    ]
    return _BLANK.sub(lambda found: facts[found[1]], " ".join(known))


def first_sentence(text: str) -> tuple[str, str]:
    """Return a text's first sentence, and the rest."""
    first, *more = _SENTENCE_END.split(text)
    return first, " ".join(more)


def seconds(facts: Mapping[str, str]) -> int:
    """Return after how many seconds it is worth trying again; 0 when nobody knows."""
    wait = facts.get(_WAIT_FACT, "")
    return int(wait) if _WAIT.fullmatch(wait) else 0

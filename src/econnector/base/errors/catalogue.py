"""What a failure is, and the table of all of them: one class per failure that a person can meet.

One object becomes a portal page, a JSON problem, a command-line message, a history row and a doctor
finding, all with the same reference. `patient` and `office` are templates over `facts`; a fact may be
shown to patients and to HQ only if it is named in `public`.

`docs/errors.md` is written from this module by `econnector errors`; a test keeps the two equal.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from econnector.base.ids import new_reference

__all__ = ["CATALOGUE", "Failure", "Unexpected", "failure_from", "walk"]

CATALOGUE: dict[str, type["Failure"]] = {}


class _Facts(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"


class Failure(Exception):  # noqa: N818 - the catalogue's word; a Failure is a product, not a programming error
    """Something that a person can meet; never raised itself, only its subclasses."""

    code: ClassVar[str] = ""
    """Stable, lower-case, hyphenated; never reused. What a person searches for."""
    title: ClassVar[str] = ""
    """The heading of the page, in the patient's words."""
    today: ClassVar[str] = ""
    """The message that people search for today (`failures.md`), if there is one."""
    patient: ClassVar[str] = ""
    """What the patient reads: what happened, what it means, what they can do. A template over public facts."""
    office: ClassVar[str] = ""
    """What the office reads: the cause. A template over all facts."""
    remedy: ClassVar[tuple[str, ...]] = ()
    """Steps for the office, in order."""
    public: ClassVar[frozenset[str]] = frozenset()
    """Facts that may leave the office and be shown to a patient."""
    http: ClassVar[int] = 500
    exit: ClassVar[int] = 1
    check: ClassVar[str] = ""
    """The id of the doctor's check that finds this, or empty where no check can."""
    retry: ClassVar[bool] = False
    """Whether the same request may be sent again without harm."""

    def __init_subclass__(cls, **rest: object) -> None:
        """Enter the class in the catalogue; a code can be taken once."""
        super().__init_subclass__(**rest)
        if not cls.code or "code" not in vars(cls):
            return
        if CATALOGUE.get(cls.code, cls).__qualname__ != cls.__qualname__:
            raise TypeError(f"failure code {cls.code!r} is taken by {CATALOGUE[cls.code].__qualname__}")
        CATALOGUE[cls.code] = cls

    def __init__(self, *, reference: str | None = None, **facts: object) -> None:
        """Keep `facts` (all become text). Secrets and patient data are never facts."""
        self.reference = reference or new_reference()
        self.facts: dict[str, str] = {name: str(value) for name, value in facts.items()}
        super().__init__(self.office_text())

    def patient_text(self) -> str:
        """Return what the patient reads; only public facts are filled in."""
        return self.patient.format_map(_Facts(self.public_facts()))

    def office_text(self) -> str:
        """Return what the office reads."""
        return (self.office or self.title).format_map(_Facts(self.facts))

    def remedy_steps(self) -> tuple[str, ...]:
        """Return the remedy with the facts filled in."""
        return tuple(step.format_map(_Facts(self.facts)) for step in self.remedy)

    def public_facts(self) -> dict[str, str]:
        """Return the facts that may leave the office."""
        return {name: value for name, value in self.facts.items() if name in self.public}


class Unexpected(Failure):
    """A fault in the software itself: the details are in the log under the reference, nowhere else."""

    code = "unexpected"
    title = "Something went wrong on our side"
    today = "Internal server error. Please notify the dental office to call support or try again later"
    patient = "Something went wrong on our side. Nothing you entered was changed. If you call the office, give them the reference below."
    office = "The software met a fault it did not expect ({kind}). The log has the details under the reference."
    remedy = ("Look up the reference in the log.", "Send the log to support with the reference.")
    public = frozenset[str]()
    http = 500
    exit = 70


def failure_from(code: str, reference: str, facts: Mapping[str, str]) -> Failure:
    """Return the failure with this code; a code from a newer version becomes `Unexpected`."""
    kind = CATALOGUE.get(code, Unexpected)
    if kind is Unexpected and code != Unexpected.code:
        return Unexpected(reference=reference, kind=code)
    return kind(reference=reference, **facts)


def walk() -> Iterator[type[Failure]]:
    """Yield every failure of the catalogue, by code."""
    for code in sorted(CATALOGUE):
        yield CATALOGUE[code]

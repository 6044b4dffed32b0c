"""Problems: a concern, within it the diagnosis with its codes and its status."""

from typing import Final
from xml.etree.ElementTree import Element

from econnector.documents.ccd import oids
from econnector.documents.ccd.concerns import concern
from econnector.documents.ccd.elements import coded, element, interval, named, reference, status, templates
from econnector.documents.ccd.narrative import Line
from econnector.documents.ccd.writing import Kind, Row, Section, Writing, cell
from econnector.opendental.summary.records import Problem, ProblemStatus

__all__ = ["section"]

_KIND: Final = Kind("problems", oids.PROBLEMS, "11450-4")
_PROBLEM: Final = "55607006"
"""SNOMED CT: a problem, whatever it is."""
_STATUSES: Final[dict[ProblemStatus, str]] = {
    "active": "55561003",
    "inactive": "73425007",
    "resolved": "413322009",
}
"""SNOMED CT."""


def section(writing: Writing) -> Section:
    """Return the section."""
    summary = writing.summary
    none = ("none.problems", lambda said: _none(writing, said)) if "problems" in summary.none_known else None
    return writing.section(_KIND, [_row(writing, one) for one in summary.problems], none)


def _row(writing: Writing, problem: Problem) -> Row:
    words = writing.words
    line = writing.line(
        "problem",
        problem.number,
        writing.called(problem.what, problem.code),
        words(f"status.{problem.status}"),
        words.day(problem.begins),
        words.day(problem.ends),
    )
    others = [coded("translation", one) for one in problem.others]
    observation = element(
        "observation",
        *templates(oids.PROBLEM),
        writing.id("disease", problem.number),
        _type(),
        reference(line.id),
        status("completed"),
        interval(problem.begins, problem.ends, over=problem.status == "resolved"),
        coded("value", problem.code, reference(cell(line, 0), "originalText"), *others, xsi_type="CD"),
        element("entryRelationship", _status(line, problem.status), typeCode="REFR"),
        classCode="OBS",
        moodCode="EVN",
    )
    identity = [*templates(oids.PROBLEM_CONCERN), writing.id("disease", problem.number, "concern")]
    active = problem.status == "active"
    # The row's stamp is of its last change, which of a problem that is over may come after its end.
    since = problem.noted or problem.begins if active else problem.begins
    until = None if active else problem.ends
    tracked = (status("active" if active else "completed"), interval(since, until, over=not active))
    return Row((line,), concern(identity, line.id, tracked, observation))


def _type() -> Element:
    return named("code", _PROBLEM, oids.SNOMED, "", named("translation", "75326-9", oids.LOINC))


def _status(line: Line, code: ProblemStatus) -> Element:
    return element(
        "observation",
        *templates(oids.PROBLEM_STATUS),
        named("code", "33999-4", oids.LOINC),
        reference(cell(line, 1)),
        status("completed"),
        named("value", _STATUSES[code], oids.SNOMED, xsi_type="CD"),
        classCode="OBS",
        moodCode="EVN",
    )


def _none(writing: Writing, said: str) -> Element:
    """Somebody asked, and there are none: the observation of a problem is negated."""
    patient = writing.summary.subject.number
    observation = element(
        "observation",
        *templates(oids.PROBLEM),
        element("id", root=writing.root("no-problem", patient)),
        _type(),
        reference(said),
        status("completed"),
        interval(None, None),
        named("value", _PROBLEM, oids.SNOMED, "", reference(said, "originalText"), xsi_type="CD"),
        classCode="OBS",
        moodCode="EVN",
        negationInd="true",
    )
    identity = [*templates(oids.PROBLEM_CONCERN), element("id", root=writing.root("no-problem", patient, "concern"))]
    return concern(identity, said, (status("active"), interval(None, None)), observation)

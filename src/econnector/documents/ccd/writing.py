"""What all sections share while a care summary is written: language, ids, people, the form of a section.

Ids are made of the practice and of Open Dental's own numbers, so that the same row bears the same id in every summary.
"""

import re
import uuid
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element

from econnector.documents.ccd import oids
from econnector.documents.ccd.elements import clean, element, named, templates, text
from econnector.documents.ccd.narrative import Line, SectionKey, Told
from econnector.documents.ccd.oids import Template
from econnector.documents.ccd.people import address, full_name, is_npi, person_name, phone
from econnector.documents.ccd.words import Words
from econnector.opendental.summary.records import Clinician, Code, Summary

__all__ = ["Kind", "Row", "Section", "Writing", "cell"]


_OID: Final = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")


class Row(NamedTuple):
    """What one record becomes: the lines that are read, and the statement that refers to them."""

    lines: tuple[Line, ...]
    statement: Element


class Kind(NamedTuple):
    """What kind of section it is."""

    key: SectionKey
    template: Template
    loinc: str


class Section(NamedTuple):
    """One section, for readers and for machines."""

    told: Told
    element: Element


class Writing:
    """One care summary in one language."""

    def __init__(self, summary: Summary, language: str) -> None:
        """`language` as `Words` takes it."""
        self.summary = summary
        self.words = Words(language)
        self._people = {one.number: one for one in (*summary.clinicians, summary.provider, summary.custodian)}
        oid = summary.subject.root if _OID.fullmatch(summary.subject.root) else ""
        practice = oid or summary.custodian.npi or summary.practice.npi
        known = practice or f"{summary.practice.name}/{summary.practice.phone}"
        self._practice = uuid.uuid5(uuid.NAMESPACE_OID, clean(known))
        self.patients = oid or self.root("patient")
        """Under what the practice numbers its patients: its OID, or one id of its own."""

    def root(self, *what: object) -> str:
        """Return an id that is unique in the world, the same every time for the same record of the same practice."""
        return str(uuid.uuid5(self._practice, "/".join(str(one) for one in what)))

    def id(self, table: str, number: int, part: str = "") -> Element:
        """Return the id of a statement made from a row; `part` tells several statements of one row apart."""
        return element("id", root=self.root(table, number, part))

    def line(self, name: str, number: int, *cells: str) -> Line:
        """Return a line to read, its id made of a word and the row's number."""
        return Line(f"{name}-{number}", tuple(clean(one) for one in cells))

    def called(self, what: str, code: Code | None) -> str:
        """Return what a record is called: the practice's words, the code's, or the code."""
        ways = (what, code.text, code.value) if code is not None else (what,)
        return next((words for one in ways if (words := clean(one))), "") or self.words("unnamed")

    def clinician(self, number: int) -> Clinician | None:
        """Return whom an entry names; None for nobody."""
        return self._people.get(number)

    def named(self, number: int) -> str:
        """Return the name of whom an entry names; nothing for nobody."""
        one = self.clinician(number)
        return full_name(one.name) if one is not None else ""

    def entity(self, one: Clinician, tag: str = "assignedEntity") -> Element:
        """Return a provider with the practice's address and phone."""
        return element(
            tag,
            self.clinician_id(one),
            self.taxonomy(one),
            *self.reached(),
            element("assignedPerson", person_name(one.name)) if one.is_person else None,
            None if one.is_person else self.organization("representedOrganization"),
        )

    def clinician_id(self, one: Clinician) -> Element:
        """Return a provider's national number, or the practice's own number for them where that is none."""
        if is_npi(one.npi):
            return element("id", root=oids.NPI, extension=one.npi)
        return element("id", root=self.root("provider"), extension=str(one.number))

    def taxonomy(self, one: Clinician) -> Element | None:
        """Return what kind of provider it is, None where unknown."""
        return named("code", one.taxonomy, oids.TAXONOMY) if one.taxonomy else None

    def organization(self, tag: str) -> Element:
        """Return the practice."""
        where, telecom = self.reached()
        return element(tag, self.organization_id(), text("name", self.summary.practice.name), telecom, where)

    def organization_id(self) -> Element:
        """Return the practice's national number, or one of its own."""
        npi = self.summary.practice.npi
        if is_npi(npi):
            return element("id", root=oids.NPI, extension=npi)
        return element("id", root=self.root("practice"))

    def reached(self) -> tuple[Element, Element]:
        """Return the practice's address and phone."""
        practice = self.summary.practice
        return address(practice.address, "WP"), phone(practice.phone, "WP")

    def performer(self, number: int) -> Element | None:
        """Return who did it, None for nobody."""
        one = self.clinician(number)
        return element("performer", self.entity(one)) if one is not None else None

    def section(
        self, kind: Kind, rows: Iterable[Row], none_known: tuple[str, Callable[[str], Element]] | None = None
    ) -> Section:
        """Return a section of its rows.

        `none_known` is for a list of which somebody recorded that it has nothing: the word for that in `words.py`, and
        what makes the statement, given the id of the sentence. Without it a section without rows says that it has no
        information.
        """
        made = list(rows)
        lines = tuple(line for row in made for line in row.lines)
        entries = [row.statement for row in made]
        nothing = ""
        said = f"{kind.key}-none"
        if not lines and none_known is not None:
            nothing = self.words(none_known[0])
            entries = [none_known[1](said)]
        elif not lines:
            nothing = self.words("nothing.period" if any(self._limits()) else "nothing")
        told = Told(kind.key, self.words.title(kind.key), self.words.columns(kind.key), lines, nothing)
        return Section(told, _section(kind, told, said, entries))

    def _limits(self) -> tuple[object, object]:
        return self.summary.period.first, self.summary.period.last


def cell(line: Line, place: int) -> str:
    """Return the id of a line's cell, counted from 0."""
    return f"{line.id}.{place}"


def _section(kind: Kind, told: Told, said: str, entries: list[Element]) -> Element:
    return element(
        "section",
        *templates(kind.template),
        named("code", kind.loinc, oids.LOINC),
        text("title", told.title),
        element("text", _table(told) if told.lines else text("paragraph", told.nothing, ID=said)),
        *(element("entry", one, typeCode="DRIV") for one in entries),
        nullFlavor="" if entries else "NI",
    )


def _table(told: Told) -> Element:
    return element(
        "table",
        element("thead", element("tr", *(text("th", one) for one in told.columns))),
        element("tbody", *(element("tr", *_cells(line), ID=line.id) for line in told.lines)),
    )


def _cells(line: Line) -> list[Element]:
    cells = [element("td", ID=cell(line, place)) for place in range(len(line.cells))]
    for one, words in zip(cells, line.cells, strict=True):
        one.text = words
    return cells

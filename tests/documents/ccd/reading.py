"""Reading a care summary back, as its receiver does: sections, their words, their entries."""

from xml.etree import ElementTree as ET

from econnector.documents.ccd.narrative import SectionKey
from econnector.documents.ccd.oids import CODE_SYSTEMS
from econnector.opendental.summary.records import Code

__all__ = ["CDA", "LOINC", "SDTC", "XSI_TYPE", "Read", "at", "pair", "read"]

CDA = "{urn:hl7-org:v3}"
SDTC = "{urn:hl7-org:sdtc}"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
LOINC: dict[SectionKey, str] = {
    "allergies": "48765-2",
    "medications": "10160-0",
    "problems": "11450-4",
    "procedures": "47519-4",
    "results": "30954-2",
    "vitals": "8716-3",
    "social": "29762-2",
    "immunizations": "11369-6",
    "encounters": "46240-8",
    "functional": "47420-5",
    "plan": "18776-5",
    "referral": "42349-1",
}


class Read:
    """A document, read."""

    def __init__(self, xml: bytes) -> None:
        self.root = ET.fromstring(xml)
        codes = {at(one, "code").get("code"): one for one in self.root.iter(f"{CDA}section")}
        self.sections = {key: codes[loinc] for key, loinc in LOINC.items()}

    def dangling(self) -> list[str]:
        """Return the references that lead nowhere."""
        known = {one.get("ID") for one in self.root.iter()}
        values = [one.get("value", "") for one in self.root.iter(f"{CDA}reference")]
        return [one for one in values if one[:1] != "#" or one[1:] not in known]

    def ids(self) -> list[str]:
        """Return the ids of everything that can be referred to."""
        return [value for one in self.root.iter() if (value := one.get("ID"))]

    def entry_ids(self) -> list[tuple[str | None, str | None]]:
        """Return the ids of all statements."""
        entries = [entry for one in self.root.iter(f"{CDA}section") for entry in one.findall(f"{CDA}entry")]
        people = {"assignedEntity", "assignedAuthor", "representedOrganization"}
        found = list[tuple[str | None, str | None]]()
        for parent in (one for entry in entries for one in entry.iter()):
            if parent.tag.removeprefix(CDA) not in people:
                found += [(one.get("root"), one.get("extension")) for one in parent.findall(f"{CDA}id")]
        return found

    def cells(self, key: SectionKey) -> dict[str, list[str]]:
        """Return the cells of a section's lines by the lines' ids."""
        rows = at(self.sections[key], "text").iter(f"{CDA}tr")
        return {name: ["".join(one.itertext()) for one in row] for row in rows if (name := row.get("ID"))}

    def statements(self, key: SectionKey) -> list[ET.Element]:
        """Return what stands in a section's entries."""
        return [entry[0] for entry in self.sections[key].findall(f"{CDA}entry")]

    def statement(self, key: SectionKey, line: str) -> ET.Element:
        """Return the one statement of a section that refers to a line."""
        found = [
            one
            for one in self.statements(key)
            if f"#{line}" in {each.get("value") for each in one.iter(f"{CDA}reference")}
        ]
        assert len(found) == 1, f"{len(found)} statements refer to {line}"
        return found[0]

    def codes(self, key: SectionKey, line: str) -> set[tuple[str, str]]:
        """Return the codes of the statement that refers to a line, each with the OID of its system."""
        return {(one.get("code", ""), one.get("codeSystem", "")) for one in self.statement(key, line).iter()}

    def words(self, key: SectionKey) -> str:
        """Return the words of a section without a table."""
        return "".join(at(self.sections[key], "text").itertext())


def read(xml: bytes) -> Read:
    """Return a document, read. Raises where it is not well-formed, or lacks one of the sections."""
    return Read(xml)


def at(element: ET.Element, path: str) -> ET.Element:
    """Return what stands at a path of CDA's names. Fails where nothing does."""
    found = element.find("/".join(part if part in {".", "*", ""} else f"{CDA}{part}" for part in path.split("/")))
    assert found is not None, f"nothing at {path}"
    return found


def pair(code: Code) -> tuple[str, str]:
    """Return a code as it stands in the XML."""
    return code.value, CODE_SYSTEMS[code.system].oid

"""Code systems as Open Dental knows them: which there are, what a line of each file holds, how each one stands.

Names, order and the columns of the files are those of Open Dental's own importer; the identifiers are HL7's.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec
from sqlalchemy import Connection, Table, func, select

from econnector.opendental import tables, writes
from econnector.opendental.schema import Schema

__all__ = ["SYSTEMS", "CodeSystem", "Licence", "Standing", "named", "offer", "set_current", "standings"]

Licence = Literal["", "ama", "loinc", "snomed", "ucum"]
_HL7 = "2.16.840.1.113883"


class CodeSystem(msgspec.Struct, frozen=True):
    """One code system and the form of its file: UTF-8, tab-separated, no header."""

    name: str
    """`codesystem.CodeSystemName`."""
    title: str
    oid: str
    table: Table | None = None
    """None where nothing is imported: the table comes with Open Dental."""
    columns: tuple[str, ...] = ()
    """Of a line, in order."""
    same: tuple[str, ...] = ()
    """What makes two lines one row."""
    licence: Licence = ""
    """Whose terms a person must accept before it is imported."""
    updates: bool = False
    """Old descriptions are never kept."""

    @property
    def importable(self) -> bool:
        """Whether there is anything to import."""
        return self.table is not None

    @property
    def rest(self) -> tuple[str, ...]:
        """What may change while a row stays the same."""
        return tuple(column for column in self.columns if column not in self.same)


_LOINC = (
    "LoincCode Component PropertyObserved TimeAspct SystemMeasured ScaleType MethodType StatusOfCode NameShort "
    "ClassType UnitsRequired OrderObs HL7FieldSubfieldID ExternalCopyrightNotice NameLongCommon UnitsUCUM "
    "RankCommonTests RankCommonOrders"
)


def _system(name: str, title: str, oid: str, table: Table, columns: str, **more: object) -> CodeSystem:
    names = tuple(columns.split())
    made = {"same": (names[0],), **more}
    return CodeSystem(name, title, f"{_HL7}.{oid}", table, names, **made)  # type: ignore[arg-type]


SYSTEMS = (
    CodeSystem("AdministrativeSex", "Administrative sex (HL7)", f"{_HL7}.18.2"),
    _system(
        "CDCREC", "Race and ethnicity (CDC)", "6.238", tables.cdcrec, "CdcrecCode HeirarchicalCode Description"
    ),
    CodeSystem("CDT", "Dental procedures (ADA)", f"{_HL7}.6.13"),
    _system(
        "CPT", "Procedures (AMA)", "6.12", tables.cpt, "CptCode Description", licence="ama", updates=True
    ),
    _system("CVX", "Vaccines (CDC)", "12.292", tables.cvx, "CvxCode Description"),
    _system("HCPCS", "Procedures and supplies (CMS)", "6.285", tables.hcpcs, "HcpcsCode DescriptionShort"),
    _system("ICD10CM", "Diagnoses, ICD-10-CM", "6.90", tables.icd10, "Icd10Code Description IsCode"),
    _system("ICD9CM", "Diagnoses, ICD-9-CM (old)", "6.103", tables.icd9, "ICD9Code Description"),
    _system("LOINC", "Observations and documents, LOINC", "6.1", tables.loinc, _LOINC, licence="loinc"),
    _system(
        "RXNORM",
        "Medications, RxNorm",
        "6.88",
        tables.rxnorm,
        "RxCui MmslCode Description",
        same=("RxCui", "MmslCode"),
    ),
    _system(
        "SNOMEDCT", "Clinical terms, SNOMED CT", "6.96", tables.snomed, "SnomedCode Description", licence="snomed",
    ),
    _system("SOP", "Source of payment", "3.221.5", tables.sop, "SopCode Description"),
    _system("UCUM", "Units of measure", "6.8", tables.ucum, "UcumCode Description", licence="ucum"),
)  # fmt: skip
"""In the order of Open Dental's rows."""


class Standing(msgspec.Struct, frozen=True):
    """How one code system stands in this practice."""

    name: str
    title: str
    current: str
    """The version that was imported; empty when none was."""
    available: str
    """The newest version that is known of."""
    rows: int
    importable: bool
    licence: Licence = ""


def named(name: str) -> CodeSystem | None:
    """Return a code system by name, in any case."""
    return next((system for system in SYSTEMS if system.name.lower() == name.lower()), None)


def standings(connection: Connection, schema: Schema, systems: Iterable[CodeSystem] = SYSTEMS) -> list[Standing]:
    """Return how code systems stand, in their order; a table that this version lacks has no rows."""
    kept = tables.codesystem
    known = {
        row.CodeSystemName: row
        for row in connection.execute(select(kept.c.CodeSystemName, kept.c.VersionCur, kept.c.VersionAvail))
    }
    return [
        Standing(
            system.name,
            system.title,
            known[system.name].VersionCur if system.name in known else "",
            known[system.name].VersionAvail if system.name in known else "",
            _rows(connection, schema, system),
            system.importable,
            system.licence,
        )
        for system in systems
    ]


def _rows(connection: Connection, schema: Schema, system: CodeSystem) -> int:
    if system.table is None or not schema.has(system.table):
        return 0
    return int(connection.scalar(select(func.count()).select_from(system.table)) or 0)


def offer(connection: Connection, schema: Schema, system: CodeSystem, version: str) -> None:
    """Say which version is available."""
    _set(connection, schema, system, {"VersionAvail": version})


def set_current(connection: Connection, schema: Schema, system: CodeSystem, version: str) -> None:
    """Say which version is imported; it is then the available one too, unless a newer one is known."""
    known = connection.scalar(
        select(tables.codesystem.c.VersionAvail).where(tables.codesystem.c.CodeSystemName == system.name)
    )
    _set(connection, schema, system, {"VersionCur": version} | ({} if known else {"VersionAvail": version}))


def _set(connection: Connection, schema: Schema, system: CodeSystem, values: dict[str, str]) -> None:
    """Update the row; make it where Open Dental's update has not."""
    here = tables.codesystem.c.CodeSystemName == system.name
    if not connection.scalar(select(func.count()).select_from(tables.codesystem).where(here)):
        writes.insert(
            connection, schema, tables.codesystem, {"CodeSystemName": system.name, "HL7OID": system.oid} | values
        )
        return
    writes.update(connection, schema, tables.codesystem, values, here)

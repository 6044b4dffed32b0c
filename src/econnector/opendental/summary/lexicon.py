"""The words of codes, from the practice's own code tables: one question for each system that is used."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Column, Connection, select

from econnector.opendental import tables
from econnector.opendental.summary.records import Code, CodeSystemName
from econnector.opendental.summary.values import plain, tidy_code

__all__ = ["Lexicon"]

_COLUMNS: Final[dict[CodeSystemName, tuple[Column[str], Column[str]]]] = {
    "SNOMEDCT": (tables.snomed.c.SnomedCode, tables.snomed.c.Description),
    "RXNORM": (tables.rxnorm.c.RxCui, tables.rxnorm.c.Description),
    "ICD10CM": (tables.icd10.c.Icd10Code, tables.icd10.c.Description),
    "ICD9CM": (tables.icd9.c.ICD9Code, tables.icd9.c.Description),
    "CVX": (tables.cvx.c.CvxCode, tables.cvx.c.Description),
    "CPT": (tables.cpt.c.CptCode, tables.cpt.c.Description),
    "HCPCS": (tables.hcpcs.c.HcpcsCode, tables.hcpcs.c.DescriptionShort),
    "LOINC": (tables.loinc.c.LoincCode, tables.loinc.c.NameLongCommon),
    "CDCREC": (tables.cdcrec.c.CdcrecCode, tables.cdcrec.c.Description),
}
_AT_ONCE = 900
"""Codes in one question."""


class Lexicon:
    """First told which codes there are (`want`), then asked for them (`code`)."""

    def __init__(self) -> None:
        """Know nothing."""
        self._wanted: dict[CodeSystemName, set[str]] = {}
        self._texts: dict[tuple[CodeSystemName, str], str] = {}

    def want(self, system: CodeSystemName, values: Iterable[object]) -> None:
        """Note codes as they stand in their columns, blanks and nonsense among them."""
        tidy = {tidy_code(system, value) for value in values} - {""}
        if system in _COLUMNS:
            self._wanted.setdefault(system, set()).update(tidy)

    def load(self, connection: Connection) -> None:
        """Look up everything that is wanted."""
        for system, values in self._wanted.items():
            code, text = _COLUMNS[system]
            some = sorted(values)
            for start in range(0, len(some), _AT_ONCE):
                here = select(code, text).where(code.in_(some[start : start + _AT_ONCE]))
                # RxNorm has several rows of a code: the first one's words, always.
                for row in connection.execute(here.order_by(*code.table.primary_key.columns)):
                    self._texts.setdefault((system, tidy_code(system, row[0])), plain(row[1]))

    def knows(self, system: CodeSystemName, value: object) -> bool:
        """Return whether the practice's table has the code."""
        return (system, tidy_code(system, value)) in self._texts

    def code(self, system: CodeSystemName, value: object, otherwise: str = "") -> Code | None:
        """Return the code with its words, or with `otherwise` where the table does not know it; None if it is none."""
        tidy = tidy_code(system, value)
        return Code(tidy, system, self._texts.get((system, tidy)) or otherwise) if tidy else None

    def codes(self, system: CodeSystemName, value: object, otherwise: str = "") -> tuple[Code, ...]:
        """Return the code as `code` does, in a tuple that is empty where there is none."""
        found = self.code(system, value, otherwise)
        return () if found is None else (found,)

"""What care summaries need of the code systems, as steps that somebody at the front desk can follow."""

from collections.abc import Sequence

import msgspec

from econnector.office.codes.importer import Row

__all__ = ["WHY", "Errand", "Step", "steps"]

# ruff: noqa: E501 - sentences that people read stay whole
WHY = "Patients see vaccines, problems and allergies in their care summary. Open Dental looks these up in two lists: vaccines (CVX) and clinical terms (SNOMED CT). While one of them is empty, no patient can open a care summary."

_VACCINES = "This list comes with eConnector. Nothing has to be found or accepted."
_TERMS_OFFERED = "This list belongs to SNOMED International. Your eConnector vendor offers it for download; you only accept the terms."
_TERMS = "This list belongs to SNOMED International, so it does not come with eConnector. In the United States it is free of charge."


class Errand(msgspec.Struct, frozen=True):
    """Something to do away from here first."""

    text: str
    address: str = ""
    """Where, on the web."""


_GET = (
    Errand(
        "Make a free account of the National Library of Medicine. It may take some working days.",
        "https://uts.nlm.nih.gov/uts/signup-login",
    ),
    Errand(
        "Sign in there and download the US edition of SNOMED CT: one zip file. Do not unpack it.",
        "https://www.nlm.nih.gov/healthit/snomedct/us_edition.html",
    ),
    Errand("Come back here and say where that file is."),
)


class Step(msgspec.Struct, frozen=True):
    """One list, and what is to be done about it."""

    row: Row
    title: str
    what: str
    how: tuple[Errand, ...] = ()
    """In order."""

    @property
    def done(self) -> bool:
        """Whether the list is there."""
        return not self.row.needed

    @property
    def ready(self) -> bool:
        """Whether it can be imported without a file or an address."""
        return bool(self.row.shipped or self.row.offer)


def steps(rows: Sequence[Row]) -> list[Step]:
    """Return what is to be done, in order: what comes with eConnector first."""
    found = {row.system.name: row for row in rows}
    vaccines, terms = found["CVX"], found["SNOMEDCT"]
    return [
        Step(vaccines, "Vaccines (CVX)", _VACCINES),
        Step(
            terms,
            "Clinical terms (SNOMED CT)",
            _TERMS_OFFERED if terms.offer else _TERMS,
            () if terms.offer else _GET,
        ),
    ]

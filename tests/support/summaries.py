"""What a small office (`site.py`) answers about care summaries."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from econnector.base.errors import NotAllowed
from econnector.eservices.portal import calls
from econnector.wire.call import Answers, Asked, Streamed
from tests.support.visits import Around

__all__ = ["Summaries"]


def _sections() -> list[calls.SummarySection]:
    one = calls.SummarySection
    return [
        one("allergies", "Allergies", ["Allergy", "Reaction"], [["Latex", "Hives"], ["Penicillin", ""]], total=2),
        one("medications", "Medications", ["Medication"], nothing="No medications are recorded."),
        one(
            "procedures",
            "Procedures",
            ["Procedure", "Code", "Tooth", "Date", "State"],
            [
                [f"Filling {number}", "D2392 (CDT)", str(number), f"2025-01-{number:02}", "Done"]
                for number in range(1, 4)
            ],
            total=250,
            shortened=True,
        ),
    ]


def _deeds() -> list[calls.SummaryDeed]:
    one = calls.SummaryDeed
    return [
        one("2026-11-21T09:12:00", "downloaded", 11, "Ann Example", detail="zip"),
        one("2026-11-20T20:00:00", "sent", 77, "Karl Example", representative=True),
        one("2026-11-19T08:00:00", "viewed", 78, representative=True),
        one("2026-01-02T08:00:00", "copied"),
    ]


@dataclass
class Summaries:
    """Answers for everybody alike. Change its fields to cause things."""

    sections: list[calls.SummarySection] = field(default_factory=_sections)
    deeds: list[calls.SummaryDeed] = field(default_factory=_deeds)
    more: bool = False
    name: str = ""
    """Of the one whom it is about; empty for the name that the pages know."""
    files: dict[str, bytes] = field(
        default_factory=lambda: {"zip": b"PK", "xml": b"<ClinicalDocument/>", "html": b"<p>", "pdf": b"%PDF-1.4"}
    )

    def answer(self, office: Any, answers: Answers) -> None:
        """Answer for `office`, a `SmallOffice`; its fields at the time of the call count."""

        def around(asked: Asked, params: calls.PersonAsked) -> Around:
            office._live(params.token, asked)
            return Around(
                practice=calls.Practice(office.title, office.phone, office.language),
                session=office._session(params.token),
                looking_at=office._person(params.person, asked),
                people=[office.ann, office.tim, office.eve],
            )

        @answers.to(calls.CARE_SUMMARY)
        async def _(asked: Asked, params: calls.CareSummaryAsked) -> calls.CareSummary:
            frame, summaries = around(asked, params), office.summaries
            if params.bare:
                return calls.CareSummary(**frame)
            person = frame["looking_at"]
            sections = [one for one in summaries.sections if params.section in {"", one.key}]
            if not sections:
                raise NotAllowed(reference=asked.reference)
            return calls.CareSummary(
                **frame,
                made="2026-11-21T10:00:00",
                name=summaries.name or person.name,
                born=person.birth_date,
                provider="Ana O'Hara, DMD",
                place="Smile Dental Downtown",
                phone="5550100200",
                address=["1 High St", "Juniper Falls, OR 97001"],
                sections=sections,
                page=params.page,
                more=bool(params.section) and summaries.more,
            )

        @answers.streaming(calls.CARE_SUMMARY_FILE)
        async def _(asked: Asked, params: calls.CareSummaryFile) -> Streamed[calls.FileHead]:
            person = around(asked, params)["looking_at"]
            content = office.summaries.files.get(params.kind)
            if content is None:
                raise NotAllowed(reference=asked.reference)
            name = f"Care summary {person.name} 2026-11-21.{params.kind}"
            kinds = {"zip": "application/zip", "xml": "application/xml", "html": "text/html", "pdf": "application/pdf"}
            return Streamed(calls.FileHead(name, kinds[params.kind], len(content)), _once(content))

        @answers.to(calls.CARE_SUMMARY_HISTORY)
        async def _(asked: Asked, params: calls.PageAsked) -> calls.CareSummaryHistory:
            summaries = office.summaries
            return calls.CareSummaryHistory(
                **around(asked, params), items=summaries.deeds, page=params.page, more=summaries.more
            )


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content

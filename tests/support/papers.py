"""What a small office (`site.py`) answers about the account, documents, and who looked."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, TypedDict

from econnector.base.errors import FileMissing
from econnector.documents.archive import Entry, size_of, stream
from econnector.eservices.portal import calls
from econnector.wire.call import Answers, Asked, Streamed

__all__ = ["PNG", "Papers"]

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


class Around(TypedDict):
    """The fields of `calls.Around`."""

    practice: calls.Practice
    session: calls.Session
    looking_at: calls.Person
    people: list[calls.Person]


def _family() -> calls.FamilyAccount:
    shares = [calls.Share(11, "Ann Example", 10000), calls.Share(12, "Tim Example", 8200)]
    return calls.FamilyAccount(11, "Ann Example", 12345, 18345, 6000, shares, 145)


def _made() -> list[calls.Payment]:
    parts = [calls.Share(11, "Ann Example", 3000), calls.Share(12, "Tim Example", 2000)]
    return [
        calls.Payment(703, "2026-11-20", 5000, "Credit Card", "", "pending", "Ann Example", parts),
        calls.Payment(702, "2026-10-02", 7550, "Check", "1042", "done", "Ann Example", parts[:1]),
        calls.Payment(701, "2026-09-15", -2000, "Check", "1001", "done", "Ann Example"),
        calls.Payment(700, "", 1000, "", "", "failed", "Ann Example"),
    ]


def _documents() -> list[calls.Document]:
    one = calls.Document
    return [
        one(803, "2026-10-01T10:00:00", "Bite, for you to keep", "X-rays", "xray"),
        one(802, "2026-09-01T10:00:00", "", "Photos", "picture"),
        one(801, "2026-08-01T10:00:00", "Letter to your physician", "Letters"),
    ]


def _looks() -> list[calls.Look]:
    one = calls.Look
    return [
        one("2026-11-21T09:12:00", "statements", 11, "Ann Example", times=3),
        one("2026-11-21T09:05:00", "signed-in", 11, "Ann Example", "198.51.100.7"),
        one("2026-11-20T20:00:00", "statement-opened", 77, "Karl Example"),
        one("2026-11-20T19:59:00", "used", 78),
    ]


@dataclass
class Papers:
    """Answers for everybody alike. Change its fields to cause things."""

    family: calls.FamilyAccount | None = field(default_factory=_family)
    others: list[calls.FamilyAccount] = field(
        default_factory=lambda: [calls.FamilyAccount(13, "Eve Other-Longname", 7500)]
    )
    made: list[calls.Payment] = field(default_factory=_made)
    receipts: list[calls.Statement] = field(
        default_factory=lambda: [calls.Statement(902, "2026-09-18", "Receipt", 11, "Ann Example")]
    )
    documents: list[calls.Document] = field(default_factory=_documents)
    looks: list[calls.Look] = field(default_factory=_looks)
    more: bool = False
    file: bytes = PNG
    media_type: str = "image/png"
    archived: dict[str, bytes] = field(default_factory=lambda: {"2026-11-18 Statement.pdf": b"%PDF" * 50_000})

    def answer(self, office: Any, answers: Answers) -> None:
        """Answer for `office`, a `SmallOffice`; its fields at the time of the call count."""

        def now(name: str) -> Any:
            async def found(asked: Asked, params: Any) -> Any:
                return await getattr(office.papers, name)(office, asked, params)

            return found

        answers.to(calls.ACCOUNT)(now("_account"))
        answers.to(calls.PAYMENTS)(now("_payments"))
        answers.to(calls.DOCUMENTS)(now("_listed"))
        answers.to(calls.WHO_LOOKED)(now("_looked"))
        answers.streaming(calls.DOCUMENT_FILE)(now("_file"))
        answers.streaming(calls.STATEMENT_ARCHIVE)(now("_archive"))

    def _around(self, office: Any, asked: Asked, params: calls.PersonAsked) -> Around:
        office._live(params.token, asked)
        return Around(
            practice=calls.Practice(office.title, office.phone, office.language),
            session=office._session(params.token),
            looking_at=office._person(params.person, asked),
            people=[office.ann, office.tim, office.eve],
        )

    async def _account(self, office: Any, asked: Asked, params: calls.PersonAsked) -> calls.Account:
        around = self._around(office, asked, params)
        return calls.Account(
            **around,
            payable=office.till.open,
            family=self.family if params.person != 13 else None,
            others=self.others if around["looking_at"].number == 11 else [],
            balance_as_of="2026-11-20",
            last_statement_cents=9800,
            last_statement_date="2026-11-18",
            pending=[one for one in self.made if one.standing == "pending"],
            latest=[one for one in self.made[:3] if one.standing != "pending"],
        )

    async def _payments(self, office: Any, asked: Asked, params: calls.PageAsked) -> calls.Payments:
        receipts = [] if params.page else self.receipts
        around = self._around(office, asked, params)
        return calls.Payments(**around, items=self.made, page=params.page, more=self.more, receipts=receipts)

    async def _listed(self, office: Any, asked: Asked, params: calls.PageAsked) -> calls.Documents:
        return calls.Documents(
            **self._around(office, asked, params), items=self.documents, page=params.page, more=self.more
        )

    async def _looked(self, office: Any, asked: Asked, params: calls.PageAsked) -> calls.WhoLooked:
        return calls.WhoLooked(
            **self._around(office, asked, params), items=self.looks, page=params.page, more=self.more
        )

    async def _file(self, office: Any, asked: Asked, params: calls.DocumentFile) -> Streamed[calls.FileHead]:
        office._live(params.token, asked)
        if not 800 <= params.document < 900:
            raise FileMissing(reference=asked.reference, path="X:\\secret", account="SYSTEM", reason="not there")
        return Streamed(calls.FileHead("Document.png", self.media_type, len(self.file)), self._once(self.file))

    async def _archive(self, office: Any, asked: Asked, params: calls.PersonAsked) -> Streamed[calls.FileHead]:
        self._around(office, asked, params)
        entries = [
            Entry(name, None, len(content), lambda content=content: self._once(content))  # type: ignore[misc]
            for name, content in self.archived.items()
        ]
        head = calls.FileHead("Statements 2026-11-21.zip", "application/zip", size_of(entries))
        return Streamed(head, stream(entries))

    @staticmethod
    async def _once(content: bytes) -> AsyncIterator[bytes]:
        yield content

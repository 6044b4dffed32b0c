"""An office whose patients may send care summaries by mail, and a receiver who opens them."""

import io
import re
import zipfile
from typing import Any

from econnector.base.ids import new_id
from econnector.eservices.portal import calls
from econnector.opendental import tables
from tests.portal.security.conftest import MailedOffice
from tests.support.practice import Cast, PortalOffice

__all__ = ["DOCTOR", "FAR", "URL", "SharingOffice"]

URL = "https://portal.example.com/o/bright/portal"
DOCTOR = "dr.reyes@clinic.example"
FAR = "203.0.113.9"
"""Where the receiver is."""


class SharingOffice(MailedOffice):
    """Maria, guardian of Ana, is signed in."""

    def __init__(self, office: PortalOffice) -> None:
        super().__init__(office)
        self.token = ""

    async def begin(self) -> "SharingOffice":
        await self.office.prefer("PatientPortalURL", URL)
        self.token = (await self.office.sign_in(Cast.MARIA)).token
        return self

    def form(self, person: int = Cast.ANA, **typed: Any) -> calls.ShareSummary:
        """Return a form that was filled in."""
        fields: dict[str, Any] = {"token": self.token, "draft": new_id(), "address": DOCTOR} | typed
        return calls.ShareSummary(person=int(person), **fields)

    async def send(self, person: int = Cast.ANA, **typed: Any) -> str:
        """Send a summary; return the share's number."""
        return (await self.ask(calls.SHARE, self.form(person, **typed))).share

    async def page(self, person: int = Cast.ANA, share: str = "", token: str = "") -> calls.Sharing:
        return await self.ask(calls.SHARING, calls.SharingAsked(token or self.token, int(person), share))

    async def told(self, share: str, person: int = Cast.ANA, token: str = "") -> str:
        """Return the code that the sender is shown."""
        made = (await self.page(person, share, token)).made
        assert made is not None
        return made.code

    async def link(self) -> str:
        """Return the key in the newest mail's link."""
        found = re.search(r"/shared#([0-9a-f]{32})\n", (await self.mails())[-1].text)
        assert found
        return found[1]

    async def sent(self, person: int = Cast.ANA, **typed: Any) -> tuple[str, str, str]:
        """Send a summary; return the share's number, the mail's key and the code."""
        share = await self.send(person, **typed)
        return share, await self.link(), await self.told(share, person, typed.get("token", ""))

    async def open(self, link: str, code: str, address: str = FAR) -> calls.OpenedShare:
        return await self.ask(calls.OPEN_SHARE, calls.OpenShare(link, code, address, "Firefox"))

    async def download(self, ticket: str, kind: calls.SharedKind = "zip") -> tuple[calls.FileHead, bytes]:
        return await self.office.download(calls.SHARED_FILE, calls.SharedFile(ticket, kind, FAR, "Firefox"))

    async def unpacked(self, ticket: str) -> dict[str, bytes]:
        """Return the files of the zip, by the end of their names."""
        head, content = await self.download(ticket)
        assert len(content) == head.size
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name.rpartition(".")[2]: archive.read(name) for name in archive.namelist()}

    async def trail(self, person: int = Cast.ANA) -> list[tuple[int, str]]:
        """Return who did what with a person's summaries, as the audit trail says it."""
        rows = await self.office.rows(tables.securitylog, FKey=int(person), PermType=75)
        return [(row.PatNum, row.LogText) for row in rows if "care summary" in row.LogText]

    async def counted(self, person: int = Cast.ANA) -> list[str]:
        """Return what counts in the measure "View, Download, Transmit"."""
        rows = await self.office.rows(tables.ehrmeasureevent, PatNum=int(person), EventType=2)
        return [row.MoreInfo for row in rows]

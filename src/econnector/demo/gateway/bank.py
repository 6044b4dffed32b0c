"""What happens to an order: a page is made, somebody pays or leaves, a kept card is charged, somebody asks."""

import secrets
import time

from econnector.demo.gateway.books import Books, Paper, Speech
from econnector.demo.gateway.scripts import AMOUNTS, SandboxCard

__all__ = ["Bank"]

_SLOW_LOOKS = 3
_SILENT_LOOKS = 2


class Bank:
    """The sandbox's only judge of what an order is."""

    def __init__(self, books: Books, page_seconds: float) -> None:
        """`page_seconds`: how long a page can be used."""
        self.books, self._page_seconds = books, page_seconds

    def page(  # noqa: PLR0913 - what a page is made of
        self, number: str, speech: Speech, cents: int, back: str, *, keep: bool, token: str = ""
    ) -> Paper:
        """Make a page for an order; the same number gets the same page."""
        token = token or secrets.token_urlsafe(24)
        return self.books.open(self._paper(number, speech, token, cents, back, keep=keep))

    def pay(self, paper: Paper, card: SandboxCard, expires: str) -> None:
        """Pay on the page; a page that is over stays as it is."""
        with self.books.at_once():
            now = self.books.find(paper.number)
            if now is None or now.over:
                return
            now.script, now.brand, now.last4, now.expires = card.script, card.brand, card.number[-4:], expires
            self._judge(now, "page")
            if now.paid and now.keep:
                now.alias = self._keep_card(now)
            self.books.keep(now)
            self._tell(now)

    def leave(self, paper: Paper) -> None:
        """Leave the page without paying."""
        with self.books.at_once():
            now = self.books.find(paper.number)
            if now is not None and not now.over:
                now.state = "left"
                self.books.keep(now)
                self._tell(now)

    def charge(self, number: str, speech: Speech, cents: int, alias: str) -> Paper | None:
        """Charge a kept card; None where there is no such card. The same number is charged once."""
        with self.books.at_once():
            card = self.books.card(alias)
            if card is None:
                return None
            token = f"direct-{number}"
            paper = self.books.open(self._paper(number, speech, token, cents, "", keep=False))
            if paper.token == token and paper.state == "open":
                paper.script = AMOUNTS.get(cents, "approved")
                paper.brand, paper.last4, paper.expires = card.brand, card.last4, card.expires
                paper.alias = alias
                self._judge(paper, "kept card")
                self.books.keep(paper)
            return paper

    def look(self, paper: Paper) -> tuple[Paper, str]:
        """Return an order and how it is answered: as it is (''), `pending`, or `silent`."""
        with self.books.at_once():
            if paper.state == "open":
                return paper, ""
            paper.looks += 1
            self.books.keep(paper)
        if paper.script == "slow" and paper.looks <= _SLOW_LOOKS and not paper.token.startswith("direct-"):
            return paper, "pending"
        if paper.script == "silent" and paper.looks <= _SILENT_LOOKS and not paper.token.startswith("direct-"):
            return paper, "silent"
        if paper.script == "reordered" and paper.looks == 2:  # noqa: PLR2004 - approved, pending, approved
            return paper, "pending"
        return paper, ""

    def _paper(self, number: str, speech: Speech, token: str, cents: int, back: str, *, keep: bool) -> Paper:  # noqa: PLR0913
        now = time.time()
        until = now + self._page_seconds
        return Paper(
            number=number, speech=speech, token=token, cents=cents, back=back, keep=keep, created=now, until=until
        )

    def _judge(self, paper: Paper, way: str) -> None:
        if paper.script in {"declined", "lapsed"}:
            paper.state = paper.script
            return
        partial = paper.script == "partial"
        cents = paper.cents // 2 if partial else paper.cents
        if paper.script == "silent" and way == "kept card":  # never came through
            return
        self.books.charge(paper, cents, way)
        paper.state, paper.charged = "partial" if partial else "approved", cents
        paper.reference, paper.approval = f"{secrets.randbelow(10**12):012}", f"SB{secrets.randbelow(10**4):04}"

    def _keep_card(self, paper: Paper) -> str:
        alias = f"sandbox-{secrets.token_hex(8)}"
        if paper.speech == "stripe":
            alias = f"cus_{secrets.token_hex(7)}/pm_{secrets.token_hex(7)}"
        self.books.add_card(alias, paper.brand, paper.last4, paper.expires)
        return alias

    def _tell(self, paper: Paper) -> None:
        """Write Stripe's notices down: twice, or the wrong one last, where the card says so."""
        if paper.speech != "stripe":
            return
        done = b"checkout.session.completed" if paper.paid else b"checkout.session.expired"
        kinds = {"twice": [done, done], "reordered": [done, b"checkout.session.expired"]}.get(paper.script, [done])
        for kind in kinds:
            about = b'{"id":"%s","object":"checkout.session","client_reference_id":"%s"}'
            thing = about % (paper.token.encode(), paper.number.encode())
            self.books.notify(b'{"id":"EVENT","object":"event","type":"%s","data":{"object":%s}}' % (kind, thing))

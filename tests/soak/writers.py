"""Patients who write to the office, confirm visits and pay; each thing is entered in the account before it is sent."""

import itertools
import re
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode

from econnector.demo.browser import Page
from tests.soak.furnish import Person
from tests.soak.patients import ENDED, Reader
from tests.soak.writes import Writes

__all__ = ["CONFIRMATION", "MESSAGE", "PAYMENT", "Writer"]

MESSAGE, CONFIRMATION, PAYMENT = "message", "confirmation", "payment"
CARD = {"card": "4242 4242 4242 4242", "expires": "08/29", "do": "pay"}
MOST_MESSAGES, MOST_PAYMENTS = 28, 24
"""A little less than the portal lets one login send within an hour, and pay within a day."""
_TRIES = 8
_CHOSEN = re.compile(r'<option value="(\d+)" selected')
_OFFERED = re.compile(r'<select id="provider".*?<option value="([1-9]\d*)"', re.DOTALL)
_ABOUT = re.compile(r'<select id="about".*?<option value="(\d+)"', re.DOTALL)
_KEPT = re.compile(r'name="card" value="([1-9]\d*)"')
_NUMBER = re.compile(r"/pay/(\d{10})")


class Writer(Reader):
    """One of them; `first` and `step` make the amounts that only this one pays."""

    def __init__(self, person: Person, writes: Writes, cards: str, first: int, step: int, *rest: Any) -> None:
        super().__init__(person.user_name, *rest)
        self.patient, self.password, self.writes, self.cards = person.patient, person.password, writes, cards
        self._amounts = itertools.count(first, step)
        self._sent = itertools.count()
        self.numbers: set[str] = set()
        """Payments for which the processor's page was opened, or a kept card charged."""

    def act(self) -> None:
        """Do one thing."""
        if not self.browser.token:
            self.enter()
            return
        self.dice.choice((self.write, self.write, self.confirm, self.pay, self.pay, self.read))()

    def enter(self) -> None:
        """Sign in."""
        self.browser.cookies.clear()
        page = self.ask("sign-in page", "sign-in")
        if page is None:
            return
        typed = page.form("/sign-in").fields | {"user_name": self.name, "password": self.password}
        answer = self.ask("sign in", "sign-in", typed, good=(303,))
        if answer is not None:
            self.signed_in()

    def read(self) -> None:
        """Look at what was sent: the office completes there what a connector left undone."""
        if self.ask("messages", "messages") is None:
            self.ended()

    # -- sending something exactly once ---------------------------------------------------------------------------

    def _send(self, kind: str, mark: str, link: str, fields: dict[str, str], done: str) -> Page | None:
        """Send a form until its answer is clear or patience is over; `done` stands in the address it then leads to."""
        self.writes.enter(kind, mark)
        for again in range(_TRIES):
            answer = self.ask(f"{kind} again" if again else kind, link, fields, good=(303, 422))
            place = (answer.headers.get("location") or "") if answer is not None else ""
            if done in place:
                self.writes.acknowledge(kind, mark)
                return answer
            if answer is not None and answer.status == 422:
                self.writes.refuse(kind, mark)
                return None
            if place or self.kind == "ended":
                # Nobody is signed in any more: the form was not looked at.
                self.writes.refuse(kind, mark)
                self.ended(place)
                return None
            self.writes.doubt(kind, mark)
            if self.dice.random() < 0.25 or self.stopping.wait(self.dice.uniform(0.5, 3.0)):
                return None
        return None

    def write(self) -> None:
        """Write a message to the office."""
        count = next(self._sent)
        if count >= MOST_MESSAGES:
            return
        page = self.ask("message form", "messages/new")
        if page is None:
            self.ended()
            return
        mark = f"soak-{self.patient}-{count}-{self.dice.getrandbits(40):010x}"
        form, text = page.form("/messages/new"), page.body.decode()
        about = _ABOUT.search(text)
        fields = form.fields | {
            "provider": next(iter(_CHOSEN.findall(text) or _OFFERED.findall(text)), "0"),
            "subject": "A question",
            "text": f"Please look at this: {mark}",
        }
        fields.pop("files", None)
        if about:
            fields["about"] = about[1]
        self.type()
        self._send(MESSAGE, mark, form.action, fields, "notice=sent")

    def confirm(self) -> None:
        """Confirm the next visit that is open."""
        page = self.ask("appointments", "appointments")
        if page is None:
            self.ended()
            return
        for form in page.forms:
            found = re.search(r"/appointments/(\d+)/confirm", form.action)
            if found is None:
                continue
            self.type()
            mark = found[1]
            if self.writes.marks(CONFIRMATION).get(mark) != "acknowledged":
                self._send(CONFIRMATION, mark, form.action, form.fields, "notice=told")
            else:
                self.wrong(f"visit {mark} can be confirmed once more")
            return

    # -- paying ---------------------------------------------------------------------------------------------------

    def pay(self) -> None:
        """Pay on the processor's page, or with a kept card."""
        if len(self.numbers) >= MOST_PAYMENTS:
            return
        page = self.ask("payment form", "pay")
        if page is None:
            self.ended()
            return
        form = next((form for form in page.forms if form.action.partition("?")[0].endswith("/pay")), None)
        if form is None:
            self.wrong(f"no form to pay on {page!r}")
            return
        cents = next(self._amounts)
        kept = _KEPT.findall(page.body.decode()) if self.dice.random() < 0.5 else []
        fields = form.fields | {
            "amount": f"{cents // 100}.{cents % 100:02d}",
            "again": "yes",
            "card": kept[0] if kept else "0",
            "keep_card": "" if kept else "yes",
            "receipt": "yes",
        }
        self.type()
        if kept:
            self._charge(form.action, fields, str(cents))
        else:
            self._visit(form.action, fields, str(cents))

    def _charge(self, link: str, fields: dict[str, str], mark: str) -> None:
        """Let a kept card be charged. Told "begun" it may still be declined: only the page afterwards says paid."""
        self.writes.enter(PAYMENT, mark)
        self.writes.doubt(PAYMENT, mark)
        number = self._begin(link, fields)
        if number and (page := self.ask("payment state", f"pay/{number}")) is not None and _paid(page, mark):
            self.writes.acknowledge(PAYMENT, mark)

    def _visit(self, link: str, fields: dict[str, str], mark: str) -> None:
        """Begin a payment, pay on the processor's page, and come back."""
        number = self._begin(link, fields)
        page = self.ask("payment state", f"pay/{number}?go=1") if number else None
        url = next((one for one in page.links if one.startswith(self.cards)), "") if page else ""
        if not url:
            return
        self.type()
        self.writes.enter(PAYMENT, mark)
        if _typed(url):
            self.writes.acknowledge(PAYMENT, mark)
        if self.dice.random() < 0.7:  # the others close the browser
            self.ask("payment state", f"pay/{number}")

    def _begin(self, link: str, fields: dict[str, str]) -> str:
        """Send the payment form until it is begun; return the payment's number."""
        for again in range(_TRIES):
            answer = self.ask("payment again" if again else "payment", link, fields, good=(303, 422))
            place = (answer.headers.get("location") or "") if answer is not None else ""
            if found := _NUMBER.search(place):
                self.numbers.add(found[1])
                return found[1]
            if answer is not None or self.kind == "ended":
                self.ended(place)
                return ""
            if self.stopping.wait(self.dice.uniform(0.5, 3.0)):
                break
        return ""

    def ended(self, place: str = "") -> None:
        """As a reader; also where a form was answered with the way to the sign-in page."""
        if place.partition("?")[0].endswith(ENDED):
            self.kind = "ended"
        super().ended()


def _paid(page: Page, mark: str) -> bool:
    text = page.body.decode()
    return f"{int(mark) // 100}.{int(mark) % 100:02d}" in text and "Approval" in text


def _typed(url: str) -> bool:
    """Type a card on the processor's page; say whether it says that it is paid."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)
    try:
        opener.open(url, urlencode(CARD).encode(), timeout=20).close()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code in {302, 303}
    except (OSError, HTTPException):
        pass
    return False


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None

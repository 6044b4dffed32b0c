"""Somebody who types what nobody should, all the time, and somebody who has other people's tokens."""

from typing import Any

from tests.soak.patients import Patient, Visitor, told

__all__ = ["Hostile", "Thief"]

TYPED = ["' OR 1=1 --", "%", "_", "jose.nunez%", "jose.nunez' #", "\x00", "😀" * 20, "a" * 10_000, "<script>alert(1)"]
PATHS = ["statements/../../../../etc/passwd", "statements/1%2f..%2f..", "statements/-1", "?person='", "statements/9e9"]


class Hostile(Visitor):
    """Types hostile text into every field, and addresses that do not exist."""

    def act(self) -> None:
        """Do one thing that must be refused."""
        if self.dice.random() < 0.3:
            self.ask("hostile address", self.dice.choice(PATHS), good=(303, 400, 404))
            return
        if self.dice.random() < 0.05:
            self.ask("10 MB form", "sign-in", {"user_name": "x" * 10_000_000}, good=(413,))
            return
        page = self.ask("sign-in page", "sign-in")
        if page is None:
            return
        typed = {"user_name": self.dice.choice([*TYPED, "jose.nunez"]), "password": self.dice.choice(TYPED)}
        self.ask("hostile typing", "sign-in", page.form("/sign-in").fields | typed, good=(401, 413, 422, 429))
        self.browser.cookies.clear()


class Thief(Visitor):
    """Somebody who has other people's tokens: each opens its owner's pages and no others, and nothing after its end."""

    def __init__(self, patients: list[Patient], cookie: str, *rest: Any) -> None:
        super().__init__(*rest)
        self._patients, self._cookie = patients, cookie
        self.tried = 0

    def act(self) -> None:
        """Use one token."""
        owner = self.dice.choice(self._patients)
        over = [token for token, fair in owner.signed_out if fair]
        if over and self.dice.random() < 0.4:
            self._use(owner, self.dice.choice(over), over=True)
        elif token := owner.browser.token:
            self._use(owner, token, over=False)

    def _use(self, owner: Patient, token: str, *, over: bool) -> None:
        self.browser.cookies.clear()
        self.browser._opener.addheaders = [("Cookie", f"{self._cookie}={token}")]
        page = self.ask("another's token", self.dice.choice(("", "statements")), good=(200, 303))
        if page is None:
            return
        self.tried += 1
        if page.status == 200 and over:
            self.wrong(f"a token of {owner.name} that was signed out opens {page!r}")
        text = told(page)
        for stranger in owner.strangers:
            if stranger in text:
                self.wrong(f"with a token of {owner.name}, {stranger!r} stands on {page!r}")

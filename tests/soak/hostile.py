"""Somebody who types what nobody should, all the time."""

from tests.soak.patients import Visitor

__all__ = ["Hostile"]

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

"""A patient in a real Chromium: does with the portal what a person does, and looks at every page that opens."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Response, expect

from tests.support.chromium import overflows

__all__ = ["DESKTOP", "PHONE", "Visitor", "Windows"]

DESKTOP, PHONE = 1280, 390
"""Widths of a window."""
_PATIENCE = 60_000
_HEIGHTS = {DESKTOP: 900, PHONE: 844}


class Visitor:
    """One browser of one person. What a page complains about, and a page that is cut off, fails the test."""

    def __init__(self, page: Page, base: str, folder: Path) -> None:
        """`base` is the portal's address without trailing slash, `folder` is where downloads go."""
        self.page, self.base, self._folder = page, base, folder
        self.complaints: list[str] = []
        page.set_default_timeout(_PATIENCE)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self._note(said.text) if "Content Security" in said.text else None)
        page.on("response", self._answered)

    def sign_in(self, user_name: str, password: str) -> None:
        """Type both at the door; what comes then is for the test to say."""
        self.open("/sign-in")
        self.type("User name", user_name)
        self.type("Password", password)
        self.press("Sign in")

    def sign_out(self) -> None:
        """Leave by the button at the top."""
        self.page.get_by_role("banner").get_by_role("button", name="Sign out").click()
        self.sees("You are signed out")

    def open(self, path: str) -> None:
        """Go to an address of the portal."""
        self.page.goto(self.base + path)

    def tab(self, name: str) -> None:
        """Choose one of the pages at the top."""
        self.page.get_by_role("navigation", name=re.compile("Pages|Páginas")).get_by_role("link", name=name).click()
        self.whole()

    def follow(self, name: str | re.Pattern[str]) -> None:
        """Click the first link of the page itself that is called so."""
        self.main.get_by_role("link", name=name).first.click()
        self.whole()

    def press(self, name: str | re.Pattern[str]) -> None:
        """Press the first button that is called so."""
        self.main.get_by_role("button", name=name).first.click()

    def type(self, label: str, text: str) -> None:
        """Fill a field in."""
        self.page.get_by_label(re.compile(rf"^{label}( \(.*\))?$")).fill(text)

    def choose_person(self, name: str) -> None:
        """Look at somebody else's record."""
        self.page.get_by_role("banner").locator("summary").click()
        self.page.get_by_role("banner").get_by_role("link", name=re.compile(f"^{name}")).click()
        expect(self.page.locator(".banner-other")).to_contain_text(name)

    def download(self, name: str | re.Pattern[str]) -> Path:
        """Click a link that saves something; return the file, under the name that it came with."""
        with self.page.expect_download() as started:
            self.main.get_by_role("link", name=name).first.click()
        saved = self._folder / started.value.suggested_filename
        started.value.save_as(saved)
        return saved

    def headed(self, words: str | re.Pattern[str]) -> None:
        """Expect a page with this heading, whole."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(words)
        self.whole()

    def sees(self, *words: str) -> None:
        """Expect these words on the page."""
        for each in words:
            expect(self.main).to_contain_text(each)

    def sees_not(self, *words: str) -> None:
        """Expect that these words are not on the page."""
        for each in words:
            expect(self.main).not_to_contain_text(each)

    def whole(self) -> None:
        """Fail if the page must be scrolled sideways."""
        self.page.wait_for_load_state()
        assert not overflows(self.page), f"{self.page.url} must be scrolled sideways"

    @property
    def main(self) -> Locator:
        """The page without header and footer."""
        return self.page.get_by_role("main")

    def _answered(self, answer: Response) -> None:
        if answer.status >= 500:
            self._note(f"{answer.status} for {answer.url}")

    def _note(self, complaint: str) -> None:
        self.complaints.append(complaint)


class Windows:
    """Browser windows that one visitor after the other sits down at: cheaper than a new one for each."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[str, list[BrowserContext]] = {}

    @contextmanager
    def visiting(self, base: str, folder: Path, width: int = DESKTOP, **options: Any) -> Iterator[Visitor]:
        """Yield somebody at a window in which nobody is signed in."""
        free = self._free.setdefault(repr((width, options)), [])
        context = free.pop() if free else self._opened(width, options)
        page = context.new_page()
        visitor = Visitor(page, base, folder)
        yield visitor
        assert visitor.complaints == []
        page.close()
        context.clear_cookies()
        free.append(context)

    def _opened(self, width: int, options: dict[str, Any]) -> BrowserContext:
        shape = {"viewport": {"width": width, "height": _HEIGHTS[width]}, "has_touch": width == PHONE}
        return self._browser.new_context(**{"locale": "en-US", "reduced_motion": "reduce", **shape, **options})

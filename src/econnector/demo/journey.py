"""The journey that proves a demo: sign in as a patient, look around, download a statement, compare its bytes, leave.

Every step is a page that a person would see, over real HTTP: through HQ, the link, the office, its database and its
images folder.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from econnector.base.errors import Failure
from econnector.demo.browser import Browser, Lost, Page
from econnector.demo.practice import Practice, SignIn

__all__ = ["Report", "Step", "travel"]

OK = 200
DOCUMENT = re.compile(r"/statements/(\d+)/download$")


class Step(msgspec.Struct, frozen=True):
    """One step and how long it took."""

    name: str
    ms: float


class Report(msgspec.Struct, omit_defaults=True):
    """What `econnector demo --once` prints, as one line of JSON."""

    ok: bool | None = None
    """None until the end."""
    steps: list[Step] = []
    failed: str = ""
    """The step that failed."""
    why: str = ""
    code: str = ""
    """The failure's code, where it is one of the catalogue."""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step; if it fails, note which it was and why."""
        began = time.perf_counter()
        try:
            yield
        except Exception as error:
            self.blame(name, error)
            raise
        self.note(name, began)

    def note(self, name: str, began: float) -> None:
        """Note a step that is done; `began` as `time.perf_counter` had it."""
        self.steps.append(Step(name, round((time.perf_counter() - began) * 1000, 1)))

    def blame(self, name: str, error: Exception) -> None:
        """Note the step that failed, unless one is noted already: the first is the cause."""
        if not self.failed:
            self.ok, self.failed, self.code = False, name, error.code if isinstance(error, Failure) else ""
            self.why = str(error) if isinstance(error, Lost | Failure) else f"{type(error).__name__}: {error}"


def travel(portal: str, practice: Practice, images: Path, report: Report, who: SignIn | None = None) -> None:
    """Make the journey in a portal; blocking. `portal` is its address, with a slash at the end.

    Raises `Lost` where a page is not what it should be; `report` then says at which step.
    """
    browser = Browser(portal)
    sample = who or practice.sign_ins[0]
    with report.step("open the portal"):
        page = _good(browser.open(portal), "sign-in")
        form = page.form("/sign-in")
    with report.step("sign in"):
        home = _good(browser.submit(form, user_name=sample.user_name, password=sample.password), "")
    with report.step("home page"):
        home = _good(browser.open(portal), "")
        _says(home, sample.name.split()[0])
    with report.step("statements"):
        page = _good(browser.open(home.link("/statements", "")), "statements")
        link = page.link("/statements/", "/download")
    with report.step("download a statement"):
        download = browser.open(link)
        _is_file(download)
    with report.step("compare with the file"):
        _compare(download, link, practice, images)
    with report.step("sign out"):
        browser.submit(home.form("/sign-out"))
        _gone(browser.open(portal))


def _good(page: Page, ending: str) -> Page:
    if page.status != OK or not page.path.rstrip("/").endswith(ending) or (not ending and "sign-in" in page.path):
        raise Lost(f"{page!r} instead of the {ending or 'home'} page")
    return page


def _says(page: Page, word: str) -> None:
    if word not in page.body.decode("utf-8", "replace"):
        raise Lost(f"{page!r} does not greet the patient")


def _is_file(page: Page) -> None:
    if page.status != OK or page.kind != "application/pdf" or not page.body.startswith(b"%PDF-"):
        raise Lost(f"{page!r} instead of a PDF")


def _gone(page: Page) -> None:
    if "sign-in" not in page.path:
        raise Lost(f"{page!r} still open after signing out")


def _compare(page: Page, link: str, practice: Practice, images: Path) -> None:
    found = DOCUMENT.search(link)
    rows: Callable[[str], list[dict[str, object]]] = practice.book.rows  # type: ignore[assignment]
    if found is None:
        raise Lost("the link has no document number")
    document = rows("document")[int(found[1]) - 1]
    patient = next(row for row in rows("patient") if row["PatNum"] == document["PatNum"])
    folder = images / str(patient["ImageFolder"])[0].upper() / str(patient["ImageFolder"])
    name = str(document["FileName"]).casefold()
    file = next((each for each in folder.iterdir() if each.name.casefold() == name), None)
    if file is None:
        raise Lost("the statement's file is not there")
    if file.read_bytes() != page.body:
        raise Lost(f"{len(page.body)} bytes came, and they are not those of the file")

"""Things are killed, frozen and unplugged; people see a kind page, and everything comes back without help."""

import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from econnector.demo.browser import Browser, Page
from tests.support.formpage import form_in
from tests.support.whole import OFFICE, Whole, until

USER, PASSWORD = "elena.rivera", "Maple-Street-42"


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Whole]:
    with Whole.running(tmp_path) as up:
        yield up


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """For tests that leave everything as they found it: at work."""
    with Whole.running(tmp_path_factory.mktemp("whole")) as up:
        yield up


def text(page: Page) -> str:
    return " ".join(page.body.decode().split())


def home(browser: Browser) -> Page:
    return browser.open(browser.base)


def home_with(browser: Browser, status: int, seconds: float = 60.0) -> Page:
    """Open the home page until it has this status."""
    until(lambda: home(browser).status == status, seconds)
    return home(browser)


def signals(whole: Whole) -> list[tuple[int, str, int]]:
    with sqlite3.connect(whole.folder / "practice.sqlite", timeout=60) as practice:
        rows = practice.execute(
            "SELECT Severity, Description, IsProcessed FROM eservicesignal ORDER BY SigDateTime, EServiceSignalNum"
        )
        return rows.fetchall()


def number(whole: Whole, query: str) -> int:
    with sqlite3.connect(whole.folder / "practice.sqlite", timeout=60) as practice:
        return int(practice.execute(query).fetchone()[0])


def test_a_killed_connector_is_told_kindly_and_comes_back_with_the_rows_open_dental_expects(whole: Whole) -> None:
    browser, page = whole.sign_in(USER, PASSWORD)
    assert page.status == 200
    run = [(2, "Heartbeat Anchor", 1), (2, "Heartbeat", 1)]
    until(lambda: signals(whole) == run)
    whole.kill("office")
    # What HQ knows of the office is remembered for two seconds; its first heartbeat may be younger than that.
    until(lambda: "(503) 555-0100" in text(home_with(browser, 503)))
    page = home(browser)
    assert "We can&#39;t reach your dentist&#39;s computer right now" in text(page)
    assert "It was last reachable" in text(page)
    assert "(503) 555-0100" in text(page)
    assert "Reference" in text(page)
    whole.start_office()
    page = home_with(browser, 200)
    assert "Elena" in text(page), "the session is the office's and outlives its process"
    assert signals(whole) == run, "after a crash the rolling row goes on"
    assert whole.stop("office") == 0
    assert [row[0] for row in signals(whole)] == [2, 2, 5]
    whole.start_office()
    until(lambda: len(signals(whole)) == 6)
    assert sorted(row[0] for row in signals(whole)) == [2, 2, 2, 2, 4, 5]
    (error,) = [row for row in signals(whole) if row[0] == 4]
    assert "0:0" in error[1]
    assert error[2] == 0


@pytest.mark.causes(row="unreachable: machine asleep", sees="patient, again")
def test_a_frozen_connector_is_known_in_seconds_and_goes_on_when_it_thaws(lasting: Whole) -> None:
    browser, page = lasting.sign_in(USER, PASSWORD)
    assert page.status == 200
    form = form_in(browser.open("messages/new").body.decode(), "/messages/new")
    reader = number(lasting, "SELECT MIN(ProvNum) FROM userod WHERE ProvNum > 0 AND IsHidden = 0")
    typed = form.fields | {"provider": str(reader), "subject": "From the road", "text": "I will be <late>."}
    lasting.signal("office", signal.SIGSTOP)
    page = browser.open(form.action, typed)  # a browser here waits for half a minute, a dead TCP connection takes many
    assert page.status in {502, 503, 504}
    assert "Nothing you entered is lost" in text(page) or "try again" in text(page)
    assert page.headers["x-reference"] in text(page)
    kept = form_in(page.body.decode(), "/messages/new").fields
    assert (kept["subject"], kept["text"]) == ("From the road", "I will be <late>.")
    home_with(browser, 503)
    lasting.signal("office", signal.SIGCONT)
    assert until(lambda: home(browser).status == 200)
    for _ in range(2):  # sent again, and once more with the Back key
        assert browser.open(form.action, kept).status == 200
    assert number(lasting, "SELECT COUNT(*) FROM emailmessage WHERE Subject = 'From the road'") == 1


def test_hq_killed_and_started_again_loses_nobody(lasting: Whole) -> None:
    browser, page = lasting.sign_in(USER, PASSWORD)
    assert page.status == 200
    lasting.kill("hq")
    lasting.start_hq()
    page = home_with(browser, 200)
    assert "Elena" in text(page)


def test_codes_103_104_and_200_come_for_their_causes(lasting: Whole) -> None:
    page = Browser(lasting.hq_url).open("/o/no-such-office/portal/")
    assert page.status == 404
    assert "code 200" in text(page)
    lasting.say("hq", "office", "add", "new-office", "--title", "New Office")
    page = Browser(lasting.hq_url).open("/o/new-office/portal/")
    assert page.status == 503
    assert "code 104" in text(page)
    lasting.say("hq", "office", "disable", OFFICE, "--reason", "unpaid")
    until(lambda: Browser(lasting.portal).open("sign-in").status == 503)
    page = Browser(lasting.portal).open("sign-in")
    assert "code 103" in text(page)
    assert "unpaid" not in text(page), "why is between the office and HQ"
    lasting.say("hq", "office", "enable", OFFICE)
    assert until(lasting.answers)


HOSTILE = [
    "' OR 1=1 --",
    "%",
    "_",
    "elena.rivera%",
    "elena.rivera' #",
    "\x00",
    "😀" * 20,
    "a" * 10_000,
    "<script>alert(1)</script>",
]


def test_hostile_typing_is_a_failed_login_and_nothing_else(whole: Whole) -> None:
    for typed in HOSTILE:
        for user_name, password in ((typed, PASSWORD), (USER, typed), (typed, typed)):
            _, page = whole.sign_in(user_name, password)
            assert page.status in {401, 413, 422, 429}, typed
            assert "<script>alert" not in text(page)
            assert "Traceback" not in text(page)
            assert "SQL" not in text(page)
    browser = Browser(whole.portal)
    big = browser.open("sign-in", {"user_name": "x" * 10_000_000})
    assert big.status == 413
    for path in (
        "statements/../../../../etc/passwd",
        "statements/1%2f..%2f..",
        "statements/-1",
        "statements/1;DROP",
        "?person='",
    ):
        assert browser.open(path).status < 500


def test_a_statement_whose_file_is_gone_says_so_and_the_office_finds_it_by_the_reference(lasting: Whole) -> None:
    browser, page = lasting.sign_in(USER, PASSWORD)
    page = browser.open("statements")
    link = page.link("/statements/", "/download")
    lasting.images.rename(lasting.folder / "elsewhere")
    page = browser.open(link)
    assert page.status == 404
    assert "couldn&#39;t open this file" in text(page)
    reference = page.headers["x-reference"]
    assert reference in text(page)
    assert str(lasting.folder) not in text(page), "no path of the office leaves the office"
    until(lambda: "file-missing" in lasting.office_says("office", "failure", reference, check=False).stdout)
    (lasting.folder / "elsewhere").rename(lasting.images)
    assert browser.open(link).body.startswith(b"%PDF-")

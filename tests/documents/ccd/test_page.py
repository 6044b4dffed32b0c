"""The care summary as one HTML file."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from lxml import html
from playwright.sync_api import Browser

from econnector.documents.ccd.document import told
from econnector.documents.ccd.front import _WORDS
from econnector.documents.ccd.narrative import Line, Told
from econnector.documents.ccd.page import page
from econnector.opendental.summary.records import Name, Period, Summary
from tests.documents.ccd.examples import bare, full
from tests.support.chromium import chromium, faults, overflows

HOSTILE = (
    """</td><script>document.title = "taken"</script><img src="https://example.com/x" onerror=alert(1)> & '"</style>"""
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def drawn(summary: Summary, language: str = "en") -> html.HtmlElement:
    return html.document_fromstring(page(summary, told(summary, language), language).decode())


def hostile() -> tuple[Summary, list[Told]]:
    """Return a summary that has markup wherever somebody could have typed it."""
    summary = full()
    subject = msgspec.structs.replace(summary.subject, name=Name((HOSTILE,), HOSTILE), preferred=HOSTILE, email=HOSTILE)
    practice = msgspec.structs.replace(summary.practice, name=HOSTILE, phone=HOSTILE)
    summary = msgspec.structs.replace(summary, subject=subject, practice=practice)
    return summary, [Told("plan", HOSTILE, (HOSTILE, "b"), (Line(HOSTILE, (HOSTILE, "y" * 300)),))]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("summary", [full(), bare()], ids=["full", "bare"])
def test_it_tells_every_section_as_a_table_or_that_there_is_nothing(summary: Summary, language: str) -> None:
    shown = drawn(summary, language)
    assert shown.get("lang") == f"{language}-US"
    for section in told(summary, language):
        (card,) = shown.xpath("//section[@id = $key]", key=section.key)
        assert card.xpath("string(h2)") == section.title
        rows = [[cell.text_content().replace("\xa0", " ") for cell in row] for row in card.xpath(".//tbody/tr")]
        assert rows == [[text or "–" for text in line.cells] for line in section.lines]
        assert section.nothing in card.text_content()
        assert shown.xpath("//nav//a[@href = $link]", link=f"#{section.key}")


def test_a_table_says_what_its_rows_and_columns_are() -> None:
    tables = drawn(full()).xpath("//table")
    assert tables
    for table in tables:
        assert table.xpath("string(caption)")
        assert {one.get("scope") for one in table.xpath("thead/tr/th")} == {"col"}
        assert all(row.xpath("count(th[@scope = 'row']) = 1") for row in table.xpath("tbody/tr"))


def test_it_says_whose_it_is_when_it_was_made_and_by_whom() -> None:
    summary = msgspec.structs.replace(full(), period=Period(first=full().made.date()))
    main = drawn(summary).find_class("page-head")[0].getparent()
    assert main is not None
    text = " ".join(" ".join(map(str, main.itertext())).split())
    for part in (
        "Care summary: Zoë María José O'Brien-Núñez",
        "20 Nov 2026, 2:30 PM",
        "Born 4 Mar 2012",
        "White, American Indian or Alaska Native, Asian",
        "Language Spanish",
        "12 Rose St Apt 3 Juniper Falls, OR 97001",
        "Maria Núñez, guardian, (503) 555-0144",
        "Provider Ana L O'Hara, DMD",
        "Days covered From 20 Nov 2026",
        "please call (503)555-0100",
    ):
        assert part in text


def test_what_was_not_recorded_is_left_out() -> None:
    names = drawn(bare()).xpath("//dt/text()")
    assert not {"Phone", "Email", "Race", "Ethnicity", "Language", "Responsible persons"} & set(names)


def test_it_speaks_each_language_whole() -> None:
    assert _WORDS["en"].keys() == _WORDS["es"].keys()


def test_it_asks_for_nothing_and_runs_nothing() -> None:
    shown = html.document_fromstring(page(*hostile()).decode())
    assert not {one.tag for one in shown.iter()} & {"script", "link", "img", "iframe", "object"}
    assert not {name for one in shown.iter() for name in one.keys()} & {"src", "onerror"}  # noqa: SIM118 - an element
    assert all(one.get("href", "#").startswith("#") for one in shown.iter())
    sheet = shown.findtext(".//style") or ""
    assert "url(" not in sheet
    assert "@import" not in sheet
    policy = shown.find(".//meta[@http-equiv='Content-Security-Policy']")
    assert policy is not None
    assert policy.get("content") == "default-src 'none'; style-src 'unsafe-inline'"


def test_a_long_history_is_still_one_page() -> None:
    lines = tuple(Line(f"procedure-{n}", (f"Visit {n}", "Tooth 14", "Done", "4 May 2026", "")) for n in range(5000))
    section = Told("procedures", "Procedures", ("Procedure", "Tooth or area", "Status", "Date", "By"), lines)
    assert len(html.document_fromstring(page(full(), [section]).decode()).findall(".//tbody/tr")) == 5000


@pytest.mark.browser
def test_everybody_can_read_it_on_a_phone_in_the_dark_and_on_paper(browser: Browser, tmp_path: Path) -> None:
    asked: list[str] = []
    context = browser.new_context(bypass_csp=True)  # axe is a script, and the file forbids them
    view = context.new_page()
    view.on("request", lambda request: asked.append(request.url))
    for name, content in {
        "full": page(full(), told(full(), "es"), "es"),
        "bare": page(bare(), told(bare(), "en"), "en"),
        "hostile": page(*hostile()),
    }.items():
        (tmp_path / f"{name}.html").write_bytes(content)
        view.goto((tmp_path / f"{name}.html").as_uri())
        assert faults(view) == [], name
        assert "taken" not in view.title().partition("script")[0]
        for width in (240, 600, 660, 720, 840, 1000):
            view.set_viewport_size({"width": width, "height": 900})
            assert not overflows(view), (name, width)
        view.emulate_media(media="print")
        assert view.locator("nav").is_hidden()
        assert view.locator("h1").is_visible()
        view.emulate_media(media="screen")
    assert all(one.startswith("file:") for one in asked)
    context.close()

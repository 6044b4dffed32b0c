"""Text of the practice is text: whatever stands in any column, no page, header, file or mail is made of it.

Columns come from the tables' metadata, pages from the route tables and from links: what is added is attacked by itself.
"""

import datetime as dt
import email
import email.policy
import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from urllib.parse import unquote

import httpx2
import msgspec
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from econnector.documents import accesssheet, statement
from econnector.eservices.portal.web import SUBJECTS
from econnector.mail.compose import compose
from econnector.mail.letter import Letter
from tests.support.attacking import HOSTILE, LINK, Walk, complaints
from tests.support.bank import has_paid
from tests.support.hostile import MEANING, poison, text_columns
from tests.support.realsite import RealSite, serve_practice

ROUTES = [(path, method) for subject in SUBJECTS for path, _, method in subject.PAGES]
BASE = "/o/practice/portal"
EMPTY_HERE = {"clinic", "program", "replicationserver"}
"""Tables that the portal reads for their settings alone, and that this practice has nothing in."""
TYPST = '#panic("zq") #read("/etc/passwd") $x$ *b* _i_ = h\n- l @ref \\ `r` <l> // c /* c #include "x"'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSite]:
    with serve_practice(tmp_path_factory.mktemp("hostile")) as found:
        yield found


async def walked(browser: httpx2.Client) -> Walk:
    """Return a visit to every page there is."""

    async def get(path: str) -> httpx2.Response:
        return browser.get(str(browser.base_url).split("/o/", maxsplit=1)[0] + path)

    seeds = [BASE + path for path, method in ROUTES if method == "GET" and "{" not in path]
    return await Walk(get, BASE, ROUTES).go(*seeds)


class Seen:
    """What a visit to every page saw, and which tables it was made of."""

    def __init__(self, walk: Walk, tables: set[str]) -> None:
        self.walk, self.answers, self.tables = walk, walk.answers, tables


@pytest.fixture(scope="module", params=[("javascript", "es"), ("markup", "en")], ids=["es", "en"])
async def seen(request: pytest.FixtureRequest, site: RealSite) -> Seen:
    """A visit to every page of the practice with one of the hostile texts in all its columns, in one language."""
    kind, language = request.param
    with site.signed_in():
        site.front_desk(lambda practice, state: has_paid(practice, state, HOSTILE))
    poison(site.folder / "practice.db", LINK if kind == "javascript" else HOSTILE)
    read: set[str] = set()

    def note(_connection: object, _cursor: object, text: str, *_more: object) -> None:
        read.update(re.findall(r"(?:FROM|JOIN) (\w+)", text))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        with site.signed_in(headers={"accept-language": language}) as maria:
            return Seen(await walked(maria), read)
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def test_no_column_of_the_practice_becomes_a_part_of_a_page(seen: Seen) -> None:
    found = {path: wrong for path, answer in seen.answers.items() if (wrong := complaints(answer, BASE))}
    assert found == {}
    assert {answer.status_code for answer in seen.answers.values()} <= {200, 303}
    assert {path for path, method in ROUTES if method == "GET"} == seen.walk.reached
    shown = [path for path, answer in seen.answers.items() if "zq&lt;zqx" in answer.text]
    assert len(shown) > 40, "the hostile text must have been on the pages"


async def test_whatever_table_the_portal_reads_was_made_hostile(site: RealSite, seen: Seen) -> None:
    """A page that reads another table must have a row of it in this practice, or it was not attacked above."""
    known = text_columns()
    mine = {table for table in seen.tables if known.get(table)} - EMPTY_HERE
    assert {"patient", "emailmessage", "document", "treatplan"} <= mine
    empty = {table for table in mine if not site.sql(f"SELECT 1 FROM {table} LIMIT 1")}
    assert empty == set()


def test_what_stays_as_it_is_is_a_column_that_there_is(site: RealSite) -> None:
    for table, names in MEANING.items():
        assert names <= {row[1] for row in site.sql(f"PRAGMA table_info({table})")}


async def test_names_of_files_and_what_is_in_them(seen: Seen) -> None:
    answers = seen.answers
    files = {path: one for path, one in answers.items() if "content-disposition" in one.headers}
    assert len(files) > 8
    for answer in files.values():
        said = answer.headers["content-disposition"]
        wanted = re.fullmatch(
            r"(?:inline|attachment); filename=\"([\w .()+,-]+)\"; filename\*=UTF-8''([\w.%~-]+)", said
        )
        assert wanted, said
        for name in (wanted[1], unquote(wanted[2])):
            assert not set(name) & set('/\\<>:"|?*\r\n\0\u202e'), said
        assert wanted[1] not in {"pdf", "png", "zip"}, said  # a name, not the mere ending
        assert answer.headers["x-content-type-options"] == "nosniff"
    calendars = [one.content for path, one in answers.items() if path.endswith("/calendar")]
    lines = [line for one in calendars for line in one.decode().replace("\r\n ", "").split("\r\n")]
    assert {re.split("[:;]", line)[0] for line in lines} <= {
        *("BEGIN", "VERSION", "PRODID", "CALSCALE", "METHOD", "UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "END"),
        *("LOCATION", "DESCRIPTION", "CLASS", "STATUS", "TRANSP", ""),
    }
    archive = zipfile.ZipFile(BytesIO(answers[f"{BASE}/statements/all"].content))
    assert archive.namelist()
    assert not [name for name in archive.namelist() if set(name) & set("/\\:\r\n\0\u202e") or ".." in name]


def test_what_a_browser_calls_itself_and_where_it_says_it_comes_from_is_text(site: RealSite) -> None:
    agent = "".join(letter for letter in HOSTILE if letter.isascii() and letter.isprintable())
    with site.signed_in(headers={"user-agent": agent, "x-forwarded-for": agent}) as maria:
        for path in ("/security", "/who-looked"):
            answer = maria.get(path)
            assert complaints(answer, BASE) == []
        assert "zq&lt;zqx" in maria.get("/security").text


@pytest.mark.parametrize("text", [HOSTILE, TYPST, "\ufffe\uffff\x01\x1b\x7f\x9f", "王小明"])
def test_a_printed_text_is_no_markup(text: str) -> None:
    party = statement.Party(text, (text, text), text)
    lines = (statement.Line(dt.date(2026, 1, 2), text, text, 100),)
    drawn = statement.render(statement.Statement(party, party, text, dt.date(2026, 1, 2), lines))
    assert drawn.startswith(b"%PDF-")
    assert b"/JavaScript" not in drawn
    fields = msgspec.structs.fields(accesssheet.Sheet)
    values = {field.name: text if field.type is str else dt.date(2026, 1, 2) for field in fields}
    assert accesssheet.render([msgspec.convert(values, accesssheet.Sheet)]).startswith(b"%PDF-")


def test_no_text_adds_a_header_to_a_mail() -> None:
    at = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    calm = compose(Letter(["a@b.example"], "s", "t", "<1@b.example>"), "n <o@b.example>", at)
    wild = compose(
        Letter(["a@b.example"], HOSTILE, HOSTILE, "<1@b.example>"), f"{HOSTILE.replace('<', '')} <o@b.example>", at
    )
    first, second = (email.message_from_bytes(each, policy=email.policy.SMTP) for each in (calm, wild))
    assert sorted(first.keys()) == sorted(second.keys())
    assert str(second["To"]) == "a@b.example"
    assert second["From"].addresses[0].addr_spec == "o@b.example"
    assert len(second["From"].addresses) == 1

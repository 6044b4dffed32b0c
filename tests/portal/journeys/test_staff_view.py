"""What staff see in an unchanged Open Dental after each thing that a patient does in the portal.

The patient's side are the real pages on a real server; the staff's side is `staff_view.sql` alone, on the real tables.
After every deed exactly the named rows are new or gone, in every window.
"""

import contextlib
import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pymysql  # type: ignore[import-untyped]
import pytest

from econnector.opendental import writes
from tests.support.mariadb import shared_server
from tests.support.practice import PASSWORD, READER, STRONG, Cast, user_name
from tests.support.practice_papers import PNG
from tests.support.realsite import Kind, RealSite, serve_practice
from tests.support.site import client, token_in
from tests.support.whole import until

SCRIPT = Path(__file__).with_name("staff_view.sql").read_text("utf-8")
QUERIES = dict(re.findall(r"-- name: (\w+)\n(.*?;)\n", SCRIPT, re.DOTALL))
AT_A_WORKSTATION = {"inbox", "sent", "files", "alerts"}
"""Windows of the user who stands for the provider; the others are of a chart."""
ALL_ALERTS = 1
"""The built-in category of every alert."""
SIGN_IN, ACT, PORTAL = 175, 75, 6
"""Of securitylog: PermType twice, LogSource."""
FITS = 1
UNREAD, SECURE_MESSAGE, WEB_MAIL = 4, 15, 21
"""Of emailmessage, ehrmeasureevent and alertitem."""
COPY, COPY_ASKED, COPY_GIVEN = 68, 2, 3
"""Of securitylog, and of ehrmeasureevent twice."""
PATIENCE = 60.0
Rows = dict[str, list[tuple[Any, ...]]]


class Staff:
    """Somebody at a workstation, with the chart of one patient open."""

    def __init__(self, site: RealSite, chart: Cast) -> None:
        self._chart = chart
        server = shared_server()
        self._line = pymysql.connect(
            unix_socket=str(server.socket), user="root", database=site.database, autocommit=True
        )
        self._before = self._see()

    def sees(self, gone: Rows | None = None, **new: list[tuple[Any, ...]]) -> None:
        """Expect that since the last look these rows are new, by window, and these `gone`; no other of any window."""
        wanted = (self._counted(new), self._counted(gone or {}))
        # What an answer leaves behind may be written a moment after it.
        with contextlib.suppress(AssertionError):
            until(lambda: self._changes() == wanted, PATIENCE)
        assert self._changes() == wanted
        self._before = self._see()

    def _changes(self) -> tuple[Counter[Any], Counter[Any]]:
        now = self._see()
        return now - self._before, self._before - now

    def _see(self) -> Counter[Any]:
        return self._counted({name: self.window(name) for name in QUERIES})

    def window(self, name: str) -> list[tuple[Any, ...]]:
        """Return what a window shows."""
        with self._line.cursor() as cursor:
            who = READER if name in AT_A_WORKSTATION else int(self._chart)
            cursor.execute(QUERIES[name].replace("%", "%%").replace("?", "%s"), (who,))
            return list(cursor.fetchall())

    def close(self) -> None:
        """Go home."""
        self._line.close()

    @staticmethod
    def _counted(windows: Rows) -> Counter[Any]:
        return Counter((name, row) for name, rows in windows.items() for row in rows)


@pytest.fixture(scope="module", params=["21.1", "24.3"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSite]:
    kind: Kind = request.param
    with serve_practice(tmp_path_factory.mktemp("practice"), kind) as found:
        found.sql("INSERT INTO alertsub (UserNum, ClinicNum, AlertCategoryNum) VALUES (?, -1, ?)", READER, ALL_ALERTS)
        yield found


@pytest.fixture
def maria(site: RealSite) -> Iterator[httpx2.Client]:
    with site.signed_in() as browser:
        yield browser


@pytest.fixture
def open_chart(site: RealSite) -> Iterator[Callable[[Cast], Staff]]:
    """Yield what opens somebody's chart."""
    with ExitStack() as at_work:
        yield lambda chart: at_work.enter_context(contextlib.closing(Staff(site, chart)))


@pytest.fixture
def staff(open_chart: Callable[[Cast], Staff], maria: httpx2.Client) -> Staff:  # noqa: ARG001 - she is signed in already
    return open_chart(Cast.MARIA)


def act(text: str, about: Cast = Cast.MARIA) -> list[tuple[Any, ...]]:
    """Return the audit trail's row of an act."""
    return [(ACT, 0, PORTAL, int(about), f"Patient portal: {text}.", FITS)]


def get(browser: httpx2.Client, path: str) -> httpx2.Response:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return answer


def post(browser: httpx2.Client, path: str, page: str, **fields: str) -> httpx2.Response:
    """Send a form of a page."""
    answer = browser.post(path, data=fields | {"form_token": token_in(get(browser, page).text)})
    assert answer.status_code == 303, answer.text
    return answer


pytestmark = pytest.mark.shared


def test_the_script_only_reads() -> None:
    plain = re.sub(r"--.*", "", SCRIPT)
    statements = [one.strip() for one in plain.split(";") if one.strip()]
    assert len(statements) == len(QUERIES)
    for statement in statements:
        writes.guard(statement)


def test_signing_in_and_a_wrong_password(site: RealSite, open_chart: Callable[[Cast], Staff]) -> None:
    staff = open_chart(Cast.PAUL)
    (before,) = staff.window("access")
    with site.signed_in(Cast.PAUL):
        staff.sees(
            audit=[(SIGN_IN, 0, PORTAL, 0, "Patient portal: signed in from 127.0.0.1.", FITS)],
            activity=[(5, 16)],
            access=[(*before[:-1], 1)],
            gone={"access": [before]},
        )
    with client(site.base) as stranger:
        form = {"user_name": user_name(Cast.PAUL), "password": "not this one"}
        refused = stranger.post("/sign-in", data=form | {"form_token": token_in(stranger.get("/sign-in").text)})
        assert refused.status_code == 401
    staff.sees()


LOOKS = {
    "/account": "looked at the account",
    "/statements": "looked at the list of statements",
    "/payments": "looked at the payments",
    "/appointments": "looked at the appointments",
    "/messages": "looked at the list of messages",
    "/health": "looked at the health page",
    "/health/plans/1201": "looked at the treatment plan",
    "/documents": "looked at the list of documents",
    "/documents/820/download": "opened a document",
}


def test_every_look_leaves_one_row_in_the_audit_trail(staff: Staff, maria: httpx2.Client) -> None:
    for path, text in LOOKS.items():
        get(maria, path)
        staff.sees(audit=act(text))


def test_a_care_summary_counts_in_the_measures_and_each_document_is_a_copy(staff: Staff, maria: httpx2.Client) -> None:
    get(maria, "/health/summary")
    staff.sees(audit=act("viewed the care summary"), measures=[(COPY_ASKED, 1)])
    get(maria, "/health/summary")
    staff.sees()
    get(maria, "/health/summary/download/zip")
    copy = (COPY, 0, PORTAL, 0, "Patient portal: CCD generated (xml, html, pdf).", FITS)
    staff.sees(
        audit=[*act("downloaded the care summary (zip)"), copy],
        measures=[(COPY_ASKED, 2), (COPY_GIVEN, 1)],
        gone={"measures": [(COPY_ASKED, 1)]},
    )


def test_looking_at_somebody_elses_record_names_both(staff: Staff, maria: httpx2.Client) -> None:
    get(maria, f"/health?person={int(Cast.LUIS)}")
    staff.sees(audit=act("looked at the health page", Cast.LUIS))


def test_downloads_of_statements_count_as_activity_too(staff: Staff, maria: httpx2.Client) -> None:
    get(maria, "/statements/100/download")
    staff.sees(audit=act("opened a statement"), activity=[(5, 28)])
    get(maria, "/statements/all")
    ((_, text),) = [(row[3], row[4]) for row in staff.window("audit")[-1:]]
    staff.sees(audit=act(text.removeprefix("Patient portal: ").removesuffix(".")), activity=[(5, 28)])
    assert "downloaded statements in one file" in text


def test_reading_a_message_marks_it_read_for_the_provider(staff: Staff, maria: httpx2.Client) -> None:
    letter = (701, int(Cast.MARIA), int(Cast.MARIA), "RE: Sore tooth")
    get(maria, "/messages/701")
    staff.sees(audit=act("read message 701"), sent=[(701, 7, *letter[1:])], gone={"sent": [(701, 6, *letter[1:])]})
    get(maria, "/messages/701/files/801")
    staff.sees(audit=act("opened a file of message 701"))


def test_a_message_with_a_file_is_in_the_inbox_counted_and_announced(staff: Staff, maria: httpx2.Client) -> None:
    (measured,) = [count for event, count in staff.window("measures") if event == SECURE_MESSAGE] or [0]
    number = write(maria, "/messages/new", ("tooth.png", PNG), subject="A chip", text="It broke.\r\nWhat now?")
    ((_, _, stored),) = [row for row in staff.window("files") if row[0] == number]
    assert re.fullmatch(r"In\\\d{8}_\d{18}_\d{4}_tooth\.png", stored)
    unread = sum(row[1] == UNREAD for row in staff.window("inbox"))
    names = ("Maria Delgado", "Amara J. Lindgren, DDS")
    staff.sees(
        inbox=[(number, UNREAD, "WebMail", 11, 11, *names, "A chip", "It broke.\r\nWhat now?", 1)],
        files=[(number, "tooth.png", stored)],
        alerts=[(21, 0, 3, 12, 0, f"Unread web mail: {unread}", 0)],
        measures=[(SECURE_MESSAGE, measured + 1)],
        audit=act(f"sent message {number} to the office"),
        gone={"measures": [(SECURE_MESSAGE, measured)] if measured else []},
    )


def test_an_answer_about_a_family_member_says_whom_it_is_about(staff: Staff, maria: httpx2.Client) -> None:
    alerts, counted = staff.window("alerts"), dict(staff.window("measures"))
    number = write(maria, "/messages/new?reply=702", text="Thank you.")
    unread = sum(row[1] == UNREAD for row in staff.window("inbox"))
    names = ("Maria Delgado", "Amara J. Lindgren, DDS")
    old = [row for row in alerts if row[0] == WEB_MAIL]
    staff.sees(
        inbox=[(number, UNREAD, "WebMail", 11, 12, *names, "RE: Night guard", "Thank you.", 0)],
        alerts=[(21, 0, 3, 12, 0, f"Unread web mail: {unread}", 0)],
        measures=[(SECURE_MESSAGE, counted.get(SECURE_MESSAGE, 0) + 1)],
        audit=act(f"sent message {number} to the office", Cast.LUIS),
        gone={"alerts": old, "measures": [(SECURE_MESSAGE, n) for e, n in counted.items() if e == SECURE_MESSAGE]},
    )


def test_a_confirmation_is_an_alert_and_stands_in_the_chart_and_changes_no_appointment(
    site: RealSite, staff: Staff, maria: httpx2.Client
) -> None:
    page = get(maria, "/appointments").text
    at = page.split('name="at" value="')[1].split('"')[0]
    staff.sees(audit=act("looked at the appointments"))
    answer = maria.post("/appointments/1001/confirm", data={"at": at, "form_token": token_in(page)})
    assert answer.status_code == 303
    when = f"{dt.datetime.fromisoformat(at):%a %d %b %Y at %H:%M}"
    words = (
        f"Maria Delgado confirmed the visit of {when} in the patient portal. Set it to confirmed; no call is needed."
    )
    (kind,) = site.sql("SELECT DefNum FROM definition WHERE Category = 27 AND ItemValue = 'APPT' AND IsHidden = 0")[0]
    staff.sees(
        alerts=[(4, 0, 7, 5, 1001, words, 0)],
        chart=[(kind, 0, 2, 4, 0, f"Patient portal: Maria Delgado confirmed the visit of {when}.")],
        audit=act(f"confirmed the appointment of {at.replace('T', ' ')[:16]}"),
    )


def test_a_new_password_is_in_the_audit_trail_and_no_staff_sees_it(
    site: RealSite, open_chart: Callable[[Cast], Staff]
) -> None:
    with site.signed_in(Cast.STEFAN) as stefan:
        staff = open_chart(Cast.STEFAN)
        (before,) = staff.window("access")
        form = {"user_name": user_name(Cast.STEFAN), "current": PASSWORD, "password": STRONG, "repeat": STRONG}
        form |= {"was": user_name(Cast.STEFAN), "need": ""}
        post(stefan, "/change", "/change", **form)
        staff.sees(audit=act("changed the password", Cast.STEFAN))
        post(
            stefan,
            "/change",
            "/change",
            **form | {"user_name": "stefan.stone", "current": STRONG, "password": "", "repeat": ""},
        )
        staff.sees(
            audit=act("changed the user name", Cast.STEFAN),
            access=[("stefan.stone", *before[1:])],
            gone={"access": [before]},
        )


def test_a_word_on_who_may_see_what_is_in_the_audit_trail(site: RealSite, open_chart: Callable[[Cast], Staff]) -> None:
    with site.signed_in(Cast.LUIS) as luis:
        staff = open_chart(Cast.LUIS)
        form = {"viewer": str(int(Cast.MARIA)), "name": "Maria Delgado", "relation": "family"}
        topics = "appointments account messages health documents"
        post(luis, "/family", "/family", **form, topics=topics, **dict.fromkeys(topics.split()[1:], "1"))
        staff.sees(audit=act(f"withdrew from patient {int(Cast.MARIA)} the view of: appointments", Cast.LUIS))


def write(browser: httpx2.Client, path: str, *files: tuple[str, bytes], **typed: str) -> int:
    """Fill in the form for a message and send it; return its EmailMessageNum."""
    form = get(browser, path).text.split('enctype="multipart/form-data"')[1]
    fields = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', form))
    for name in ("provider", "about"):
        fields[name] = form.split(f'id="{name}"')[1].split("</select>")[0].split('" selected')[0].rsplit('"', 1)[1]
    fields["subject"] = form.split('id="subject"')[1].split('value="')[1].split('"')[0]
    parts: list[Any] = [(name, (None, text)) for name, text in (fields | typed).items()]
    answer = browser.post("/messages/new", files=parts + [("files", (name, content)) for name, content in files])
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].split("/messages/")[1].split("?")[0])

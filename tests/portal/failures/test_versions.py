"""An office of another version: older, newer, or with a database that lacks what the connector expects."""

from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from econnector.base.errors import VersionsDiffer
from econnector.base.version import version
from econnector.eservices.portal import calls
from econnector.eservices.portal.web import SUBJECTS
from econnector.office.doctor import CHECKS
from econnector.office.doctor.check import Finding
from econnector.opendental.schema import Schemas, inspect, lacking
from econnector.storage.database import Database
from econnector.wire.call import Call
from tests.support.linked import HERE, LinkedSite, as_newer, as_older
from tests.support.practice import Cast, PortalOffice
from tests.support.realsite import in_thread
from tests.support.saying import said

PAGES = {
    "/": 200, "/help": 200, "/account": 200, "/payments": 200, "/statements": 200, "/documents": 200,
    "/who-looked": 200, "/messages": 200, "/messages/new": 200, "/messages/701": 200, "/appointments": 200,
    "/health": 200, "/family": 200, "/security": 200, "/change": 200, "/security/app": 200, "/security/passkey": 200,
    "/appointments/1001/calendar": 200, "/statements/100": 200, "/documents/820": 200, "/messages/701/files/801": 200,
    "/pay": 200,
    "/statements/all": 200, "/health/summary": 200, "/health/summary/history": 200, "/health/summary/download/xml": 200,
}  # fmt: skip
"""What a signed-in person opens, and what comes."""
ASKS = {
    "/": "portal.home", "/account": "portal.account", "/payments": "portal.payments",
    "/pay": "portal.pay-form",
    "/statements": "portal.statements", "/documents": "portal.documents", "/who-looked": "portal.who-looked",
    "/messages": "portal.messages", "/messages/new": "portal.message-form", "/messages/701": "portal.message",
    "/appointments": "portal.appointments", "/health": "portal.health", "/family": "portal.privacy",
    "/security": "portal.security", "/appointments/1001/calendar": "portal.appointment",
    "/statements/100": "portal.statement-file", "/documents/820": "portal.document-file",
    "/messages/701/files/801": "portal.message-file", "/statements/all": "portal.statement-archive",
    "/health/summary": "portal.care-summary", "/health/summary/history": "portal.care-summary-history",
    "/health/summary/download/xml": "portal.care-summary-file",
}  # fmt: skip
"""The call without which a page is nothing."""
NEEDED_TO_SIGN_IN = {"portal.sign-in", "portal.practice"}


def test_every_page_of_the_portal_is_tried() -> None:
    got = {path for subject in SUBJECTS for path, _, method in subject.PAGES if method == "GET"}
    kinds = {path.split("/")[1] for path in got}
    tried = {path.split("/")[1] for path in PAGES}
    before = {"sign-in", "second-step", "forgot", "reset", "invite", "shared"}
    without_an_answer = {"unreachable", "offline", "service-worker.js", "manifest.webmanifest", "app.webmanifest"}
    assert kinds - tried <= before | without_an_answer


@pytest.mark.causes(row="shape: page and connector disagree on the shape of an answer", sees="patient")
@pytest.mark.parametrize("written", [as_older, as_newer])
def test_pages_show_what_an_older_and_a_newer_connector_answer(site: LinkedSite, written: Any) -> None:
    site.written = written
    with site.signed_in() as browser:
        found = {path: browser.get(path).status_code for path in PAGES}
    assert found == PAGES


@pytest.mark.causes(
    row="unknown-call: HQ asked a call this connector version does not know", sees="patient, history, again"
)
def test_a_call_the_connector_does_not_know_is_a_kind_page_and_an_update_for_the_office(site: LinkedSite) -> None:
    declared = {call.name for call in vars(calls).values() if isinstance(call, Call)}
    with site.signed_in() as browser, said() as logs:
        # As of a connector that knows signing in, and one page.
        site.unknown = declared - NEEDED_TO_SIGN_IN - {"portal.home"}
        for path, call in ASKS.items():
            answer = browser.get(path)
            if call == "portal.home":
                assert answer.status_code == 200
                continue
            assert answer.status_code == 501, path
            assert "needs a newer version" in answer.text
            assert "The office has been told" in answer.text
            assert "unknown-call" in answer.text
            assert HERE.machine not in answer.text
            reference = answer.headers["x-reference"]
            assert reference in answer.text
        (failed,) = site.failures(reference)
        assert (failed.code, failed.facts) == (
            "unknown-call",
            {"call": call, "version": HERE.version, "machine": HERE.machine},
        )
        told = {(each["call"], each["version"], each["machine"]) for each in logs if "too old" in each["event"]}
        assert (call, HERE.version, HERE.machine) in told, "HQ's operators are told which machine to update"
        assert browser.get("/").status_code == 200
        # A form that such an office cannot take says so, and keeps what was typed.
        site.unknown = {"portal.message-send"}
        page = browser.get("/messages/new").text
        values = {"form_token": page.split('name="form_token" value="')[2].split('"')[0], "provider": "951"}
        values |= {"draft": "a-draft-of-mine", "about": "11", "subject": "Hello", "text": "Typed at length."}
        refused = browser.post("/messages/new", data=values)
        assert refused.status_code == 501
        assert "Typed at length." in refused.text
        site.unknown = set()
        assert browser.post("/messages/new", data=values).status_code == 303


# -- a column that is not there ----------------------------------------------------------------------------------------


def schema_finding(url: str) -> Finding:
    """Return what the doctor says about the database's tables and columns."""
    (check,) = (check for check in CHECKS if check.id == "schema")

    async def asked() -> Finding:
        database = Database(url)
        scene: Any = SimpleNamespace(database=lambda: database)
        try:
            return await check.run(scene)
        finally:
            await database.close()

    return in_thread(asked)


def differs(site: LinkedSite, answer: httpx2.Response, missing: str) -> None:
    """Assert that the patient is told kindly, and the office exactly."""
    assert answer.status_code == 503
    assert "different versions" in answer.text
    assert "(555) 010-0" not in answer.text
    assert missing not in answer.text
    assert "where clause" not in answer.text
    assert "SELECT" not in answer.text
    reference = answer.headers["x-reference"]
    assert reference in answer.text
    failed = site.failures(reference)[0]
    assert failed.code == "database-version"
    told = VersionsDiffer(**failed.facts)
    assert missing in told.office_text()
    assert f"Connector {version()}" in told.remedy_steps()[0]


@pytest.mark.causes(
    "database-version", row="column: connector older than the database", sees="patient, history, doctor, again"
)
@pytest.mark.causes(row="column: connector newer than the database", sees="patient, history, doctor, again")
def test_a_column_that_vanishes_stops_its_own_pages_and_no_others(site: LinkedSite) -> None:
    with site.signed_in() as browser:
        assert browser.get("/messages/701").status_code == 200
        assert schema_finding(site.url).state == "ok"
        site.sql("ALTER TABLE emailmessage RENAME COLUMN ProvNumWebMail TO Elsewhere")
        for path in ("/messages", "/messages/701", "/messages/new?reply=701"):
            differs(site, browser.get(path), "ProvNumWebMail")
        for path in ("/appointments", "/statements", "/documents", "/health", "/family", "/security"):
            assert browser.get(path).status_code == 200, path
        finding = schema_finding(site.url)
        assert (finding.state, finding.code) == ("problem", "database-version")
        assert "emailmessage.ProvNumWebMail" in finding.text
        assert "24.3.10.0" in finding.text
        assert finding.remedy
        site.sql("ALTER TABLE emailmessage RENAME COLUMN Elsewhere TO ProvNumWebMail")
        assert browser.get("/messages/701").status_code == 200
        assert schema_finding(site.url).state == "ok"


def test_a_column_without_which_nothing_goes_is_found_before_anybody_clicks(site: LinkedSite) -> None:
    site.sql("ALTER TABLE userweb RENAME COLUMN RequirePasswordChange TO Elsewhere")
    finding = schema_finding(site.url)
    assert (finding.state, finding.code) == ("problem", "database-version")
    assert "userweb.RequirePasswordChange" in finding.text
    with pytest.raises(AssertionError, match="different versions"), site.signed_in():
        pass


async def test_on_the_real_database_a_dropped_column_is_named_while_running_and_by_the_doctor(
    portal_office: PortalOffice,
) -> None:
    office = portal_office
    session = await office.sign_in(Cast.MARIA)
    assert lacking(await office.database.run(inspect)) == []
    table, column = "emailmessage", "ProvNumWebMail"
    statement = "ALTER TABLE {} CHANGE {} {} BIGINT NOT NULL"
    if office.database.dialect == "sqlite":
        statement = "ALTER TABLE {} RENAME COLUMN {} TO {}"
    await office.front_desk.run(lambda connection: connection.exec_driver_sql(statement.format(table, column, "Gone")))
    try:
        with pytest.raises(VersionsDiffer) as caught:
            await office.ask(calls.MESSAGES, calls.MessagesAsked(session.token, 11))
        assert column in caught.value.facts["missing"]
        assert caught.value.facts["connector"] == version()
        assert column not in caught.value.patient_text()
        schema = await office.database.run(Schemas())
        assert lacking(schema) == [f"{table}.{column}"]
        assert (await office.ask(calls.HOME, calls.PersonAsked(session.token, 11))).me.number == 11
    finally:
        back = statement.format(table, "Gone", column)
        await office.front_desk.run(lambda connection: connection.exec_driver_sql(back))

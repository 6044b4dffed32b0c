"""What the office changes while somebody is signed in counts at the next click, and leads on with words that help."""

from collections.abc import Callable

import httpx2
import pytest

from econnector.opendental import passwords
from econnector.storage.state import portalrules
from econnector.storage.state.portalrules import Rules
from tests.support.formpage import form_in
from tests.support.linked import LinkedSite
from tests.support.practice import PASSWORD, STRONG, Cast, user_name

MARIA, LUIS, ANA = int(Cast.MARIA), int(Cast.LUIS), int(Cast.ANA)
PAGES = ("/", "/statements", "/statements/100", "/messages", "/messages/new", "/appointments", "/security", "/change")


def _merged(site: LinkedSite) -> None:
    site.sql(
        "INSERT INTO patientlink (PatientLinkNum, PatNumFrom, PatNumTo, LinkType) VALUES (9001, ?, ?, 1)", MARIA, LUIS
    )


def _status(number: int) -> Callable[[LinkedSite], None]:
    def change(site: LinkedSite) -> None:
        site.sql("UPDATE patient SET PatStatus = ? WHERE PatNum = ?", number, MARIA)

    return change


def _without_access(site: LinkedSite) -> None:
    site.sql("UPDATE userweb SET Password = '' WHERE FKey = ?", MARIA)


def _without_login(site: LinkedSite) -> None:
    site.sql("DELETE FROM userweb WHERE FKey = ?", MARIA)


def _moved_login(site: LinkedSite) -> None:
    site.sql("UPDATE userweb SET FKey = ? WHERE FKey = ?", 4711, MARIA)


def _new_password(site: LinkedSite) -> None:
    site.sql("UPDATE userweb SET Password = ? WHERE FKey = ?", passwords.make("Another-Pass-9"), MARIA)


ENDS: dict[str, tuple[Callable[[LinkedSite], None], str]] = {
    "merged": (_merged, "merged"),
    "archived": (_status(3), "archived"),
    "deleted": (_status(4), "deleted"),
    "dead": (_status(5), ""),
    "access removed": (_without_access, "access was removed"),
    "sign-in deleted": (_without_login, "access was removed"),
    "sign-in of somebody else": (_moved_login, "access was removed"),
    "password reset": (_new_password, "the password was changed"),
}


def asked_to_sign_in(answer: httpx2.Response) -> None:
    assert answer.status_code == 303
    assert "/sign-in?next=" in answer.headers["location"]
    assert answer.headers["location"].endswith("&ended=1")


@pytest.mark.causes("session-ended")
@pytest.mark.parametrize("cause", ENDS)
def test_a_session_ends_at_the_next_click_whatever_it_is(site: LinkedSite, cause: str) -> None:
    change, why = ENDS[cause]
    with site.signed_in() as browser:
        form = form_in(browser.get("/messages/new").text, "/messages/new")
        change(site)
        # The browser is told to forget the session; here it goes on asking with it.
        token = dict(browser.cookies)
        for path in PAGES:
            browser.cookies.update(token)
            asked_to_sign_in(browser.get(path))
        browser.cookies.update(token)
        sent = browser.post("/messages/new", data=form.fields | {"subject": "Hello", "text": "Typed at length."})
        assert sent.status_code == 401
        assert "Typed at length." in sent.text
        reference = sent.headers["x-reference"]
        (failed,) = site.failures(reference)
        assert failed.code == "session-ended"
        assert why in failed.facts["reason"]
        page = browser.get("/sign-in?ended=1").text
        assert "For your safety you were signed out" in page
        assert "Call" in page
        # Who no longer has access is refused like everybody, and loses nothing of what was typed by trying.
        again = form_in(sent.text, "/messages/new")
        names = {"signin-user_name": user_name(Cast.MARIA), "signin-password": PASSWORD}
        refused = browser.post("/messages/new", data=again.fields | names)
        assert refused.status_code == 401
        assert "Login failed" in refused.text
        assert "Typed at length." in refused.text
    assert site.sql("SELECT COUNT(*) FROM emailmessage WHERE Subject = 'Hello'") == [(0,)]


def test_a_password_that_the_office_gives_anew_brings_back_what_was_typed(site: LinkedSite) -> None:
    with site.signed_in() as browser:
        form = form_in(browser.get("/messages/new").text, "/messages/new")
        _new_password(site)
        sent = browser.post("/messages/new", data=form.fields | {"subject": "Hello", "text": "Typed at length."})
        names = {"signin-user_name": user_name(Cast.MARIA), "signin-password": "Another-Pass-9"}
        again = browser.post("/messages/new", data=form_in(sent.text, "/messages/new").fields | names)
        assert again.status_code == 200
        assert form_in(again.text, "/messages/new").fields["text"] == "Typed at length."


def test_a_password_for_once_comes_before_what_was_typed_and_loses_none_of_it(site: LinkedSite) -> None:
    with site.signed_in() as browser:
        form = form_in(browser.get("/messages/new").text, "/messages/new")
        _new_password(site)
        site.sql("UPDATE userweb SET RequirePasswordChange = 1 WHERE FKey = ?", MARIA)
        sent = browser.post("/messages/new", data=form.fields | {"subject": "Hello", "text": "Typed at length."})
        names = {"signin-user_name": user_name(Cast.MARIA), "signin-password": "Another-Pass-9"}
        again = browser.post("/messages/new", data=form_in(sent.text, "/messages/new").fields | names)
        assert again.status_code == 200
        assert "choose your own user name and password" in again.text
        waiting = form_in(again.text, "/messages/new").fields
        change = form_in(browser.get("/change").text, "/change").fields  # in a new tab
        assert browser.post("/change", data=change | {"password": STRONG, "repeat": STRONG}).status_code == 303
        tidied = browser.post("/messages/new", data=waiting)
        ready = form_in(tidied.text, "/messages/new").fields
        assert ready["text"] == "Typed at length."
        assert browser.post("/messages/new", data=ready).status_code == 303
    assert site.sql("SELECT COUNT(*) FROM emailmessage WHERE Subject = 'Hello'") == [(1,)]


def test_inactive_patients_go_on(site: LinkedSite) -> None:
    with site.signed_in() as browser:
        _status(2)(site)
        assert browser.get("/").status_code == 200


def ruled(site: LinkedSite, rules: Rules) -> None:
    site.front_desk(lambda _, state: state.run(portalrules.write, rules))


def test_a_topic_that_is_switched_off_is_gone_at_the_next_click(site: LinkedSite) -> None:
    with site.signed_in() as browser:
        form = form_in(browser.get("/messages/new").text, "/messages/new")
        values = form.fields | {"subject": "Hello", "text": "Typed at length."}
        ruled(site, Rules(off=frozenset({"messages"})))
        off = browser.get("/messages")
        assert off.status_code == 404
        assert "does not offer this part of the portal. Call them if you need it." in off.text
        assert "/messages" not in browser.get("/").text.split("<main")[0].split("<nav")[1]
        refused = browser.post("/messages/new", data=values)
        assert refused.status_code == 404
        assert "does not offer this part" in refused.text
        assert "Typed at length." in refused.text
        ruled(site, Rules())
        assert browser.post("/messages/new", data=values).status_code == 303


def test_a_word_that_closes_a_record_counts_at_the_next_click(site: LinkedSite) -> None:
    with site.signed_in() as maria, site.signed_in(Cast.LUIS) as luis:
        form = form_in(maria.get(f"/messages/new?person={LUIS}").text, "/messages/new")
        values = form.fields | {"about": str(LUIS), "subject": "Hello", "text": "Typed at length."}
        closing = form_in(luis.get("/family").text, "/family").fields
        for topic in ("appointments", "account", "messages", "health", "documents"):
            closing.pop(topic, None)
        assert luis.post("/family", data=closing).status_code == 303
        gone = maria.get(f"/statements?person={LUIS}")
        assert gone.status_code == 404
        assert "ask the office" in gone.text
        refused = maria.post("/messages/new", data=values)
        assert refused.status_code == 404
        assert "Typed at length." in refused.text
        assert maria.get("/").status_code == 200
        assert maria.get(f"/statements?person={ANA}").status_code == 200

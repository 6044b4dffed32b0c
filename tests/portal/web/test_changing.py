"""Choosing a user name and a password."""

from collections.abc import Iterator

import httpx2
import pytest

from econnector.base.errors import OfficeUnreachable, TooManyTries, UserNameRejected
from econnector.eservices.portal import calls
from tests.support.site import PortalSite, SmallOffice, client, keys_of, signed_in, token_in

NEW = "four Unrelated words 7"


@pytest.fixture
def newcomer(site: PortalSite, office: SmallOffice) -> Iterator[httpx2.Client]:
    """Yield the browser of somebody who signs in for the first time."""
    office.first_time = True
    with signed_in(site) as browser:
        yield browser


def save(browser: httpx2.Client, **fields: str) -> httpx2.Response:
    token = token_in(browser.get("/change").text)
    return browser.post("/change", data={"form_token": token, **fields})


def changes(office: SmallOffice) -> list[calls.ChangeSignIn]:
    return [params for _, params, _ in office.asked if isinstance(params, calls.ChangeSignIn)]


def test_the_first_sign_in_leads_to_the_change_and_nowhere_else(site: PortalSite, office: SmallOffice) -> None:
    office.first_time = True
    with client(site.portal()) as browser:
        token = token_in(browser.get("/sign-in").text)
        form = {"user_name": "ann4711", "password": office.password, "form_token": token}
        assert browser.post("/sign-in", data=form).headers["location"].endswith("/change")
        for path in ("/", "/statements", "/statements/900"):
            assert browser.get(path).headers["location"].endswith("/change"), path
        page = browser.get("/change").text
        assert "Choose your own sign-in" in page
        assert 'id="current"' not in page
        assert "Sign out" in page


def test_after_the_change_the_portal_opens(newcomer: httpx2.Client, office: SmallOffice) -> None:
    answer = save(newcomer, need="both", user_name="ann.example", password=NEW, repeat=NEW)
    assert answer.headers["location"].endswith("/?notice=changed")
    assert "Your sign-in is changed" in newcomer.get("/?notice=changed").text
    [asked] = changes(office)
    assert (asked.user_name, asked.password, asked.current_password) == ("ann.example", NEW, "")


@pytest.mark.parametrize(
    ("need", "name", "password"), [("user-name", True, False), ("password", False, True), ("nonsense", True, True)]
)
def test_only_what_must_change_is_asked_for_from_wherever_one_comes(
    newcomer: httpx2.Client, office: SmallOffice, need: str, name: bool, password: bool
) -> None:
    office.need = need
    assert newcomer.get("/statements").headers["location"].endswith("/change")
    page = newcomer.get("/change").text
    assert ('id="user_name"' in page) is name
    assert ('id="password"' in page) is password


def test_when_the_answer_is_lost_saving_again_is_the_same_change(newcomer: httpx2.Client, office: SmallOffice) -> None:
    office.losing.add("portal.change-sign-in")
    fields = {"need": "both", "user_name": "ann.example", "password": NEW, "repeat": NEW}
    lost = save(newcomer, **fields)
    assert lost.status_code == 503
    assert "broke before it answered" in lost.text
    assert 'value="ann.example"' in lost.text
    again = newcomer.post("/change", data=fields | {"form_token": token_in(lost.text.split("<main")[1])})
    assert again.headers["location"].endswith("/?notice=changed")
    (key,) = keys_of(office, "portal.change-sign-in")
    assert key


def test_a_first_change_that_was_made_in_another_tab_becomes_a_free_one(newcomer: httpx2.Client) -> None:
    page = newcomer.get("/change").text
    assert save(newcomer, need="both", user_name="ann.example", password=NEW, repeat=NEW).status_code == 303
    fields = {"need": "both", "user_name": "ann.other", "password": f"{NEW} x", "repeat": f"{NEW} x"}
    late = newcomer.post("/change", data=fields | {"form_token": token_in(page)})
    assert late.status_code == 422
    assert 'id="current-wrong"' in late.text
    assert "Enter the password you use now." in late.text


def test_a_free_change_needs_the_password_of_now(ann: httpx2.Client, office: SmallOffice) -> None:
    page = ann.get("/change").text
    assert 'value="ann4711"' in page
    assert 'id="current"' in page
    answer = save(ann, user_name="ann.example", was="ann4711", current="", password="", repeat="")
    assert answer.status_code == 422
    assert "Enter the password you use now." in answer.text
    answer = save(ann, user_name="ann.example", was="ann4711", current="wrong", password="", repeat="")
    assert answer.status_code == 422
    assert 'id="current-wrong"' in answer.text
    answer = save(ann, user_name="ann4711", was="ann4711", current=office.password, password=NEW, repeat=NEW)
    assert answer.status_code == 303
    assert changes(office)[-1].user_name == ""
    assert office.password == NEW


def test_guessing_the_password_of_now_is_answered_like_a_wrong_one(ann: httpx2.Client, office: SmallOffice) -> None:
    fields = {"user_name": "other.name", "was": "ann4711", "current": "wrong", "password": "", "repeat": ""}
    wrong = save(ann, **fields)
    office.failing_calls["portal.change-sign-in"] = TooManyTries(tries=5, seconds=60)
    throttled = save(ann, **fields)
    assert throttled.status_code == wrong.status_code == 422
    assert "After several tries we slow down" in wrong.text
    assert "After several tries we slow down" in throttled.text


@pytest.mark.parametrize(
    ("fields", "field", "text"),
    [
        ({"user_name": "", "password": NEW, "repeat": NEW}, "user_name", "Enter a user name."),
        ({"user_name": "ann.x", "password": "", "repeat": ""}, "password", "Enter a new password."),
        ({"user_name": "ann.x", "password": NEW, "repeat": "x"}, "repeat", "The two new passwords are not the same."),
        ({"user_name": "ann.x", "password": "short", "repeat": "short"}, "password", "at least 15 characters"),
    ],
)
def test_a_mistake_is_said_at_its_field_and_linked_from_above(
    newcomer: httpx2.Client, fields: dict[str, str], field: str, text: str
) -> None:
    answer = save(newcomer, need="both", **fields)
    assert answer.status_code == 422
    assert f'<a href="#{field}">' in answer.text
    assert text in answer.text
    assert f'aria-describedby="{field}' in answer.text
    if fields["password"]:
        assert fields["password"] not in answer.text.replace("ann.x", "")
    assert f'value="{fields["user_name"]}"' in answer.text


def test_a_taken_user_name_is_said_in_the_readers_language(newcomer: httpx2.Client, office: SmallOffice) -> None:
    office.failing_calls["portal.change-sign-in"] = UserNameRejected(rule="taken", why="Taken.")
    newcomer.headers["accept-language"] = "es"
    answer = save(newcomer, need="both", user_name="ann.x", password=NEW, repeat=NEW)
    assert "Este" in answer.text or "Ese nombre de usuario ya existe" in answer.text
    assert "Taken." not in answer.text


def test_when_nothing_is_changed_it_says_so(ann: httpx2.Client, office: SmallOffice) -> None:
    fields = {"user_name": "ann4711", "was": "ann4711", "current": office.password, "password": "", "repeat": ""}
    answer = save(ann, **fields)
    assert answer.status_code == 422
    assert changes(office) == []


def test_when_the_office_goes_away_the_typed_name_stays(newcomer: httpx2.Client, office: SmallOffice) -> None:
    office.failing_calls["portal.change-sign-in"] = OfficeUnreachable()
    answer = save(newcomer, need="both", user_name="ann.example", password=NEW, repeat=NEW)
    assert answer.status_code == 503
    assert 'value="ann.example"' in answer.text
    assert NEW not in answer.text
    assert answer.headers["x-reference"] in answer.text


def test_a_session_that_ends_under_the_form_costs_a_sign_in_and_no_typing(
    office: SmallOffice, ann: httpx2.Client
) -> None:
    fields = {"user_name": "ann.example", "was": "ann4711", "password": "", "repeat": "", "current": office.password}
    token = token_in(ann.get("/change").text)
    office.tokens.clear()
    ended = ann.post("/change", data=fields | {"form_token": token})
    assert ended.status_code == 401
    assert "what you typed is kept here" in ended.text
    assert 'value="ann.example"' in ended.text
    # In another tab: signed in again.
    form = {"user_name": "ann4711", "password": office.password}
    ann.post("/sign-in", data=form | {"form_token": token_in(ann.get("/sign-in").text)})
    again = ann.post("/change", data=fields | {"form_token": token})
    assert again.status_code == 403
    assert 'value="ann.example"' in again.text
    assert "Please press Save again" in again.text
    assert ann.post("/change", data=fields | {"form_token": token_in(again.text)}).status_code == 303


def test_without_a_session_there_is_no_form(site: PortalSite) -> None:
    with client(site.portal()) as stranger:
        assert "/sign-in?next=%2Fchange" in stranger.get("/change").headers["location"]
        assert "/sign-in?next=%2Fchange" in stranger.post("/change", data={"user_name": "x"}).headers["location"]

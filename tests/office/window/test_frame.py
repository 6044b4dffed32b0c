"""What every page of the window gets before its handler: who it is, whether they may, whose form, whose host."""

import re

import pytest

from econnector.base.errors import SettingInvalid
from econnector.base.settings import Loaded
from econnector.office.settings import Settings, load_settings
from econnector.office.window import app as window_app
from econnector.office.window.hosts import loopback
from econnector.storage.state import window_sessions
from tests.office.window.bare import PASSWORD, PORT, Window, post, sign_in, token_in

# -- who ------------------------------------------------------------------------------------------------------------


async def test_without_a_sign_in_there_is_the_word_and_start_and_nothing_else(window: Window) -> None:
    async with window.browser() as browser:
        page = (await browser.get("/")).text
        assert "None" in page
        assert "Start" in page
        for private in ("History", "Settings", "Ack", "Stop Monitoring", "practice.sqlite", "heartbeat"):
            assert private not in page
        for path in ("/live", "/history.csv", "/stop-monitoring"):
            assert (await browser.get(path)).headers["location"].startswith("/sign-in")
        for path in ("/ack", "/settings", "/stop-monitoring", "/sign-out", "/stay"):
            assert (await post(browser, path)).headers["location"].startswith("/sign-in")


async def test_a_user_signs_in_where_they_wanted_to_go_and_out_again(window: Window) -> None:
    async with window.browser() as browser:
        assert (await browser.get("/stop-monitoring")).headers["location"] == "/sign-in?next=%2Fstop-monitoring"
        answer = await sign_in(browser, " ada ", back="/stop-monitoring")
        assert answer.headers["location"] == "/stop-monitoring"
        assert "Ada" in (await browser.get("/stop-monitoring")).text
        assert (await post(browser, "/sign-out")).headers["location"] == "/sign-in"
        assert "You are signed out." in (await browser.get("/sign-in")).text
        assert (await browser.get("/stop-monitoring")).status_code == 303


async def test_a_session_ends_in_the_office_not_only_in_the_browser(window: Window) -> None:
    async with window.signed_in() as browser:
        kept = dict(browser.cookies)
        await post(browser, "/sign-out")
        browser.cookies.update(kept)
        assert (await browser.get("/stop-monitoring")).status_code == 303


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil.example", "/sign-out", "/a b"])
async def test_signing_in_leads_to_no_other_place(window: Window, back: str) -> None:
    async with window.browser() as browser:
        assert (await sign_in(browser, "Ada", back=back)).headers["location"] == "/"


async def test_wrong_is_wrong_whatever_was_wrong_and_the_password_is_not_sent_back(window: Window) -> None:
    async with window.browser() as browser:
        for name, password in (("Ada", "wrong-7777"), ("Nobody", PASSWORD), ("Ada", ""), ("Ada' OR '1'='1", "x")):
            answer = await sign_in(browser, name, password)
            assert answer.status_code == 401
            assert "The user name or the password is not right." in answer.text
            assert "wrong-7777" not in answer.text
        assert "Enter your Open Dental user name." in (await sign_in(browser, "")).text


@pytest.mark.causes("window-sign-in-failed", "window-sign-in-slowed")
async def test_guessing_is_slowed_down_even_with_the_right_password(window: Window) -> None:
    async with window.browser() as browser:
        for _ in range(5):
            assert (await sign_in(browser, "Frank", "guess")).status_code == 401
        answer = await sign_in(browser, "Frank")
        assert answer.status_code == 429
        assert "window-sign-in-slowed" in answer.text
        assert (await sign_in(browser, "Ada")).status_code == 303


@pytest.mark.causes("window-password-due")
async def test_who_must_choose_a_new_password_does_so_in_open_dental(window: Window) -> None:
    await window.sql("UPDATE userod SET IsPasswordResetRequired=1 WHERE UserName='Ada'")
    async with window.browser() as browser:
        assert "Open Dental wants Ada to choose a new password first." in (await sign_in(browser, "Ada")).text


async def test_a_sign_in_stands_in_open_dentals_audit_trail_and_a_wrong_one_does_not(window: Window) -> None:
    async with window.browser() as browser:
        await sign_in(browser, "Vera", "wrong")
        await sign_in(browser, "Vera")
    assert await window.audit() == [(503, 83, "User: Vera has logged on to the eConnector Service window.")]


async def test_who_may_not_be_noted_signs_in_all_the_same(window: Window) -> None:
    await window.sql("DROP TABLE securitylog")
    async with window.signed_in("Ada") as browser:
        assert "Sign out" in (await browser.get("/")).text


async def test_who_must_choose_a_new_password_meanwhile_only_looks(window: Window) -> None:
    async with window.signed_in("Ada") as browser:
        await window.sql("UPDATE userod SET IsPasswordResetRequired=1 WHERE UserName='Ada'")
        window.clock.advance(61)
        assert "View only." in (await browser.get("/")).text
        assert (await post(browser, "/ack")).status_code == 403


async def test_a_session_nobody_uses_ends_and_what_was_sent_then_is_not_used(window: Window) -> None:
    async with window.signed_in() as browser:
        token = token_in((await browser.get("/")).text)
        window.clock.advance(window_sessions.IDLE.total_seconds() - 1)
        assert (await browser.get("/stop-monitoring")).status_code == 200
        window.clock.advance(window_sessions.IDLE.total_seconds() + 1)
        answer = await browser.post("/ack", data={"form_token": token})
        assert answer.headers["location"] == "/sign-in?next=%2F"
        assert "What you just sent was not used." in (await browser.get("/sign-in")).text


async def test_a_page_that_refreshes_itself_keeps_nobody_signed_in(window: Window) -> None:
    async with window.signed_in() as browser:
        for _ in range(4):
            window.clock.advance(window_sessions.IDLE.total_seconds() / 4)
            answer = await browser.get("/live", headers={"hx-request": "true"})
        assert answer.status_code == 401
        assert answer.headers["hx-redirect"].startswith("/sign-in")


async def test_however_much_it_is_used_a_session_ends_after_a_day_of_work(window: Window) -> None:
    async with window.signed_in() as browser:
        for _ in range(40):
            window.clock.advance(20 * 60)
            answer = await browser.post("/stay", data={"form_token": token_in((await browser.get("/")).text)})
            if answer.status_code != 200:
                break
            assert answer.json()["seconds"] > 0
        assert (await browser.get("/stop-monitoring")).status_code == 303


async def test_rights_that_were_taken_in_open_dental_are_gone_here_too(window: Window) -> None:
    async with window.signed_in("Ada") as browser:
        await window.sql("DELETE FROM grouppermission WHERE UserGroupNum=501")
        window.clock.advance(61)
        assert "View only." in (await browser.get("/")).text
        await window.sql("UPDATE userod SET IsHidden=1 WHERE UserName='Ada'")
        window.clock.advance(61)
        assert (await browser.get("/stop-monitoring")).status_code == 303


async def test_while_the_database_is_away_nobody_signs_in_and_the_page_says_why_and_what_to_do(window: Window) -> None:
    async with window.away().browser() as browser:
        assert "Unknown" in (await browser.get("/")).text
        page = (await browser.get("/sign-in")).text
        for said in ("Nobody can sign in now", "does not answer", "See that the database service", "database-away"):
            assert said in page
        answer = await sign_in(browser, "Ada")
        assert answer.status_code == 503
        assert PASSWORD not in answer.text


async def test_who_is_signed_in_stays_so_while_the_database_is_away_and_sees_the_cause(window: Window) -> None:
    async with window.signed_in() as before, window.away().browser() as browser:
        browser.cookies.update(before.cookies)
        window.clock.advance(120)
        page = (await browser.get("/")).text
        for said in ("Unknown", "does not answer", "Sign out", "View only."):
            assert (said in page) == (said != "View only.")
        assert re.search(r"\(database-away · [0-9A-Z]{4}-[0-9A-Z]{4}\)", page)
        seen = re.search(r'hx-get="(/live[^"]+)"', page)
        assert seen
        assert (await browser.get(seen[1].replace("&amp;", "&"))).status_code == 204, "the reference stays as it is"
        assert (await browser.get("/history.csv")).status_code == 503
        answer = await post(browser, "/ack")
        assert answer.status_code == 503
        assert "See that the database service" in answer.text
        assert (await post(browser, "/sign-out")).headers["location"] == "/sign-in"


# -- whether they may -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "path", "permission"),
    [
        ("Vera", "/ack", "eServices Setup"),
        ("Vera", "/settings", "eServices Setup"),
        ("Vera", "/stop-monitoring", "Security Admin"),
        ("Frank", "/stop-monitoring", "Security Admin"),
    ],
)
async def test_who_may_not_is_told_what_is_missing_whatever_was_sent(
    window: Window, name: str, path: str, permission: str
) -> None:
    async with window.signed_in(name) as browser:
        answer = await post(browser, path, log_days="1")
        assert answer.status_code == 403
        assert f"The Open Dental user {name} lacks the permission {permission}, so nothing was changed." in answer.text
        assert "What to do" in answer.text
        assert "permission-missing" in answer.text


def test_every_page_that_changes_something_is_a_post_and_needs_a_right_or_is_for_everybody() -> None:
    pages = [page for module in window_app.MODULES for page in module.PAGES]
    free = {page.path for page in pages if page.method == "POST" and page.needs in {"nobody", "signed in"}}
    # A patient's name that is searched for stands in no address; the doctor looks and changes nothing.
    assert free == {"/start", "/sign-in", "/sign-out", "/stay", "/portal/find", "/doctor"}
    closed = {page.path for page in pages if page.method == "GET" and page.needs not in {"nobody", "signed in"}}
    assert closed == {"/services/{name}/configure"}, "who may not change anything still sees everything"


# -- whose form, whose host -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "made-up.0123", "x" * 5000])
async def test_a_form_that_is_not_ours_changes_nothing(window: Window, token: str) -> None:
    async with window.signed_in() as browser:
        for path in ("/ack", "/settings", "/stop-monitoring", "/start", "/sign-out"):
            answer = await browser.post(path, data={"form_token": token, "log_days": "1"})
            assert answer.status_code == 403
            assert "form-expired" in answer.text
        assert (await browser.get("/stop-monitoring")).status_code == 200


async def test_another_ones_form_is_not_ours(window: Window) -> None:
    async with window.signed_in("Ada") as ada, window.signed_in("Frank") as frank:
        token = token_in((await frank.get("/")).text)
        assert (await ada.post("/ack", data={"form_token": token})).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_form_sent_by_another_sites_page_is_refused_before_it_is_read(window: Window, site: str) -> None:
    async with window.signed_in() as browser:
        token = token_in((await browser.get("/")).text)
        answer = await browser.post("/ack", data={"form_token": token}, headers={"sec-fetch-site": site})
        assert answer.status_code == 403


@pytest.mark.causes("window-host-foreign")
@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:80", f"127.0.0.1.evil.example:{PORT}", ""]
)
async def test_under_a_foreign_name_nothing_is_answered(window: Window, host: str) -> None:
    async with window.signed_in() as browser:
        for path in ("/", "/sign-in", "/static/x/kit.js", "/nowhere"):
            answer = await browser.get(path, headers={"host": host})
            assert answer.status_code == 421
            assert "window-host-foreign" in answer.text
            assert "Ada" not in answer.text


@pytest.mark.parametrize("host", [f"127.0.0.1:{PORT}", f"localhost:{PORT}", f"[::1]:{PORT}", f"LOCALHOST:{PORT}"])
async def test_the_machines_own_names_are_the_windows(window: Window, host: str) -> None:
    async with window.browser() as browser:
        assert (await browser.get("/", headers={"host": host})).status_code == 200


async def test_no_other_site_may_read_or_frame_it_and_cookies_are_strict(window: Window) -> None:
    async with window.browser() as browser:
        answer = await browser.get("/", headers={"origin": "https://evil.example"})
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        signed = await sign_in(browser, "Ada")
        kept = [
            value.lower() for name, value in signed.headers.multi_items() if name == "set-cookie" and "window-" in value
        ]
        assert kept
        assert all("samesite=strict" in value and "httponly" in value for value in kept)


async def test_a_failure_is_told_in_the_offices_words_with_cause_steps_code_and_reference(window: Window) -> None:
    async with window.signed_in() as browser:
        page = (await browser.get("/nowhere")).text
        assert "What to do" in page
        assert "page-missing" in page
        assert re.search(r"Reference <strong>[0-9A-Z]{4}-[0-9A-Z]{4}", page)
        assert 'aria-label="Pages"' in page, "whoever is signed in keeps the navigation"
        problem = (await browser.get("/nowhere", headers={"accept": "application/json"})).json()
        assert problem["remedy"]
        assert problem["code"] == "page-missing"


async def test_what_a_database_says_is_shown_as_text(window: Window) -> None:
    await window.sql(
        "INSERT INTO eservicesignal (EServiceSignalNum, ServiceCode, ReasonCategory, ReasonCode, Severity, Description,"
        " SigDateTime, Tag, IsProcessed) VALUES (1, 1, 0, 0, 4, :bad, datetime('now', 'localtime'), '', 0)",
        bad="<script>alert(1)</script>",
    )
    async with window.signed_in() as browser:
        page = (await browser.get("/")).text
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert" not in page


# -- where it is served -----------------------------------------------------------------------------------------------


def settings_with(address: str) -> Loaded[Settings]:
    return load_settings(None, {"window.address": address}, {})


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1", "[::1]", "localhost"])
def test_a_loopback_address_is_taken(address: str) -> None:
    assert loopback(settings_with(address))


@pytest.mark.parametrize(
    "address", ["0.0.0.0", "::", "192.168.1.5", "8.8.8.8", "window.example.com", "127.1", "fe80::1"]
)
def test_any_other_address_is_refused_with_what_would_do(address: str) -> None:
    with pytest.raises(SettingInvalid, match=r"window\.address .*127\.0\.0\.1"):
        loopback(settings_with(address))

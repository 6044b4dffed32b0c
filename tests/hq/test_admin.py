"""The vendor's people sign in to the fleet pages, and nobody else: accounts, sessions, forms, codes, what is noted."""

import contextlib
import datetime as dt
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pyotp
import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner

from econnector.cli.main import main
from econnector.hq import run
from econnector.hq.admin.app import PAGES
from econnector.hq.registry import admins, deeds, offices
from econnector.hq.registry.admins import IDLE, LONGEST, Admin
from econnector.hq.registry.database import Registry
from econnector.hq.registry.tables import admin_sessions
from econnector.hq.settings import HqSettings, Tls, parse_address
from econnector.link.calls import DOCTOR, DoctorWanted, Examined, FailureMet, Found
from econnector.wire.call import Answers, Asked
from tests.hq.conftest import NOW
from tests.hq.running import Connector, RunningHq, running_hq
from tests.support.chromium import chromium, faults
from tests.support.ports import free_port

WORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id as it is, with less work: a test signs in more often than a day's people do."""
    quick = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
    monkeypatch.setattr(admins, "_hasher", lambda: quick)


# -- accounts ----------------------------------------------------------------------------------------------------------


def made(registry: Registry, name: str = "alice", *, codes: bool = False) -> Admin:
    return registry.run_now(admins.add, name, WORD, NOW, codes=codes)


def test_a_session_ends_when_nobody_uses_it_and_after_a_day_of_work(registry: Registry) -> None:
    token = registry.run_now(admins.begin, made(registry), "192.0.2.1", NOW)

    def lasts(at: dt.datetime) -> bool:
        return registry.run_now(admins.find, token, at) is not None

    assert lasts(NOW + IDLE / 2)
    assert lasts(NOW + IDLE), "it was used meanwhile"
    assert not lasts(NOW + IDLE * 2)
    at = NOW + IDLE
    while at < NOW + LONGEST:
        lasts(at)
        at += IDLE / 2
    assert not lasts(NOW + LONGEST)
    assert registry.run_now(admins.prune, NOW + LONGEST * 2) == 1
    assert registry.run_now(admins.find, "guessed", NOW) is None


def test_the_registry_holds_neither_password_nor_token(sqlite_registry: Registry, tmp_path: Path) -> None:
    admin = made(sqlite_registry)
    token = sqlite_registry.run_now(admins.begin, admin, "192.0.2.1", NOW)
    sqlite_registry.engine.dispose()
    content = b"".join(file.read_bytes() for file in tmp_path.glob("registry.db*"))
    assert b"$argon2id$" in content
    assert WORD.encode() not in content
    assert token.encode() not in content
    assert admins.matches(admin, WORD)
    assert not admins.matches(admin, WORD + "!")
    assert not admins.matches(admin, "")
    assert not admins.matches(None, WORD)


def test_a_code_is_used_once_and_around_its_half_minute(registry: Registry) -> None:
    admin = made(registry, codes=True)
    code = pyotp.TOTP(admin.totp).at(NOW)

    def fits(typed: str, at: dt.datetime = NOW) -> bool:
        return registry.run_now(admins.use_code, admin, typed, at)

    assert not fits("")
    assert not fits(code[:5])
    assert not fits(code, NOW + dt.timedelta(minutes=2))
    assert fits(f"{code[:3]} {code[3:]}", NOW + dt.timedelta(seconds=25))
    assert not fits(code), "somebody looked over a shoulder"
    assert fits(pyotp.TOTP(admin.totp).at(NOW + dt.timedelta(seconds=30)), NOW + dt.timedelta(seconds=31))


def test_accounts_are_kept_on_the_command_line(sqlite_url: str) -> None:
    def say(*words: str, typed: str = "", status: int = 0) -> str:
        done = CliRunner().invoke(main, ["hq", "admin", *words, "--database", sqlite_url], input=typed)
        assert done.exit_code == status, done.output
        assert WORD not in done.output
        return done.output

    twice = f"{WORD}\n{WORD}\n"
    assert "otpauth://totp/eConnector%20HQ:alice?secret=" in say("add", "alice", "--codes", typed=twice)
    assert "there is an account alice already" in say("add", "alice", typed=twice, status=65)
    assert "12 to 200" in say("add", "bob", typed="short\nshort\n", status=65)
    assert "there is no account bob" in say("password", "bob", typed=twice, status=65)
    registry = Registry(sqlite_url)
    token = registry.run_now(admins.begin, registry.run_now(admins.every)[0], "", NOW)
    codes = registry.run_now(admins.every)[0].totp
    assert "otpauth" not in say("password", "alice", typed=twice)
    assert registry.run_now(admins.every)[0].totp == codes, "a second factor does not go by the way"
    assert "changed" in say("password", "alice", "--no-codes", typed=twice)
    assert registry.run_now(admins.find, token, NOW) is None, "sessions end with the old password"
    assert registry.run_now(admins.every)[0].totp == ""
    assert "may not sign in" in say("remove", "alice")
    noted = registry.run_now(deeds.recent)
    kinds = [each.deed for each in noted]
    assert kinds == ["account-removed", "password-changed", "password-changed", "account-added", "signed-in"]
    assert noted[1].detail == "alice, without codes from now on"
    registry.engine.dispose()


# -- pages -------------------------------------------------------------------------------------------------------------


class Person:
    """A browser without a screen, which keeps `Secure` cookies of loopback as browsers do."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client
        self.cookies: dict[str, str] = {}

    async def ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"cookie": cookies} | options.pop("headers", {})
        answer = await self.client.request(method, f"/admin{path}", headers=headers, **options)
        for header in answer.headers.get_list("set-cookie"):
            name, _, rest = header.partition("=")
            assert {"Secure", "HttpOnly", "Path=/", "SameSite=strict"} <= set(rest.split("; ")), header
            value = rest.partition(";")[0].strip('"')
            if "Max-Age=0" in rest:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer

    async def get(self, path: str, **options: Any) -> httpx2.Response:
        return await self.ask("GET", path, **options)

    async def post(self, path: str, form: str = "", **fields: str) -> httpx2.Response:
        """Post a form whose token is taken from the page `form`."""
        page = await self.get(form or path)
        found = re.search(r'name="form_token" value="([^"]+)"', page.text)
        assert found, page.text
        return await self.ask("POST", path, data={"form_token": found[1], **fields})

    async def sign_in(self, **typed: str) -> httpx2.Response:
        return await self.post("/sign-in", name="alice", **({"password": WORD} | typed))


@pytest.fixture
async def hq(tmp_path: Path) -> AsyncIterator[RunningHq]:
    async with running_hq(tmp_path, admin=f"127.0.0.1:{free_port()}") as running:
        await running.hq.registry.run(admins.add, "alice", WORD, running.hq.clock.now())
        await running.add("smile", title="Smile Dental")
        yield running


@pytest.fixture
async def person(hq: RunningHq) -> AsyncIterator[Person]:
    async with httpx2.AsyncClient(
        base_url=hq.admin_url, headers={"accept": "text/html"}, trust_env=False, timeout=60
    ) as client:
        yield Person(client)


@contextlib.asynccontextmanager
async def elsewhere(hq: RunningHq, address: str) -> AsyncIterator[Person]:
    """A browser at another address."""
    way = httpx2.AsyncHTTPTransport(local_address=address)
    async with httpx2.AsyncClient(
        base_url=hq.admin_url, headers={"accept": "text/html"}, transport=way, timeout=60
    ) as client:
        yield Person(client)


async def noted(hq: RunningHq) -> list[tuple[str, str, str]]:
    return [(each.who, each.deed, each.office) for each in await hq.hq.registry.run(deeds.recent)]


async def test_nobody_sees_or_does_anything_without_signing_in(hq: RunningHq, person: Person) -> None:
    for page in PAGES:
        if page.open:
            continue
        path = page.path.replace("{office}", "smile").replace("{deed}", "disable")
        answer = await person.ask(page.method, path, data={"reason": "x"} if page.method == "POST" else None)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/admin/sign-in"), path
    assert (await hq.hq.registry.run(offices.get, "smile")).disabled_at is None
    assert (await person.get("/nonsense")).status_code == 404
    async with hq.client() as patient:
        assert (await patient.get("/admin/")).status_code == 404, "not on the patients' address"


async def test_signing_in_leads_to_where_one_wanted_and_out_ends_it(hq: RunningHq, person: Person) -> None:
    asked = await person.get("/offices/smile?x=1")
    assert asked.headers["location"] == "/admin/sign-in?next=%2Fadmin%2Foffices%2Fsmile%3Fx%3D1"
    entered = await person.sign_in(next="/offices/smile")
    assert (entered.status_code, entered.headers["location"]) == (303, "/admin/offices/smile")
    fleet = await person.get("/")
    assert "smile" in fleet.text
    assert fleet.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in fleet.headers["content-security-policy"]
    left = dict(person.cookies)
    await person.post("/sign-out", form="/")
    person.cookies = left
    assert (await person.get("/")).status_code == 303, "the token is worth nothing any more"
    assert await noted(hq) == [
        ("alice", "signed-out", ""),
        ("alice", "signed-in", ""),
        ("command line", "account-added", ""),
    ]


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "\r\nx", "javascript:1"]
)
async def test_signing_in_leads_to_no_other_site(person: Person, wanted: str) -> None:
    entered = await person.sign_in(next=wanted)
    assert entered.headers["location"].startswith("/admin/")


async def test_wrong_passwords_are_slowed_and_tell_nothing(hq: RunningHq, person: Person) -> None:
    unknown = await person.post("/sign-in", name="bob", password=WORD)
    wrong = await person.sign_in(password="wrong")

    def plain(page: str) -> str:
        return re.sub(r'value="[^"]*"|datetime="[^"]*"', "", page)

    assert (wrong.status_code, plain(wrong.text)) == (401, plain(unknown.text)), "known or not, the same words"
    assert "wrong" not in re.findall(r'value="([^"]*)"', wrong.text), "a password is never sent back"
    for _ in range(8):
        await person.sign_in(password="wrong")
    slowed = await person.sign_in()
    assert slowed.status_code == 429
    assert 0 < int(slowed.headers["retry-after"]) <= 31
    assert "alice" in slowed.text
    failed = [each for each in await noted(hq) if each[1] == "sign-in-failed"]
    assert {each[0] for each in failed} == {"alice", "unknown"}, "what was typed is not kept: it may be a password"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a machine talks to itself from one address only")
async def test_who_tries_passwords_elsewhere_keeps_nobody_out(hq: RunningHq, person: Person) -> None:
    assert (await person.sign_in()).status_code == 303
    person.cookies = {}
    async with elsewhere(hq, "127.0.0.2") as stranger, elsewhere(hq, "127.0.0.3") as other:
        for _ in range(10):
            await stranger.sign_in(password="wrong")
        assert (await other.sign_in()).status_code == 429, "the account is guarded wherever nobody used it yet"
    assert (await person.sign_in()).status_code == 303
    page = (await person.get("/deeds")).text
    assert page.index("signed-in") < page.index("Sign-ins that failed") < page.index("sign-in-failed")


async def test_a_code_is_wanted_where_the_account_has_one(hq: RunningHq, person: Person) -> None:
    admin = await hq.hq.registry.run(admins.set_password, "alice", WORD, hq.hq.clock.now(), codes=True)
    assert (await person.sign_in()).status_code == 401
    assert (await person.sign_in(code="000000")).status_code == 401
    code = pyotp.TOTP(admin.totp).at(hq.hq.clock.now())
    assert (await person.sign_in(code=code)).status_code == 303


async def test_a_form_of_another_site_or_person_does_nothing(hq: RunningHq, person: Person) -> None:
    await person.sign_in()
    for fields in ({}, {"form_token": "x.y"}):
        refused = await person.ask("POST", "/offices/smile/disable", data={"reason": "x", **fields})
        assert refused.status_code in {400, 403}, refused.status_code
    page = await person.get("/offices/smile/disable")
    found = re.search(r'name="form_token" value="([^"]+)"', page.text)
    assert found
    for site in ("cross-site", "same-site"):
        refused = await person.ask(
            "POST",
            "/offices/smile/disable",
            data={"reason": "x", "form_token": found[1]},
            headers={"sec-fetch-site": site},
        )
        assert refused.status_code in {400, 403}
    person.cookies = {}
    await person.sign_in()
    foreign = await person.ask("POST", "/offices/smile/disable", data={"reason": "x", "form_token": found[1]})
    assert foreign.status_code in {400, 403}, "a token dies with its session"
    assert (await hq.hq.registry.run(offices.get, "smile")).disabled_at is None


async def test_the_buttons_do_what_the_commands_do_and_note_who(hq: RunningHq, person: Person) -> None:
    await person.sign_in()
    at = "/offices/smile"
    unsaid = await person.post(f"{at}/disable", reason=" ")
    assert (unsaid.status_code, "Say why" in unsaid.text) == (422, True)
    done = await person.post(f"{at}/disable", reason="<b>bill</b>")
    assert done.headers["location"] == f"/admin{at}"
    assert (await hq.hq.registry.run(offices.get, "smile")).disabled_reason == "<b>bill</b>"
    shown = await person.get(at)
    assert "&lt;b&gt;bill&lt;/b&gt;" in shown.text
    assert "<b>bill" not in shown.text
    await person.post(f"{at}/enable")
    assert (await hq.hq.registry.run(offices.get, "smile")).disabled_at is None
    for hours in ("0", "400", "-1", "x", ""):
        assert (await person.post(f"{at}/move", hours=hours)).status_code == 422
    await person.post(f"{at}/move", hours="2")
    until = (await hq.hq.registry.run(offices.get, "smile")).move_until
    assert until is not None
    assert until > hq.hq.clock.now() + dt.timedelta(hours=1)
    done_by = [each for each in await noted(hq) if each[2]]
    assert done_by == [("alice", kind, "smile") for kind in ("move-opened", "enabled", "disabled")]
    assert (await hq.kinds())[1:] == ["disabled", "enabled", "move-opened"]
    assert "192" not in (await person.get("/deeds")).text
    assert "127.0.0.1" in (await person.get("/deeds")).text
    for path in ("/offices/nobody", "/offices/nobody/disable", "/offices/smile/nonsense"):
        assert (await person.get(path)).status_code == 404, path


async def test_a_session_that_was_idle_is_over(hq: RunningHq, person: Person) -> None:
    await person.sign_in()
    long_ago = hq.hq.clock.now() - IDLE
    await hq.hq.registry.run(lambda connection: connection.execute(admin_sessions.update().values(seen=long_ago)))
    assert (await person.get("/")).status_code == 303


@pytest.mark.parametrize("host", ["hq.inner.example", "10.0.0.5:8441"])
async def test_no_password_is_asked_for_where_others_could_read_it(person: Person, host: str) -> None:
    page = await person.get("/sign-in", headers={"host": host})
    assert page.status_code == 403
    assert "need TLS" in page.text
    assert "<form" not in page.text


@pytest.mark.parametrize(
    ("address", "encrypted"), [("127.0.0.1:1", False), ("localhost:1", False), ("10.0.0.5:1", True)]
)
def test_an_inner_address_has_hqs_certificate_and_loopback_needs_none(address: str, encrypted: bool) -> None:
    settings = HqSettings(admin=address, tls=Tls(Path("hq.pem"), Path("hq.key")))
    assert ("ssl_certfile" in run._for_admin(settings, parse_address(address))) is encrypted


async def test_addresses_that_make_no_sense_show_the_fleet(person: Person) -> None:
    await person.sign_in()
    for query in (
        "page=0",
        "page=999999999",
        "page=-1",
        "page=x",
        "sort=;drop",
        "status=x",
        "version=%00",
        "name=%27%25_",
    ):
        assert (await person.get(f"/?{query}")).status_code == 200, query


# -- the doctor --------------------------------------------------------------------------------------------------------


def examined() -> Answers:
    answers = Answers()

    @answers.to(DOCTOR)
    async def _doctor(_: Asked, __: DoctorWanted) -> Examined:
        sick = Found("database", "database", "The database answers.", "problem", "It is <away>.", ["Start `mariadb`."])
        well = Found("hq", "hq", "HQ can be reached.", "ok", "it answers")
        return Examined(
            "FRONTDESK", "0.1.0", [well, sick], [FailureMet("2026-03-02T12:00:00", "database-away", "7F3K-22AB")]
        )

    return answers


@contextlib.asynccontextmanager
async def linked(hq: RunningHq, answers: Answers | None) -> AsyncIterator[None]:
    _, key = await hq.add("linked")
    connector = Connector(hq.link, key)
    connector.start(answers)
    try:
        await connector.online()
        yield
    finally:
        await connector.stop()


async def test_the_offices_doctor_is_asked_and_its_findings_are_shown_the_worst_first(
    hq: RunningHq, person: Person
) -> None:
    await person.sign_in()
    async with linked(hq, examined()):
        page = (await person.post("/offices/linked/doctor", form="/offices/linked")).text
    assert page.index("The database answers.") < page.index("HQ can be reached.")
    assert "It is &lt;away&gt;." in page
    assert "<code>mariadb</code>" in page
    assert "7F3K-22AB" in page
    assert ("alice", "doctor", "linked") in await noted(hq)


async def test_a_connector_that_says_too_much_fills_no_page(hq: RunningHq, person: Person) -> None:
    answers = Answers()

    @answers.to(DOCTOR)
    async def _doctor(_: Asked, __: DoctorWanted) -> Examined:
        much = Found("x" * 5000, "hq", "<b>" * 400, "strange", "y" * 5000, ["z" * 5000] * 3)
        return Examined("M" * 5000, "0.1.0", [much, *[Found("few", "hq", "p", "ok")] * 2000])

    await person.sign_in()
    async with linked(hq, answers):
        page = (await person.post("/offices/linked/doctor", form="/offices/linked")).text
    assert "In order: 199 of 200" in page
    assert not re.search(r"(x|M){101}|(y|z){1001}|<b>", page)


async def test_an_office_that_cannot_answer_is_told_with_its_remedy(hq: RunningHq, person: Person) -> None:
    await person.sign_in()
    async with linked(hq, None):
        old = await person.post("/offices/linked/doctor", form="/offices/linked")
        assert "unknown-call" in old.text, "a connector from before this call"
    gone = await person.post("/offices/linked/doctor", form="/offices/linked")
    assert (gone.status_code, "office-unreachable" in gone.text) == (503, True)
    assert "Facts" in gone.text, "the office is still shown"


# -- in a browser ------------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_a_browser_without_scripts_does_it_all_and_axe_finds_nothing(tmp_path: Path) -> None:
    import asyncio  # noqa: PLC0415 - only here a loop is run by hand
    import threading  # noqa: PLC0415 - as above

    ready, ended, url = threading.Event(), threading.Event(), ""

    async def serve() -> None:
        nonlocal url
        async with running_hq(tmp_path, admin=f"127.0.0.1:{free_port()}") as hq:
            await hq.hq.registry.run(admins.add, "alice", WORD, hq.hq.clock.now())
            await hq.add("smile", title="Smile Dental")
            async with linked(hq, examined()):
                url = hq.admin_url
                ready.set()
                await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(60)
        with chromium() as browser:
            page = browser.new_context(java_script_enabled=False).new_page()
            page.goto(f"{url}/")
            page.fill("#name", "alice")
            page.fill("#password", WORD)
            page.click("main button[type=submit]")
            page.click("text=smile")
            page.click("text=Disable …")
            page.fill("#reason", "bill not paid")
            page.click("main button[type=submit]")
            assert "bill not paid" in page.inner_text("main")
            look = browser.new_context(bypass_csp=True).new_page()
            look.goto(f"{url}/admin/sign-in")
            assert faults(look) == []
            look.fill("#name", "alice")
            look.fill("#password", WORD)
            look.click("main button[type=submit]")
            look.wait_for_selector("#offices")
            for path in ("/", "/?status=down", "/offices/smile", "/offices/smile/move", "/deeds", "/nonsense"):
                look.goto(f"{url}/admin{path}")
                assert faults(look) == [], path
            look.goto(f"{url}/admin/offices/linked")
            look.click("text=Run doctor")
            look.wait_for_selector("#found")
            assert faults(look) == []
    finally:
        ended.set()
        thread.join(60)

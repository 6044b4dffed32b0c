"""People come to HQ's pages: the right office, a failure they can understand, and never somebody else's office."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path

import httpx2
import pytest

from econnector.base.clock import ManualClock
from econnector.hq.app import KIT
from econnector.hq.doors import local_time
from econnector.hq.registry import heartbeats, offices
from tests.hq.running import Connector, RunningHq, running_hq, until
from tests.support.site import PLAIN, token_in

# Browsers send secure cookies to loopback without TLS; Python's jar must be told.
TRUSTS_LOOPBACK = DefaultCookiePolicy(secure_protocols=("https", "http"))
JSON = {"accept": "application/problem+json"}


@pytest.fixture
async def hq(tmp_path: Path) -> AsyncIterator[RunningHq]:
    async with running_hq(tmp_path, admin="127.0.0.1:0") as running:
        yield running


async def problem(hq: RunningHq, path: str, host: str = "") -> dict[str, object]:
    """Ask for a page as a program does; return the failure."""
    headers = {**JSON, "host": host} if host else JSON
    async with hq.client(headers=headers) as browser:
        answer = await browser.get(path)
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, object] = answer.json()
    assert answer.status_code == found["status"]
    return found


async def page(hq: RunningHq, path: str, **headers: str) -> httpx2.Response:
    async with hq.client(headers=headers) as browser:
        return await browser.get(path)


async def test_the_portal_of_a_connected_office_opens_at_its_own_address(hq: RunningHq) -> None:
    _, key = await hq.add()
    async with Connector(hq.link, key).running() as connector:
        await connector.online()
        await connector.say(practice_title="Smile Group", practice_phone="555-0199")
        for path in ("/o/smile", "/o/smile/", "/o/smile/portal", "/o/smile/portal/"):
            async with hq.client(follow_redirects=True) as browser:
                answer = await browser.get(path)
            assert answer.status_code == 200, path
            assert answer.url.path == "/o/smile/portal/sign-in"
            assert "Smile" in answer.text


async def test_a_patient_signs_in_through_hq_and_the_link(hq: RunningHq) -> None:
    _, key = await hq.add()
    async with Connector(hq.link, key).running() as connector:
        await connector.online()
        async with hq.client(cookies=CookieJar(TRUSTS_LOOPBACK)) as browser:
            form = await browser.get("/o/smile/portal/sign-in")
            typed = {"user_name": "ANN4711", "password": connector.office.password, "form_token": token_in(form.text)}
            answer = await browser.post("/o/smile/portal/sign-in", data=typed)
            assert (answer.status_code, answer.headers["location"]) == (303, "/o/smile/portal/")
            home = await browser.get("/o/smile/portal/")
            assert "Ann Example" in home.text
            assert "123.45" in home.text


@pytest.mark.causes("200", row="address: unknown office", sees="patient")
@pytest.mark.causes(row="address: unknown page", sees="patient")
@pytest.mark.parametrize(
    "path", ["/o/nobody/portal/", "/o/SMILE/portal/", "/o/%2e%2e/portal/", "/nothing", "/o/smile/x"]
)
async def test_an_address_that_names_no_office_or_page_is_code_200(hq: RunningHq, path: str) -> None:
    await hq.add()
    found = await problem(hq, path)
    assert (found["code"], found["status"]) == ("200", 404)


async def test_an_office_that_never_connected_is_code_104_with_the_number_to_call(hq: RunningHq) -> None:
    await hq.add(phone="555-0100")
    found = await problem(hq, "/o/smile/portal/")
    assert (found["code"], found["status"]) == ("104", 503)
    assert "555-0100" in str(found["detail"])


async def test_a_disabled_key_is_code_103_at_once_and_is_forgotten_as_fast(tmp_path: Path) -> None:
    async with running_hq(tmp_path) as hq:
        _, key = await hq.add(phone="555-0100")
        async with Connector(hq.link, key).running() as connector:
            await connector.online()
            assert (await page(hq, "/o/smile/portal/sign-in")).status_code == 200
            await hq.hq.registry.run(offices.disable, "smile", "invoice 7 unpaid", hq.hq.clock.now())
            async with hq.client(headers=JSON) as browser:
                answer = await _becomes(browser, 503)
            assert answer.json()["code"] == "103"
            assert "555-0100" in answer.text
            assert "invoice" not in answer.text
            await hq.hq.registry.run(offices.enable, "smile", hq.hq.clock.now())
            async with hq.client() as browser:
                await _becomes(browser, 200)


async def _becomes(browser: httpx2.AsyncClient, status: int) -> httpx2.Response:
    async with asyncio.timeout(60):
        while True:
            answer = await browser.get("/o/smile/portal/sign-in")
            if answer.status_code == status:
                return answer
            await asyncio.sleep(0.1)


async def test_support_that_ended_is_code_103(hq: RunningHq) -> None:
    await hq.add()
    await hq.hq.registry.run(offices.end_support, "smile", dt.date(2026, 1, 31), hq.hq.clock.now())
    assert (await problem(hq, "/o/smile/portal/"))["code"] == "103"


async def test_an_office_that_went_away_is_shown_with_when_it_was_last_reachable(hq: RunningHq) -> None:
    _, key = await hq.add(phone="555-0100")
    async with Connector(hq.link, key).running() as connector:
        await connector.online()
        await connector.say(utc_offset=-300)
    await until(lambda: hq.hq.gateway.count == 0)
    found = await problem(hq, "/o/smile/portal/sign-in")
    assert (found["code"], found["status"]) == ("office-unreachable", 503)
    reach = await hq.hq.registry.run(heartbeats.find, "smile")
    assert reach is not None
    assert reach.last_seen is not None
    local = reach.last_seen - dt.timedelta(hours=5)
    assert f" {local.hour % 12 or 12}:{local.minute:02}\u00a0{local:%p}" in str(found["detail"])
    assert "555-0100" in str(found["detail"])


def test_a_time_is_the_offices_own_or_says_that_it_is_not() -> None:
    when = dt.datetime(2026, 3, 2, 3, 30, tzinfo=dt.UTC)
    assert local_time(when, -300) == "2026-03-01T22:30"
    assert local_time(when, None) == "2026-03-02 03:30 UTC"


async def test_an_office_has_its_portal_on_its_own_host_name_and_nobody_elses(hq: RunningHq) -> None:
    _, key = await hq.add(hosts=["portal.smile.example"])
    await hq.add("other")
    async with Connector(hq.link, key).running() as connector:
        await connector.online()
        answer = await page(hq, "/sign-in", host="portal.smile.example:8443")
        assert answer.status_code == 200
        assert 'action="/sign-in"' in answer.text
        assert (await page(hq, "/o/other/portal/", host="portal.smile.example")).status_code == 404
        assert (await page(hq, "/", host="portal.other.example")).status_code == 200
        assert (await page(hq, "/sign-in", host="portal.other.example")).status_code == 404


async def test_hqs_own_start_page_tells_patients_where_to_go(hq: RunningHq) -> None:
    answer = await page(hq, "/")
    assert answer.status_code == 200
    assert "address that your dentist gave you" in answer.text
    assert "default-src" in answer.headers["content-security-policy"]
    spanish = await page(hq, "/", **{"accept-language": "es"})
    assert 'lang="es' in spanish.text
    assert "dentista" in spanish.text


async def test_health_and_readiness_are_told_and_readiness_ends_first(hq: RunningHq) -> None:
    assert (await page(hq, "/health")).json()["status"] == "ok"
    assert (await page(hq, "/ready")).json() == {"ready": True, "why": ""}
    hq.hq.draining = True
    draining = await page(hq, "/ready")
    assert draining.status_code == 503
    assert (await page(hq, "/health")).status_code == 200


async def test_metrics_are_on_the_admin_address_only(hq: RunningHq) -> None:
    _, key = await hq.add()
    async with Connector(hq.link, key).running() as connector:
        await connector.online()
        await page(hq, "/")
        assert (await page(hq, "/metrics")).status_code == 404
        async with httpx2.AsyncClient(base_url=hq.admin_url, verify=PLAIN, trust_env=False) as scraper:
            figures = (await scraper.get("/metrics")).text
            assert (await scraper.get("/ready")).status_code == 200
            assert (await scraper.get("/o/smile/portal/")).status_code == 404
    assert "econnector_hq_links 1.0" in figures
    assert 'econnector_hq_arrivals_total{outcome="admitted"} 1.0' in figures
    assert 'econnector_hq_page_seconds_count{status="2xx"}' in figures
    assert "smile" not in figures


async def test_pages_go_on_for_a_while_when_the_registry_is_away(hq: RunningHq) -> None:
    _, key = await hq.add()
    async with Connector(hq.link, key).running() as connector:
        await connector.online()
        assert (await page(hq, "/o/smile/portal/sign-in")).status_code == 200
        hq.hq.registry.engine.dispose()
        (hq.settings.data_folder() / "registry.db").write_bytes(b"no database any more" * 1000)
        clock = ManualClock()
        hq.hq.doors._clock = clock
        for known in hq.hq.doors._known.values():
            known.at = clock.monotonic()
        clock.advance(599)
        assert (await page(hq, "/o/smile/portal/sign-in")).status_code == 200
        clock.advance(2)
        found = await problem(hq, "/o/smile/portal/sign-in")
        assert (found["code"], found["status"]) == ("registry-away", 503)
        assert "sqlite" not in str(found)
        assert (await page(hq, "/ready")).status_code == 503


async def test_wrong_addresses_do_not_fill_the_memory(hq: RunningHq, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("econnector.hq.doors._MOST", 10)
    for number in range(30):
        assert (await problem(hq, f"/o/wrong-{number}/portal/"))["code"] == "200"
    assert len(hq.hq.doors._known) == 10


@pytest.mark.parametrize(("trusted", "https"), [(["127.0.0.1"], True), ([], False), (["10.0.0.0/8"], False)])
async def test_only_a_trusted_proxy_is_believed_about_https_and_addresses(
    tmp_path: Path, trusted: list[str], https: bool
) -> None:
    async with running_hq(tmp_path, trusted_proxies=trusted) as hq:
        answer = await page(hq, "/", **{"x-forwarded-proto": "https", "x-forwarded-for": "198.51.100.7"})
        assert ("strict-transport-security" in answer.headers) == https


def test_hqs_own_words_are_in_every_language() -> None:
    texts = KIT.texts
    for key in texts.keys("en"):
        assert texts.find("es", key), key

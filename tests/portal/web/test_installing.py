"""The portal as an app: its manifest and icons, and what a browser shows when nothing can be reached."""

import json
import struct
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from econnector.base.errors import OfficeUnreachable
from tests.support.chromium import chromium
from tests.support.site import PortalSite, SmallOffice, serve_portal

BASE = "/o/smile-dental/portal"
KEPT = {f"{BASE}/offline", f"{BASE}/unreachable"}

OTHER = "portal /o/oak-street/portal 0123456789abcdef"
OUTDATE = """async () => {
    for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        const headers = { "content-type": "text/css" };
        for (const { url } of await cache.keys())
            if (url.endsWith(".css")) await cache.put(url, new Response("", { headers }));
    }
}"""


def below(address: str) -> str:
    """Return an address as a client with the portal's base wants it."""
    assert address.startswith(f"{BASE}/"), address
    return address.removeprefix(BASE)


def kept_by(worker: str) -> dict[str, object]:
    """Return what the service worker's first line says."""
    first, _ = worker.split(";\n", 1)
    found: dict[str, object] = json.loads(first.removeprefix("const KEPT = "))
    return found


def test_a_practice_can_be_installed_under_its_own_name(stranger: httpx2.Client, office: SmallOffice) -> None:
    office.title = 'Smile "&" Dental'
    office.failing = OfficeUnreachable()  # which changes nothing: the office is not asked
    answer = stranger.get("/manifest.webmanifest", headers={"accept-language": "es-MX"})
    assert answer.headers["content-type"] == "application/manifest+json"
    manifest = answer.json()
    assert (manifest["name"], manifest["lang"], manifest["display"]) == ('Smile "&" Dental', "es-MX", "standalone")
    assert manifest["id"] == manifest["start_url"] == manifest["scope"] == f"{BASE}/"
    assert [one["name"] for one in manifest["shortcuts"]] == ["Citas", "Mensajes", "Cuenta"]
    office.failing = None
    for shortcut in manifest["shortcuts"]:
        assert stranger.get(below(shortcut["url"])).status_code == 303  # to sign in first
    assert {one["purpose"] for one in manifest["icons"]} == {"any", "maskable"}
    for one in manifest["icons"]:
        picture = stranger.get(below(one["src"]))
        assert picture.headers["content-type"] == one["type"]
        if one["type"] == "image/png":
            width, height = struct.unpack(">II", picture.content[16:24])
            assert one["sizes"] == f"{width}x{height}"


def test_every_page_leads_to_the_manifest_also_one_that_shows_a_failure(
    ann: httpx2.Client, stranger: httpx2.Client
) -> None:
    for browser, path in ((stranger, "/sign-in"), (ann, "/"), (ann, "/nowhere")):
        page = browser.get(path)
        assert f'<link rel="manifest" href="{BASE}/manifest.webmanifest"' in page.text, path
        assert page.text.count('<meta name="theme-color"') == 2, path
        assert "manifest-src 'self'; worker-src 'self'" in page.headers["content-security-policy"]
        icon = page.text.split('rel="apple-touch-icon" href="')[1].split('"')[0]
        assert browser.get(below(icon)).content.startswith(b"\x89PNG")


def test_the_worker_keeps_what_pages_share_and_changes_when_that_does(
    ann: httpx2.Client, stranger: httpx2.Client, office: SmallOffice
) -> None:
    answer = stranger.get("/service-worker.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert ann.get("/service-worker.js").text == answer.text  # the same whoever is signed in
    kept = kept_by(answer.text)
    assert isinstance(kept["files"], list)
    page = ann.get("/").text
    for file in kept["files"]:
        assert stranger.get(below(file)).status_code == 200
        assert file in KEPT or file in page  # under the very address that pages name
    versions = [kept["version"]]
    office.title = "Smile and More"
    versions.append(kept_by(stranger.get("/service-worker.js").text)["version"])
    office.phone = "555-0199"
    versions.append(kept_by(stranger.get("/service-worker.js").text)["version"])
    spanish = {"accept-language": "es"}
    versions.append(kept_by(stranger.get("/service-worker.js", headers=spanish).text)["version"])
    assert len(set(versions)) == 4


def test_what_is_kept_says_what_is_wrong_whom_to_call_and_nothing_of_a_patient(ann: httpx2.Client) -> None:
    for path, title in (("/offline", "This device is offline"), ("/unreachable", "We can&#39;t reach the portal")):
        page = ann.get(path).text
        assert f"<h1>{title}</h1>" in page
        assert "tel:5550100100" in page
        assert "Ann" not in page
    assert "no tiene conexión</h1>" in ann.get("/offline", headers={"accept-language": "es"}).text


def test_who_opens_it_as_a_page_has_reached_the_portal(ann: httpx2.Client) -> None:
    answer = ann.get("/offline", headers={"sec-fetch-mode": "navigate"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{BASE}/")


def test_shared_files_travel_compressed_and_pages_do_not(ann: httpx2.Client) -> None:
    page = ann.get("/", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in page.headers
    sheet = below(page.text.split('rel="stylesheet" href="')[1].split('"')[0])
    plain = ann.get(sheet, headers={"accept-encoding": "br, gzip;q=0"})
    assert "content-encoding" not in plain.headers
    small = ann.get(sheet, headers={"accept-encoding": "br, gzip;q=0.8"})
    assert small.headers["content-encoding"] == "gzip"
    assert small.headers["vary"] == "accept-encoding"
    assert int(small.headers["content-length"]) < len(plain.content) / 2
    assert small.text == plain.text


def sign_in(page: Page, site: PortalSite) -> None:
    page.goto(f"{site.portal()}/")
    page.fill("#user_name", "ann4711")
    page.fill("#password", site.offices["smile-dental"].password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.portal()}/")
    page.wait_for_load_state()


def stored(page: Page) -> dict[str, list[str]]:
    """Return everything that the browser keeps for these pages: paths by cache, and names of anything else."""
    found: dict[str, list[str]] = page.evaluate("""async () => {
        const kept = {};
        for (const name of await caches.keys())
            kept[name] = (await (await caches.open(name)).keys()).map(one => new URL(one.url).pathname).sort();
        const rest = [...Object.keys(localStorage), ...Object.keys(sessionStorage)];
        for (const one of await indexedDB.databases()) rest.push(one.name);
        if (rest.length) kept.elsewhere = rest;
        return kept;
    }""")
    return found


def installed(page: Page) -> None:
    """Return once the service worker looks after the next page."""
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_function(
        "async () => (await navigator.serviceWorker.getRegistration()).active?.state === 'activated'"
    )


@pytest.mark.browser
def test_a_browser_keeps_nothing_of_a_patient_and_says_honestly_what_is_wrong(tmp_path: Path) -> None:
    office = SmallOffice()
    with chromium() as browser:
        context: BrowserContext = browser.new_context(locale="en-US", viewport={"width": 320, "height": 640})
        page = context.new_page()
        with serve_portal(smile_dental=office) as site:
            sign_in(page, site)
            installed(page)
            for path in ("/statements", "/account", "/health", "/messages", "/?person=12"):
                page.goto(site.portal() + path)
            with page.expect_download() as started:
                page.goto(f"{site.portal()}/statements")
                page.click("text=Download >> nth=0")
            started.value.save_as(tmp_path / "statement.pdf")
            page.get_by_role("button", name="Sign out").click()
            page.wait_for_url("**/sign-in?signed-out=1")
            kept = stored(page)
            ((name, files),) = kept.items()  # one cache, and nothing anywhere else
            assert name.startswith(f"portal {BASE} ")
            assert set(files) > KEPT
            assert all("/static/" in path for path in set(files) - KEPT)

            context.set_offline(True)
            page.goto(f"{site.portal()}/account")
            expect(page.get_by_role("heading", level=1)).to_have_text("This device is offline")
            expect(page.locator(".button-main")).to_have_css("min-height", "44px")  # with the stylesheet
            expect(page.get_by_role("link", name="Call (555) 010-0100").first).to_be_visible()
            context.set_offline(False)
            expect(page).to_have_url(f"{site.portal()}/sign-in?next=%2Faccount")  # by itself, and on to what was wanted

            # A browser that has kept this office's portal of before, and another office's.
            office.phone = "555-010-0199"
            page = browser.new_context(locale="en-US").new_page()
            page.add_init_script(f"for (const name of ['{name}', '{OTHER}']) caches.open(name);")
            page.goto(f"{site.portal()}/sign-in")
            installed(page)
            page.wait_for_function("async gone => !(await caches.has(gone))", arg=name)
            assert len(stored(page)) == 2
            assert OTHER in stored(page)

            # Kept in the middle of an update, from a server that was not updated yet: pages go without it.
            page.evaluate(OUTDATE)
            page.goto(f"{site.portal()}/sign-in")
            expect(page.locator(".button-main")).to_have_css("min-height", "48px")
        page.goto(f"{site.portal()}/account")
        expect(page.get_by_role("heading", level=1)).to_have_text("We can't reach the portal")
        expect(page.get_by_role("link", name="Call 555-010-0199").first).to_be_visible()
        again = page.get_by_role("link", name="Try again")
        assert again.evaluate("node => node.href") == f"{site.portal()}/account"
        again.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("We can't reach the portal")

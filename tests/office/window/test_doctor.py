"""The page Doctor over the app alone: a round is begun, goes on, ends; a reference leads to its failure."""

import asyncio
from pathlib import Path

import httpx2

from econnector.office.doctor import CHECKS
from econnector.storage.state import failures
from econnector.storage.state.failures import Met
from tests.office.window.bare import Window, post


async def over(browser: httpx2.AsyncClient) -> str:
    """Return the page once the round is over."""
    async with asyncio.timeout(120):
        while True:
            page = (await browser.get("/doctor")).text
            if "Looking:" not in page:
                return page
            await asyncio.sleep(0.05)


async def test_before_anybody_looked_the_page_says_what_would_be_looked_at(window: Window) -> None:
    async with window.signed_in("Vera") as browser:
        page = (await browser.get("/doctor")).text
        assert "Nobody has looked yet" in page
        for check in CHECKS:
            assert check.proves.replace("'", "&#39;") in page


async def test_who_may_only_look_examines_the_machine_and_reads_findings_with_their_remedies(window: Window) -> None:
    async with window.signed_in("Vera") as browser:
        answer = await post(browser, "/doctor", "/doctor")
        assert answer.headers["location"] == "/doctor"
        page = await over(browser)
        assert "Something is broken" in page
        assert page.index("where HQ is") < page.index("in order")  # the worst comes first
        assert "setting-missing" in page
        assert "hq.url" in page
        assert "Examine again" in page
        for check in CHECKS:
            assert f'id="check-{check.id}"' in page


async def test_a_second_press_while_it_looks_begins_no_second_round(window: Window) -> None:
    async with window.signed_in() as browser:
        await asyncio.gather(*(post(browser, "/doctor", "/doctor") for _ in range(3)))
        page = await over(browser)
        assert page.count('id="round"') == 1


async def test_the_doctor_works_while_the_database_is_away(window: Window) -> None:
    async with window.signed_in() as browser:
        session = dict(browser.cookies)
        async with window.away().browser() as other:
            other.cookies.update(session)
            await post(other, "/doctor", "/doctor")
            assert "Something is broken" in await over(other)


async def test_nobody_who_is_not_signed_in_sees_or_begins_anything(window: Window) -> None:
    async with window.browser() as browser:
        assert (await browser.get("/doctor")).headers["location"].startswith("/sign-in")
        assert (await browser.post("/doctor")).status_code in {303, 403}
        assert (await browser.get("/doctor/failure?reference=ABCD-2345")).headers["location"].startswith("/sign-in")


async def test_a_reference_leads_to_its_failure_however_it_is_typed(window: Window) -> None:
    met = Met(
        reference="ABCD-2345",
        code="file-missing",
        call="portal.statement-file",
        facts={"path": "/images/A/1.pdf", "account": "OD\\svc", "reason": "It is not there."},
        at="2026-11-20T10:00:00Z",
    )
    await window.scene.state.run(failures.record, met)
    async with window.signed_in("Vera") as browser:
        for typed in ("ABCD-2345", "abcd2345", " abcd-2345 "):
            page = (await browser.get("/doctor/failure", params={"reference": typed})).text
            assert "/images/A/1.pdf" in page
            assert "What to do" in page
            assert "portal.statement-file" in page


async def test_a_reference_is_found_in_whatever_was_pasted_or_scanned(window: Window) -> None:
    met = Met(reference="7F3K-22QX", code="clock-drift", call="heartbeat", facts={}, at="2026-11-20T10:00:00Z")
    await window.scene.state.run(failures.record, met)
    async with window.signed_in("Vera") as browser:
        for typed in ("7f3k 22qx", "Reference 7F3K-22QX  Code clock-drift", "7F3K-22QX\r\n", "7 f 3 k 2 2 q x"):
            page = (await browser.get("/doctor/failure", params={"reference": typed})).text
            assert "Correct the clock of this machine" in page, typed


# -- mending -----------------------------------------------------------------------------------------------------------


async def with_something_to_mend(window: Window) -> Path:
    """Let others read the state file, which is mended without harm."""
    file = window.scene.loaded.value.state_file
    await asyncio.to_thread(file.chmod, 0o644)
    return file


async def test_a_button_mends_what_was_found_and_says_so_with_a_trace(window: Window) -> None:
    file = await with_something_to_mend(window)
    async with window.signed_in("Frank") as browser:
        await post(browser, "/doctor", "/doctor")
        page = await over(browser)
        assert "Take every other account&#39;s right to read the connector&#39;s state file" in page
        assert page.count("/doctor/mend") == 1
        answer = await post(browser, "/doctor/mend", "/doctor", check="state")
        assert answer.headers["location"] == "/doctor"
        page = (await browser.get("/doctor")).text
        assert "Only its owner may read" in page
        assert "/doctor/mend" not in page
    assert file.stat().st_mode & 0o777 == 0o600
    texts = [str(text) for user, _, text in await window.audit() if user == 502]
    assert [text for text in texts if "The doctor mended state: close-state" in text]


async def test_who_may_not_set_up_eservices_sees_it_and_mends_nothing(window: Window) -> None:
    file = await with_something_to_mend(window)
    async with window.signed_in("Vera") as browser:
        await post(browser, "/doctor", "/doctor")
        page = await over(browser)
        assert "Needs the Open Dental permission eServices Setup" in page
        assert (await post(browser, "/doctor/mend", "/doctor", check="state")).status_code == 403
    assert file.stat().st_mode & 0o777 == 0o644


async def test_what_is_no_fix_or_not_to_be_mended_changes_nothing(window: Window) -> None:
    async with window.signed_in() as browser:
        assert (await post(browser, "/doctor/mend", "/doctor", check="schema")).status_code == 404
        assert (await post(browser, "/doctor/mend", "/doctor")).status_code == 404
        assert (await browser.post("/doctor/mend", data={"check": "state"})).status_code == 403
        await post(browser, "/doctor/mend", "/doctor", check="state")
        assert "there is nothing to mend any more" in (await browser.get("/doctor")).text
    assert not [text for _, _, text in await window.audit() if "mended" in str(text)]


async def test_an_unknown_reference_is_said_to_be_unknown_and_shows_nothing_typed_as_markup(window: Window) -> None:
    async with window.signed_in() as browser:
        page = (await browser.get("/doctor/failure", params={"reference": "<script>x</script>"})).text
        assert "Nothing is known under this reference here" in page
        assert "<script>x" not in page
        assert "Which reference?" in (await browser.get("/doctor/failure")).text

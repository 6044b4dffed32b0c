"""The page Code systems: what is imported, importing, and the way through for care summaries."""

import asyncio
import hashlib

import pytest

from econnector.office.codes import batches, job
from econnector.office.codes.importer import Wanted
from econnector.office.codes.open import codes_over
from econnector.office.desk import Who
from econnector.office.window import codes_running
from econnector.storage.state import code_offers
from econnector.storage.state.code_offers import Offer
from tests.office.window.bare import Window, post
from tests.support.fileserver import serving

GUIDE = "/codes/for-summaries"


async def ended(window: Window) -> None:
    """Wait until nothing is imported any more."""
    async with asyncio.timeout(120), window.signed_in() as browser:
        while "<progress" in (await browser.get("/codes")).text:  # noqa: ASYNC110 - a page
            await asyncio.sleep(0.2)


async def test_what_comes_with_it_is_imported_by_one_button(window: Window) -> None:
    async with window.signed_in() as browser:
        page = (await browser.get("/codes")).text
        assert "wait for CVX and SNOMEDCT" in page
        answer = await post(browser, "/codes/shipped", "/codes")
        assert answer.status_code == 303
        await ended(window)
        assert "wait for SNOMEDCT" in (await browser.get("/codes")).text
        await post(browser, "/codes/shipped", "/codes")
        assert "is imported already" in (await browser.get("/codes")).text
    assert await window.sql("SELECT COUNT(*) FROM cdcrec") == [(966,)]
    assert await window.sql("SELECT COUNT(*) FROM cvx") == [(124,)]
    assert sum("import of" in str(text) for _, _, text in await window.audit()) == 2


async def test_a_file_is_imported_once_its_terms_are_accepted(window: Window) -> None:
    file = window.scene.settings.state_file.parent / "snomed.txt"
    file.write_text("100\tone\nbad\n")
    async with window.signed_in() as browser:
        form = "/codes/import?name=SNOMEDCT"
        refused = await post(browser, "/codes/import", form, name="SNOMEDCT", file="snomed.txt")
        assert refused.status_code == 422
        assert "Enter the whole path" in refused.text
        assert "Read the terms" in refused.text
        refused = await post(browser, "/codes/import", form, name="SNOMEDCT", file=f"{file}.zip", terms="1")
        assert "cannot be imported: No such file" in refused.text
        answer = await post(browser, "/codes/import", form, name="SNOMEDCT", file=str(file), terms="1", release="7")
        assert answer.status_code == 303
        await ended(window)
        page = (await browser.get(form)).text
        assert "Accepted" in page
        assert "2 columns are expected" in page
    assert await window.sql("SELECT SnomedCode, Description FROM snomed") == [("100", "one")]
    assert await window.sql("SELECT VersionCur FROM codesystem WHERE CodeSystemName='SNOMEDCT'") == [("7",)]


async def test_who_may_not_only_looks(window: Window) -> None:
    async with window.signed_in("Vera") as browser:
        assert (await browser.get("/codes")).status_code == 200
        assert (await browser.get("/codes/import?name=CVX")).status_code == 200
        assert (await post(browser, "/codes/shipped", "/codes")).status_code == 403
        assert (await browser.get("/codes/import?name=CDT")).status_code == 404
    assert await window.sql("SELECT COUNT(*) FROM cvx") == [(0,)]


async def offer(window: Window, *offers: Offer) -> None:
    await window.scene.state.run(code_offers.keep, offers, window.clock.now())


async def test_an_address_is_downloaded_while_the_page_shows_how_far_it_is(window: Window) -> None:
    async with serving(b"1\tone\n" * 1000) as server, window.signed_in() as browser:
        form = "/codes/import?name=SOP"
        wrong = await post(browser, "/codes/import", form, name="SOP", url="http://files.example.com/sop.txt")
        assert (wrong.status_code, "it is not encrypted (https)" in wrong.text) == (422, True)
        both = await post(browser, "/codes/import", form, name="SOP", url=server.address, file="/tmp/sop.txt")
        assert "not both" in both.text
        server.holds = 3000
        await post(browser, "/codes/import", form, name="SOP", url=server.address)
        await server.held.wait()
        async with asyncio.timeout(60):
            while "3.0 kB of 6.0 kB" not in (page := (await browser.get("/codes")).text):  # noqa: ASYNC110 - a page
                await asyncio.sleep(0.1)
        assert "Downloading <progress" in page
        # Whoever cancels may do it in another window: it is asked for in the file that both share.
        stopped = await post(browser, "/codes/cancel", "/codes", name="SOP")
        assert stopped.status_code == 303
        page = (await browser.get("/codes")).text
        assert "SOP: Import cancelled" in page
        assert "The download goes on at 3.0 kB" in page
        server.holds = None
        await post(browser, "/codes/import", form, name="SOP", url=server.address)
        await ended(window)
        assert "Import complete" in (await browser.get("/codes")).text
        server.status = "404 Not Found"
        await post(browser, "/codes/import", form, name="SOP", url=server.address)
        await ended(window)
        assert "status 404: it has no such file" in (await browser.get("/codes")).text
        assert (await post(browser, "/codes/cancel", "/codes", name="SOP")).status_code == 409
    assert await window.sql("SELECT SopCode FROM sop") == [("1",)]


async def test_what_hq_offers_is_found_and_downloaded_by_one_button_each(window: Window) -> None:
    content = b"9998\tan offered vaccine\n"
    async with serving(content) as server, window.signed_in() as browser:
        page = (await browser.get("/codes")).text
        assert "HQ has not said yet" in page
        assert "Download updates" not in page
        checksum = hashlib.sha256(content).hexdigest()
        await offer(
            window,
            Offer("CVX", "2030-01", server.address, checksum),
            Offer("SNOMEDCT", "2030-02", server.address, checksum),
        )
        await post(browser, "/codes/check", "/codes")
        assert "HQ offers CVX 2030-01, SNOMEDCT 2030-02" in (await browser.get("/codes")).text
        await post(browser, "/codes/updates", "/codes")
        page = (await browser.get("/codes")).text
        assert "Being downloaded: CVX." in page
        assert "Terms must be accepted first, on the page of each: SNOMEDCT." in page
        await ended(window)
    rows = await window.sql("SELECT CodeSystemName, VersionCur, VersionAvail FROM codesystem WHERE VersionAvail<>''")
    assert ("CVX", "2030-01", "2030-01") in rows
    assert ("SNOMEDCT", "", "2030-02") in rows
    assert await window.sql("SELECT CvxCode FROM cvx") == [("9998",)]


async def test_the_front_desk_is_led_to_care_summaries_and_sees_what_is_missing(window: Window) -> None:
    file = window.scene.settings.state_file.parent / "snomed.txt"
    file.write_text("100\tone\n")
    async with window.signed_in() as browser:
        assert GUIDE in (await browser.get("/codes")).text
        page = (await browser.get(GUIDE)).text
        assert "Still missing: Vaccines (CVX) and Clinical terms (SNOMED CT)" in page
        assert "Make a free account" in page
        await post(browser, GUIDE, GUIDE)
        await ended(window)
        page = (await browser.get(GUIDE)).text
        assert "Still missing: Clinical terms (SNOMED CT)." in page
        assert "Done: 124 codes are there." in page
        answers = {"terms-of": "SNOMEDCT", "file": str(file)}
        refused = await post(browser, GUIDE, GUIDE, **answers)
        assert (refused.status_code, "Read the terms and accept them" in refused.text) == (422, True)
        await post(browser, GUIDE, GUIDE, **answers, terms="1")
        await ended(window)
        page = (await browser.get(GUIDE)).text
        assert "Both lists are there." in page
        assert GUIDE not in (await browser.get("/codes")).text
    async with window.signed_in("Vera") as browser:
        assert (await browser.get(GUIDE)).status_code == 200
        assert (await post(browser, GUIDE, "/codes")).status_code == 403


async def test_with_hqs_offer_only_the_terms_are_left_to_accept(window: Window) -> None:
    async with serving(b"100\tone\n") as server, window.signed_in() as browser:
        await offer(window, Offer("SNOMEDCT", "2030", server.address, hashlib.sha256(server.content).hexdigest()))
        page = (await browser.get(GUIDE)).text
        assert "Your eConnector vendor offers it" in page
        assert "Make a free account" not in page
        await post(browser, GUIDE, GUIDE, **{"terms-of": "SNOMEDCT", "terms": "1"})
        await ended(window)
        assert "Both lists are there." in (await browser.get(GUIDE)).text
    assert await window.sql("SELECT VersionCur FROM codesystem WHERE CodeSystemName='SNOMEDCT'") == [("2030",)]


async def test_an_import_of_another_process_is_shown_and_cancelled_here(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH", 1)
    monkeypatch.setattr(job, "LOOK_SECONDS", 0.01)
    scene, folder = window.scene, window.scene.settings.state_file.parent
    file = folder / "sop.txt"
    file.write_text("".join(f"{number}\tsource {number}\n" for number in range(500)))
    ada = Who(501, "Ada", may_setup=True, may_admin=True)
    other = codes_over(scene.loaded, scene.database, scene.state)
    begun = asyncio.Event()
    async with window.signed_in() as browser:
        async with await other.prepare(ada, Wanted("SOP", file)) as work:
            running = asyncio.create_task(work.run(lambda _progress: begun.set()))
            await begun.wait()
            stopping = asyncio.create_task(post(browser, "/codes/cancel", "/codes", name="SOP"))
            stopped = await asyncio.wait_for(running, 60)
        assert (await stopping).status_code == 303
        assert stopped.status == "cancelled"
        assert "Import cancelled" in (await browser.get("/codes")).text


async def test_an_import_goes_on_while_every_connection_of_the_pages_is_taken(window: Window) -> None:
    file = window.scene.settings.state_file.parent / "sop.txt"
    file.write_text("1\tone\n")
    async with window.signed_in() as browser:
        await post(browser, "/codes/import", "/codes/import?name=SOP", name="SOP", file=str(file))
        slots = window.scene.database._slots
        async with asyncio.timeout(60):
            await slots.acquire()
            while not await window.sql("SELECT 1 FROM codesystem WHERE CodeSystemName='SOP' AND VersionCur<>''"):  # noqa: ASYNC110 - a file
                await asyncio.sleep(0.05)
            slots.release()
        await ended(window)


async def test_a_connector_that_stops_leaves_an_import_that_goes_on_later(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH", 1)
    file = window.scene.settings.state_file.parent / "sop.txt"
    file.write_text("".join(f"{number}\tsource {number}\n" for number in range(1000)))
    async with window.signed_in() as browser:
        form = "/codes/import?name=SOP"
        await post(browser, "/codes/import", form, name="SOP", file=str(file))
        await codes_running.close()
        assert "Import cancelled" in (await browser.get("/codes")).text
        monkeypatch.undo()
        await post(browser, "/codes/import", form, name="SOP", file=str(file))
        await ended(window)
    assert await window.sql("SELECT COUNT(*) FROM sop") == [(1000,)]

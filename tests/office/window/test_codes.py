"""The page Code systems: what is imported, and importing."""

import asyncio

from tests.office.window.bare import Window, post


async def ended(window: Window) -> None:
    """Wait until nothing is imported any more."""
    async with asyncio.timeout(120), window.signed_in() as browser:
        while "Importing <progress" in (await browser.get("/codes")).text:  # noqa: ASYNC110 - a page
            await asyncio.sleep(0.05)


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

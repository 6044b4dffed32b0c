"""A file that cannot be opened, for each cause and each kind of file: kind to the patient, plain to the office."""

import asyncio
import base64
import getpass
import shutil
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from econnector.office.doctor import CHECKS
from econnector.office.doctor.check import Finding
from econnector.storage.database import Database
from tests.support.linked import LinkedSite
from tests.support.practice import PDF
from tests.support.practice_papers import PNG
from tests.support.realsite import in_thread

FILES = {
    "statement": ("/statements/100/download", PDF, "document 100", "Maria100.pdf"),
    "document": ("/documents/820/download", PNG, "document 820", "Maria820.png"),
    "attachment": ("/messages/701/files/801/download", PDF, "file 801 of message 701", "_Plan.pdf"),
}
"""Address, content, how the office's messages name it, how its name on the disk ends."""


def prefer(site: LinkedSite, name: str, value: str) -> None:
    site.sql("UPDATE preference SET ValueString = ? WHERE PrefName = ?", value, name)


def refused(site: LinkedSite, browser: httpx2.Client, kind: str) -> dict[str, str]:
    """Ask for the file; return what the office is told about why it did not open."""
    path, _, _, _ = FILES[kind]
    answer = browser.get(path)
    assert answer.status_code == 404
    reference = answer.headers["x-reference"]
    assert reference in answer.text
    assert "Your office has been told" in answer.text
    for inside in (str(site.folder), getpass.getuser(), "Maria100", "_Plan.pdf", "document 100"):
        assert inside not in answer.text.split("</header>")[-1].replace("Maria Delgado", "")
    (failed,) = site.failures(reference)
    assert failed.code == "file-missing"
    assert failed.facts["account"] == getpass.getuser()
    assert FILES[kind][3] not in str(failed.facts), "names on the disk are made of patients' names"
    assert browser.get("/").status_code == 200
    return failed.facts


def examined(site: LinkedSite) -> Finding:
    """Return what the doctor says about the images folder."""
    (check,) = (check for check in CHECKS if check.id == "images")

    async def asked() -> Finding:
        database = Database(site.url)
        settings = SimpleNamespace(images=SimpleNamespace(root=None), machine="FRONT-DESK")
        scene: Any = SimpleNamespace(
            loaded=SimpleNamespace(value=settings), database=lambda: database, ask=database.run
        )
        try:
            asyncio.get_running_loop().set_default_executor(site.readers())  # as whoever the service runs as
            return await check.run(scene)
        finally:
            await database.close()

    return in_thread(asked)


@pytest.mark.causes(
    "file-missing", row="file: images folder unreachable from the connector", sees="patient, history, doctor, again"
)
@pytest.mark.causes(row="file: wrong path among several", sees="patient, history, again")
@pytest.mark.causes(row="file: file at another location", sees="patient, history, doctor, again")
@pytest.mark.causes(row="file: stored in the database instead", sees="patient, history, again")
@pytest.mark.parametrize("kind", FILES)
def test_every_cause_of_a_missing_file_is_told_apart(unset: LinkedSite, kind: str) -> None:
    site, (path, content, named, _) = unset, FILES[kind]
    with site.signed_in() as browser:
        assert browser.get(path).content == content
        assert examined(site).state == "ok"

        # The folder cannot be reached.
        aside = site.images.rename(site.folder / "aside")
        facts = refused(site, browser, kind)
        assert str(site.images) in facts["path"]
        assert "No such folder on this computer; named by preference DocPath" in facts["reason"]
        finding = examined(site)
        assert (finding.state, finding.code) == ("problem", "file-missing")
        assert str(site.images) in finding.text
        aside.rename(site.images)

        # Of several folders the first that looks like one is another.
        other = site.folder / "old-copy"
        shutil.copytree(site.images, other, ignore=shutil.ignore_patterns("*.p??"))
        prefer(site, "DocPath", f"Z:\\gone;{other};{site.images}")
        assert browser.get(path).content == content, "found in the other folder"
        aside = site.images.rename(site.folder / "aside")
        facts = refused(site, browser, kind)
        assert facts["path"].startswith(f"{named} in {other}")
        assert f"From here it cannot be looked for in Z:\\gone, {site.images}." in facts["reason"]
        aside.rename(site.images)
        prefer(site, "DocPath", str(site.images))

        # Kept at another location.
        for used, word in (("2", "at Dropbox"), ("3", "on an SFTP server")):
            prefer(site, "AtoZfolderUsed", used)
            assert word in refused(site, browser, kind)["reason"]
            assert word in examined(site).text
        prefer(site, "AtoZfolderUsed", "1")

        # In the database instead.
        prefer(site, "AtoZfolderUsed", "0")
        reason = refused(site, browser, kind)["reason"]
        if kind == "attachment":
            assert "only on the computer that wrote it" in reason
        else:
            assert "this one has no content" in reason
            stored = base64.b64encode(content).decode()
            number = int(named.split()[1])
            site.sql("UPDATE document SET RawBase64 = ? WHERE DocNum = ?", stored, number)
            assert browser.get(path).content == content
            prefer(site, "AtoZfolderUsed", "1")
            shutil.rmtree(site.images / "M")
            assert browser.get(path).content == content, "stored there before the practice had a folder"
            site.sql("UPDATE document SET RawBase64 = '' WHERE DocNum = ?", number)
            assert "no file of that name" in refused(site, browser, kind)["reason"]


@pytest.mark.causes("file-missing", row="file: service account has no right", sees="patient, history, doctor, again")
@pytest.mark.parametrize("kind", FILES)
def test_a_folder_or_file_that_the_account_may_not_read_is_said_so(unset: LinkedSite, kind: str) -> None:
    site, (path, content, named, ending) = unset, FILES[kind]
    (file,) = (one for one in site.images.rglob("*") if one.name.endswith(ending))
    site.nobody = True
    with site.signed_in() as browser:
        assert browser.get(path).content == content
        for closed, right in ((file, 0o644), (file.parent, 0o755)):
            closed.chmod(0)
            facts = refused(site, browser, kind)
            assert facts["reason"] == "This account has no right to read it."
            assert named in facts["path"]
            closed.chmod(right)
        site.folder.chmod(0o700)  # the share itself
        facts = refused(site, browser, kind)
        assert facts["reason"].startswith("This account has no right to look into the folder")
        assert str(site.images) in facts["path"]
        finding = examined(site)
        assert (finding.state, finding.code) == ("problem", "file-missing")
        assert "has no right" in finding.text
        assert any("rights to the share" in step for step in finding.remedy)
        site.folder.chmod(0o755)
        assert browser.get(path).content == content


@pytest.mark.causes(row="file: name differs in case", sees="patient, again")
def test_a_name_that_differs_in_case_is_the_same_file(site: LinkedSite) -> None:
    site.sql("UPDATE document SET FileName = upper(FileName)")
    site.sql("UPDATE emailattach SET ActualFileName = upper(ActualFileName)")
    site.sql("UPDATE patient SET ImageFolder = lower(ImageFolder)")
    with site.signed_in() as browser:
        for path, content, _, _ in FILES.values():
            assert browser.get(path).content == content


def test_a_message_with_a_file_stays_written_while_the_folder_is_away(site: LinkedSite) -> None:
    """What a patient sends is kept until the folder is back, and the office hears why it was not."""
    parts = [("files", ("tooth.png", PNG))]
    with site.signed_in() as browser:
        page = browser.get("/messages/new").text
        form = {"form_token": page.split('name="form_token" value="')[2].split('"')[0]}
        form |= {"draft": page.split('name="draft" value="')[1].split('"')[0], "provider": "951", "about": "11"}
        form |= {"reply": "0", "subject": "A picture", "text": "Please look."}
        site.images.rename(site.folder / "aside")
        answer = browser.post("/messages/new", files=[*((name, (None, text)) for name, text in form.items()), *parts])
        assert answer.status_code == 422
        assert "Please look." in answer.text
        assert "tooth.png" in answer.text
        codes = [failed.code for failed in site.failures(answer.headers["x-reference"], 2)]
        assert "file-missing" in codes
        (site.folder / "aside").rename(site.images)
        again = browser.post("/messages/new", data=form | {"kept-0": f"{len(PNG)}:tooth.png"})
        assert again.status_code == 303
    assert site.sql("SELECT DisplayedFileName FROM emailattach WHERE EmailAttachNum > 802") == [("tooth.png",)]

"""Where documents are, and that nothing but a patient's own PDF or picture ever comes out."""

import base64
from pathlib import Path

import pytest

from econnector.base.errors import FileMissing
from econnector.opendental import statements, tables
from econnector.opendental.imagestore import ImagePlaces, ImageStore, OpenedImage, media_type
from tests.support.practice import PDF, Cast, PortalOffice

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 50
MACHINE = "FRONTDESK"


async def opened(office: PortalOffice, number: int = 100, images: ImageStore | None = None) -> OpenedImage:
    images = images or office.images
    file = await office.database.run(statements.find, number)
    assert file is not None
    return await images.open(office.database, await office.database.run(images.places), file)


async def content(image: OpenedImage) -> bytes:
    return b"".join([chunk async for chunk in image.chunks])


async def reason(office: PortalOffice, number: int = 100, images: ImageStore | None = None) -> str:
    with pytest.raises(FileMissing) as caught:
        await opened(office, number, images)
    assert caught.value.public_facts() == {}
    assert caught.value.facts["account"]
    assert "Maria" not in str(caught.value)  # of what is on the disk the names are made of patients' names
    return caught.value.facts["reason"]


async def test_the_setting_comes_before_everything(portal_office: PortalOffice) -> None:
    office = portal_office
    await office.prefer("DocPath", "/elsewhere")
    image = await opened(office)
    assert (image.media_type, image.extension, image.size) == ("application/pdf", "pdf", len(PDF))
    assert await content(image) == PDF


async def test_this_computers_own_path_comes_before_the_servers_and_the_list(portal_office: PortalOffice) -> None:
    office = portal_office
    await office.prefer("DocPath", "/list")
    images = ImageStore(None, MACHINE)
    if office.database.dialect == "mysql":
        await office.add(tables.replicationserver, ServerId=1, AtoZpath="/server")
        assert (await office.database.run(images.places)).folders == ("/server",)
    await office.add(tables.computerpref, ComputerName="frontdesk", AtoZpath=str(office.root))
    await office.add(tables.computerpref, ComputerName="OTHER", AtoZpath="/other")
    places = await office.database.run(images.places)
    assert places.folders == (str(office.root),)
    assert await content(await opened(office, images=images)) == PDF


async def test_of_the_list_the_first_with_a_folder_a_is_taken(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    plain = office.root.parent / "plain"
    plain.mkdir()
    await office.prefer("DocPath", f"Z:\\gone\\; /nowhere/at/all ;{plain};;{office.root};")
    images = ImageStore(None, MACHINE)
    places = await office.database.run(images.places)
    assert await images.root(places) == office.root


@pytest.mark.parametrize(
    "listed", ["C:\\OpenDentImages\\", "\\\\server\\OpenDentImages", "", ";;", "relative/folder", "\0"]
)
async def test_a_list_without_a_folder_of_this_computer_says_so(
    portal_office_sqlite: PortalOffice, listed: str
) -> None:
    await portal_office_sqlite.prefer("DocPath", listed)
    why = await reason(portal_office_sqlite, images=ImageStore(None, MACHINE))
    assert "preference DocPath" in why
    assert "settings" in why


@pytest.mark.parametrize(("used", "word"), [("2", "Dropbox"), ("3", "SFTP")])
async def test_images_kept_elsewhere_are_named_unless_there_is_a_local_copy(
    portal_office: PortalOffice, used: str, word: str
) -> None:
    office = portal_office
    await office.prefer("AtoZfolderUsed", used)
    assert word in await reason(office, images=ImageStore(None, MACHINE))
    assert await content(await opened(office)) == PDF


async def test_a_document_kept_at_another_service_is_named(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    await office.change(tables.document, {"ExternalSource": "XVWeb"}, DocNum=100)
    assert "XVWeb" in await reason(office)
    await office.change(tables.document, {"ExternalSource": "None"}, DocNum=100)
    assert await content(await opened(office)) == PDF


HOSTILE = [
    "../Maria11/Maria100.pdf",
    "..\\Maria11\\Maria100.pdf",
    "..",
    ".",
    "...",
    "/etc/passwd",
    "\\\\server\\share\\x.pdf",
    "//server/share/x.pdf",
    "C:\\Windows\\win.ini",
    "C:win.ini",
    "x.pdf:stream",
    "a\0b.pdf",
    "sub/Maria100.pdf",
    "CON",
    "nul.pdf",
    "*",
    "?aria100.pdf",
    "",
    "   ",
    "x" * 255,
    "%2e%2e%2fx",
    "😀.pdf",
    "Maria100.pdf ",
]


@pytest.mark.parametrize("name", HOSTILE)
async def test_no_file_name_leads_out_of_the_patients_folder(portal_office_sqlite: PortalOffice, name: str) -> None:
    office = portal_office_sqlite
    (office.root.parent / "x.pdf").write_bytes(PDF)
    await office.change(tables.document, {"FileName": name}, DocNum=100)
    assert name not in await reason(office) or not name.strip(" .")


@pytest.mark.parametrize("name", [*HOSTILE, "Luis12/../Maria11", "A"])
async def test_no_images_folder_leads_out_of_the_store(portal_office_sqlite: PortalOffice, name: str) -> None:
    office = portal_office_sqlite
    await office.change(tables.patient, {"ImageFolder": name[:100]}, PatNum=Cast.MARIA)
    await reason(office)


async def test_hostile_names_are_refused_on_the_real_database_too(portal_office: PortalOffice) -> None:
    office = portal_office
    for name in HOSTILE:
        await office.change(tables.document, {"FileName": name}, DocNum=100)
        await reason(office)


async def test_a_link_to_another_patients_file_is_not_followed(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    mine = office.root / "M" / "Maria11" / "Maria100.pdf"
    for target in (office.root / "G" / "Greta41" / "Greta104.pdf", Path("/etc/passwd")):
        mine.unlink()
        mine.symlink_to(target)
        assert "link" in await reason(office)


async def test_a_name_that_differs_in_case_is_found(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    await office.change(tables.document, {"FileName": "MARIA100.PDF"}, DocNum=100)
    await office.change(tables.patient, {"ImageFolder": "maria11"}, PatNum=Cast.MARIA)
    assert await content(await opened(office)) == PDF


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"%PDF-1.4", "application/pdf"),
        (b"\xef\xbb\xbf\r\n%PDF-1.4", "application/pdf"),
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"GIF87a", "image/gif"),
        (b"BM", "image/bmp"),
        (b"II*\0", "image/tiff"),
        (b"MM\0*", "image/tiff"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"<svg xmlns=", None),
        (b"<!DOCTYPE html>", None),
        (b"MZ\x90", None),
        (b"PK\x03\x04", None),
        (b"x" * 2000 + b"%PDF-1.4", None),
        (b"", None),
    ],
)
def test_what_a_file_is_is_read_from_its_bytes(head: bytes, kind: str | None) -> None:
    found = media_type(head)
    assert (found[0] if found else None) == kind


async def test_a_picture_in_a_file_called_pdf_comes_as_a_picture(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    (office.root / "M" / "Maria11" / "Maria100.pdf").write_bytes(PNG)
    image = await opened(office)
    assert (image.media_type, image.extension, await content(image)) == ("image/png", "png", PNG)


@pytest.mark.parametrize(("held", "word"), [(b"", "empty"), (b"<script>alert(1)</script>", "neither")])
async def test_what_is_neither_pdf_nor_picture_stays_in_the_office(
    portal_office_sqlite: PortalOffice, held: bytes, word: str
) -> None:
    office = portal_office_sqlite
    (office.root / "M" / "Maria11" / "Maria100.pdf").write_bytes(held)
    assert word in await reason(office)


async def test_a_folder_in_the_place_of_a_file_is_not_opened(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    file = office.root / "M" / "Maria11" / "Maria100.pdf"
    file.unlink()
    file.mkdir()
    await reason(office)


def open_files() -> int:
    """Return how many files this process has open, or 0 where the system does not tell."""
    listed = Path("/proc/self/fd")
    return len(list(listed.iterdir())) if listed.exists() else 0


async def test_a_download_that_is_given_up_leaves_no_file_open(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    before = open_files()
    for _ in range(20):
        image = await opened(office)
        await image.chunks.aclose()
    for _ in range(20):
        image = await opened(office)
        await anext(image.chunks)
        await image.chunks.aclose()
    assert open_files() < before + 20, "one for each; others of this process come and go"


@pytest.mark.parametrize("breaks", ["", "\r\n"])
async def test_images_in_the_database_are_streamed_from_there(portal_office: PortalOffice, breaks: str) -> None:
    office = portal_office
    await office.prefer("AtoZfolderUsed", "0")
    big = PDF + bytes(range(256)) * 8000
    for held in (big, big[:-1], big[:-2], PDF[:30]):
        stored = base64.b64encode(held).decode()
        lines = breaks.join(stored[start : start + 76] for start in range(0, len(stored), 76)) if breaks else stored
        await office.change(tables.document, {"RawBase64": lines}, DocNum=100)
        image = await opened(office)
        found = await content(image)
        assert found == held
        assert (image.size, image.media_type) == (len(held), "application/pdf")


@pytest.mark.parametrize(
    ("stored", "word"),
    [
        ("", "no content"),
        ("*** not base64 ***", "damaged"),
        (base64.b64encode(PDF).decode()[:-3], "damaged"),
        (base64.b64encode(b"<html>").decode(), "neither"),
    ],
)
async def test_damaged_content_in_the_database_is_named(
    portal_office_sqlite: PortalOffice, stored: str, word: str
) -> None:
    office = portal_office_sqlite
    await office.prefer("AtoZfolderUsed", "0")
    await office.change(tables.document, {"RawBase64": stored}, DocNum=100)
    with pytest.raises(FileMissing) as caught:
        await content(await opened(office))
    assert word in caught.value.facts["reason"]


async def test_the_folder_is_ignored_when_images_are_in_the_database(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    await office.prefer("AtoZfolderUsed", "0")
    places = await office.database.run(office.images.places)
    assert places == ImagePlaces("0", (str(office.root),), "the settings")
    assert "no content" in await reason(office)

"""A practice with several locations names several folders: a file is found in whichever has it, or is told of."""

from pathlib import Path

import pytest

from econnector.base.errors import FileMissing
from econnector.opendental import mailfiles, statements, tables
from econnector.opendental.imagestore import ImageStore, OpenedImage
from tests.support.practice import PDF, PortalOffice

MACHINE = "FRONTDESK"
FILE = Path("M", "Maria11", "Maria100.pdf")


@pytest.fixture
def north(tmp_path: Path) -> Path:
    """The folder of a location that has charts, but not this file."""
    folder = tmp_path / "north"
    (folder / "A").mkdir(parents=True)
    (folder / FILE.parent).mkdir(parents=True)
    return folder


async def opened(office: PortalOffice, *, anywhere: bool = True) -> OpenedImage:
    images = ImageStore(None, MACHINE)
    file = await office.database.run(statements.find, 100)
    assert file is not None
    places = await office.database.run(images.places)
    return await images.open(office.database, places, file, anywhere=anywhere)


async def content(image: OpenedImage) -> bytes:
    return b"".join([chunk async for chunk in image.chunks])


async def test_a_file_that_only_the_second_of_the_list_has_is_found_there(
    portal_office_sqlite: PortalOffice, north: Path
) -> None:
    office = portal_office_sqlite
    await office.prefer("DocPath", f"Z:\\gone;{north};{office.root}")
    assert await content(await opened(office)) == PDF
    (north / FILE).write_bytes(PDF + b"newer")
    assert await content(await opened(office)) == PDF + b"newer", "the first that has it, has it"


async def test_who_asks_about_the_images_folder_itself_hears_that_the_file_is_in_another(
    portal_office_sqlite: PortalOffice, north: Path
) -> None:
    office = portal_office_sqlite
    await office.prefer("DocPath", f"{north};{office.root}")
    with pytest.raises(FileMissing) as caught:
        await opened(office, anywhere=False)
    assert (
        f"It is in {office.root}, another of the folders that preference DocPath names" in caught.value.facts["reason"]
    )


async def test_a_computer_with_a_path_of_its_own_finds_what_is_filed_in_the_shared_folder(
    portal_office: PortalOffice, north: Path, tmp_path: Path
) -> None:
    office = portal_office
    await office.prefer("DocPath", str(office.root))
    if office.database.dialect == "mysql":
        number = 1  # of the server of these tests
        await office.add(tables.replicationserver, ServerId=number, AtoZpath=str(north))
        assert await content(await opened(office)) == PDF, "this server's path, and then the list"
    await office.add(tables.computerpref, ComputerName=MACHINE, AtoZpath=str(north))
    assert await content(await opened(office)) == PDF
    await office.change(tables.computerpref, {"AtoZpath": str(tmp_path / "unplugged")}, ComputerName=MACHINE)
    assert await content(await opened(office)) == PDF, "its own folder is away altogether"


async def test_a_file_that_is_nowhere_is_told_with_every_place_where_it_was_looked_for(
    portal_office_sqlite: PortalOffice, north: Path, tmp_path: Path
) -> None:
    office, south = portal_office_sqlite, tmp_path / "south"
    (south / "A").mkdir(parents=True)
    await office.prefer("DocPath", f"{north};\\\\east\\OpenDentImages;{south};{office.root}")
    (office.root / FILE).unlink()
    with pytest.raises(FileMissing) as caught:
        await opened(office)
    assert caught.value.facts["path"] == f"document 100 in {north}"
    assert "There is no file of that name" in caught.value.facts["reason"]
    assert f"It is not in {south}, {office.root} either." in caught.value.facts["reason"]
    assert "From here it cannot be looked for in \\\\east\\OpenDentImages." in caught.value.facts["reason"]
    assert "Maria" not in str(caught.value.facts)


async def test_a_link_in_another_folder_leads_nowhere_either(portal_office_sqlite: PortalOffice, north: Path) -> None:
    office = portal_office_sqlite
    await office.prefer("DocPath", f"{north};{office.root}")
    (office.root / FILE).unlink()
    (office.root / FILE).symlink_to(office.root / "G" / "Greta41" / "Greta104.pdf")
    with pytest.raises(FileMissing):
        await opened(office)


async def test_the_file_of_a_message_is_found_in_the_folder_that_has_it(
    portal_office_sqlite: PortalOffice, north: Path
) -> None:
    office = portal_office_sqlite
    await office.prefer("DocPath", f"{north};{office.root}")
    (office.root / "EmailAttachments" / "Out").mkdir(parents=True, exist_ok=True)
    (office.root / "EmailAttachments" / "Out" / "x.pdf").write_bytes(PDF)
    images = ImageStore(None, MACHINE)
    places = await office.database.run(images.places)
    assert await content(await mailfiles.open_file(images, places, "Out\\x.pdf", "file 1 of message 2")) == PDF
    with pytest.raises(FileMissing, match="message 2"):
        await mailfiles.open_file(images, places, "Out\\y.pdf", "file 1 of message 2")

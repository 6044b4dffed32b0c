"""The account, images and documents, all statements at once, and who looked."""

import base64
import io
import os
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import event

from econnector.base.errors import FileMissing, NotAllowed
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import portal_answers
from econnector.opendental import tables
from econnector.opendental.imagestore import ImageStore
from econnector.opendental.schema import Schemas
from econnector.storage.files import FileStore, StoredFile
from econnector.storage.state import failures
from econnector.wire.call import Streamed
from tests.support.practice import PASSWORD, PDF, Cast, PortalOffice
from tests.support.practice_papers import IMAGES, PNG, PORTAL_ONLY

OURS = "Patient portal: "


async def account(office: PortalOffice, token: str, person: int = 0) -> calls.Account:
    return await office.ask(calls.ACCOUNT, calls.PersonAsked(token, person))


async def payments(office: PortalOffice, token: str, person: int = 0, page: int = 0) -> calls.Payments:
    return await office.ask(calls.PAYMENTS, calls.PageAsked(token, person, page))


async def documents(office: PortalOffice, token: str, person: int = 0, page: int = 0) -> calls.Documents:
    return await office.ask(calls.DOCUMENTS, calls.PageAsked(token, person, page))


async def looked(office: PortalOffice, token: str, person: int = 0, page: int = 0) -> calls.WhoLooked:
    return await office.ask(calls.WHO_LOOKED, calls.PageAsked(token, person, page))


async def archive(office: PortalOffice, token: str, person: int = 0) -> tuple[calls.FileHead, zipfile.ZipFile]:
    head, content = await office.download(calls.STATEMENT_ARCHIVE, calls.PersonAsked(token, person))
    assert head.size == len(content)
    return head, zipfile.ZipFile(io.BytesIO(content))


# The account


async def test_who_in_the_family_owes_what_adds_up(portal_office: PortalOffice) -> None:
    office = portal_office
    page = await account(office, (await office.sign_in(Cast.MARIA)).token)
    assert page.family is not None
    assert [(share.person, share.cents) for share in page.family.shares] == [(11, 10000), (13, 1010), (12, 6025)]
    assert (page.family.others_cents, page.family.total_cents, page.family.insurance_cents) == (1200, 18235, 4010)
    assert page.family.cents == 14225
    assert [(other.holder, other.cents) for other in page.others] == [(Cast.ROSA, 7500)]
    assert (page.balance_as_of, page.last_statement_cents) == ("2025-12-31", 13125)
    assert [(payment.number, payment.cents) for payment in page.pending] == [(601, 4000)]
    assert [payment.number for payment in page.latest] == [602, 600]


@pytest.mark.parametrize(
    ("who", "looking_at", "cents"),
    [
        (Cast.MARIA, Cast.LUIS, 14225),
        (Cast.MARIA, Cast.ROSA, 7500),
        (Cast.MARIA, Cast.OTTO, None),
        (Cast.LUIS, Cast.LUIS, None),
        (Cast.GRETA, Cast.GRETA, -1250),
    ],
)
async def test_a_familys_money_is_its_account_holders(
    portal_office: PortalOffice, who: Cast, looking_at: Cast, cents: int | None
) -> None:
    office = portal_office
    page = await account(office, (await office.sign_in(who)).token, looking_at)
    assert (page.family and page.family.cents) == cents
    if who != looking_at:
        assert page.others == []
    if who == Cast.MARIA and looking_at == Cast.OTTO:
        assert (page.pending, page.latest) == ([], [])


async def test_without_the_family_the_account_holder_sees_no_names_and_the_sum_still_adds_up(
    portal_office_sqlite: PortalOffice,
) -> None:
    office = portal_office_sqlite
    await office.prefer("FamPhiAccess", "0")
    await office.prefer("BalancesDontSubtractIns", "1")
    family = (await account(office, (await office.sign_in(Cast.MARIA)).token)).family
    assert family is not None
    assert [share.person for share in family.shares] == [Cast.MARIA]
    assert (family.others_cents, family.total_cents, family.insurance_cents, family.cents) == (8235, 18235, 0, 18235)


async def test_payments_are_told_with_whom_they_were_for_and_where_they_stand(portal_office: PortalOffice) -> None:
    office = portal_office
    page = await payments(office, (await office.sign_in(Cast.MARIA)).token)
    told = [(one.number, one.date, one.cents, one.standing, one.kind, one.check) for one in page.items]
    assert told == [
        (601, "2025-12-30", 4000, "pending", "Mailed check", ""),
        (602, "2025-11-02", 2000, "failed", "Mailed check", ""),
        (600, "2025-10-02", 7550, "done", "Mailed check", "77"),
        (604, "2025-09-01", -1200, "done", "Mailed check", ""),
    ]
    assert [(part.name, part.cents) for part in page.items[2].parts] == [
        ("Maria Delgado", 5000),
        ("Luis Delgado", 2550),
    ]
    assert [receipt.document for receipt in page.receipts] == [112]
    assert not page.more
    own = await payments(office, (await office.sign_in(Cast.LUIS)).token)
    assert [one.number for one in own.items] == [602]
    greta = await payments(office, (await office.sign_in(Cast.GRETA)).token)
    assert [[part.person for part in one.parts] for one in greta.items] == [[Cast.GRETA]]


async def test_a_long_list_comes_in_pages(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    for number in range(3000, 3060):
        await office.add(tables.payment, PayNum=number, PatNum=int(Cast.HUGO), PayAmt=1.0)
        more = {"DocCategory": PORTAL_ONLY, "FileName": "x.png", "Description": "x"}
        await office.add(tables.document, DocNum=number, PatNum=int(Cast.HUGO), **more)
    token = (await office.sign_in(Cast.HUGO)).token
    for ask in (payments, documents):
        first, second, third = [await ask(office, token, 0, page) for page in range(3)]
        assert [(len(page.items), page.more) for page in (first, second, third)] == [
            (50, True),
            (10, False),
            (0, False),
        ]
    assert (await payments(office, token, 0, 2**40)).items == []
    assert (await payments(office, token, 0, -5)).page == 0


# Images and documents


async def test_images_are_listed_newest_first_with_what_they_are(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    page = await documents(office, token)
    assert [(one.document, one.kind, one.title) for one in page.items] == [
        (107, "document", "Statement"),  # by name a PDF, filed where images are
        (820, "xray", "Picture 820"),
    ]
    page = await documents(office, token, Cast.LUIS)
    assert [(one.document, one.kind, one.title, one.category) for one in page.items] == [(822, "picture", "", "x")]


async def test_an_image_is_opened_and_its_name_says_what_it_is(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    head, content = await office.download(calls.DOCUMENT_FILE, calls.DocumentFile(token, 822))
    assert (head.name, head.media_type, content) == ("2025-11-22 Document.png", "image/png", PNG)  # by its bytes
    (row,) = await office.rows(tables.securitylog, PermType=75, FKey=int(Cast.LUIS))
    assert (row.PatNum, row.LogText) == (Cast.MARIA, "Patient portal: opened a document.")


async def test_every_image_by_everybody(portal_office: PortalOffice) -> None:
    office = portal_office
    (greta,) = await office.rows(tables.userweb, FKey=int(Cast.GRETA))
    seen = {Cast.MARIA: {11, 12, 13, 21, 31}, Cast.LUIS: {12}, Cast.GRETA: {41, 42}, Cast.STEFAN: {20, 21, 22}}
    wanted = [(107, int(Cast.MARIA))] + [(number, person) for number, person, kind, *_ in IMAGES if kind == PORTAL_ONLY]
    for me, mine in seen.items():
        await office.change(tables.userweb, {"Password": greta.Password}, FKey=int(me))
        token = (await office.sign_in(me, PASSWORD)).token
        opened = set()
        for number in (*(row[0] for row in IMAGES), 100, 107, 0, -1, 2**63):
            try:
                await office.download(calls.DOCUMENT_FILE, calls.DocumentFile(token, number))
            except NotAllowed as refused:
                assert refused.facts == {}  # noqa: PT017 - which ones are refused is asserted below
            else:
                opened.add(number)
        assert opened == {number for number, person in wanted if person in mine and number != 821}


# A file that is not found, for each of its reasons


async def missing(office: PortalOffice, document: int = 820) -> FileMissing:
    token = (await office.sign_in(Cast.MARIA)).token
    with pytest.raises(FileMissing) as caught:
        await office.download(calls.DOCUMENT_FILE, calls.DocumentFile(token, document))
    assert caught.value.public_facts() == {}
    assert caught.value.facts["account"]
    return caught.value


def read_by(office: PortalOffice, images: ImageStore) -> None:
    office.answers = portal_answers(office.database, office.state, Schemas(), images, office.clock, beat=0.001)


async def test_1_the_images_folder_cannot_be_reached(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    office.root.rename(office.root.with_name("away"))
    failure = await missing(office)
    assert failure.facts["path"] == str(office.root)
    assert "No such folder on this computer" in failure.facts["reason"]


async def test_2_the_wrong_path_of_several_is_taken(portal_office_sqlite: PortalOffice, tmp_path: Path) -> None:
    office, old, other = portal_office_sqlite, tmp_path / "old", tmp_path / "other"
    (old / "A").mkdir(parents=True)
    other.mkdir()
    await office.prefer("DocPath", f"{old};{other};Z:\\gone")
    read_by(office, ImageStore(None, "HERE"))
    failure = await missing(office)
    assert str(old) in failure.facts["path"]
    assert f"It is not in {other} either. From here it cannot be looked for in Z:\\gone." in failure.facts["reason"]


@pytest.mark.skipif(os.name == "nt", reason="rights are set in another way")
async def test_3_the_account_has_no_right(portal_office_sqlite: PortalOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    office = portal_office_sqlite
    (office.root / "M" / "Maria11" / "Maria820.png").chmod(0)
    if os.geteuid() == 0:  # whom no right stops: the file alone is opened by an account that has none
        opened = FileStore._open

        def as_nobody(store: FileStore, names: tuple[str, ...]) -> StoredFile:
            for folder in store.root.parents:
                if folder.owner() == "root" and folder != Path("/") and folder.stat().st_mode & 0o055 != 0o055:
                    folder.chmod(folder.stat().st_mode | 0o055)
            os.seteuid(65534)
            try:
                return opened(store, names)
            finally:
                os.seteuid(0)

        monkeypatch.setattr(FileStore, "_open", as_nobody)
    assert "This account has no right to read it." in (await missing(office)).facts["reason"]


async def test_4_the_file_is_at_another_location(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    await office.change(tables.document, {"ExternalSource": "Dropbox"}, DocNum=820)
    assert "kept at Dropbox" in (await missing(office)).facts["reason"]


async def test_5_the_name_differs_in_case_and_the_patient_does_not_notice(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    folder = office.root / "M" / "Maria11"
    (folder / "Maria820.png").rename(folder / "mARIA820.PNG")
    token = (await office.sign_in(Cast.MARIA)).token
    _, content = await office.download(calls.DOCUMENT_FILE, calls.DocumentFile(token, 820))
    assert content == PNG
    (folder / "mARIA820.PNG").rename(folder / "Maria820.jpg")
    assert "there is one that ends in .jpg instead" in (await missing(office)).facts["reason"]


async def test_6_it_is_stored_in_the_database_instead(portal_office: PortalOffice) -> None:
    office = portal_office
    (office.root / "M" / "Maria11" / "Maria820.png").unlink()
    assert "no file of that name" in (await missing(office)).facts["reason"]
    await office.change(tables.document, {"RawBase64": base64.b64encode(PNG).decode()}, DocNum=820)
    token = (await office.sign_in(Cast.MARIA)).token
    _, content = await office.download(calls.DOCUMENT_FILE, calls.DocumentFile(token, 820))
    assert content == PNG
    await office.prefer("AtoZfolderUsed", "0")
    await office.change(tables.document, {"RawBase64": ""}, DocNum=820)
    assert "keeps images in the database, and this one has no content" in (await missing(office)).facts["reason"]


async def test_what_is_no_picture_is_refused_by_its_bytes(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    (office.root / "M" / "Maria11" / "Maria820.png").write_bytes(b"<script>alert(1)</script>")
    assert "neither a PDF nor a picture" in (await missing(office)).facts["reason"]


# All statements at once


async def test_all_statements_come_in_one_zip_with_plain_names(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    await office.change(tables.document, {"Description": "../../../Evil\\name"}, DocNum=101)
    head, packed = await archive(office, token)
    assert (head.media_type, head.name[:11]) == ("application/zip", "Statements ")
    assert packed.testzip() is None
    assert packed.namelist() == [
        "2025-11-04 Statement Maria Delgado.pdf",
        "2025-11-03 Statement Maria Delgado.pdf",
        "2025-09-01 Statement Ana Delgado.pdf",
        "2025-08-01 Statement Luis Delgado.pdf",
        "2025-06-02 Evil name Maria Delgado.pdf",
    ]
    assert {packed.read(name) for name in packed.namelist()} == {PDF}
    (row,) = await office.rows(tables.securitylog, PermType=75, PatNum=int(Cast.MARIA))
    assert row.LogText == "Patient portal: downloaded statements in one file (5)."
    assert [row.EServiceAction for row in await office.rows(tables.eservicelog)] == [16, 28]


async def test_of_somebody_else_only_theirs_and_of_a_stranger_nothing(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    _, packed = await archive(office, token, Cast.OTTO)
    assert packed.namelist() == ["2025-10-02 Statement Otto Stone.pdf"]
    for person in (Cast.GRETA, Cast.HUGO, Cast.BEN, Cast.PAUL, 999, -1):
        with pytest.raises(NotAllowed) as caught:
            await archive(office, token, person)
        assert caught.value.facts == {}


async def test_where_there_is_no_statement_there_is_no_zip(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    await office.change(tables.document, {"DocCategory": 0})
    with pytest.raises(NotAllowed):
        await archive(office, (await office.sign_in(Cast.MARIA)).token)


async def test_what_cannot_be_opened_is_named_in_the_zip_and_told_to_the_office(
    portal_office_sqlite: PortalOffice,
) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    folder = office.root / "M" / "Maria11"
    (folder / "Maria100.pdf").unlink()
    _, packed = await archive(office, token)
    assert len(packed.namelist()) == 5
    note = packed.read("Not included - No incluidos.txt").decode("utf-8-sig")
    assert "2025-11-03 Statement Maria Delgado" in note
    assert str(office.root) not in note
    (met,) = await office.state.run(failures.find, "7F3K-22QX")
    assert (met.code, met.call) == ("file-missing", "portal.statement-archive")
    assert "no file of that name" in met.facts["reason"]
    office.root.rename(office.root.with_name("away"))
    with pytest.raises(FileMissing):
        await archive(office, token)


async def test_a_zip_is_never_held_and_stopping_in_the_middle_is_harmless(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    found = await office._answer(calls.STATEMENT_ARCHIVE, calls.PersonAsked(token))
    assert isinstance(found, Streamed)
    largest = 0
    for _ in range(4):
        largest = max(largest, len(await anext(found.chunks)))
    await found.chunks.aclose()  # type: ignore[attr-defined]
    assert largest < 64 * 1024
    _, packed = await archive(office, token)
    assert packed.testzip() is None


async def test_a_statement_that_changes_while_it_is_sent_breaks_the_download_off(
    portal_office_sqlite: PortalOffice,
) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    found = await office._answer(calls.STATEMENT_ARCHIVE, calls.PersonAsked(token))
    await anext(found.chunks)
    (office.root / "M" / "Maria11" / "Maria100.pdf").write_bytes(PDF + b"more")
    with pytest.raises(FileMissing) as caught:
        [chunk async for chunk in found.chunks]
    assert "size changed" in caught.value.facts["reason"]


# What it costs


async def test_pages_ask_the_database_no_more_than_three_times_beyond_the_session(portal_office: PortalOffice) -> None:
    office, said = portal_office, list[str]()
    token = (await office.sign_in(Cast.MARIA)).token
    event.listen(office.database._engine, "before_cursor_execute", lambda _c, _cursor, sql, *_rest: said.append(sql))
    await looked(office, token)
    session = len(said) - 2
    for ask in (account, payments, documents):
        said.clear()
        await ask(office, token)
        pages = [sql for sql in said if sql.startswith("SELECT") and "securitylog" not in sql and "NOW()" not in sql]
        pages = [sql for sql in pages if "datetime('now'" not in sql]
        assert len(pages) - session <= 3, pages

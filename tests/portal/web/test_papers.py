"""The pages of the account, payments, images and documents, who looked; and the zip on its way to the browser."""

import io
import zipfile

import httpx2
import pytest

from econnector.base.errors import FileMissing
from econnector.eservices.portal import calls
from tests.support.papers import PNG
from tests.support.site import SmallOffice

PAGES = ("/account", "/payments", "/documents", "/who-looked")


def test_the_account_says_who_owes_what(ann: httpx2.Client) -> None:
    page = ann.get("/account").text
    for text in ("$123.45", "Ann Example", "$100.00", "Tim Example", "$82.00", "Others on this account", "$183.45"):
        assert text in page
    for text in ("−$60.00", "To pay, call (555) 010-0100.", "Payments on their way", "do not pay again"):
        assert text in page
    assert 'href="/o/smile-dental/portal/account?person=13"' in page
    assert "staff" not in page


def test_money_of_another_family_is_not_shown_in_the_account(ann: httpx2.Client) -> None:
    page = ann.get("/account?person=13").text
    assert "This balance is not shown to you." in page
    assert "$123.45" not in page


def test_payments_say_how_for_whom_and_where_they_stand(ann: httpx2.Client) -> None:
    page = ann.get("/payments").text
    for text in ("Credit Card", "On its way", "Check 1042", "Money back", "−$20.00", "Did not go through", "Receipts"):
        assert text in page
    assert "Tim Example $20.00" in page
    assert "/statements/902" in page
    assert "Check 1001" not in page


def test_documents_are_opened_and_saved(ann: httpx2.Client) -> None:
    page = ann.get("/documents").text
    assert "Open Bite, for you to keep from Thu 1 Oct 2026 (in a new tab)" in page
    opened, saved = ann.get("/documents/803"), ann.get("/documents/803/download")
    assert opened.content == saved.content == PNG
    assert opened.headers["content-type"] == "image/png"
    assert opened.headers["content-disposition"].startswith("inline")
    assert opened.headers["content-security-policy"].endswith("sandbox")
    assert saved.headers["content-disposition"].startswith("attachment")


def test_a_document_that_cannot_be_opened_says_so_without_a_path(ann: httpx2.Client) -> None:
    answer = ann.get("/documents/999")
    assert answer.status_code == FileMissing.http
    assert "Your office has been told" in answer.text
    assert "secret" not in answer.text


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/x-msdownload"])
def test_whatever_calls_itself_otherwise_is_saved_and_never_interpreted(
    ann: httpx2.Client, office: SmallOffice, kind: str
) -> None:
    office.papers.media_type = kind
    answer = ann.get("/documents/803")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


def test_who_looked_is_in_plain_words(ann: httpx2.Client) -> None:
    page = ann.get("/who-looked").text
    for text in ("You", "Looked at the list of statements · 3 times", "Signed in (from 198.51.100.7)", "Karl Example"):
        assert text in page
    assert "Used the portal" in page
    assert "What Tim Example does here is for Tim Example alone." in ann.get("/who-looked?person=12").text


def test_a_new_word_of_a_newer_office_does_not_break_the_page(ann: httpx2.Client, office: SmallOffice) -> None:
    office.papers.looks = [calls.Look("2026-11-21T09:12:00", "flew-to-the-moon", 11, "Ann Example")]
    answer = ann.get("/who-looked")
    assert answer.status_code == 200
    assert "Used the portal" in answer.text


def test_long_lists_have_pages(ann: httpx2.Client, office: SmallOffice) -> None:
    office.papers.more = True
    for path in ("/payments", "/documents", "/who-looked"):
        first, second = ann.get(f"{path}?person=12").text, ann.get(f"{path}?person=12&page=2").text
        assert f"{path}?person=12&amp;page=2" in first
        assert ">Newer<" not in first
        assert f'{path}?person=12"' in second
        assert f"{path}?person=12&amp;page=3" in second
        assert ann.get(f"{path}?page=3").text.count("page=2") == 1
        assert ann.get(f"{path}?page=x").status_code == 404
    assert [params.page for _, params, _ in office.asked if isinstance(params, calls.PageAsked)] == [0, 1, 2] * 3


def test_the_zip_is_sent_whole_under_a_plain_name(ann: httpx2.Client, office: SmallOffice) -> None:
    assert "/statements/all?person=12" in ann.get("/statements?person=12").text
    answer = ann.get("/statements/all?person=12")
    assert answer.headers["content-disposition"].startswith('attachment; filename="Statements 2026-11-21.zip"')
    assert answer.headers["content-type"] == "application/octet-stream"
    assert int(answer.headers["content-length"]) == len(answer.content)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert packed.testzip() is None
        assert {name: packed.read(name) for name in packed.namelist()} == office.papers.archived


def test_a_zip_that_is_given_up_leaves_the_portal_as_it_was(ann: httpx2.Client, office: SmallOffice) -> None:
    office.papers.archived = {"big.pdf": b"%PDF" * 3_000_000}
    with ann.stream("GET", "/statements/all") as answer:
        assert next(answer.iter_raw())
    assert ann.get("/statements").status_code == 200


def test_one_statement_alone_needs_no_zip(ann: httpx2.Client, office: SmallOffice) -> None:
    office.titles = ("Statement",)
    assert "/statements/all" not in ann.get("/statements").text


def test_whoever_is_not_signed_in_comes_back_after_signing_in(stranger: httpx2.Client) -> None:
    for path in PAGES:
        answer = stranger.get(f"{path}?person=12")
        assert answer.headers["location"].endswith(f"/sign-in?next={path.replace('/', '%2F')}%3Fperson%3D12")
    for path in ("/statements/all", "/documents/803"):
        assert stranger.get(path).status_code == 303


def test_whose_record_it_is_stands_on_every_page(ann: httpx2.Client) -> None:
    for path in PAGES:
        page = ann.get(f"{path}?person=12").text
        assert "You are looking at Tim Example&#39;s record." in page, path
        assert f"{path}?person=13" in page, path
        assert len(page.encode()) < 30_000


@pytest.mark.parametrize("language", ["en-US", "es-MX"])
def test_nothing_to_show_is_said(ann: httpx2.Client, office: SmallOffice, language: str) -> None:
    papers = office.papers
    papers.made, papers.receipts, papers.documents, papers.looks, papers.others = [], [], [], [], []
    papers.family = calls.FamilyAccount(11, "Ann Example", -500, -500, 0, [calls.Share(11, "Ann Example", -500)])
    headers = {"accept-language": language}
    pages = {path: ann.get(path, headers=headers) for path in PAGES}
    assert {page.status_code for page in pages.values()} == {200}
    words = {"en-US": ("credit", "No payments yet"), "es-MX": ("a favor", "Aún no hay pagos")}
    assert all(word in pages["/account"].text for word in words[language])


def test_names_and_titles_full_of_code_stay_text(ann: httpx2.Client, office: SmallOffice) -> None:
    evil, papers = '"><script>alert(1)</script>', office.papers
    papers.documents[0].title = papers.documents[0].category = papers.looks[0].address = evil
    papers.made[0].kind = papers.made[1].check = papers.looks[2].who_name = evil
    assert papers.family
    papers.family.shares[0].name = papers.others[0].holder_name = papers.receipts[0].title = evil
    for path in PAGES:
        page = ann.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page


def test_a_page_that_the_office_refuses_is_no_page(ann: httpx2.Client) -> None:
    for path in (*PAGES, "/statements/all"):
        assert ann.get(f"{path}?person=99").status_code == 404


def test_help_leads_to_who_looked(ann: httpx2.Client, stranger: httpx2.Client) -> None:
    assert "/who-looked" in ann.get("/help").text
    assert "/who-looked" not in stranger.get("/help").text

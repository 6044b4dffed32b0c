"""A statement's file on its way to the browser."""

import time

import httpx2
import pytest

from econnector.base.errors import AnswerLost, FileMissing
from econnector.eservices.portal import calls
from tests.support.site import PDF, SmallOffice

BLOCK = b"x" * 65536


def until_closed(office: SmallOffice) -> bool:
    """Wait until the office was told that no more bytes are wanted."""
    deadline = time.monotonic() + 60
    while not office.closed_streams and time.monotonic() < deadline:
        time.sleep(0.02)
    return office.closed_streams == 1


def test_a_statement_opens_or_is_saved_byte_for_byte(ann: httpx2.Client, office: SmallOffice) -> None:
    for path, how in (("/statements/900", "inline"), ("/statements/900/download", "attachment")):
        answer = ann.get(path)
        assert answer.content == PDF
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.headers["content-length"] == str(len(PDF))
        assert answer.headers["content-disposition"].startswith(f'{how}; filename="Statement.pdf"')
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        # Under `sandbox` Safari shows some PDFs as an empty window.
        assert answer.headers["content-security-policy"].endswith("frame-ancestors 'none'")
    assert office.closed_streams == 2


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/xhtml+xml", "x\r\nSet-Cookie: a=b", ""])
def test_whatever_is_no_picture_and_no_pdf_is_saved_and_never_interpreted(
    ann: httpx2.Client, office: SmallOffice, kind: str
) -> None:
    office.file = calls.FileHead("x.html", kind, len(PDF))
    answer = ann.get("/statements/900")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "set-cookie" not in answer.headers


def test_a_picture_belongs_to_no_origin(ann: httpx2.Client, office: SmallOffice) -> None:
    office.file = calls.FileHead("x.png", "image/png", len(PDF))
    assert ann.get("/statements/900").headers["content-security-policy"].endswith("sandbox")


def test_a_name_with_folders_and_line_breaks_is_harmless(ann: httpx2.Client, office: SmallOffice) -> None:
    office.file = calls.FileHead("..\\..\\a\r\nX-Evil: 1/Año.pdf", "application/pdf", len(PDF))
    answer = ann.get("/statements/900")
    assert answer.headers["content-disposition"] == "inline; filename=\"Ano.pdf\"; filename*=UTF-8''A%C3%B1o.pdf"
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize("chunks", [[FileMissing(path="x", account="y", reason="z")], [AnswerLost(call="x")]])
def test_a_failure_before_the_first_byte_still_gets_a_page(
    ann: httpx2.Client, office: SmallOffice, chunks: list[bytes | FileMissing | float]
) -> None:
    office.chunks = list(chunks)
    answer = ann.get("/statements/900")
    assert answer.status_code in {404, 503}
    assert "text/html" in answer.headers["content-type"]
    assert until_closed(office)


@pytest.mark.parametrize("end", [AnswerLost(call="x"), None, b"more than was said" * 9])
def test_a_file_that_breaks_off_never_looks_whole(
    ann: httpx2.Client, office: SmallOffice, end: AnswerLost | bytes | None
) -> None:
    office.chunks = [PDF[:100], *([] if end is None else [PDF[100:200], end])]
    with pytest.raises(httpx2.RemoteProtocolError):
        ann.get("/statements/900/download")
    assert until_closed(office)


def test_when_the_browser_goes_away_the_office_stops(ann: httpx2.Client, office: SmallOffice) -> None:
    office.file = calls.FileHead("big.pdf", "application/pdf", len(BLOCK) * 10_000)
    office.chunks = [BLOCK, 3600.0, BLOCK]
    with ann.stream("GET", "/statements/900/download") as answer:
        assert next(answer.iter_raw())
    assert until_closed(office)


def test_a_head_request_asks_for_no_bytes(ann: httpx2.Client, office: SmallOffice) -> None:
    answer = ann.head("/statements/900")
    assert answer.headers["content-length"] == str(len(PDF))
    assert answer.content == b""
    assert until_closed(office)


def test_an_empty_file_is_an_empty_file(ann: httpx2.Client, office: SmallOffice) -> None:
    office.file = calls.FileHead("empty.pdf", "application/pdf", 0)
    office.chunks = []
    assert ann.get("/statements/900/download").content == b""


@pytest.mark.parametrize("document", ["-1", "abc", "9" * 40, "9" * 5000, "900%00", "%2e%2e"])
def test_a_document_that_is_no_number_is_no_page(ann: httpx2.Client, document: str) -> None:
    assert ann.get(f"/statements/{document}").status_code == 404


def test_a_large_file_passes_through(ann: httpx2.Client, office: SmallOffice) -> None:
    office.file = calls.FileHead("big.pdf", "application/pdf", len(BLOCK) * 300)
    office.chunks = [BLOCK] * 300
    assert len(ann.get("/statements/900/download").content) == len(BLOCK) * 300

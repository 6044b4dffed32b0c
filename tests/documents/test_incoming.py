"""What patients send: known by its content, and harmless to open."""

import struct
import zlib

import pytest

from econnector.documents.incoming import Kind, Refused, judge, tidy_name

PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n"


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + struct.pack(">II", width, height) + b"\x08\x02\0\0\0" + b"\0" * 60


def jpeg(width: int, height: int) -> bytes:
    app = b"\xff\xe0\0\x10JFIF\0" + b"\0" * 9
    return b"\xff\xd8" + app + b"\xff\xc0\0\x11\x08" + struct.pack(">HH", height, width) + b"\3" + b"\0" * 60


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0" * 60


def bmp(width: int, height: int) -> bytes:
    return b"BM" + b"\0" * 16 + struct.pack("<ii", width, -height) + b"\0" * 60


def tiff(width: int, height: int) -> bytes:
    tags = struct.pack("<HHIIHHII", 256, 4, 1, width, 257, 4, 1, height)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 2) + tags + struct.pack("<I", 0) + b"\0" * 60


def packed(content: bytes, more: bytes = b"") -> bytes:
    body = zlib.compress(content, 9)
    return PDF + b"2 0 obj<</Filter/FlateDecode" + more + b">>stream\n" + body + b"\nendstream endobj\n"


@pytest.mark.parametrize(("make", "kind"), [(png, "png"), (jpeg, "jpeg"), (gif, "gif"), (bmp, "bmp"), (tiff, "tiff")])
def test_pictures_are_known_by_their_content_and_bounded_by_their_size(make: object, kind: str) -> None:
    assert callable(make)
    assert judge(make(4000, 3000)).media_type == f"image/{kind}"
    with pytest.raises(Refused, match="bomb"):
        judge(make(30_000, 30_000))
    with pytest.raises(Refused, match="type"):
        judge(make(0, 3000))


@pytest.mark.parametrize("make", [png, jpeg, gif, bmp, tiff])
def test_cut_off_anywhere_is_an_answer_and_no_fault(make: object) -> None:
    assert callable(make)
    whole = make(40, 30)
    for end in range(len(whole)):
        try:
            judge(whole[:end])
        except Refused as refused:
            assert refused.rule in {"empty", "type"}  # noqa: PT017 - either is right, nothing else is


@pytest.mark.parametrize(
    "content", [b"PK\3\4", b"MZ", b"<svg/>", b"<html>", b"#!/bin/sh", b" %PDF-1.7", b"RIFF0000WEBP", b"\0" * 50]
)
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(Refused, match="type"):
        judge(content + b"%PDF-1.7")


def test_a_pdf_of_scanned_pages_is_taken() -> None:
    assert judge(packed(bytes(20_000_000))) == Kind("application/pdf", "pdf")
    assert judge(PDF + b"stream\nnot packed at all\nendstream") == Kind("application/pdf", "pdf")
    assert judge(packed(b"x")[:-30]).extension == "pdf"


def test_a_pdf_that_grows_without_end_is_refused() -> None:
    with pytest.raises(Refused, match="bomb"):
        judge(packed(bytes(300 * 1024 * 1024)))


@pytest.mark.parametrize(
    "content",
    [
        PDF + b"<</S/JavaScript/JS(app.alert(1))>>",
        PDF + b"<</S/J#61vaScript>>",
        PDF + b"<</S/Launch/F(cmd.exe)>>",
        PDF + b"<</Names<</EmbeddedFiles 3 0 R>>>>",
        packed(b"<</S/JavaScript/JS(1)>>", b"/Type/ObjStm"),
        packed(b" " * 262_140 + b"<</S/JavaScript/JS(1)>>", b"/Type /ObjStm"),
    ],
)
def test_a_pdf_with_a_program_or_files_in_it_is_refused(content: bytes) -> None:
    with pytest.raises(Refused, match="active"):
        judge(content)


@pytest.mark.parametrize(
    ("name", "tidy"),
    [
        ("photo.JPG", "photo.png"),
        ("..\\..\\Windows\\x.exe", "x.png"),
        ("../../etc/passwd", "passwd.png"),
        ("a<b>:c|d?.png", "abcd.png"),
        ("señor 😀.heic", "señor.png"),
        ("", "file.png"),
        (".png", "file.png"),
        ("a\r\nb\0c.png", "abc.png"),
        ("x" * 300 + ".png", "x" * 100 + ".png"),
    ],
)
def test_names_mean_nothing_to_any_system(name: str, tidy: str) -> None:
    assert tidy_name(name, Kind("image/png", "png")) == tidy

"""Files that patients send, made to harm whoever opens them: refused by their content, and never stored or named badly.

The bombs are small here and grow to the product's own bounds; each is refused before it has grown.
"""

import base64
import random
import struct
import zipfile
import zlib
from io import BytesIO

import pytest

from econnector.base.errors import AttachmentRejected, ValueRejected
from econnector.documents import incoming
from econnector.documents.incoming import Refused, judge, tidy_name
from econnector.eservices.portal import calls
from econnector.opendental import tables
from econnector.web.download import FileAnswer, FileFacts
from tests.support.practice import READER, Cast, PortalOffice

PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n"
JAVASCRIPT = b"7 0 obj<</S/JavaScript/JS(app.alert(1))>>endobj\n"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + struct.pack(">II", 8, 8) + b"\x08\x02\0\0\0" + b"\0" * 60
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0" + b"\0" * 9 + b"\xff\xc0\0\x11\x08\0\x08\0\x08\3" + b"\0" * 60
OBJECTS = b"/Type/ObjStm/N 1/First 5"


def stream(data: bytes, head: bytes = b"/Filter/FlateDecode") -> bytes:
    return PDF + b"2 0 obj<<" + head + b">>stream\n" + data + b"\nendstream endobj\n"


def packed(content: bytes, more: bytes = b"") -> bytes:
    return stream(zlib.compress(content, 9), b"/Filter/FlateDecode" + more)


def spelled(content: bytes, filters: bytes, letters: bytes, end: bytes) -> bytes:
    return stream(letters + end, b"/Filter[" + filters + b"/FlateDecode]" + OBJECTS + content)


def zipped() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.bin", bytes(30 * 1024 * 1024))
    return file.getvalue()


CONFUSED = {
    "a page": b"<!doctype html><script>zq()</script>",
    "a page behind a byte order mark": b"\xef\xbb\xbf<html>",
    "a picture that is a program": b'<svg xmlns="http://www.w3.org/2000/svg" onload="zq()"/>',
    "a program": b"MZ\x90\0" + b"\0" * 60,
    "a script": b"#!/bin/sh\n",
    "a zip bomb": zipped(),
    "a shortcut": b"L\0\0\0\x01\x14\x02\0",
    "PostScript": b"%!PS-Adobe-3.0",
    "a page that ends as a PDF": b"<html>" + PDF,
    "a program that ends as a PDF": b"MZ" + PDF,
    "a letter": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "nothing but a name": b"\0" * 600,
    "a picture without a size": PNG[:12],
}
PACKED_JS = zlib.compress(JAVASCRIPT)
ACTIVE = {
    "in the open": PDF + JAVASCRIPT,
    "in codes": PDF + b"<</S/#4a#61vaScr#69pt>>",
    "among packed objects": packed(JAVASCRIPT, OBJECTS),
    "among objects that do not say so": packed(JAVASCRIPT, b"/N 1/First 5"),
    "said in codes": packed(JAVASCRIPT, b"/Type/Obj#53tm"),
    "said behind a text that pretends to end": stream(PACKED_JS, OBJECTS + b"/X(endobj obj<<)/Filter/FlateDecode"),
    "said far in front": stream(PACKED_JS, OBJECTS + b"/X(" + b"x" * 2000 + b")/Filter/FlateDecode"),
    "said with a filter in codes": stream(PACKED_JS, OBJECTS + b"/Filter/#46lateDecode"),
    "said with a filter elsewhere": stream(PACKED_JS, OBJECTS + b"/Filter 9 0 R"),
    "inside of what claims to be a stream": stream(b"x\n" + JAVASCRIPT),
    "in a stream inside of one": stream(b"x\n" + packed(JAVASCRIPT, OBJECTS)),
    "in letters": stream(base64.a85encode(PACKED_JS) + b"~>", b"/Filter[/ASCII85Decode/FlateDecode]" + OBJECTS),
    "in numbers": stream(PACKED_JS.hex().encode() + b">", b"/Filter[/AHx/Fl]" + OBJECTS),
    "behind twice the bytes that are read at once": packed(b" " * 524_280 + JAVASCRIPT, OBJECTS),
    "a start of a program": PDF + b"<</S/Launch/F(cmd.exe)>>",
    "a file inside": PDF + b"<</Type/EmbeddedFile>>",
    "a rendition with a script": PDF + b"<</S/Rendition/JS(zq)>>",
    "a form that computes": PDF + b"<</XFA 3 0 R>>",
}
HALF = zlib.compress(bytes(3 * 1024 * 1024), 9)
BOMBS = {
    "one stream": packed(bytes(3 * 1024 * 1024)),
    "many streams": PDF + b"2 0 obj<</Filter/FlateDecode>>stream\n%b\nendstream\n" % zlib.compress(bytes(900_000)) * 6,
    "packed twice": stream(zlib.compress(HALF), b"/Filter[/FlateDecode/FlateDecode]"),
    "packed twice, said nowhere": stream(zlib.compress(HALF), b"/Filter 9 0 R"),
    "packed in letters": stream(base64.a85encode(HALF) + b"~>", b"/Filter[/A85/Fl]"),
    "packed the old way": stream(b"\x80\x0b" * 4000, b"/Filter/LZWDecode"),
    "packed the old way, without an end": PDF + b"2 0 obj<</Filter/LZWDecode>>stream\n" + b"\x80\x0b" * 4000,
    "brackets": PDF + b"3 0 obj" + b"[" * 5000,
    "dictionaries": PDF + b"3 0 obj" + b"<</A" * 5000,
    "packed brackets": packed(b"[" * 5000, OBJECTS),
    "streams without number": PDF + b"stream\n" * 20_100,
    "a picture": PNG[:16] + struct.pack(">II", 2**31 - 1, 2**31 - 1) + PNG[24:],
    "a drawing": b"GIF89a\xff\xff\xff\xff" + b"\0" * 60,
    "a bitmap": b"BM" + b"\0" * 16 + struct.pack("<ii", 2**31 - 1, -(2**31)) + b"\0" * 60,
}


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds are a hundredth of what they are, so that the bombs can be."""
    monkeypatch.setattr(incoming, "MOST_STREAM", 2 * 1024 * 1024)
    monkeypatch.setattr(incoming, "MOST_STREAMS", 4 * 1024 * 1024)


@pytest.mark.parametrize("content", CONFUSED.values(), ids=CONFUSED)
def test_what_a_file_is_is_what_is_in_it(content: bytes) -> None:
    with pytest.raises(Refused, match="type"):
        judge(content)


@pytest.mark.parametrize("content", ACTIVE.values(), ids=ACTIVE)
def test_a_program_in_a_pdf_is_found_wherever_it_hides(content: bytes) -> None:
    with pytest.raises(Refused, match="active"):
        judge(content)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_before_it_grows(content: bytes) -> None:
    with pytest.raises(Refused, match="bomb"):
        judge(content)


def test_a_tiff_of_directories_that_lie_over_each_other_is_refused() -> None:
    pages = b"".join(b"\x02\0" + struct.pack("<I", 8 + 6 * (number + 1)) for number in range(220_000))
    with pytest.raises(Refused, match="bomb"):
        judge(b"II*\0\x08\0\0\0" + pages)


def test_a_locked_pdf_is_taken_only_if_it_can_be_looked_into() -> None:
    locked = b"trailer<</Encrypt 9 0 R>>\n"
    assert judge(PDF + locked).extension == "pdf"
    with pytest.raises(Refused, match="locked"):
        judge(packed(b"\x17\x2a" * 60, OBJECTS) + locked)


def test_what_scanners_and_programs_make_is_taken() -> None:
    noise = random.Random(4).randbytes(6_000_000)  # what a scan looks like
    assert judge(stream(noise, b"/Filter/DCTDecode")).extension == "pdf"
    assert judge(stream(noise + b"/JS " + b"[" * 40, b"/Filter/DCTDecode")).extension == "pdf"
    assert judge(packed(noise[:1_000_000], b"/Subtype/Image")).extension == "pdf"
    text = b"BT [(Hello)-20(you)]TJ ET\n" * 5000
    assert judge(stream(base64.a85encode(zlib.compress(text)) + b"~>", b"/Filter[/ASCII85Decode/FlateDecode]"))
    assert judge(packed(b"1 0 <</Type/Page/Parent 2 0 R>>", OBJECTS)).extension == "pdf"
    assert [judge(one).extension for one in (PNG, JPEG)] == ["png", "jpg"]
    # Two kinds in one: taken, stored and served as what it begins as, and as nothing else.
    assert judge(JPEG + b"<script>zq()</script>" + PDF).media_type == "image/jpeg"


NAMES = [
    *(
        "../../x.pdf",
        "..\\..\\x",
        "C:\\x.exe",
        "//server/share/x",
        "CON",
        "con.pdf",
        "LPT1.txt",
        "x.pdf. . .",
        "x.pdf\0.exe",
    ),
    *(
        "\u202efdp.exe",
        "a\r\nb: c",
        "x" * 300,
        ".",
        "..",
        "",
        " ",
        "~$x",
        "-rf",
        "a;b|c&d",
        "<x>",
        "%00",
        "%2e%2e%2f",
        "x:y",
    ),
    *("x.html", "x.pdf.html", "\u2024\u2024/x", "\uff0e\uff0e\uff0fx", "desktop.ini", ".htaccess", "a\u0000", "\ud7ff"),
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_no_name_of_a_file_means_anything(name: str) -> None:
    tidy = tidy_name(name, incoming.Kind("application/pdf", "pdf"))
    assert tidy.endswith(".pdf")
    assert not set(tidy) & set('/\\<>:"|?*%\r\n\0\u202e')
    assert len(tidy) <= 110
    assert not tidy.startswith((".", " "))
    assert tidy.split(".", maxsplit=1)[0].upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT1"}
    head = FileAnswer(FileFacts(name, "text/html", 1), None, None, inline=True).headers  # type: ignore[arg-type]
    assert head["content-disposition"].startswith("attachment; ")
    assert head["content-type"] == "application/octet-stream"
    assert "sandbox" in head["content-security-policy"]


async def test_no_bad_file_gets_into_the_practice_and_its_bounds_are_exact(
    portal_office_sqlite: PortalOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert calls.FILE_BYTES == 20 * 1024 * 1024
    monkeypatch.setattr(calls, "FILE_BYTES", 1024 * 1024)
    office, draft = portal_office_sqlite, "draft-of-a-message"
    token = (await office.sign_in(Cast.MARIA)).token
    rows = await office.rows(tables.emailattach)
    folder = {path for path in office.root.rglob("*") if path.is_file()}

    async def add(file: int, name: str, content: bytes) -> None:
        blocks = [content[start : start + calls.PIECE_BYTES] for start in range(0, len(content), calls.PIECE_BYTES)]
        for part, block in enumerate(blocks or [b""]):
            last = part == len(blocks or [b""]) - 1
            await office.ask(calls.MESSAGE_PIECE, calls.MessagePiece(token, draft, file, part, block, name, last))

    for content in (CONFUSED["a zip bomb"], CONFUSED["a page"], ACTIVE["among packed objects"], b""):
        with pytest.raises(AttachmentRejected):
            await add(0, "photo.jpg", content)
    whole = PDF + b" " * (calls.FILE_BYTES - len(PDF))
    with pytest.raises(AttachmentRejected) as caught:
        await add(0, "x.pdf", whole + b" ")
    assert caught.value.facts["rule"] == "size"
    await add(1, "../../CON .exe", whole)
    with pytest.raises(AttachmentRejected):
        await add(2, "y.png", PNG)
    with pytest.raises(ValueRejected):
        await office.ask(calls.MESSAGE_PIECE, calls.MessagePiece(token, "../../x/y", 0, 0, PNG, "x", True))
    message = calls.MessageSend(token, draft, READER, Cast.MARIA, "s", "t", 0, [calls.AddedFile(1, "n", len(whole))])
    await office.ask(calls.MESSAGE_SEND, message)
    (row,) = [row for row in await office.rows(tables.emailattach) if row not in rows]
    assert not set(f"{row.DisplayedFileName}{row.ActualFileName.removeprefix('In').lstrip(chr(92))}") & set("/\\:")
    assert row.DisplayedFileName.endswith(".pdf")
    (new,) = {path for path in office.root.rglob("*") if path.is_file()} - folder
    assert new.resolve().is_relative_to((office.root / "EmailAttachments").resolve())
    assert new.stat().st_size == calls.FILE_BYTES

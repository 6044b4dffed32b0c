"""Web mail on its pages: what is shown, what is sent, and what is kept when something breaks."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from econnector.base.errors import AnswerLost, DatabaseAway, OfficeUnreachable, SessionEnded
from econnector.eservices.portal import calls
from tests.support.practice import HIDDEN, READER, Cast
from tests.support.realsite import RealSite, serve_practice
from tests.support.site import token_in

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x08\0\0\0\x08\x08\x02\0\0\0" + b"\0" * 200
NASTY = "<script>alert(1)</script> https://evil.example/ \"'><img src=x onerror=alert(2)> {{ 7*7 }}"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[RealSite]:
    with serve_practice(tmp_path) as found:
        yield found


@pytest.fixture
def maria(site: RealSite) -> Iterator[httpx2.Client]:
    with site.signed_in() as found:
        yield found


def fields_of(page: str) -> dict[str, str]:
    """Return the hidden fields of the form, and what a person would leave as it is."""
    form = page.split('enctype="multipart/form-data"')[1]
    found = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', form))
    for name in ("provider", "about"):
        if f'name="{name}"' in form and name not in found:
            select = form.split(f'id="{name}"')[1].split("</select>")[0]
            found[name] = re.findall(r'value="(\d+)" selected', select)[0]
    found["subject"] = form.split('id="subject"')[1].split('value="')[1].split('"')[0]
    return found


def begun(browser: httpx2.Client, path: str = "/messages/new") -> dict[str, str]:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return fields_of(answer.text)


def send(browser: httpx2.Client, values: dict[str, str], *files: tuple[str, bytes]) -> httpx2.Response:
    parts: list[Any] = [(name, (None, text)) for name, text in values.items()]
    parts += [("files", (name, content)) for name, content in files]
    return browser.post("/messages/new", files=parts)


def sent(site: RealSite) -> list[tuple[object, ...]]:
    columns = "PatNum, PatNumSubj, ProvNumWebMail, SentOrReceived, Subject, BodyText, EmailMessageNum"
    which = "EmailMessageNum > 722 AND MsgType = 'WebMail'"
    return site.sql(f"SELECT {columns} FROM emailmessage WHERE {which} ORDER BY 7")


def test_the_box_a_message_and_an_answer(site: RealSite, maria: httpx2.Client) -> None:
    box = maria.get("/messages").text
    assert "RE: Sore tooth" in box
    assert "1 new" in box
    assert len(box.encode()) < 30_000
    page = maria.get("/messages/701").text
    assert "Dear reader,\nthis is message 701." in page
    assert "Plan.pdf" in page
    assert "this is message 700." in page
    assert "1 new" not in maria.get("/messages").text
    assert site.sql("SELECT SentOrReceived FROM emailmessage WHERE EmailMessageNum = 701") == [(7,)]
    file = maria.get("/messages/701/files/801")
    assert (file.status_code, file.headers["content-type"]) == (200, "application/pdf")
    values = begun(maria, "/messages/new?reply=702")
    assert (values["subject"], values["provider"], values["about"]) == ("RE: Night guard", str(READER), "12")
    answer = send(maria, values | {"text": "Thank you.\r\nSee you."})
    assert answer.status_code == 303
    ((login, about, provider, state, subject, text, number),) = sent(site)
    assert (login, about, provider, state) == (Cast.MARIA, Cast.LUIS, READER, 4)
    assert (subject, text) == ("RE: Night guard", "Thank you.\r\nSee you.")
    assert answer.headers["location"].endswith(f"/messages/{number}?notice=sent")
    assert "Your message is in the office" in maria.get(f"/messages/{number}?notice=sent").text
    assert "Not read yet" in maria.get("/messages?box=sent").text


def test_a_form_that_is_sent_again_is_the_same_message(site: RealSite, maria: httpx2.Client) -> None:
    values = begun(maria) | {"subject": "Once", "text": "Only once."}
    site.losing["portal.message-send"] = AnswerLost(call="portal.message-send", reason="the link went down")
    lost = send(maria, values, ("a.png", PNG))
    assert lost.status_code >= 500
    assert "Only once." in lost.text
    for form in (values, fields_of(lost.text) | {"text": "Only once."}):
        assert send(maria, form, *([("a.png", PNG)] if form is values else [])).status_code == 303
    with site.signed_in() as later:
        again = send(later, values)  # the old form, in a new session
        assert again.status_code == 403
        assert "Only once." in again.text
        assert send(later, fields_of(again.text) | {"text": "Only once."}).status_code in {303, 409, 422}
    assert len(sent(site)) == 1


def test_files_arrive_and_stay_when_something_else_was_wrong(site: RealSite, maria: httpx2.Client) -> None:
    large = b"%PDF-1.7\n" + bytes(range(256)) * 4096
    first = send(maria, begun(maria) | {"text": "Here."}, ("tooth.jpg", PNG), ("plan.pdf", large), ("x.zip", b"PK\3\4"))
    assert first.status_code == 422
    assert "x.zip: Only pictures" in first.text
    values = fields_of(first.text)
    assert values["kept-0"] == f"{len(PNG)}:tooth.jpg"
    answer = send(maria, values | {"subject": "Files", "text": "Here.", "drop-0": "1"}, ("second.png", PNG))
    assert answer.status_code == 303
    rows = site.sql("SELECT DisplayedFileName, ActualFileName FROM emailattach WHERE EmailAttachNum > 802")
    assert [shown for shown, _ in rows] == ["plan.pdf", "second.png"]
    assert (site.images / "EmailAttachments" / rows[0][1].replace("\\", "/")).read_bytes() == large


def test_more_than_20_mb_is_refused_and_nothing_is_kept(site: RealSite, maria: httpx2.Client) -> None:
    values = begun(maria) | {"subject": "Large", "text": "Here."}
    most = b"%PDF-1.7\n" + b"x" * (calls.FILE_BYTES - 9)
    both = send(maria, values, ("a.pdf", most[:-1]), ("b.png", PNG))
    assert both.status_code == 422
    assert "20 MB together" in both.text
    too_large = send(maria, values, ("a.pdf", most + b"x" * 2_000_000))
    assert too_large.status_code == 413
    assert send(maria, begun(maria) | {"subject": "Large", "text": "Here."}, ("a.pdf", most)).status_code == 303
    assert len(sent(site)) == 1


@pytest.mark.parametrize("cause", [OfficeUnreachable(last_seen="2026-11-24T14:05"), DatabaseAway(reason="away")])
@pytest.mark.parametrize("call", ["portal.message-send", "portal.message-piece"])
def test_what_was_typed_stays_when_the_office_cannot_be_reached(
    site: RealSite, maria: httpx2.Client, cause: Exception, call: str
) -> None:
    values = begun(maria) | {"subject": "Kept", "text": "Still <here>."}
    site.failing[call] = cause  # type: ignore[assignment]
    answer = send(maria, values, ("a.png", PNG))
    assert answer.status_code == 503, answer.status_code
    assert "Still &lt;here&gt;." in answer.text
    del site.failing[call]
    assert send(maria, fields_of(answer.text) | {"text": "Still <here>."}).status_code == 303
    assert len(sent(site)) == 1


@pytest.mark.parametrize("call", ["portal.message-send", "portal.message-piece"])
def test_a_session_that_ended_meanwhile_keeps_what_was_typed(site: RealSite, maria: httpx2.Client, call: str) -> None:
    values = begun(maria) | {"subject": "Kept", "text": "Still here."}
    site.failing[call] = SessionEnded(reason="idle")
    answer = send(maria, values, ("a.png", PNG))
    assert answer.status_code == 401
    assert "Still here." in answer.text
    site.failing.clear()
    with site.signed_in() as later:  # in another tab
        tidied = send(later, values, ("a.png", PNG))
        assert "nothing was sent yet" in tidied.text
        assert "choose them again: a.png" in tidied.text
        assert send(later, fields_of(tidied.text) | {"text": "Still here."}).status_code == 303
    assert len(sent(site)) == 1


def test_a_form_from_elsewhere_sends_nothing_into_the_office(site: RealSite, maria: httpx2.Client) -> None:
    values = begun(maria) | {"subject": "x", "text": "y"}
    for token in ("", "a.b", token_in(maria.get("/messages").text)[:-1]):
        assert send(maria, values | {"form_token": token}, ("a.png", PNG)).status_code == 403
    late = {name: text for name, text in values.items() if name != "form_token"}
    parts: list[Any] = [("files", ("a.png", PNG)), *((name, (None, text)) for name, text in values.items())]
    assert maria.post("/messages/new", files=parts).status_code == 303  # the file came before the token: left out
    assert send(maria, late, ("a.png", PNG)).status_code == 403
    assert maria.post("/messages/new", data=values | {"draft": "another-draft"}).status_code == 303
    assert maria.post("/messages/new", content=b"x" * 100, headers={"content-type": "multipart/form-data; boundary=a"})
    assert site.sql("SELECT COUNT(*) FROM emailattach") == [(2,)]
    foreign = maria.post("/messages/new", data=values, headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403


def test_text_of_whoever_is_shown_as_text(site: RealSite, maria: httpx2.Client) -> None:
    for column in ("Subject", "BodyText", "FromAddress", "ToAddress"):
        site.sql(f"UPDATE emailmessage SET {column} = ? WHERE EmailMessageNum IN (700, 701)", NASTY)
    site.sql("UPDATE emailattach SET DisplayedFileName = ?", NASTY[:250])
    pages = [maria.get(path).text for path in ("/messages", "/messages?box=sent", "/messages/701")]
    pages.append(maria.get("/messages/new?reply=701").text)
    for page in pages:
        assert "&lt;script&gt;" in page
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert 'href="https://evil' not in page
        assert "{{ 7*7 }}" in page
    head = maria.get("/messages/701/files/801").headers["content-disposition"]
    assert "<" not in head
    assert "\n" not in head


def test_what_a_form_cannot_name(site: RealSite, maria: httpx2.Client) -> None:
    values = begun(maria) | {"subject": "x", "text": "y"}
    assert send(maria, values | {"about": str(int(Cast.GRETA))}).status_code == 404
    refused = send(maria, values | {"provider": str(HIDDEN)})
    assert refused.status_code == 422
    assert "Nobody in the office reads" in refused.text
    for path in ("/messages/704", "/messages/99999", "/messages/720", "/messages/701/files/802", "/messages/x"):
        assert maria.get(path).status_code == 404, path
    assert maria.get(f"/messages?person={int(Cast.GRETA)}").status_code == 404
    assert sent(site) == []


def test_spanish(site: RealSite) -> None:
    with site.signed_in(headers={"accept-language": "es-MX"}) as maria:
        page = send(maria, begun(maria) | {"text": "Hola"}, ("x.zip", b"PK\3\4")).text
    assert "Escriba de qué se trata." in page
    assert "Solo se pueden enviar imágenes" in page
    assert 'lang="es' in page

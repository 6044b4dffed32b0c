"""The pages of sending a care summary, and of who was sent one, without a browser."""

import io
import re
import zipfile
from collections.abc import Iterator

import httpx2
import pytest

from econnector.base.errors import AnswerLost, DatabaseBusy, HqAway
from tests.support.practice import PASSWORD, Cast, user_name
from tests.support.realsite import RealSite, serve_practice
from tests.support.site import client, token_in

SEND = f"/health/summary/send?person={int(Cast.ANA)}"
DOCTOR = "dr.reyes@clinic.example"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSite]:
    with serve_practice(tmp_path_factory.mktemp("sharing")) as found:
        found.sql("INSERT INTO preference (PrefName, ValueString) VALUES ('PatientPortalURL', ?)", found.base)
        with client(found.base) as first:
            assert first.get("/sign-in").status_code == 200  # the office opens its files
        yield found


@pytest.fixture(autouse=True)
def nothing_sent(site: RealSite) -> None:
    site.state("DELETE FROM summary_share")
    site.state("DELETE FROM outbox")
    site.state("DELETE FROM portal_throttle")


@pytest.fixture
def maria(site: RealSite) -> Iterator[httpx2.Client]:
    with site.signed_in(Cast.MARIA) as found:
        yield found


@pytest.fixture
def doctor(site: RealSite) -> Iterator[httpx2.Client]:
    with client(site.base, headers={"accept-language": "en"}) as found:
        yield found


def filled(page: httpx2.Response, **typed: str) -> dict[str, str]:
    """Return the page's form as somebody fills it in."""
    (draft,) = re.findall(r'name="draft" value="([0-9a-f]{32})"', page.text)
    fields = {"draft": draft, "address": DOCTOR, "note": "", "first": "", "last": "", "language": "en"}
    return fields | {"form_token": token_in(page.text)} | typed


def sent(site: RealSite, browser: httpx2.Client, **typed: str) -> tuple[str, str]:
    """Send a summary; return the mail's link and the code on the page."""
    done = browser.post(SEND, data=filled(browser.get(SEND), **typed))
    assert done.status_code == 303, done.text
    where = done.headers["location"]
    assert re.fullmatch(rf"/o/practice/portal{re.escape(SEND)}&sent=[2-9A-Z]{{4}}-[2-9A-Z]{{4}}#code", where)
    (code,) = re.findall(
        r"<code>([2-9A-Z]{4}-[2-9A-Z]{4})</code>", browser.get(where.removeprefix("/o/practice/portal")).text
    )
    ((text,),) = site.state("SELECT text FROM outbox ORDER BY id DESC LIMIT 1")
    link = re.search(r"^http\S+#\S+$", text, re.MULTILINE)
    assert link
    return link[0], code


def opened(browser: httpx2.Client, link: str, code: str) -> httpx2.Response:
    """Go to the page of the link, and send link and code."""
    address, _, key = link.partition("#")
    page = browser.get(address)
    return browser.post("/shared", data={"form_token": token_in(page.text), "link": key, "code": code})


def ticket_in(page: httpx2.Response) -> dict[str, str]:
    found = re.findall(r'name="ticket" value="([^"]+)"', page.text)
    return {"form_token": token_in(page.text), "ticket": found[0]}


def shown(page: httpx2.Response) -> str:
    """Return what a page shows, without what differs each time."""
    return re.sub(r'value="[^"]*"|<strong>[0-9A-Z-]{9}</strong>', "", page.text).split("<main")[1]


def test_from_the_form_to_the_receivers_zip(site: RealSite, maria: httpx2.Client, doctor: httpx2.Client) -> None:
    form = maria.get(SEND)
    assert "Send the care summary of Ana Delgado" in form.text
    assert "it is in no e-mail" not in form.text
    link, code = sent(site, maria, note="Ana's new <dentist>", first="2020-01-31")
    for _ in range(3):  # programs that look at every link of a mail come first
        page = doctor.get(link)
    assert (page.headers["cache-control"], page.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert page.headers["x-robots-tag"] == "noindex, nofollow"
    assert "script-src 'self'" in page.headers["content-security-policy"]
    ready = opened(doctor, link, code.lower())
    assert ready.status_code == 200
    assert ready.headers["cache-control"] == "no-store"
    for word in ("Ana", "Maria", "Delgado", code, link.partition("#")[2]):
        assert word not in ready.text
    zipped = doctor.post("/shared/file", data=ticket_in(ready) | {"kind": "zip"})
    assert zipped.headers["content-disposition"].startswith('attachment; filename="Health document.zip"')
    with zipfile.ZipFile(io.BytesIO(zipped.content)) as archive:
        assert sorted(name.rpartition(".")[2] for name in archive.namelist()) == ["html", "pdf", "xml"]
    pdf = doctor.post("/shared/file", data=ticket_in(ready) | {"kind": "pdf"})
    assert (pdf.content[:4], pdf.headers["content-type"]) == (b"%PDF", "application/pdf")
    after = maria.get(SEND).text
    assert "Downloaded 2 times" in after
    assert "Ana&#39;s new &lt;dentist&gt;" in after
    assert "Fri 31 Jan 2020 to …" in after
    assert DOCTOR in maria.get(f"/health/summary/history?person={int(Cast.ANA)}").text
    assert "The care summary that was sent was opened" in maria.get(f"/who-looked?person={int(Cast.ANA)}").text


def test_what_is_wrong_is_said_alike_and_typed_again(
    site: RealSite, maria: httpx2.Client, doctor: httpx2.Client
) -> None:
    link, code = sent(site, maria)
    address, _, key = link.partition("#")
    empty = doctor.post("/shared", data={"form_token": token_in(doctor.get(address).text), "link": " ", "code": ""})
    assert empty.status_code == 422
    assert "Enter the code." in empty.text
    nobodys, wrong = opened(doctor, f"{address}#{'0' * 32}", code), opened(doctor, link, "2222-2222")
    assert (nobodys.status_code, wrong.status_code) == (403, 403)
    assert shown(nobodys) == shown(wrong)
    assert f'type="hidden" name="link" value="{key}"' in wrong.text  # only the code is typed again
    again = doctor.post("/shared", data={"form_token": token_in(wrong.text), "link": key, "code": code})
    assert again.status_code == 200
    foreign = doctor.post("/shared", data={"form_token": "a.b", "link": key, "code": code})
    assert foreign.status_code == 403
    assert doctor.post("/shared/file", data=ticket_in(again) | {"form_token": "a.b"}).status_code == 403


def test_a_withdrawn_share_ends_on_the_receivers_page(
    site: RealSite, maria: httpx2.Client, doctor: httpx2.Client
) -> None:
    link, code = sent(site, maria)
    ready = opened(doctor, link, code)
    page = maria.get(SEND)
    (share,) = re.findall(r'name="share" value="([^"]+)"', page.text)
    where = f"/health/summary/send/withdraw?person={int(Cast.ANA)}"
    assert maria.post(where, data={"form_token": "a.b", "share": share}).status_code == 403
    done = maria.post(where, data={"form_token": token_in(page.text), "share": share})
    assert done.headers["location"].endswith(f"{SEND}&notice=withdrawn")
    after = maria.get(f"{SEND}&notice=withdrawn").text
    assert "Link and code open nothing any more" in after
    assert 'name="share"' not in after
    gone = doctor.post("/shared/file", data=ticket_in(ready) | {"kind": "zip"})
    assert gone.status_code == 403
    assert "This does not open" in gone.text
    assert opened(doctor, link, code).status_code == 403


def test_what_was_typed_stays_with_what_is_wrong_about_it(site: RealSite, maria: httpx2.Client) -> None:
    cases = {
        "address": {"address": "not an address", "note": "for Ana"},
        "last": {"first": "2020-02-02", "last": "2020-01-01", "note": "for Ana"},
        "first": {"first": "soon", "note": "for Ana"},
        "note": {"note": "for Ana" + "x" * 80},
    }
    for field, typed in cases.items():
        page = maria.post(SEND, data=filled(maria.get(SEND), **typed))
        assert page.status_code == 422, field
        assert f'id="{field}-wrong"' in page.text
        assert 'value="for Ana' in page.text
    foreign = maria.post(SEND, data=filled(maria.get(SEND), address="kept@x.example") | {"form_token": "a.b"})
    assert foreign.status_code == 403
    assert 'value="kept@x.example"' in foreign.text
    assert site.state("SELECT * FROM summary_share") == []


def test_the_same_form_sent_twice_or_after_a_lost_answer_is_one_mail(site: RealSite, maria: httpx2.Client) -> None:
    fields = filled(maria.get(SEND))
    site.losing["portal.share"] = AnswerLost(call="portal.share", reason="the link went down")
    lost = maria.post(SEND, data=fields)
    assert lost.status_code >= 500
    assert f'value="{DOCTOR}"' in lost.text
    first, second = maria.post(SEND, data=fields), maria.post(SEND, data=fields)
    assert first.headers["location"] == second.headers["location"]
    assert len(site.state("SELECT * FROM outbox")) == 1
    changed = maria.post(SEND, data=fields | {"address": "other@x.example"})
    assert "This was sent already" in changed.text


def test_a_link_to_the_office_that_is_down_loses_nothing(
    site: RealSite, maria: httpx2.Client, doctor: httpx2.Client
) -> None:
    link, code = sent(site, maria)
    site.failing["portal.open-share"] = HqAway(url="wss://hq.example.com", reason="no answer")
    away = opened(doctor, link, code)
    assert away.status_code == 503
    assert f'value="{link.partition("#")[2]}"' in away.text
    assert code not in away.text
    site.failing.clear()
    fields = filled(maria.get(SEND), address="kept@x.example")
    site.failing["portal.share"] = site.failing["portal.sharing"] = DatabaseBusy(limit="10", reason="locked")
    busy = maria.post(SEND, data=fields)
    site.failing.clear()
    assert busy.status_code >= 500
    assert 'value="kept@x.example"' in busy.text
    assert maria.post(SEND, data=fields).status_code == 303


def test_a_session_that_ended_brings_the_form_back(site: RealSite, maria: httpx2.Client) -> None:
    fields = filled(maria.get(SEND), note="for Ana")
    site.state("DELETE FROM portal_session")
    asked = maria.post(SEND, data=fields)
    assert asked.status_code == 401
    entering = {
        **dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', asked.text)),
        "signin-user_name": user_name(Cast.MARIA),
        "signin-password": PASSWORD,
    }
    back = maria.post(SEND, data=entering)
    assert back.status_code == 200
    assert f'value="{DOCTOR}"' in back.text
    assert site.state("SELECT * FROM outbox") == []
    assert maria.post(SEND, data=filled(back, note="for Ana")).status_code == 303


def test_a_stranger_is_sent_to_sign_in_and_brought_back(site: RealSite) -> None:
    with client(site.base) as browser:
        answer = browser.get(SEND)
        assert answer.headers["location"].endswith("sign-in?next=%2Fhealth%2Fsummary%2Fsend%3Fperson%3D13")
    with site.signed_in(Cast.LUIS) as luis:
        assert luis.get(SEND).status_code == 404


def test_the_pages_speak_spanish(site: RealSite, maria: httpx2.Client) -> None:
    link, code = sent(site, maria, language="es")
    with client(site.base, headers={"accept-language": "es-MX"}) as receiver:
        assert "Un documento de salud para usted" in receiver.get(link).text
        assert "Esto no abre" in opened(receiver, link, "2222-2222").text
        ready = opened(receiver, link, code)
        assert "Su documento está listo" in ready.text
        name = receiver.post("/shared/file", data=ticket_in(ready) | {"kind": "zip"}).headers["content-disposition"]
        assert 'filename="Documento de salud.zip"' in name
    assert "Enviar el resumen de atención de Ana Delgado" in maria.get(SEND, headers={"accept-language": "es"}).text

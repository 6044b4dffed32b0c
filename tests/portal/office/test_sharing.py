"""A care summary goes to somebody else: a link by mail, a code from mouth to ear, once, and everybody can see it."""

import asyncio
import datetime as dt
import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from econnector.base.errors import (
    CareSummaryNotLoaded,
    CareSummaryNotSetUp,
    DatabaseBusy,
    Failure,
    NotAllowed,
    PageOff,
    ShareNotSent,
)
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import sharing_letter, sweep
from econnector.opendental import audit, summarylog, tables
from econnector.storage.state import outbox, portalrules, summary_shares
from econnector.storage.state.portalrules import Rules
from tests.portal.office.sharing import DOCTOR, URL, SharingOffice
from tests.support.practice import Cast, PortalOffice

SHARE = re.compile(r"[2-9A-Z]{4}-[2-9A-Z]{4}")


@pytest.fixture
async def sharing(portal_office_sqlite: PortalOffice) -> AsyncIterator[SharingOffice]:
    office = await SharingOffice(portal_office_sqlite).begin()
    yield office
    await office.mails()


@pytest.mark.parametrize(
    "portal_office",
    ["sqlite", *(pytest.param(one, marks=pytest.mark.shared) for one in ("21.1", "24.3"))],
    indirect=True,
)
async def test_a_guardian_sends_a_childs_summary_and_sees_it_opened(portal_office: PortalOffice) -> None:
    office = await SharingOffice(portal_office).begin()
    first = dt.date(2020, 1, 31)
    share, link, code = await office.sent(note="  Ana's  new dentist ", first=first, language="es")
    assert SHARE.fullmatch(share)
    assert SHARE.fullmatch(code)
    (mail,) = await office.mails()
    assert (mail.recipient, mail.purpose, mail.patient, mail.kind) == (DOCTOR, "portal", 0, "Undefined")
    assert mail.subject == "Bright Smile Dental: un documento de salud para usted"
    assert f"{URL}/shared#{link}\n" in mail.text
    until = office.clock.now().astimezone() + dt.timedelta(days=7)
    assert f"sirve hasta el {['lun', 'mar', 'mié', 'jue', 'vie', 'sáb', 'dom'][until.weekday()]}" in mail.text
    assert not {"Ana", "Maria", "Delgado", "dentist", code, share} & set(re.findall(r"[\w-]+", mail.text))
    assert await office.trail() == [(Cast.MARIA, f"Patient portal: sent the care summary (to {DOCTOR}, {share}).")]
    (counted,) = await office.counted()
    assert counted.startswith(f"Patient portal: sent the care summary (to {DOCTOR}, {share})")
    opened = await office.open(f" {link.upper()} ", code.lower().replace("-", " "))
    assert (opened.language, opened.seconds) == ("es", 1800)
    assert await office.trail() == [(Cast.MARIA, f"Patient portal: sent the care summary (to {DOCTOR}, {share}).")]
    files = await office.unpacked(opened.ticket)
    assert sorted(files) == ["html", "pdf", "xml"]
    assert files["pdf"].startswith(b"%PDF")
    assert b"urn:hl7-org:v3" in files["xml"]
    assert "Delgado" in files["xml"].decode()
    assert "20200131" in files["xml"].decode()
    head, pdf = await office.download(opened.ticket, "pdf")
    assert (head.name, head.media_type, pdf[:4]) == ("Documento de salud.pdf", "application/pdf", b"%PDF")
    said = f"Patient portal: opened the sent care summary (to {DOCTOR}, {share})."
    assert (await office.trail())[1:] == [(Cast.MARIA, said)] * 2
    page = await office.page()
    assert page.made is None  # the receiver has it, so nobody needs the code
    (item,) = page.items
    assert (item.address, item.note, item.by_name, item.state) == (DOCTOR, "Ana's new dentist", "Maria Delgado", "open")
    assert (item.first, item.last, item.opened, item.may_withdraw) == ("2020-01-31", "", 2, True)
    assert item.opened_first
    looked = await office.ask(calls.WHO_LOOKED, calls.PageAsked(office.token, Cast.ANA))
    assert [look.what for look in looked.items][:2] == ["summary-opened", "summary-sent"]
    history = await office.ask(calls.CARE_SUMMARY_HISTORY, calls.PageAsked(office.token, Cast.ANA))
    assert [(deed.what, deed.representative) for deed in history.items] == [
        ("opened", True), ("opened", True), ("sent", True),
    ]  # fmt: skip
    assert [deed.detail for deed in history.items] == ["", "", DOCTOR]
    for row in await portal_office.rows(tables.securitylog, FKey=Cast.ANA):
        seal = await portal_office.rows(tables.securityloghash, SecurityLogNum=row.SecurityLogNum)
        assert len(seal) == 1 or "looked at" in row.LogText
    assert await portal_office.rows(tables.emailmessage, PatNum=Cast.ANA, ToAddress=DOCTOR) == []


async def test_the_same_form_is_sent_once_however_often_it_comes(sharing: SharingOffice) -> None:
    form = sharing.form()
    sent = await asyncio.gather(*(sharing.ask(calls.SHARE, form) for _ in range(3)))
    assert len({one.share for one in sent}) == 1
    assert await sharing.ask(calls.SHARE, form) == sent[0]
    assert len(await sharing.mails()) == 1
    assert len(await sharing.trail()) == 1
    form.address = "somebody.else@clinic.example"
    with pytest.raises(ShareNotSent) as caught:
        await sharing.ask(calls.SHARE, form)
    assert caught.value.facts["rule"] == "sent-before"
    assert len((await sharing.page()).items) == len(await sharing.mails()) == 1


STEPS: dict[str, tuple[object, str]] = {
    "the trail": (summarylog, "note"),
    "its seal": (audit, "seal"),
    "the letter": (outbox, "put"),
    "the end": (summary_shares, "finish"),
}
"""What a step of sending calls."""


def dying(monkeypatch: pytest.MonkeyPatch, where: object, name: str) -> None:
    def die(*_: object, **__: object) -> Any:
        raise DatabaseBusy(limit="10", reason="a table was locked for too long")

    monkeypatch.setattr(where, name, die)


@pytest.mark.parametrize("step", STEPS)
async def test_whatever_step_breaks_off_the_same_form_completes_it_once(
    sharing: SharingOffice, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    form = sharing.form()
    with monkeypatch.context() as broken:
        dying(broken, *STEPS[step])
        with pytest.raises(DatabaseBusy):
            await sharing.ask(calls.SHARE, form)
        assert len(await sharing.mails()) == (step == "the end")
    share = (await sharing.ask(calls.SHARE, form)).share
    assert len(await sharing.mails()) == len(await sharing.trail()) == len(await sharing.counted()) == 1
    assert (await sharing.open(await sharing.link(), await sharing.told(share))).ticket


@pytest.mark.parametrize(("step", "mails"), [("the trail", 0), ("the letter", 1), ("the end", 1)])
async def test_what_a_dead_connector_left_is_completed_later_or_was_never_sent(
    sharing: SharingOffice, monkeypatch: pytest.MonkeyPatch, step: str, mails: int
) -> None:
    with monkeypatch.context() as broken:
        dying(broken, *STEPS[step])
        with pytest.raises(DatabaseBusy):
            await sharing.send()
    sharing.answer_with(0.001)  # it has started anew
    sharing.clock.advance(1200)
    for _ in range(2):
        page = await sharing.page()
    assert len(page.items) == len(await sharing.mails()) == len(await sharing.trail()) == mails
    assert [item.state for item in page.items] == ["waiting"] * mails
    assert len(await sharing.counted()) == mails


async def test_nobody_sends_what_they_may_not_see(sharing: SharingOffice) -> None:
    for person in (Cast.GRETA, Cast.PAUL, Cast.BEN, Cast.MERGED, 2**63 - 1):
        with pytest.raises(NotAllowed):
            await sharing.send(person)
        with pytest.raises(NotAllowed):
            await sharing.page(person)
    await sharing.state.run(portalrules.write, Rules(off=frozenset({"health"})))
    for doing in (sharing.send, sharing.page):
        with pytest.raises(PageOff):
            await doing()
    assert await sharing.mails() == []
    assert await sharing.trail() == []


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("address", {"address": ""}),
    ("address", {"address": "a@x.example, b@x.example"}),
    ("address", {"address": "a@x.example\r\nBcc: b@x.example"}),
    ("address", {"address": "Dr. <a@x.example>"}),
    ("address", {"address": "root@localhost"}),
    ("address", {"address": f"{'a' * 250}@x.example"}),
    ("note", {"note": "x" * 81}),
    ("note", {"note": "\x1b[2J"}),
    ("period", {"first": dt.date(2020, 1, 2), "last": dt.date(2020, 1, 1)}),
    ("period", {"first": dt.date(2999, 1, 1)}),
    ("language", {"language": "de"}),
]


@pytest.mark.causes("share-not-sent")
async def test_what_cannot_be_sent_is_refused_by_name(sharing: SharingOffice) -> None:
    for rule, typed in REFUSED:
        with pytest.raises(ShareNotSent) as caught:
            await sharing.send(**typed)
        assert caught.value.facts["rule"] == rule, typed
    assert await sharing.mails() == []


async def test_nothing_is_sent_that_could_not_be_opened(sharing: SharingOffice) -> None:
    practice = sharing.office

    async def none(table: Any) -> None:
        await practice.front_desk.run(lambda connection: connection.execute(table.delete()))

    async def refused(kind: type[Failure]) -> Failure:
        with pytest.raises(kind) as caught:
            await sharing.send()
        return caught.value

    await practice.prefer("PatientPortalURL", "")
    assert (await refused(ShareNotSent)).facts["rule"] == "mail"
    await practice.prefer("PatientPortalURL", URL)
    await practice.change(tables.patient, {"City": ""}, PatNum=Cast.ANA)
    await refused(CareSummaryNotSetUp)
    await practice.change(tables.patient, {"City": "Salem"}, PatNum=Cast.ANA)
    await none(tables.snomed)
    await refused(CareSummaryNotLoaded)
    assert await sharing.mails() == []
    assert (await sharing.page()).items == []


async def test_ten_may_be_open_and_withdrawing_one_makes_room(sharing: SharingOffice) -> None:
    shares = [await sharing.send() for _ in range(summary_shares.MOST_OPEN)]
    with pytest.raises(ShareNotSent) as caught:
        await sharing.send(Cast.LUIS)
    assert caught.value.facts["rule"] == "open"
    await sharing.ask(calls.WITHDRAW_SHARE, calls.WithdrawShare(sharing.token, shares[0]))
    await sharing.send(Cast.LUIS)


async def test_the_sender_withdraws_and_so_does_whom_it_is_about_when_of_age(sharing: SharingOffice) -> None:
    luis = (await sharing.office.sign_in(Cast.LUIS)).token
    greta = (await sharing.office.sign_in(Cast.GRETA)).token
    await sharing.office.change(tables.userweb, {"Password": "MD5$$e+PQW5ayNZJNya7q5ZMmjA=="}, FKey=Cast.ANA)
    about_luis, about_ana = await sharing.send(Cast.LUIS), await sharing.send(Cast.ANA)
    ana = (await sharing.office.sign_in(Cast.ANA, "Tooth4Fairy")).token
    for token, share in ((greta, about_luis), (luis, about_ana), (ana, about_ana), (luis, "AAAA-AAAA"), (luis, "")):
        with pytest.raises(NotAllowed):
            await sharing.ask(calls.WITHDRAW_SHARE, calls.WithdrawShare(token, share))
    (seen,) = (await sharing.page(0, token=luis)).items
    assert (seen.by_name, seen.address, seen.note, seen.may_withdraw) == ("Maria Delgado", DOCTOR, "", True)
    (seen,) = (await sharing.page(0, token=ana)).items
    assert not seen.may_withdraw
    for _ in range(2):
        await sharing.ask(calls.WITHDRAW_SHARE, calls.WithdrawShare(luis, about_luis))
    await sharing.ask(calls.WITHDRAW_SHARE, calls.WithdrawShare(sharing.token, about_ana))
    assert [mail.state for mail in await sharing.mails()] == ["removed", "removed"]
    withdrew = [(who, text) for who, text in await sharing.trail(Cast.LUIS) if "withdrew" in text]
    assert withdrew == [
        (Cast.LUIS, f"Patient portal: withdrew the sent care summary (to {DOCTOR}, {about_luis})."),
    ]  # fmt: skip
    assert [item.state for item in (await sharing.page(Cast.LUIS)).items] == ["withdrawn"]
    looked = await sharing.ask(calls.WHO_LOOKED, calls.PageAsked(luis, 0))
    assert "summary-withdrawn" in [look.what for look in looked.items]


async def test_of_others_one_sees_only_what_one_sent_oneself(sharing: SharingOffice) -> None:
    stefan = (await sharing.office.sign_in(Cast.STEFAN)).token
    await sharing.send(Cast.OTTO)
    assert (await sharing.page(Cast.OTTO, token=stefan)).items == []
    assert len((await sharing.page(Cast.OTTO)).items) == 1
    assert (await sharing.page(Cast.MARIA)).items == []


async def test_the_code_is_shown_for_an_hour_in_the_session_that_sent_it(sharing: SharingOffice) -> None:
    share = await sharing.send()
    code = await sharing.told(share)
    assert await sharing.told(share) == code
    elsewhere = (await sharing.office.sign_in(Cast.MARIA)).token
    stefan = (await sharing.office.sign_in(Cast.STEFAN)).token
    assert (await sharing.page(share=share, token=elsewhere)).made is None
    assert (await sharing.page(Cast.OTTO, share=share, token=stefan)).made is None
    for _ in range(2):
        sharing.clock.advance(1800)
        page = await sharing.page(share=share)
    assert page.made is None


async def test_the_list_says_when_the_letter_could_not_be_sent(sharing: SharingOffice) -> None:
    await sharing.send()
    now = sharing.clock.now().timestamp()

    async def state() -> str:
        (item,) = (await sharing.page()).items
        return item.state

    (mail,) = await sharing.mails()
    assert await state() == "waiting"
    await sharing.state.run(outbox.failed, mail.id, "", outbox.Trouble("mail-refused", "no such user", "x"), now)
    assert await state() == "undelivered"
    await sharing.state.run(outbox.sent, mail.id, "desk@example.com", now)
    assert await state() == "open"
    (kept,) = await sharing.mails()
    assert (kept.text, kept.subject) == ("", "")
    sharing.clock.advance(7 * 86400)
    sharing.token = (await sharing.office.sign_in(Cast.MARIA)).token
    assert await state() == "old"


async def test_the_state_file_shows_nobody_link_code_or_address(sharing: SharingOffice, tmp_path: Path) -> None:
    _, link, code = await sharing.sent(note="Ana's new dentist")
    with sqlite3.connect(tmp_path / "state.db") as connection:
        rows = str(connection.execute("SELECT * FROM summary_share").fetchall())
    for secret in (link, code, code.replace("-", ""), DOCTOR, "dentist"):
        assert secret not in rows
    sharing.clock.advance(800 * 86400)
    assert await sweep(sharing.state, sharing.clock) >= 1
    with sqlite3.connect(tmp_path / "state.db") as connection:
        assert connection.execute("SELECT * FROM summary_share").fetchall() == []


def test_every_word_of_the_letter_stands_in_both_languages() -> None:
    words = sharing_letter.WORDS
    assert words["en"].keys() == words["es"].keys()
    for key, text in words["en"].items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", words["es"][key])), key

"""Who looked: what its reader may know of it, in words that the pages have."""

import re
from pathlib import Path

import econnector.eservices.portal.office as rooms
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import security
from econnector.eservices.portal.office.looked import OFFICE, UNKNOWN, WORDS, word_of
from econnector.eservices.portal.web.visiting import KIT
from econnector.opendental import tables
from econnector.opendental.accesslog import Trace
from tests.support.practice import Cast, PortalOffice

OURS = "Patient portal: "


async def documents(office: PortalOffice, token: str, person: int = 0, page: int = 0) -> calls.Documents:
    return await office.ask(calls.DOCUMENTS, calls.PageAsked(token, person, page))


async def looked(office: PortalOffice, token: str, person: int = 0, page: int = 0) -> calls.WhoLooked:
    return await office.ask(calls.WHO_LOOKED, calls.PageAsked(token, person, page))


async def test_one_reads_ones_own_sign_ins_and_what_others_did(portal_office: PortalOffice) -> None:
    office = portal_office
    maria, luis = (await office.sign_in(Cast.MARIA)).token, (await office.sign_in(Cast.LUIS)).token
    await office.ask(calls.STATEMENTS, calls.PersonAsked(maria, Cast.LUIS))
    await office.download(calls.STATEMENT_FILE, calls.StatementFile(maria, 102))
    await documents(office, luis)
    page = await looked(office, luis)
    told = {(look.what, look.who_name, look.address) for look in page.items}
    assert told == {
        ("signed-in", "Luis Delgado", "198.51.100.7"),
        ("statements", "Maria Delgado", ""),
        ("statement-opened", "Maria Delgado", ""),
        ("documents", "Luis Delgado", ""),
    }


async def test_of_somebody_else_one_reads_what_others_did_and_not_what_they_do(portal_office: PortalOffice) -> None:
    office = portal_office
    maria, luis = (await office.sign_in(Cast.MARIA)).token, (await office.sign_in(Cast.LUIS)).token
    await documents(office, luis)
    await documents(office, maria, Cast.LUIS)
    page = await looked(office, maria, Cast.LUIS)
    assert [(look.what, look.who) for look in page.items] == [("documents", Cast.MARIA)]
    assert {(look.what, look.who) for look in (await looked(office, luis)).items} == {
        ("signed-in", Cast.LUIS),
        ("documents", Cast.LUIS),
        ("documents", Cast.MARIA),
        ("who-looked", Cast.MARIA),
    }


async def test_the_same_thing_several_times_in_a_row_is_one_line(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    for second in range(3):
        await office.add(
            tables.securitylog,
            PermType=75,
            PatNum=12,
            FKey=11,
            LogSource=6,
            LogDateTime=office.clock.now().replace(tzinfo=None, year=2030, second=second),
            LogText="Patient portal: looked at the account.",
        )
    assert [(look.what, look.times) for look in (await looked(office, token)).items] == [
        ("account", 3),
        ("signed-in", 1),
    ]


async def test_no_staff_internals_and_no_text_of_anybody_else(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    when = office.clock.now().replace(tzinfo=None, year=2024)
    log = {"LogDateTime": when, "PatNum": 11, "FKey": 11}
    await office.add(tables.securitylog, **log, PermType=75, LogSource=0, UserNum=3, LogText="staff gave access")
    await office.add(tables.securitylog, **log, PermType=42, LogSource=6, UserNum=3, LogText="staff only")
    await office.add(tables.securitylog, **log, PermType=75, LogSource=6, LogText="<b>CCD of Maria viewed</b>")
    activity = {"LogDateTime": when, "PatNum": 11, "EServiceType": 5, "LogGuid": "0f8fad5b-d9cb-46"}
    await office.add(tables.eservicelog, **activity, EServiceAction=28)
    await office.add(tables.eservicelog, **activity, EServiceAction=29)
    page = await looked(office, token)
    assert sorted(look.what for look in page.items) == ["signed-in", "statement-opened", "used"]
    assert "staff" not in repr(page)
    assert "CCD" not in repr(page)


MADE_UP_LATER = {
    "forgotten": ["asked for a code by mail to choose a new password", "chose a new password with a code"],
    "privacy": ["withdrew from patient 12 the view of: account", "allowed patient 12 the view of: account"],
    "security": ["ended one of their sessions", "signed out everywhere", *security._NOTES.values()],
}
"""Texts that stand in the source in pieces, by module."""


def test_everything_that_the_portal_notes_has_its_words() -> None:
    folder = Path(rooms.__file__).parent
    texts, pieces = [text for some in MADE_UP_LATER.values() for text in some], set()
    for path in folder.glob("*.py"):
        source = path.read_text(encoding="utf-8")
        texts += [f"looked at the {what}" for what in re.findall(r'note_view\([^"()]*"([^"]+)"\)', source)]
        acted = re.findall(r'"Patient portal: ([^"]+)"', source)
        texts += [text for text in acted if "{what}" not in text and not text.startswith("{")]
        pieces |= {path.stem for text in acted if text.startswith("{")}
    assert len(texts) > 15
    assert pieces == set(MADE_UP_LATER)
    words = {text: word_of(Trace(None, 1, "acted", OURS + text, audited=True)) for text in texts}
    assert [text for text, word in words.items() if word == UNKNOWN] == []


def test_every_word_is_known_to_the_pages() -> None:
    known = KIT.texts.keys("en")
    words = {word for _, word in (*WORDS, *OFFICE)} | {UNKNOWN, "paid", "statement-opened", "office-access"}
    assert {word for word in words if f"looked-what.{word}" not in known} == set()

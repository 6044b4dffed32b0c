"""Invites by mail: from the office's button to the patient's first page, and how they are attacked."""

import asyncio
import datetime as dt
import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from econnector.base.errors import (
    AccessAsItWas,
    DatabaseBusy,
    InviteRejected,
    LoginFailed,
    PasswordRejected,
    PatientIncomplete,
    PatientMailMissing,
    PermissionMissing,
    PortalAddressMissing,
    SenderMissing,
    SessionEnded,
    UserNameRejected,
)
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import sweep
from econnector.eservices.portal.office.invitation import WORDS, page_of
from econnector.office.access import Access, tried
from econnector.office.desk import Who
from econnector.office.invites import Invites, Refused, Sent
from econnector.office.mail.accounts import Accounts
from econnector.office.mail.recording import Recorder
from econnector.opendental import emailaddresses, logins, passwords, tables
from econnector.opendental.schema import Schemas
from econnector.storage.state import outbox, second_steps
from econnector.storage.state.portal_invites import Invite
from econnector.storage.state.second_steps import Passkey
from tests.portal.security.conftest import MailedOffice
from tests.support.practice import HOME, PASSWORD, STRONG, Cast, PortalOffice, user_name

ADA = Who(7, "Ada", may_setup=True, may_admin=True)
VERA = Who(8, "Vera", may_setup=False, may_admin=False)
URL = "https://portal.example.com/o/bright/portal"
WHOLE = {"Address": "1 Elm St", "City": "Salem", "State": "OR", "HmPhone": "5550100", "Email": "ana@example.com"}
BORN = "2016-05-04"
"""Ana's birth date."""


class InvitingOffice(MailedOffice):
    """An office that may mail invites; Ana's chart is whole and she has no access."""

    def __init__(self, office: PortalOffice) -> None:
        super().__init__(office)
        rest = (office.database, office.state, Schemas(), "FRONT-DESK", office.clock)
        self.hand = Access(*rest)
        self.accounts = Accounts(office.database, Schemas())
        self.invites = Invites(*rest, accounts=self.accounts, seal=self.seal)

    async def begin(self) -> None:
        office = self.office
        await office.prefer("PatientPortalURL", URL)
        await office.change(tables.patient, WHOLE, PatNum=Cast.ANA)
        sender = {"SMTPserver": "mail.example.com", "ServerPort": 587, "EmailUsername": "desk@example.com"}
        number = await office.add(tables.emailaddress, **sender, EmailPassword=emailaddresses.encrypted("x"))
        await office.prefer("EmailDefaultAddressNum", str(number))

    async def send(self, person: Cast = Cast.ANA) -> str:
        """Invite somebody; return the code."""
        await self.invites.send(ADA, person)
        return await self.code()

    async def look(self, code: str, born: str = BORN, address: str = HOME) -> calls.Invited:
        return await self.ask(calls.INVITE, calls.Invite(code, born, address, "Firefox"))

    async def accept(self, code: str, name: str = "ana.d", password: str = STRONG, born: str = BORN) -> calls.Session:
        params = calls.AcceptInvite(code, born, HOME, "Firefox", user_name=name, password=password)
        return await self.ask(calls.ACCEPT_INVITE, params)

    async def refused(self, code: str, born: str = BORN, address: str = HOME) -> str:
        """Return the reason that the office sees; the patient sees none."""
        with pytest.raises(InviteRejected) as caught:
            await self.look(code, born, address)
        assert caught.value.public_facts() == {}
        return caught.value.facts["reason"]

    async def row(self, person: Cast = Cast.ANA) -> object:
        (found,) = await self.office.rows(tables.userweb, FKey=person)
        return found


@pytest.fixture
async def inviting(portal_office_sqlite: PortalOffice) -> AsyncIterator[InvitingOffice]:
    office = InvitingOffice(portal_office_sqlite)
    await office.begin()
    yield office
    await office.mails()


@pytest.mark.parametrize("portal_office", ["sqlite", pytest.param("24.3", marks=pytest.mark.shared)], indirect=True)
async def test_an_invite_gives_access_and_the_patient_chooses_the_rest(portal_office: PortalOffice) -> None:
    office = InvitingOffice(portal_office)
    await office.begin()
    rows = portal_office.rows
    await portal_office.change(tables.userweb, {"FKey": 0}, FKey=Cast.ANA)  # nobody's, so that there is no row
    sent = await office.invites.send(ADA, Cast.ANA)
    assert (sent.patient, sent.to, sent.given) == (Cast.ANA, "a…@example.com", True)
    assert sent.until - office.clock.now() == dt.timedelta(days=7)
    (before,) = await rows(tables.userweb, FKey=Cast.ANA)
    assert before.Password.startswith("SHA3_512$")
    assert (before.FKeyType, before.RequireUserNameChange, before.RequirePasswordChange) == (1, 1, 1)
    assert [(event.EventType, event.MoreInfo) for event in await rows(tables.ehrmeasureevent, PatNum=Cast.ANA)] == [
        (1, "")
    ]
    (mail,) = await office.mails()
    code = await office.code()
    assert (mail.recipient, mail.purpose, mail.kind) == ("ana@example.com", "invite", "PatPortalInvite")
    assert f"{URL}/invite#{code}\n" in mail.text
    assert not {"Ana", "Delgado", before.UserName} & set(re.findall(r"\w+", mail.text))
    assert (await office.look(f" {code.lower().replace('-', ' ')} ")).user_name == ""
    assert (await rows(tables.userweb, FKey=Cast.ANA)) == [before]  # looking changes nothing
    session = await office.accept(code)
    assert (session.person, session.change_user_name, session.change_password) == (Cast.ANA, False, False)
    (after,) = await rows(tables.userweb, FKey=Cast.ANA)
    assert passwords.check(after.Password, STRONG)
    assert (after.UserName, after.RequireUserNameChange, after.RequirePasswordChange) == ("ana.d", 0, 0)
    assert after.DateTimeLastLogin is not None
    assert (await office.ask(calls.HOME, calls.PersonAsked(session.token))).looking_at.number == Cast.ANA
    texts = [row.LogText for row in await rows(tables.securitylog, PatNum=Cast.ANA)]
    assert "Patient portal: Online access given, invite by mail." in texts
    assert "Patient portal: accepted the invite and chose a password." in texts
    assert code not in str(texts)
    assert "the password was changed" in (await office.mails())[-1].text
    await portal_office.state.run(outbox.sent, mail.id, "desk@example.com", office.clock.now().timestamp())
    assert code not in str(await office.postbox.list())
    await Recorder(portal_office.state, portal_office.database, Schemas()).record_one()
    (kept,) = await rows(tables.emailmessage, PatNum=Cast.ANA, MsgType="PatPortalInvite")
    assert f"{URL}/invite\n" in kept.BodyText
    assert code not in kept.BodyText
    assert code.replace("-", "") not in kept.BodyText


async def test_whoever_has_access_keeps_the_password_until_the_invite_is_accepted(inviting: InvitingOffice) -> None:
    office = inviting
    await office.office.change(tables.patient, {"Email": "maria@example.com, m2@example.com"}, PatNum=Cast.MARIA)
    before = await office.office.sign_in(Cast.MARIA)
    code = await office.send(Cast.MARIA)
    assert (await office.mails())[-1].recipient == "maria@example.com"
    assert (await office.ask(calls.HOME, calls.PersonAsked(before.token))).looking_at.number == Cast.MARIA
    born = "1984-01-02"
    assert (await office.look(code, born)).user_name == user_name(Cast.MARIA)
    await office.accept(code, "", born=born)
    with pytest.raises(SessionEnded):
        await office.ask(calls.HOME, calls.PersonAsked(before.token))
    with pytest.raises(LoginFailed):
        await office.office.sign_in(Cast.MARIA, PASSWORD)
    assert await office.office.sign_in(Cast.MARIA, STRONG)


@pytest.mark.causes("invite-rejected")
async def test_an_invite_works_once_for_seven_days_and_the_newest_counts(inviting: InvitingOffice) -> None:
    office = inviting
    first = await office.send()
    second = await office.send()
    assert [mail.state for mail in await office.mails()] == ["removed", "waiting"]  # who waits gets one letter
    assert await office.refused(first) == "no such code, or a newer invite was sent"
    office.clock.advance(7 * 86400 - 1)
    await office.look(second)
    office.clock.advance(1)
    assert await office.refused(second) == "too old"
    third = await office.send()
    done = await asyncio.gather(*(office.accept(third, f"ana.{n}") for n in range(3)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["InviteRejected", "InviteRejected", "Session"]
    assert await office.refused(third) == "it was accepted already"


async def test_what_breaks_the_rules_costs_no_code(inviting: InvitingOffice) -> None:
    office = inviting
    code = await office.send()
    office_made = (await office.office.rows(tables.userweb, FKey=Cast.ANA))[0].UserName
    await office.office.change(tables.userweb, {"RequireUserNameChange": 1}, FKey=Cast.ANA)
    for weak in ("short", "Ana Delgado 12345"):
        with pytest.raises(PasswordRejected):
            await office.accept(code, password=weak)
    for name in ("", "an", user_name(Cast.MARIA), office_made):
        with pytest.raises(UserNameRejected):
            await office.accept(code, name)
    assert (await office.accept(code)).person == Cast.ANA


async def test_a_database_that_fails_at_that_moment_costs_no_code(
    inviting: InvitingOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = await inviting.send()

    def fail(*_words: object, **_named: object) -> str:
        raise DatabaseBusy(limit="10", reason="a table was locked for too long")

    with monkeypatch.context() as locked:
        locked.setattr(logins, "set_sign_in", fail)
        with pytest.raises(DatabaseBusy):
            await inviting.accept(code)
    assert (await inviting.accept(code)).person == Cast.ANA


async def test_what_the_office_does_ends_the_invite(inviting: InvitingOffice) -> None:
    office, practice = inviting, inviting.office

    async def archive() -> None:
        await practice.change(tables.patient, {"PatStatus": 3}, PatNum=Cast.ANA)

    async def choose() -> None:  # the patient, by a code for a forgotten password
        await practice.change(tables.userweb, {"Password": passwords.make(PASSWORD)}, FKey=Cast.ANA)

    async def merge() -> None:
        await practice.add(tables.patientlink, PatNumFrom=Cast.ANA, PatNumTo=Cast.MARIA, LinkType=1)

    deeds = {
        "access was removed": lambda: office.hand.remove(ADA, Cast.ANA),
        "the password was changed after the invite was sent": lambda: office.hand.reset(ADA, Cast.ANA),
        "the password was changed after": choose,
        "the patient is archived": archive,
        "the patient was merged": merge,
    }
    for why, deed in deeds.items():
        await practice.change(tables.patient, {"PatStatus": 0}, PatNum=Cast.ANA)
        code = await office.send()
        await deed()
        assert (await office.refused(code)).startswith(why)
        with pytest.raises(InviteRejected):
            await office.accept(code)
        if why.startswith(("access", "the password")):
            assert await office.invites.last(Cast.ANA) is None
    assert not passwords.check((await practice.rows(tables.userweb, FKey=Cast.ANA))[0].Password, STRONG)


async def test_the_mail_alone_opens_nothing_and_the_birth_date_cannot_be_tried_out(inviting: InvitingOffice) -> None:
    office = inviting
    code = await office.send()
    reasons = [await office.refused(code, f"2016-05-{day:02}") for day in range(5, 12)]
    assert reasons[:5] == ["the birth date is not the chart's"] * 5
    assert reasons[-1] == "slowed down"
    assert await office.refused(code, BORN) == "slowed down"
    for day in range(12, 17):
        office.clock.advance(3600)
        assert await office.refused(code, f"2016-05-{day:02}", f"203.0.113.{day}")
    office.clock.advance(3600)
    assert await office.refused(code) == "too many wrong birth dates"
    stopped = await office.invites.last(Cast.ANA)
    assert stopped is not None
    assert stopped.state == "stopped"
    assert await office.accept(await office.send())


async def test_codes_cannot_be_tried_out_from_one_place(inviting: InvitingOffice) -> None:
    office = inviting
    code = await office.send()
    reasons = [await office.refused(f"22222-{n:05}", address="2001:db8:1:2::5") for n in range(25)]
    assert reasons[0] == "no such code, or a newer invite was sent"
    assert await office.refused(code, address="2001:db8:1:2::77") == "slowed down"
    await office.look(code)
    rows, _ = await tried(office.office.database, office.state, office.clock.now() - dt.timedelta(days=1), 50)
    assert {(row.outcome, row.reason) for row in rows} == {
        ("refused", "invite: no such code, or a newer invite was sent"),
        ("slowed", "invite: slowed down"),
    }
    assert not any("22222" in row.name for row in rows)


async def test_every_refusal_leaves_on_the_same_beat(inviting: InvitingOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    office = inviting
    code = await office.send()
    office.answer_with(0.5)
    waited: list[float] = []
    sleep, mine = asyncio.sleep, asyncio.current_task()

    async def note(seconds: float, result: object = None) -> object:
        if asyncio.current_task() is not mine:
            return await sleep(seconds, result)
        waited.append(seconds)
        return await sleep(0, result)

    monkeypatch.setattr("econnector.eservices.portal.office.desk.asyncio.sleep", note)
    for typed, born in ((code, "2016-05-05"), ("22222-22222", BORN), ("", ""), ("🦷\x00", "x")):
        await office.refused(typed, born)
    assert [wait for wait in waited if wait] == [0.5] * 4


async def test_a_second_step_is_still_asked_for(inviting: InvitingOffice) -> None:
    office = inviting
    code = await office.send()
    passkey = Passkey("n", "id", "a phone", "localhost", b"key", 0, office.clock.now(), None)
    assert await office.state.run(second_steps.add_passkey, 1000 + Cast.ANA, passkey)
    session = await office.accept(code)
    assert session.ticket
    assert not session.token


async def test_nothing_is_given_where_no_invite_can_arrive(inviting: InvitingOffice) -> None:
    office, practice = inviting, inviting.office
    before = await practice.rows(tables.userweb)
    with pytest.raises(PermissionMissing):
        await office.invites.send(VERA, Cast.ANA)
    with pytest.raises(AccessAsItWas):
        await office.invites.send(ADA, Cast.MERGED)
    with pytest.raises(PatientMailMissing):
        await office.invites.send(ADA, Cast.MARIA)
    await practice.change(tables.patient, {"Email": "call her"}, PatNum=Cast.ANA)
    with pytest.raises(PatientMailMissing):
        await office.invites.send(ADA, Cast.ANA)
    await practice.change(tables.patient, WHOLE | {"City": ""}, PatNum=Cast.ANA)
    with pytest.raises(PatientIncomplete):
        await office.invites.send(ADA, Cast.ANA)
    await practice.change(tables.patient, WHOLE, PatNum=Cast.ANA)
    for nowhere in ("", "ftp://x/y"):
        await practice.prefer("PatientPortalURL", nowhere)
        with pytest.raises(PortalAddressMissing):
            await office.invites.send(ADA, Cast.ANA)
    await practice.prefer("PatientPortalURL", URL)
    await practice.change(tables.emailaddress, {"EmailUsername": "", "SenderAddress": ""})
    with pytest.raises(SenderMissing):
        await office.invites.send(ADA, Cast.ANA)
    assert await practice.rows(tables.userweb) == before
    assert await practice.rows(tables.ehrmeasureevent, EventType=1) == []
    assert await office.mails() == []


async def test_many_are_invited_and_the_rest_is_said(inviting: InvitingOffice) -> None:
    office = inviting
    await office.office.change(tables.patient, {"Language": "spa"}, PatNum=Cast.ANA)
    done = await office.invites.send_many(ADA, [Cast.ANA, Cast.ROSA, Cast.MARIA])
    assert [type(one) for one in done] == [Sent, Refused, Refused]
    whys = [one.why for one in done if isinstance(one, Refused)]
    assert "complete" in whys[0]
    assert "e-mail address" in whys[1]
    (mail,) = await office.mails()
    assert mail.subject == "Bright Smile Dental: su invitación al portal del paciente"
    assert "no se guarda en el expediente" not in mail.text
    stands = await office.invites.last(Cast.ANA)
    assert stands is not None
    assert (stands.state, stands.mail) == ("open", "waiting")


async def test_the_state_file_holds_no_code_and_forgets_old_invites(inviting: InvitingOffice, tmp_path: Path) -> None:
    office = inviting
    code = await office.send()
    with sqlite3.connect(tmp_path / "state.db") as connection:
        rows = connection.execute("SELECT * FROM portal_invite").fetchall()
    assert len(rows) == 1
    assert code not in str(rows)
    assert code.replace("-", "") not in str(rows)
    office.clock.advance(29 * 86400)
    assert await sweep(office.state, office.clock) == 0
    office.clock.advance(2 * 86400)
    assert await sweep(office.state, office.clock) == 1
    (mail,) = await office.mails()
    await office.state.run(outbox.remove, mail.id, office.clock.now().timestamp())
    await office.state.run(outbox.sweep, office.clock.now().timestamp() + 31 * 86400)
    with sqlite3.connect(tmp_path / "state.db") as connection:
        assert connection.execute("SELECT * FROM outbox_record").fetchall() == []


def test_a_clock_that_was_set_back_keeps_no_invite_alive() -> None:
    sent = dt.datetime(2026, 11, 21, 14, 0, tzinfo=dt.UTC)
    invite = Invite(login=1, patient=2, digest="d", password="p", mail="m", sent=sent)
    moments = [sent + dt.timedelta(seconds=seconds) for seconds in (-3600, -61, -59, 0, 7 * 86400 - 1, 7 * 86400)]
    assert [invite.is_open(moment) for moment in moments] == [False, False, True, True, True, False]


def test_every_word_of_the_letter_stands_in_both_languages() -> None:
    assert WORDS["en"].keys() == WORDS["es"].keys()
    for key, text in WORDS["en"].items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", WORDS["es"][key])), key


def test_the_page_of_an_invite_follows_from_where_patients_sign_in() -> None:
    assert page_of(URL) == page_of(f"{URL}/") == page_of(f"{URL}/sign-in?next=x#y") == f"{URL}/invite"
    assert page_of("portal.example.com") == "https://portal.example.com/invite"
    assert page_of("HTTPS://portal.example.com:8443/p") == "https://portal.example.com:8443/p/invite"
    assert page_of("javascript://x/y") == page_of("https://") == page_of("https://[x") == ""

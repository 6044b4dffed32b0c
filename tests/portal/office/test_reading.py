"""Home page, statements, files; and that a session is worth something only as long as the office wants."""

import datetime as dt

import pytest
from sqlalchemy import Table, event, text

from econnector.base.errors import DatabaseBusy, FileMissing, NotAllowed, SessionEnded, UpdateRunning, VersionsDiffer
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import journal, portal_answers, sweep
from econnector.opendental import tables
from econnector.opendental.passwords import make
from econnector.opendental.schema import Schemas
from econnector.storage.files import StoredFile
from econnector.storage.state import sessions
from tests.support.practice import PASSWORD, PDF, Cast, PortalOffice


async def home(office: PortalOffice, token: str, person: int = 0) -> calls.Home:
    return await office.ask(calls.HOME, calls.PersonAsked(token, person))


async def test_anybody_may_know_the_practice(portal_office: PortalOffice) -> None:
    found = await portal_office.ask(calls.PRACTICE, calls.Nothing())
    assert found == calls.Practice("Bright Smile Dental", "5550100", "en-US")


async def test_a_home_page_asks_the_database_three_questions_besides_who_asks(portal_office: PortalOffice) -> None:
    office, said = portal_office, list[str]()
    token = (await office.sign_in(Cast.MARIA)).token
    event.listen(office.database._engine, "before_cursor_execute", lambda _c, _cursor, sql, *_rest: said.append(sql))
    await home(office, token)
    # Who asks is three: the sign-in, the preferences, the people.
    assert len([sql for sql in said if sql.lstrip("(").startswith("SELECT")]) <= 3 + 3


async def test_the_home_page_of_an_account_holder(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    page = await home(office, token)
    assert [(person.number, person.relation) for person in page.people] == [
        (Cast.MARIA, "self"),
        (Cast.ANA, "family"),
        (Cast.LUIS, "family"),
        (Cast.OTTO, "guardian"),
        (Cast.ROSA, "responsible"),
    ]
    assert page.me.name == "Maria Delgado"
    assert page.looking_at == page.me
    assert page.people[1].birth_date == "2016-05-04"
    assert page.people[1].age in range(9, 100)
    assert (page.balance_known, page.balance_cents, page.balance_as_of) == (True, 14225, "2025-12-31")
    assert (page.statement_count, page.latest_statement) == (5, "2025-11-04T10:00:00")
    assert page.session.token == token
    assert (page.session.idle_seconds, page.session.left_seconds) == (3600, 86400)


@pytest.mark.parametrize(
    ("who", "looking_at", "known", "cents", "count", "holder"),
    [
        (Cast.MARIA, Cast.ANA, True, 14225, 1, ""),
        (Cast.MARIA, Cast.OTTO, False, 0, 1, ""),  # of Stefan's family: his money is not hers to see
        (Cast.MARIA, Cast.ROSA, True, 7500, 1, ""),
        (Cast.LUIS, Cast.LUIS, False, 0, 1, "Maria Delgado"),  # not the account holder
        (Cast.GRETA, Cast.GRETA, True, -1250, 2, ""),
        (Cast.GRETA, Cast.HUGO, True, -1250, 1, ""),
        (Cast.HUGO, Cast.HUGO, False, 0, 1, "Greta Stone"),
    ],
)
async def test_whose_money_is_shown_to_whom(  # noqa: PLR0917 - one row of the table
    portal_office_sqlite: PortalOffice, who: Cast, looking_at: Cast, known: bool, cents: int, count: int, holder: str
) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(who)).token
    page = await home(office, token, looking_at)
    assert (page.balance_known, page.balance_cents, page.statement_count) == (known, cents, count)
    account = await office.ask(calls.ACCOUNT, calls.PersonAsked(token, looking_at))
    assert page.balance_holder == account.balance_holder == holder
    listed = await office.ask(calls.STATEMENTS, calls.PersonAsked(token, looking_at))
    assert (listed.balance_known, listed.balance_cents, len(listed.items)) == (known, cents, count)


async def test_a_practice_may_count_without_insurance(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    await office.prefer("BalancesDontSubtractIns", "1")
    await office.prefer("DateLastAging", "")
    page = await home(office, token)
    assert (page.balance_cents, page.balance_as_of) == (18235, "")


async def test_statements_come_newest_first_with_the_balance_of_each(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    page = await office.ask(calls.STATEMENTS, calls.PersonAsked(token))
    rows = [(item.document, item.person, item.title, item.balance_known, item.balance_cents) for item in page.items]
    assert rows == [
        (112, Cast.MARIA, "Statement", False, 0),
        (100, Cast.MARIA, "Statement", True, 13125),
        (103, Cast.ANA, "Statement", False, 0),
        (102, Cast.LUIS, "Statement", False, 0),
        (101, Cast.MARIA, "Statement", True, 40000),
    ]
    assert page.items[0].date == "2025-11-04T10:00:00"
    assert page.items[2].person_name == "Ana Delgado"
    assert (page.last_statement_cents, page.last_statement_date) == (13125, "2025-11-03")


async def test_a_statement_is_streamed_and_the_download_noted(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    head, content = await office.download(calls.STATEMENT_FILE, calls.StatementFile(token, 103))
    assert content == PDF
    assert head == calls.FileHead("Statement 2025-09-01.pdf", "application/pdf", len(PDF), "2025-09-01T10:00:00")
    (log,) = await office.rows(tables.securitylog, PermType=75)
    assert (log.PatNum, log.FKey, log.LogText) == (Cast.MARIA, Cast.ANA, "Patient portal: opened a statement.")
    (signed_in,) = await office.rows(tables.eservicelog, EServiceAction=16)
    (downloaded,) = await office.rows(tables.eservicelog, EServiceAction=28)
    assert downloaded.LogGuid == signed_in.LogGuid
    assert downloaded.PatNum == Cast.MARIA


async def test_a_file_is_closed_when_its_download_cannot_be_noted(
    portal_office_sqlite: PortalOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DatabaseBusy(limit="1", reason="a test")

    office, closed = portal_office_sqlite, list[str]()
    token = (await office.sign_in(Cast.MARIA)).token
    close = StoredFile.aclose

    async def aclose(stored: StoredFile) -> None:
        closed.append(stored.name)
        await close(stored)

    monkeypatch.setattr(StoredFile, "aclose", aclose)
    monkeypatch.setattr(journal, "downloaded_statement", fail)
    with pytest.raises(DatabaseBusy):
        await office.ask(calls.STATEMENT_FILE, calls.StatementFile(token, 100))
    assert closed == ["Maria100.pdf"]


async def test_a_sign_in_finishes_what_a_killed_connector_left(portal_office: PortalOffice) -> None:
    office = portal_office
    await office.sign_in(Cast.MARIA)
    (log,) = await office.rows(tables.securitylog, PermType=175)
    an_hour_ago = log.LogDateTime - dt.timedelta(hours=1)
    await office.change(tables.securitylog, {"LogDateTime": an_hour_ago}, SecurityLogNum=log.SecurityLogNum)
    await office.change(tables.securityloghash, {"SecurityLogNum": 0}, SecurityLogNum=log.SecurityLogNum)
    office.answers = portal_answers(office.database, office.state, Schemas(), office.images, office.clock, beat=0.001)
    await office.sign_in(Cast.MARIA)
    sealed = {row.SecurityLogNum for row in await office.rows(tables.securityloghash)}
    written = {row.SecurityLogNum for row in await office.rows(tables.securitylog, PermType=175)}
    assert len(written) == 2
    assert written <= sealed


async def test_looking_at_somebody_else_is_noted(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    await home(office, token)
    assert await office.rows(tables.securitylog, PermType=75) == []
    await home(office, token, Cast.ANA)
    await office.ask(calls.STATEMENTS, calls.PersonAsked(token))
    logs = await office.rows(tables.securitylog, PermType=75)
    assert [(log.PatNum, log.FKey) for log in logs] == [(Cast.MARIA, Cast.ANA), (Cast.MARIA, Cast.MARIA)]


async def test_a_missing_file_is_the_offices_to_know(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    (office.root / "M" / "Maria11" / "Maria100.pdf").unlink()
    with pytest.raises(FileMissing) as caught:
        await office.download(calls.STATEMENT_FILE, calls.StatementFile(token, 100))
    assert caught.value.public_facts() == {}
    assert "Maria" not in caught.value.patient_text()
    assert await office.rows(tables.eservicelog, EServiceAction=28) == []


async def test_what_is_no_statement_is_not_to_be_opened(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    for document in (107, 108, 109, 110, 111, 116, 0, -1, 999, 2**62, 2**63, 2**64 - 1):
        with pytest.raises(NotAllowed):
            await office.download(calls.STATEMENT_FILE, calls.StatementFile(token, document))


async def test_without_fam_phi_access_the_family_is_not_seen(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    await office.prefer("FamPhiAccess", "0")
    page = await home(office, token)
    assert [person.number for person in page.people] == [Cast.MARIA, Cast.OTTO, Cast.ROSA]
    assert (page.balance_known, page.statement_count) == (True, 3)
    for document in (102, 103):
        with pytest.raises(NotAllowed):
            await office.download(calls.STATEMENT_FILE, calls.StatementFile(token, document))


@pytest.mark.causes("not-allowed")
async def test_a_bond_that_the_office_cuts_ends_at_the_next_call(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    await home(office, token, Cast.OTTO)
    await office.change(tables.guardian, {"IsGuardian": 0}, PatNumChild=Cast.OTTO)
    await office.change(tables.patient, {"ResponsParty": 0}, PatNum=Cast.ROSA)
    await office.change(tables.patient, {"PatStatus": 3}, PatNum=Cast.ANA)
    for person in (Cast.OTTO, Cast.ROSA, Cast.ANA):
        with pytest.raises(NotAllowed):
            await home(office, token, person)
    assert [person.number for person in (await home(office, token)).people] == [Cast.MARIA, Cast.LUIS]


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (tables.userweb, {"Password": "None$$"}),
        (tables.userweb, {"Password": ""}),
        (tables.userweb, {"Password": make(PASSWORD)}),
        (tables.userweb, {"FKey": int(Cast.GRETA)}),
        (tables.userweb, {"FKeyType": 0}),
        (tables.patient, {"PatStatus": 3}),
        (tables.patient, {"PatStatus": 4}),
    ],
)
async def test_access_that_the_office_takes_away_ends_the_session(
    portal_office_sqlite: PortalOffice, table: Table, values: dict[str, object]
) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    await home(office, token)
    await office.change(table, values, **{"FKey" if table is tables.userweb else "PatNum": int(Cast.MARIA)})
    with pytest.raises(SessionEnded):
        await home(office, token)


async def test_a_chart_that_is_merged_away_ends_the_session(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.HUGO)).token
    await office.add(tables.patientlink, PatNumFrom=int(Cast.HUGO), PatNumTo=int(Cast.GRETA), LinkType=1)
    with pytest.raises(SessionEnded) as caught:
        await home(office, token)
    assert "merged" in caught.value.facts["reason"]


async def test_sessions_survive_a_restart_and_end_by_the_clock(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    again = PortalOffice(office.database, office.front_desk, office.state, office.root)
    assert (await home(again, token)).session.left_seconds == 86400
    office.clock.advance(23.5 * 3600)
    with pytest.raises(SessionEnded):
        await home(office, token)


async def test_the_session_says_how_long_it_lives(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    for _ in range(47):
        office.clock.advance(1800)
        page = await home(office, token)
    assert (page.session.idle_seconds, page.session.left_seconds) == (1800, 1800)


async def test_all_sessions_of_a_patient_can_be_revoked(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    tokens = [(await office.sign_in(Cast.MARIA)).token for _ in range(3)]
    await office.state.run(sessions.end_all, int(Cast.MARIA), "revoked", office.clock.now())
    for token in tokens:
        with pytest.raises(SessionEnded):
            await home(office, token)
    listed = await office.state.run(sessions.listed, int(Cast.MARIA))
    assert [(one.address, one.ended_why) for one in listed] == [("198.51.100.7", "revoked")] * 3


async def test_old_rows_are_swept(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    await office.sign_in(Cast.MARIA)
    office.clock.advance((sessions.KEEP + sessions.OVERALL).total_seconds() + 1)
    assert await sweep(office.state, office.clock) == 4  # session, known address, the address's count, the try


@pytest.mark.parametrize("odd", ["", "x", "' OR 1=1 --", "\0", "😀", "%", "x" * 10_000])
async def test_a_made_up_token_opens_nothing(portal_office_sqlite: PortalOffice, odd: str) -> None:
    office = portal_office_sqlite
    await office.sign_in(Cast.MARIA)
    for call, params in (
        (calls.HOME, calls.PersonAsked(odd)),
        (calls.STATEMENTS, calls.PersonAsked(odd)),
        (calls.STATEMENT_FILE, calls.StatementFile(odd, 100)),
        (calls.CHANGE_SIGN_IN, calls.ChangeSignIn(odd)),
    ):
        with pytest.raises(SessionEnded):
            await office.ask(call, params)  # type: ignore[misc]


async def test_while_an_update_runs_everybody_waits(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    updating = {"PrefName": "UpdateInProgressOnComputerName"}
    await office.change(tables.preference, {"ValueString": "SERVER"}, **updating)
    office.answers = portal_answers(office.database, office.state, Schemas(), office.images, office.clock)
    with pytest.raises(UpdateRunning):
        await home(office, token)
    with pytest.raises(UpdateRunning):
        await office.sign_in(Cast.MARIA)
    await office.change(tables.preference, {"ValueString": ""}, **updating)
    assert (await home(office, token)).me.number == Cast.MARIA


async def test_a_database_without_a_needed_column_is_named_never_an_sql_error(
    portal_office_sqlite: PortalOffice,
) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    await office.front_desk.run(
        lambda connection: connection.execute(text("ALTER TABLE userweb DROP COLUMN RequirePasswordChange"))
    )
    for answers in (
        office.answers,
        portal_answers(office.database, office.state, Schemas(), office.images, office.clock),
    ):
        office.answers = answers
        with pytest.raises(VersionsDiffer) as caught:
            await home(office, token)
        assert "RequirePasswordChange" in caught.value.facts["missing"]

"""Appointments: which are shown and how, and what the front desk sees when a patient confirms one."""

import datetime as dt

import pytest
from sqlalchemy import event

from econnector.base.errors import NotAllowed, VisitChanged
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import sweep
from econnector.opendental import tables
from tests.support.practice import Cast, PortalOffice
from tests.support.practice_visits import day


async def listed(office: PortalOffice, token: str, person: int = 0) -> calls.Appointments:
    return await office.ask(calls.APPOINTMENTS, calls.PersonAsked(token, person))


def at(days: int) -> str:
    return f"{day(days)}T14:30:00"


async def confirm(office: PortalOffice, token: str, number: int, when: str) -> calls.Appointment:
    asked = calls.ConfirmAppointment(token, number, when)
    return (await office.ask(calls.CONFIRM_APPOINTMENT, asked)).appointment


async def test_only_what_is_scheduled_or_done_is_shown(portal_office: PortalOffice) -> None:
    office = portal_office
    page = await listed(office, (await office.sign_in(Cast.MARIA)).token)
    assert [(one.number, one.at, one.days_ahead) for one in page.coming] == [(1001, at(3), 3), (1002, at(40), 40)]
    assert [(one.number, one.state) for one in page.past] == [(1008, "past"), (1003, "done")]
    assert page.coming[0].minutes == 50
    assert [one.provider for one in page.coming] == ["Amara Lindgren, DDS", "Noah Castellanos, RDH"]
    assert [one.confirmation for one in page.coming] == ["open", "confirmed"]


async def test_no_word_of_the_staff_leaves_the_office(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    shown = calls.APPOINTMENTS.encode(await listed(office, token)) + calls.HOME.encode(
        await office.ask(calls.HOME, calls.PersonAsked(token))
    )
    for word in (b"be firm", b"PerEx", b"Not Called"):
        assert word not in shown


async def test_a_visit_is_the_same_moment_everywhere(portal_office: PortalOffice) -> None:
    office = portal_office
    page = await listed(office, (await office.sign_in(Cast.MARIA)).token)
    for one in page.coming:
        # The database of a test lives in this machine's zone.
        local = dt.datetime.fromisoformat(one.at).astimezone(dt.UTC).replace(tzinfo=None)
        assert dt.datetime.fromisoformat(one.utc) == local


async def test_what_is_scheduled_for_today_is_coming_all_day(portal_office: PortalOffice) -> None:
    office = portal_office
    midnight = dt.datetime.combine(day(0), dt.time(0, 5))
    await office.change(tables.appointment, {"AptDateTime": midnight}, AptNum=1001)
    token = (await office.sign_in(Cast.MARIA)).token
    (first, _) = (await listed(office, token)).coming
    assert (first.number, first.days_ahead, first.confirmation) == (1001, 0, "open")
    home = await office.ask(calls.HOME, calls.PersonAsked(token))
    assert [one.number for one in home.coming] == [1001, 1002]
    assert home.coming[0] == first


async def test_the_place_is_the_clinic_where_there_are_several(portal_office: PortalOffice) -> None:
    office = portal_office
    await office.prefer("PracticeAddress", "1 High Street")
    await office.prefer("PracticeCity", "Salem")
    place = await office.add(tables.clinic, Description="Eastside", Address="9 Elm Road", City="Salem", State="OR")
    await office.change(tables.appointment, {"ClinicNum": place}, AptNum=1001)
    token = (await office.sign_in(Cast.MARIA)).token
    (first, _) = (await listed(office, token)).coming
    assert (first.place, first.address.startswith("1 High Street, Salem")) == ("", True)
    await office.prefer("EasyNoClinics", "0")
    (first, second) = (await listed(office, token)).coming
    assert (first.place, first.address) == ("Eastside", "9 Elm Road, Salem OR")
    assert (second.place, second.address.startswith("1 High Street")) == ("", True)


@pytest.mark.parametrize(
    ("name", "preference", "settled"),
    [
        ("Unconfirmed", "", False),
        ("Left message", "", False),
        ("Not confirmed yet", "", False),
        ("Confirmed by phone", "", True),
        ("Front desk", "AppointmentTimeArrivedTrigger", True),
        ("Angekommen", "AppointmentTimeSeatedTrigger", True),
    ],
)
async def test_which_statuses_need_no_confirmation(
    portal_office_sqlite: PortalOffice, name: str, preference: str, settled: bool
) -> None:
    office = portal_office_sqlite
    number = await office.add(tables.definition, Category=2, ItemName=name)
    await office.change(tables.appointment, {"Confirmed": number}, AptNum=1001)
    if preference:
        await office.prefer(preference, str(number))
    (first, _) = (await listed(office, (await office.sign_in(Cast.MARIA)).token)).coming
    assert first.confirmation == ("confirmed" if settled else "open")


async def test_a_confirmation_reaches_the_front_desk_and_leaves_the_appointment_alone(
    portal_office: PortalOffice,
) -> None:
    office = portal_office
    before = await office.rows(tables.appointment)
    token = (await office.sign_in(Cast.MARIA)).token
    one = await confirm(office, token, 1001, at(3))
    assert one.confirmation == "told"
    assert await office.rows(tables.appointment) == before
    when = f"{day(3):%a %d %b %Y} at 14:30"
    (alert,) = await office.rows(tables.alertitem, Type=4)
    # Opens the appointment (FormApptEdit), for every user, and can be marked as read, opened and deleted.
    assert (alert.FormToOpen, alert.FKey, alert.UserNum, alert.Actions, alert.ClinicNum) == (5, 1001, 0, 7, 0)
    assert alert.Description.startswith(f"Maria Delgado confirmed the visit of {when} in the patient portal.")
    (log,) = await office.rows(tables.commlog)
    assert (log.PatNum, log.CommType, log.SentOrReceived, log.CommSource, log.UserNum) == (Cast.MARIA, 235, 2, 4, 0)
    assert log.Note == f"Patient portal: Maria Delgado confirmed the visit of {when}."
    assert len(await office.rows(tables.signalod, IType=72)) == 1
    (audit,) = [row for row in await office.rows(tables.securitylog, PermType=75) if "confirmed" in row.LogText]
    assert (audit.PatNum, audit.FKey) == (Cast.MARIA, Cast.MARIA)
    assert audit.LogText == f"Patient portal: confirmed the appointment of {day(3)} 14:30."


async def test_the_patient_sees_that_the_office_was_told_until_it_has_entered_it(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    await confirm(office, token, 1001, at(3))
    (first, _) = (await listed(office, token)).coming
    assert first.confirmation == "told"
    assert dt.datetime.fromisoformat(first.told).date() in {day(0), day(-1)}
    home = await office.ask(calls.HOME, calls.PersonAsked(token))
    assert home.coming[0].confirmation == "told"
    await office.change(tables.appointment, {"Confirmed": 21}, AptNum=1001)
    (first, _) = (await listed(office, token)).coming
    assert (first.confirmation, first.told) == ("confirmed", "")


async def test_confirming_twice_tells_the_office_once(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    first, second = await confirm(office, token, 1001, at(3)), await confirm(office, token, 1001, at(3))
    assert first == second
    assert len(await office.rows(tables.alertitem, Type=4)) == 1
    assert len(await office.rows(tables.commlog)) == 1


async def test_a_confirmation_that_was_cut_off_is_finished_by_the_next(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    await confirm(office, token, 1001, at(3))

    # As if the process had died between the log and the alert, and before anything was remembered.
    def forget(connection: object) -> None:
        connection.execute(tables.alertitem.delete())  # type: ignore[attr-defined]

    await office.front_desk.run(forget)
    await office.state.run(lambda connection: connection.exec_driver_sql("DELETE FROM portal_confirmed"))
    await confirm(office, token, 1001, at(3))
    assert len(await office.rows(tables.alertitem, Type=4)) == 1
    assert len(await office.rows(tables.commlog)) == 1


@pytest.mark.causes("visit-changed")
async def test_a_visit_that_was_moved_is_another_visit(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    await confirm(office, token, 1001, at(3))
    moved = dt.datetime.combine(day(4), dt.time(9))
    await office.change(tables.appointment, {"AptDateTime": moved}, AptNum=1001)
    with pytest.raises(VisitChanged):
        await confirm(office, token, 1001, at(3))
    (first, _) = (await listed(office, token)).coming
    assert first.confirmation == "open"
    assert (await confirm(office, token, 1001, moved.isoformat())).confirmation == "told"
    assert len(await office.rows(tables.commlog)) == 2


@pytest.mark.parametrize("number", [1003, 1008])
async def test_what_is_over_cannot_be_confirmed(portal_office_sqlite: PortalOffice, number: int) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    shown = await office.ask(calls.APPOINTMENT, calls.AppointmentAsked(token, number))
    with pytest.raises(VisitChanged):
        await confirm(office, token, number, shown.appointment.at)
    assert await office.rows(tables.alertitem, Type=4) == []


async def test_a_visit_that_was_broken_meanwhile_is_gone(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    await office.change(tables.appointment, {"AptStatus": 5}, AptNum=1001)
    with pytest.raises(NotAllowed):
        await confirm(office, token, 1001, at(3))


async def test_who_confirms_for_somebody_else_is_named(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    await confirm(office, token, 1012, at(7))
    (log,) = await office.rows(tables.commlog)
    assert log.PatNum == Cast.OTTO
    assert log.Note.startswith("Patient portal: Otto Stone (through Maria Delgado) confirmed the visit of ")
    (audit,) = [row for row in await office.rows(tables.securitylog, PermType=75) if "confirmed" in row.LogText]
    assert (audit.PatNum, audit.FKey) == (Cast.MARIA, Cast.OTTO)


async def test_check_ups_that_are_due_say_where_to_book_them(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    page = await listed(office, token)
    assert [(one.kind, one.due, one.link) for one in page.due] == [
        ("Prophy", day(-100).isoformat(), "https://book.example/r?a=1&b=2"),
        ("Prophy", day(-5).isoformat(), ""),
    ]
    home = await office.ask(calls.HOME, calls.PersonAsked(token))
    assert home.check_up_due == day(-100).isoformat()
    assert (await office.ask(calls.HOME, calls.PersonAsked(token, Cast.ANA))).check_up_due == ""


@pytest.mark.parametrize("text", ["javascript:alert(1) x", "see http:// now", "no link", ""])
async def test_a_reminder_without_an_address_gives_no_link(portal_office_sqlite: PortalOffice, text: str) -> None:
    office = portal_office_sqlite
    await office.change(tables.emailmessage, {"BodyText": text}, EmailMessageNum=771)
    page = await listed(office, (await office.sign_in(Cast.MARIA)).token)
    assert [one.link for one in page.due] == ["", ""]


async def test_a_page_of_appointments_asks_three_questions_besides_who_asks(portal_office: PortalOffice) -> None:
    office, said = portal_office, list[str]()
    token = (await office.sign_in(Cast.MARIA)).token
    await listed(office, token)
    event.listen(office.database._engine, "before_cursor_execute", lambda _c, _cursor, sql, *_rest: said.append(sql))
    await listed(office, token)
    audit = [sql for sql in said if "securitylog" in sql or "NOW()" in sql or "datetime('now'" in sql]
    assert len([sql for sql in said if sql.lstrip("(").startswith("SELECT") and sql not in audit]) <= 3 + 3


async def test_what_was_confirmed_years_ago_is_forgotten(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    await confirm(office, token, 1001, at(3))
    await sweep(office.state, office.clock)
    (first, _) = (await listed(office, token)).coming
    assert first.confirmation == "told"
    office.clock.advance(3 * 365 * 86400)
    assert await sweep(office.state, office.clock) >= 1
    token = (await office.sign_in(Cast.MARIA)).token
    (first, _) = (await listed(office, token)).coming
    assert first.confirmation == "open"

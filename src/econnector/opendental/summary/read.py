"""All of a care summary, read at once."""

from typing import Final

from sqlalchemy import Connection, select

from econnector.opendental import preferences
from econnector.opendental.schema import Schema
from econnector.opendental.summary.care import Care
from econnector.opendental.summary.clinical import NONE, Health
from econnector.opendental.summary.header import SETTINGS, Header, clinicians
from econnector.opendental.summary.labs import Labs
from econnector.opendental.summary.lexicon import Lexicon
from econnector.opendental.summary.records import Clinician, FunctionalKind, ListName, Name, Period, Summary
from econnector.opendental.summary.values import Zone
from econnector.opendental.times import Now, UnixTime, now

__all__ = ["EVER", "read"]

EVER = Period()
"""No limit."""


def read(connection: Connection, schema: Schema, patient: int, period: Period = EVER) -> Summary:
    """Return what the practice recorded of `patient` (a PatNum), in a number of statements that no history raises.

    `period` limits what happened on a day: procedures, encounters, vaccines, laboratory reports, vital signs, care
    plan, referrals, and what lasted (problems that are over, medications that were stopped) if it touches the period.
    What has no date stays, and so does what still holds: active allergies and problems, medications that are taken,
    planned procedures, the newest answer about tobacco. Practices say "none" in a row; it counts where nothing else
    is left in the list.

    Assumes that `missing.missing` found nothing. Raises LookupError if there is no such chart.
    """
    zone, words = _zone(connection), Lexicon()
    settings = preferences.read_many(connection, (*SETTINGS, *NONE.values()))
    header = Header(connection, schema, patient, settings, words)
    health = Health(connection, patient, words)
    care = Care(connection, schema, patient, words)
    labs = Labs(connection, patient, words)
    words.load(connection)
    main = {header.provider, header.custodian}
    people = clinicians(connection, main | health.clinicians() | care.clinicians())
    custodian = people.get(header.custodian, _NOBODY)
    allergies = health.allergies(settings, zone, period)
    problems, functional = health.problems(settings, zone, period), health.functional(settings, period)
    medications = health.medications(settings, zone, period, people)
    told: dict[ListName, bool] = {
        "allergies": bool(allergies),
        "medications": bool(medications),
        "problems": bool(problems) or any(one.kind in _PROBLEMS for one in functional),
    }
    return Summary(
        made=zone.moment,
        period=period,
        subject=header.subject(zone),
        provider=people.get(header.provider, custodian),
        custodian=custodian,
        practice=header.practice(),
        clinicians=tuple(people.values()),
        none_known=frozenset(name for name in health.none(settings, zone.today) if not told[name]),
        allergies=allergies,
        problems=problems,
        functional=functional,
        medications=medications,
        vaccines=health.vaccines(zone, period, people),
        procedures=care.procedures(period, people),
        encounters=care.encounters(period, people),
        plan=care.plan(period),
        referrals=care.referrals(period),
        labs=labs.orders(zone, period),
        smoking=care.smoking(zone, period),
        vitals=care.vitals(period),
    )


_PROBLEMS: Final[frozenset[FunctionalKind]] = frozenset({"cognitive-problem", "functional-problem"})
_NOBODY = Clinician(0, Name((), ""), is_person=False, npi="", taxonomy="")


def _zone(connection: Connection) -> Zone:
    row = connection.execute(select(Now().label("now"), UnixTime(Now()).label("unix"))).one()
    return Zone.of(row.now or now(connection), row.unix)

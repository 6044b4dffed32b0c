"""Codes, teeth, laboratory values and moments, in every form in which practices have them."""

import datetime as dt
import time
from typing import Any

import pytest

from econnector.opendental import tables
from econnector.opendental.summary.records import Code, Procedure
from econnector.opendental.summary.values import Zone, measure, plain, tidy_code
from tests.support.charts import Chart

SIX = dt.timedelta(hours=-6)


def procedure(chart: Chart, code: str, area: int = 0, **where: str) -> Procedure:
    number = chart.add(tables.procedurecode, ProcCode=code, Descript="What was done", TreatArea=area)
    chart.have(tables.procedurelog, CodeNum=number, ProcStatus=2, **where)
    return chart.read().procedures[0]


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("D2740", Code("D2740", "CDT", "What was done")),
        ("D1110.1", Code("D1110", "CDT", "What was done")),
        ("99213", Code("99213", "CPT", "What was done")),
        ("225362009", Code("225362009", "SNOMEDCT", "Dental care")),
        ("J2001", Code("J2001", "HCPCS", "Injection")),
        ("225362008", None),
        ("J2002", None),
        ("clean", None),
        ("D27401", None),
        ("N4102", None),
    ],
)
def test_a_procedure_has_the_code_system_of_its_form(chart: Chart, typed: str, code: Code | None) -> None:
    chart.add(tables.snomed, SnomedCode="225362009", Description="Dental care")
    chart.add(tables.hcpcs, HcpcsCode="J2001", DescriptionShort="Injection")
    found = procedure(chart, typed)
    assert (found.code, found.what) == (code, "What was done")


@pytest.mark.parametrize(
    ("area", "where", "told"),
    [
        (1, {"ToothNum": "30", "Surf": "MOD"}, ("30", "MOD", ())),
        (1, {"ToothNum": "A", "Surf": "o"}, ("A", "O", ())),
        (1, {"ToothNum": "3", "Surf": "UR"}, ("3", "", ())),
        (2, {"ToothNum": "TS", "Surf": "M"}, ("TS", "", ())),
        (2, {"ToothNum": "51"}, ("51", "", ())),
        (2, {"ToothNum": "33"}, ("", "", ())),
        (3, {"ToothNum": "3", "Surf": "M"}, ("", "", ())),
        (4, {"Surf": "UR", "ToothNum": "3"}, ("", "UR", ())),
        (4, {"Surf": "UR", "ToothRange": "2,3"}, ("", "UR", ("2", "3"))),
        (5, {"Surf": "2"}, ("", "2", ())),
        (6, {"Surf": "L"}, ("", "L", ())),
        (7, {"ToothRange": "4, 5,x,12,5", "Surf": "M"}, ("", "", ("4", "5", "12"))),
    ],
)
def test_a_place_in_the_mouth_is_read_as_the_code_means_it(
    chart: Chart, area: int, where: dict[str, str], told: tuple[str, str, tuple[str, ...]]
) -> None:
    found = procedure(chart, "D0001", area, **where)
    assert (found.tooth, found.surface, found.teeth) == told


@pytest.mark.parametrize(
    ("row", "value", "quantity"),
    [
        ({"ValueType": "NM", "ObservationValueNumeric": 6.1}, "6.1", 6.1),
        ({"ValueType": "NM", "ObservationValueNumeric": 250000}, "250000", 250000.0),
        ({"ValueType": "NM", "ObservationValueNumeric": 0}, "0", 0.0),
        (
            {"ValueType": "SN", "ObservationValueComparator": ">", "ObservationValueNumber1": 10},
            ">10",
            None,
        ),
        (
            {
                "ValueType": "SN",
                "ObservationValueNumber1": 1,
                "ObservationValueSeparatorOrSuffix": ":",
                "ObservationValueNumber2": 128,
            },
            "1:128",
            None,
        ),
        (
            {"ValueType": "SN", "ObservationValueNumber1": 2, "ObservationValueSeparatorOrSuffix": "+"},
            "2+",
            None,
        ),
        ({"ValueType": "SN", "ObservationValueNumber1": 7}, "7", 7.0),
        (
            {
                "ValueType": "CWE",
                "ObservationValueCodedElementID": "260385009",
                "ObservationValueCodedElementText": "Neg",
            },
            "Neg",
            None,
        ),
        ({"ValueType": "ST", "ObservationValueText": " clear\x01 "}, "clear", None),
        ({"ValueType": "TS", "ObservationValueDateTime": "20240506101500"}, "2024-05-06 10:15", None),
        ({"ValueType": "DT", "ObservationValueDateTime": "soon"}, "soon", None),
        ({"ValueType": "", "ObservationValueText": "seen"}, "seen", None),
    ],
)
def test_a_laboratorys_value_reads_as_it_was_meant(
    chart: Chart, row: dict[str, Any], value: str, quantity: float | None
) -> None:
    lab = chart.have(tables.ehrlab)
    chart.add(tables.ehrlabresult, EhrLabNum=lab, **row)
    ((found,),) = [one.results for one in chart.read().labs]
    assert (found.value, found.quantity) == (value, quantity)


def test_what_a_laboratory_took_back_is_not_told_and_its_own_identifiers_are_no_codes(chart: Chart) -> None:
    lab = chart.have(tables.ehrlab)
    chart.add(tables.ehrlabresult, EhrLabNum=lab, ObservationResultStatus="W")
    assert chart.read().labs == ()
    names = {"ObservationIdentifierID": "1234-5", "ObservationIdentifierCodeSystemName": "99LAB"}
    chart.add(tables.ehrlabresult, EhrLabNum=lab, ObservationResultStatus="P", SetIdOBX=1, **names)
    second = {"ObservationIdentifierIDAlt": "2093-3", "ObservationIdentifierCodeSystemNameAlt": "LN"}
    chart.add(tables.ehrlabresult, EhrLabNum=lab, SetIdOBX=2, AbnormalFlags="x,HH", **names, **second)
    (order,) = chart.read().labs
    assert [(one.what, one.code) for one in order.results] == [
        ("1234-5", None),
        ("2093-3", Code("2093-3", "LOINC", "")),
    ]
    assert [(one.flag, one.final) for one in order.results] == [("", False), ("HH", False)]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20210304101500-0600", dt.datetime(2021, 3, 4, 10, 15, tzinfo=dt.timezone(SIX))),
        ("202103041015+0530", dt.datetime(2021, 3, 4, 10, 15, tzinfo=dt.timezone(dt.timedelta(hours=5.5)))),
        ("20210304101500.123-06:00^S", dt.datetime(2021, 3, 4, 10, 15, tzinfo=dt.timezone(SIX))),
        ("20210304", dt.datetime(2021, 3, 4, tzinfo=dt.timezone(SIX))),
        (" 202103041015 ", dt.datetime(2021, 3, 4, 10, 15, tzinfo=dt.timezone(SIX))),
        ("2021-03-04 10:15", dt.datetime(2021, 3, 4, 10, 15, tzinfo=dt.timezone(SIX))),
        ("202103", None),
        ("20211332", None),
        ("20210304256199", None),
        ("yesterday-ish", None),
        ("", None),
        (None, None),
    ],
)
def test_a_moment_of_hl7_is_read_or_is_none(text: str | None, moment: dt.datetime | None) -> None:
    # No machine that runs tests stands at this odd offset, so the machine's own rules do not come in.
    zone = Zone(dt.datetime(2026, 1, 2, 12), int(SIX.total_seconds()))  # noqa: DTZ001 - office time has no zone
    found = zone.read(text)
    assert (found.replace(tzinfo=None) if found else None) == (moment.replace(tzinfo=None) if moment else None)
    if found is not None and moment is not None and zone.now.astimezone().utcoffset() != SIX:
        assert found.utcoffset() == moment.utcoffset()


def test_no_text_that_xml_cannot_hold_gets_through() -> None:
    every = "".join(map(chr, [*range(0x180), 0x2028, 0xD7FF, 0xE000, 0xFFFD, 0xFFFE, 0xFFFF, 0x1F600]))
    found = plain(every + "\ud800\\r\\nend")
    assert "\x00" not in found
    assert not {chr(number) for number in (*range(0x20), *range(0x7F, 0xA0), 0xFFFE, 0xFFFF, 0xD800)} & set(found)
    assert found.endswith("end")
    assert "\\" in found
    assert "\\r" not in found
    assert plain(None) == ""


@pytest.mark.parametrize(
    ("typed", "code"), [(" 38341003\t", "38341003"), ("38 341003", "38341003"), ("0", ""), ("I10", "")]
)
def test_a_code_is_trimmed_or_is_none(typed: str, code: str) -> None:
    assert tidy_code("SNOMEDCT", typed) == code


@pytest.mark.parametrize("value", [None, -1, 0, float("nan"), float("inf"), 1e30, "x"])
def test_what_cannot_have_been_measured_was_not(value: Any) -> None:
    assert measure(value) == 0.0


@pytest.mark.parametrize("place", ["America/Los_Angeles", "Asia/Tokyo", "America/Sao_Paulo"])
@pytest.mark.parametrize(
    "moment",
    [dt.datetime(*day) for day in ((9999, 12, 31, 23), (1, 1, 2), (1963, 5, 6), (2018, 11, 4))],  # noqa: DTZ001 - office time
)
def test_a_time_keeps_its_day_and_hour_wherever_the_machine_stands(
    monkeypatch: pytest.MonkeyPatch, place: str, moment: dt.datetime
) -> None:
    monkeypatch.setenv("TZ", place)
    time.tzset()
    try:
        now = dt.datetime(2026, 1, 2, 12)  # noqa: DTZ001 - office time has no zone
        zone = Zone.of(now, round(now.timestamp()))
        found = zone.at(moment), zone.read(f"{moment:%Y-%m-%d %H:%M}".zfill(16))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert [one.replace(tzinfo=None) for one in found if one is not None] == [moment, moment]
    assert None not in [one.utcoffset() for one in found if one is not None]

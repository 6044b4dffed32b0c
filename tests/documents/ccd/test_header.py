"""The header of a care summary: the person, the guardians, the provider, the practice, as they were recorded."""

import datetime as dt
from xml.etree import ElementTree as ET

import msgspec
import pytest

from econnector.documents.ccd.document import build
from econnector.opendental.summary.records import Address, Code, Name, Period, Phone, Summary
from tests.documents.ccd.examples import DENTIST, HYGIENIST, OFFICE, bare, full
from tests.documents.ccd.gate import judge
from tests.documents.ccd.reading import CDA, SDTC, at, read

NPI = "2.16.840.1.113883.4.6"
ROLE = "recordTarget/patientRole"


def header(summary: Summary) -> ET.Element:
    return read(build(summary)).root


def of(**fields: object) -> Summary:
    """Return the full summary of a person with other facts."""
    return msgspec.structs.replace(full(), subject=msgspec.structs.replace(full().subject, **fields))


def codes(summary: Summary, *names: str) -> list[tuple[str | None, str | None]]:
    patient = at(header(summary), f"{ROLE}/patient")
    return [(one.get("code"), one.get("nullFlavor")) for name in names for one in patient.findall(name)]


def test_the_patient_is_named_with_all_given_names_and_what_they_want_to_be_called() -> None:
    name = at(header(full()), f"{ROLE}/patient/name")
    assert [(one.tag.removeprefix(CDA), one.text, one.get("qualifier")) for one in name] == [
        ("given", "Zoë", None),
        ("given", "María José", None),
        ("given", "Zo", "CL"),
        ("family", "O'Brien-Núñez", None),
    ]


def test_the_patients_id_is_the_practices_number_under_its_oid() -> None:
    assert at(header(full()), f"{ROLE}/id").attrib == {"root": "1.3.6.1.4.1.99999.1.2", "extension": "42"}


@pytest.mark.parametrize("root", ["", "none", "1.02.3"])
def test_without_an_oid_the_practice_still_has_an_id_of_its_own(root: str) -> None:
    ids = [at(header(of(root=root, number=number)), f"{ROLE}/id") for number in (1, 2)]
    assert [one.get("extension") for one in ids] == ["1", "2"]
    assert len({one.get("root") for one in ids}) == 1
    assert len(ids[0].get("root", "")) == 36


@pytest.mark.parametrize(
    ("races", "declined", "found"),
    [
        ((), (), [(None, "UNK")]),
        ((), ("race",), [(None, "ASKU")]),
        (("2106-3",), (), [("2106-3", None)]),
        (("1006-6", "1002-5", "1002-5"), (), [("1002-5", None), ("1006-6", None)]),
        (("2034-7",), (), [(None, "OTH"), ("2034-7", None)]),
    ],
)
def test_every_race_is_told_and_one_of_the_five_categories_first(
    races: tuple[str, ...], declined: tuple[str, ...], found: list[tuple[str | None, str | None]]
) -> None:
    summary = of(races=tuple(Code(one, "CDCREC") for one in races), declined=frozenset(declined))
    assert codes(summary, f"{CDA}raceCode", f"{SDTC}raceCode") == found


@pytest.mark.parametrize(
    ("ethnicity", "declined", "found"),
    [
        (None, (), [(None, "UNK")]),
        (None, ("ethnicity",), [(None, "ASKU")]),
        ("2186-5", (), [("2186-5", None)]),
        ("2148-5", (), [("2135-2", None), ("2148-5", None)]),
        ("9999-9", (), [(None, "OTH")]),
    ],
)
def test_ethnicity_is_told_by_category_and_by_detail(
    ethnicity: str | None, declined: tuple[str, ...], found: list[tuple[str | None, str | None]]
) -> None:
    recorded = Code(ethnicity, "CDCREC") if ethnicity else None
    summary = of(ethnicity=recorded, declined=frozenset(declined))
    assert codes(summary, f"{CDA}ethnicGroupCode", f"{SDTC}ethnicGroupCode") == found


def test_what_nobody_recorded_of_the_patient_is_unknown() -> None:
    patient = at(header(bare()), f"{ROLE}/patient")
    assert at(patient, "maritalStatusCode").get("nullFlavor") == "UNK"
    assert at(patient, "languageCommunication/languageCode").get("nullFlavor") == "UNK"
    gender = at(patient, "administrativeGenderCode")
    assert (gender.get("code"), gender.get("nullFlavor")) == (None, "UNK")
    assert at(header(bare()), f"{ROLE}/telecom").get("nullFlavor") == "UNK"
    assert at(header(of(birth_date=None)), f"{ROLE}/patient/birthTime").get("nullFlavor") == "UNK"


def test_guardians_are_named_and_who_only_pays_is_not() -> None:
    guardians = at(header(full()), f"{ROLE}/patient").findall(f"{CDA}guardian")
    assert [at(one, "guardianPerson/name/given").text for one in guardians] == ["Maria", "Seán"]
    assert at(guardians[0], "code").get("code") == "MTH"
    assert at(guardians[1], "addr").get("nullFlavor") == "UNK"


@pytest.mark.parametrize(
    ("number", "dialled"),
    [
        ("(503)555-0142", "tel:+1-503-555-0142"),
        ("1 503 555 0142 x12", "tel:+1-503-555-0142;ext=12"),
        ("503.555.0142 ext. 7", "tel:+1-503-555-0142;ext=7"),
        ("+49 221 5550", "tel:+492215550"),
        ("555-0142", "tel:5550142"),
        ("none", None),
    ],
)
def test_a_phone_is_a_number_to_dial(number: str, dialled: str | None) -> None:
    telecom = at(header(of(phones=(Phone(number, "home"),), email="")), f"{ROLE}/telecom")
    assert telecom.get("value") == dialled
    assert telecom.get("nullFlavor") == (None if dialled else "UNK")


def test_an_email_address_is_told_even_in_other_scripts() -> None:
    telecom = at(header(of(phones=(), email="zoë@example.com")), f"{ROLE}/telecom")
    assert telecom.get("value") == "mailto:zo%C3%AB@example.com"


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        (
            Address(("1 A St", "Apt 2"), "Salem", "or", "973011234"),
            ["1 A St, Apt 2", "Salem", "OR", "97301-1234", "US"],
        ),
        (Address(("Königstraße 5",), "Köln", "", "50667", "Germany"), ["Königstraße 5", "Köln", "50667", "Germany"]),
        (Address(("1 Rue X",), "Québec", "PQ", "G1A 1A1"), ["1 Rue X, PQ G1A 1A1", "Québec", None, None, None]),
        (Address(("1 A St",), "Salem", "Oregon", "97301"), ["1 A St, Oregon", "Salem", None, "97301", "US"]),
        (Address((), "Salem", "OR", "97301", "U.S.A."), [None, "Salem", "OR", "97301", "US"]),
    ],
)
def test_an_address_says_all_that_was_typed_in(address: Address, parts: list[str | None]) -> None:
    found = at(header(of(address=address)), f"{ROLE}/addr")
    assert [one.text for one in found] == parts
    assert [one.get("nullFlavor") for one in found] == [None if part else "UNK" for part in parts]


def test_a_person_is_the_author_by_their_npi_and_an_organisation_speaks_through_the_software() -> None:
    person = at(header(full()), "author/assignedAuthor")
    assert at(person, "id").attrib == {"root": NPI, "extension": DENTIST.npi}
    assert at(person, "assignedPerson/name/family").text == "O'Hara"
    device = at(header(bare()), "author/assignedAuthor")
    assert at(device, "assignedAuthoringDevice/softwareName").text == "eConnector"
    assert at(device, "representedOrganization/name").text == "Juniper Hill Dental"


@pytest.mark.parametrize("npi", ["", "1234567890", "12345"])
def test_what_is_no_npi_is_not_called_one(npi: str) -> None:
    summary = msgspec.structs.replace(full(), provider=msgspec.structs.replace(HYGIENIST, npi=npi))
    number = at(header(summary), "author/assignedAuthor/id")
    assert number.get("extension") == "2"
    assert number.get("root") != NPI


def test_only_a_person_answers_for_the_document() -> None:
    signed = msgspec.structs.replace(full(), custodian=DENTIST)
    assert at(header(signed), "legalAuthenticator/assignedEntity/assignedPerson/name/family").text == "O'Hara"
    assert header(full()).find(f"{CDA}legalAuthenticator") is None


@pytest.mark.parametrize(
    ("period", "days"),
    [
        (Period(), ("20120304", "20261120")),
        (Period(dt.date(2025, 1, 1), dt.date(2025, 12, 31)), ("20250101", "20251231")),
        (Period(dt.date(2030, 1, 1), None), ("20300101", "20300101")),
    ],
)
def test_the_care_is_that_of_the_whole_life_or_of_the_chosen_days(period: Period, days: tuple[str, str]) -> None:
    spell = at(header(msgspec.structs.replace(full(), period=period)), "documentationOf/serviceEvent/effectiveTime")
    assert (at(spell, "low").get("value"), at(spell, "high").get("value")) == days


def test_the_time_has_the_practices_offset_of_that_moment() -> None:
    assert at(header(full()), "effectiveTime").get("value") == "202611201430-0800"
    half = dt.timezone(dt.timedelta(hours=5, minutes=30))
    east = msgspec.structs.replace(full(), made=full().made.astimezone(half))
    assert at(header(east), "effectiveTime").get("value") == "202611210400+0530"


@pytest.mark.shared
@pytest.mark.parametrize(
    "summary",
    [
        of(address=Address(("Königstraße 5",), "Köln", "", "", "Germany"), phones=(), email=""),
        of(address=Address(("1 Rue X",), "Québec", "PQ", "G1A 1A1")),
        of(address=Address(), birth_date=None, language="", root=""),
        of(races=(Code("2034-7", "CDCREC"),), ethnicity=Code("2148-5", "CDCREC"), gender="UN"),
        of(name=Name((), "小龍"), marital="", declined=frozenset({"race", "ethnicity"}), races=(), ethnicity=None),
        msgspec.structs.replace(full(), provider=OFFICE, custodian=DENTIST, period=Period(dt.date(2026, 1, 1))),
    ],
    ids=["abroad", "abroad-unsaid", "no-address", "details", "declined", "office"],
)
def test_hl7s_rules_accept_people_of_all_kinds(summary: Summary) -> None:
    assert judge(build(summary)).faults == []

"""The document of a care summary: what stands in it, row by row, and what it says where nothing was recorded."""

import datetime as dt
from xml.etree import ElementTree as ET

import msgspec
import pytest

from econnector.documents.ccd.document import build, told
from econnector.documents.ccd.narrative import SectionKey
from econnector.documents.ccd.vitals import body_mass_index
from econnector.documents.ccd.words import LANGUAGES, Words
from econnector.opendental.summary.records import ListName, Period, Summary, VitalSigns
from tests.documents.ccd.examples import bare, full
from tests.documents.ccd.gate import judge
from tests.documents.ccd.reading import CDA, LOINC, SDTC, XSI_TYPE, Read, at, read

MEASURES = {
    "8302-2": ("60.5", "[in_i]"),
    "29463-7": ("98", "[lb_av]"),
    "8480-6": ("104", "mm[Hg]"),
    "8462-4": ("66", "mm[Hg]"),
    "8867-4": ("82", "/min"),
    "39156-5": ("18.8", "kg/m2"),
}


def changed(summary: Summary, **fields: object) -> Summary:
    return msgspec.structs.replace(summary, **fields)


@pytest.fixture(scope="module")
def document() -> Read:
    return read(build(full()))


@pytest.mark.shared
@pytest.mark.parametrize("summary", [full(), bare()], ids=["full", "bare"])
def test_hl7s_rules_accept_it(summary: Summary) -> None:
    assert judge(build(summary)).faults == []


@pytest.mark.shared
def test_the_full_document_wakes_more_than_a_hundred_and_fifty_rules_of_each_edition() -> None:
    assert min(judge(build(full())).fired.values()) > 150


def test_all_twelve_sections_stand_in_the_order_in_which_they_are_read(document: Read) -> None:
    codes = [at(one, "code").get("code") for one in document.root.iter(f"{CDA}section")]
    assert codes == list(LOINC.values())
    assert [one.key for one in told(full())] == list(LOINC)


def test_the_same_summary_gives_the_same_bytes() -> None:
    assert build(full()) == build(full())


def test_another_moment_changes_nothing_but_the_documents_own_id_and_times() -> None:
    before, after = (
        read(build(changed(full(), made=full().made + wait))) for wait in (dt.timedelta(), dt.timedelta(1))
    )
    assert at(before.root, "id").get("root") != at(after.root, "id").get("root")
    assert before.entry_ids() == after.entry_ids()
    assert [before.cells(key) for key in LOINC] == [after.cells(key) for key in LOINC]


def test_two_documents_of_the_same_minute_are_two() -> None:
    later = changed(full(), made=full().made + dt.timedelta(seconds=1))
    first, second = (at(read(build(one)).root, "id").get("root") for one in (full(), later))
    assert first != second


def test_two_practices_without_an_oid_give_their_rows_different_ids() -> None:
    other = msgspec.structs.replace(bare().custodian, npi="1679576722")
    mine, theirs = (
        read(build(changed(full(), subject=bare().subject, custodian=one))).entry_ids()
        for one in (bare().custodian, other)
    )
    assert set(mine).isdisjoint(theirs)


def test_no_reference_dangles_and_no_id_stands_twice(document: Read) -> None:
    assert document.dangling() == []
    assert len(set(document.ids())) == len(document.ids())
    assert len(set(document.entry_ids())) == len(document.entry_ids())


@pytest.mark.parametrize("key", LOINC)
def test_a_section_without_rows_says_so_and_has_no_entry(key: SectionKey) -> None:
    empty = read(build(bare()))
    assert empty.sections[key].get("nullFlavor") == "NI"
    assert empty.statements(key) == []
    assert empty.words(key) == "Nothing is recorded."


def test_a_limited_summary_says_that_there_is_nothing_in_its_days() -> None:
    limited = read(build(changed(bare(), period=Period(dt.date(2026, 1, 1), None))))
    assert limited.words("procedures") == "Nothing is recorded for the chosen dates."


@pytest.mark.parametrize(
    ("name", "sentence", "statement"),
    [
        ("allergies", "No known allergies.", "act/entryRelationship/observation"),
        ("medications", "Takes no medications.", "substanceAdministration"),
        ("problems", "No known problems.", "act/entryRelationship/observation"),
    ],
)
def test_that_there_are_none_is_said_only_where_somebody_recorded_it(
    name: ListName, sentence: str, statement: str
) -> None:
    recorded = changed(bare(), none_known=frozenset({name}))
    for key in ("allergies", "medications", "problems"):
        section = read(build(recorded)).sections[key]
        said = "".join(at(section, "text").itertext())
        if key == name:
            assert said == sentence
            assert section.get("nullFlavor") is None
            assert at(section, f"entry/{statement}").get("negationInd") == "true"
        else:
            assert said == "Nothing is recorded."


@pytest.mark.shared
def test_hl7s_rules_accept_that_there_are_none() -> None:
    none = frozenset[ListName]({"allergies", "medications", "problems"})
    assert judge(build(changed(bare(), none_known=none))).faults == []


def test_rows_win_over_the_record_that_there_are_none() -> None:
    summary = changed(full(), none_known=frozenset({"allergies"}))
    assert len(read(build(summary)).statements("allergies")) == len(full().allergies)


def test_an_allergy_has_its_type_its_substance_its_reaction_and_its_status(document: Read) -> None:
    codes = document.codes("allergies", "allergy-1")
    snomed = "2.16.840.1.113883.6.96"
    assert {("416098002", snomed), ("126485001", snomed), ("55561003", snomed)} <= codes
    assert ("7980", "2.16.840.1.113883.6.88") in codes
    observation = at(document.statement("allergies", "allergy-1"), "entryRelationship/observation")
    assert at(observation, "effectiveTime/low").get("value") == "20190102"


def test_what_is_over_ends_even_if_nobody_knows_when(document: Read) -> None:
    concern = document.statement("allergies", "allergy-3")
    assert at(concern, "statusCode").get("code") == "completed"
    assert at(concern, "effectiveTime/high").get("nullFlavor") == "UNK"


@pytest.mark.shared
def test_what_is_over_was_not_tracked_from_after_its_end() -> None:
    (allergy, *_), (problem, *_) = full().allergies, full().problems
    touched = {"noted": full().made}
    begins, ends = dt.date(2019, 1, 2), dt.date(2020, 3, 4)
    over = changed(
        full(),
        allergies=(msgspec.structs.replace(allergy, active=False, **touched),),
        problems=(msgspec.structs.replace(problem, status="resolved", begins=begins, ends=ends, **touched),),
    )
    document = build(over)
    acts = read(document).root.iter(f"{CDA}act")
    times = [at(one, "effectiveTime") for one in acts if at(one, "code").get("code") == "CONC"]
    assert [(at(one, "low").get("value"), at(one, "high").get("value")) for one in times] == [
        (None, None),
        ("20190102", "20200304"),
    ]
    assert judge(document).faults == []


def test_what_has_no_code_refers_to_its_words(document: Read) -> None:
    drug = at(
        document.statement("medications", "medication-33"), "consumable/manufacturedProduct/manufacturedMaterial/code"
    )
    assert drug.get("nullFlavor") == "OTH"
    assert at(drug, "originalText/reference").get("value") == "#medication-33.0"
    assert document.cells("medications")["medication-33"][0] == "Grandmother's tea"


def test_a_problem_carries_its_other_codes_as_translations(document: Read) -> None:
    value = at(document.statement("problems", "problem-11"), "entryRelationship/observation/value")
    assert (value.get("code"), value.get(XSI_TYPE)) == ("195967001", "CD")
    assert [one.get("code") for one in value.findall(f"{CDA}translation")] == ["J45.909", "493.90"]


@pytest.mark.parametrize(
    ("line", "sites"),
    [
        ("procedure-51", ["Tooth 14 (mesial, occlusal)"]),
        ("procedure-54", ["Tooth 18", "Tooth 19", "Tooth 30"]),
        ("procedure-55", ["Tooth A"]),
        ("procedure-56", ["Tooth 51"]),
        ("procedure-57", ["Lower arch"]),
        ("procedure-52", []),
    ],
)
def test_a_procedure_has_its_tooth_or_area(document: Read, line: str, sites: list[str]) -> None:
    procedure = document.statement("procedures", line)
    assert [at(one, "originalText").text for one in procedure.findall(f"{CDA}targetSiteCode")] == sites
    assert document.cells("procedures")[line][1] == "; ".join(sites)


def test_what_is_only_planned_stands_in_the_plan_and_not_among_what_happened(document: Read) -> None:
    assert "procedure-53" not in document.cells("procedures")
    proposed = "Upper right; proposed, not on the plan in use"
    assert document.cells("plan")["procedure-53"] == ["Quadrant scaling", proposed, "4 May 2026"]
    assert document.statement("plan", "procedure-53").get("moodCode") == "PRP"


def test_vital_signs_have_their_loinc_codes_and_units(document: Read) -> None:
    organizer = document.statement("vitals", "vitals-1")
    found = {at(one, "code").get("code"): at(one, "value") for one in organizer.iter(f"{CDA}observation")}
    assert {code: (one.get("value"), one.get("unit")) for code, one in found.items()} == MEASURES
    assert document.cells("vitals")["vitals-1"][3:] == ["104/66 mmHg", "82 per minute", "18.8 kg/m²"]


def test_what_was_not_measured_is_left_out(document: Read) -> None:
    organizer = document.statement("vitals", "vitals-3")
    assert [at(one, "code").get("code") for one in organizer.iter(f"{CDA}observation")] == ["8867-4"]
    nothing = VitalSigns(9, dt.date(2026, 1, 1), 0.0, 0.0, 0, 0, 0)
    assert read(build(changed(bare(), vitals=(nothing,)))).sections["vitals"].get("nullFlavor") == "NI"


@pytest.mark.parametrize(("height", "weight", "index"), [(70.0, 154.0, 22.1), (70.0, 0.0, 0.0), (0.0, 154.0, 0.0)])
def test_the_body_mass_index_is_computed(height: float, weight: float, index: float) -> None:
    assert body_mass_index(VitalSigns(1, None, height, weight, 0, 0, 0)) == index


def test_a_result_is_a_quantity_where_it_is_a_number_and_a_text_where_it_is_not(document: Read) -> None:
    organizer = document.statement("results", "result-71")
    values = [at(one, "value") for one in organizer.iter(f"{CDA}observation")]
    assert [(one.get(XSI_TYPE), one.get("value"), one.get("unit"), one.text) for one in values] == [
        ("PQ", "13.2", "g/dL", None),
        ("ST", None, None, "< 3 10*3/uL"),
        ("ST", None, None, "clumped"),
    ]
    assert at(organizer, "statusCode").get("code") == "active"


def test_a_vaccine_that_was_refused_is_negated_with_its_reason(document: Read) -> None:
    refused = document.statement("immunizations", "vaccine-42")
    assert refused.get("negationInd") == "true"
    assert at(refused, "entryRelationship/observation/code").get("code") == "PATOBJ"
    assert document.cells("immunizations")["vaccine-42"][1] == "Refused: the parents' decision"


def test_a_reason_left_in_the_row_of_a_vaccine_that_was_given_is_not_told() -> None:
    (first, *_) = full().vaccines
    given = changed(full(), vaccines=(msgspec.structs.replace(first, status="given", refusal="parental"),))
    (line,) = next(one.lines for one in told(given) if one.key == "immunizations")
    assert line.cells[1] == "Given"
    assert b"PATOBJ" not in build(given)


def test_a_vaccine_that_was_given_has_dose_route_lot_maker_and_giver(document: Read) -> None:
    given = document.statement("immunizations", "vaccine-41")
    material = at(given, "consumable/manufacturedProduct/manufacturedMaterial")
    expiry = material.find(f"{SDTC}expirationTime")
    assert given.get("negationInd") == "false"
    assert at(given, "effectiveTime").get("value") == "201304051120-0800"
    assert at(given, "doseQuantity").attrib == {"value": "0.5", "unit": "mL"}
    assert at(given, "routeCode").get("code") == "C38299"
    assert at(material, "lotNumberText").text == "LOT'7"
    assert expiry is not None
    assert at(expiry, "high").get("value") == "20140101"
    assert at(document.statement("immunizations", "vaccine-44"), "doseQuantity").attrib == {"value": "0.25"}
    assert at(given, "performer/assignedEntity/id").get("extension") == "1679576722"


def test_names_in_any_script_are_plain_utf_8() -> None:
    xml = build(bare())
    assert "小龍".encode() in xml
    assert "Königstraße 5".encode() in xml
    assert b"O'Hara" in build(full())


def test_what_xml_cannot_carry_never_reaches_it() -> None:
    odd = msgspec.structs.replace(full().allergies[0], what="Peni\x00\x08cil\ud800lin\ufffe", reaction="a\r\nb")
    cells = read(build(changed(full(), allergies=(odd,)))).cells("allergies")["allergy-1"]
    assert cells[0] == "Penicillin"
    assert cells[2] == "a\nb"


def test_a_report_without_any_value_is_told_too() -> None:
    empty = msgspec.structs.replace(full().labs[0], results=())
    assert read(build(changed(full(), labs=(empty,)))).cells("results")["report-61"][0] == "Blood count"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_told_has_the_same_lines_in_every_language(language: str) -> None:
    english, other = told(full()), told(full(), language)
    assert [[line.id for line in one.lines] for one in other] == [[line.id for line in one.lines] for one in english]
    assert all(len(line.cells) == len(one.columns) for one in other for line in one.lines)


def test_spanish_is_spanish() -> None:
    spanish = {one.key: one for one in told(full(), "es-MX")}
    penicillin = spanish["allergies"].lines[0]
    assert spanish["allergies"].title == "Alergias"
    assert penicillin.cells == ("Penicillin", "Alergia a un medicamento", "Hives & swelling", "Activo", "2 ene 2019")
    assert told(bare(), "es")[0].nothing == "No hay nada registrado."


def test_a_language_that_we_do_not_speak_is_english() -> None:
    assert told(full(), "vi") == told(full(), "en")
    assert Words("").language == "en"


def test_templates_of_both_editions_are_declared(document: Read) -> None:
    declared = [(one.get("root"), one.get("extension")) for one in document.root.findall(f"{CDA}templateId")]
    ccd = "2.16.840.1.113883.10.20.22.1.2"
    assert {(ccd, "2015-08-01"), (ccd, None), (ccd, "2024-05-01")} <= set(declared)


def test_it_is_a_document_that_any_reader_of_xml_opens() -> None:
    xml = build(full())
    assert xml.startswith(b"<?xml version='1.0' encoding='UTF-8'?>")
    assert ET.fromstring(xml).tag == f"{CDA}ClinicalDocument"

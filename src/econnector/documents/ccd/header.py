"""The header: whom the summary is about, who made it and keeps it, which care it documents.

US Realm Header and Continuity of Care Document of C-CDA R2.1 and 3.0. What the practice did not record is there with a
null flavour: ASKU where the patient did not want to say, UNK otherwise.
"""

import re
from typing import Final
from xml.etree.ElementTree import Element

from econnector.documents.ccd import oids
from econnector.documents.ccd.elements import (
    coded,
    element,
    interval,
    named,
    null,
    once,
    templates,
    text,
)
from econnector.documents.ccd.people import address, person_name, telecoms
from econnector.documents.ccd.writing import Writing
from econnector.opendental.summary.records import Code, Contact, Gender, Subject

__all__ = ["header"]

_SOFTWARE: Final = "eConnector"
_RACES: Final = frozenset({"1002-5", "2028-9", "2054-5", "2076-8", "2106-3"})
"""The Office of Management and Budget's categories; a race of more detail stands beside one of them."""
_HISPANIC: Final = "2135-2"
_ETHNICITIES: Final = frozenset({_HISPANIC, "2186-5"})
_HISPANIC_DETAIL: Final = re.compile(r"21(3[7-9]|[4-7]\d|8[0-4])-\d")
"""CDCREC's codes 2137-8 to 2184-0 are kinds of Hispanic or Latino."""
_GENDERS: Final[dict[Gender, str]] = {"F": "Female", "M": "Male"}
_MARITAL: Final = {"S": "Never Married", "M": "Married", "D": "Divorced", "W": "Widowed"}
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")


def header(writing: Writing) -> list[Element]:
    """Return the elements of the header, in the schema's order."""
    summary = writing.summary
    period = summary.period
    return [
        element("realmCode", code="US"),
        element("typeId", root="2.16.840.1.113883.1.3", extension="POCD_HD000040"),
        *templates(oids.US_REALM, oids.CCD),
        element("id", root=writing.root("summary", summary.subject.number, summary.made, period.first, period.last)),
        named("code", "34133-9", oids.LOINC),
        text("title", writing.words("summary")),
        once(summary.made),
        named("confidentialityCode", "N", oids.CONFIDENTIALITY),
        element("languageCode", code="es-US" if writing.words.language == "es" else "en-US"),
        element("recordTarget", _patient_role(writing)),
        element("author", once(summary.made, "time"), _author(writing)),
        element("custodian", element("assignedCustodian", _custodian(writing))),
        *_legal_authenticator(writing),
        element("documentationOf", _service(writing)),
    ]


def _patient_role(writing: Writing) -> Element:
    subject = writing.summary.subject
    return element(
        "patientRole",
        element("id", root=writing.patients, extension=str(subject.number)),
        address(subject.address, "HP"),
        *telecoms(subject.phones, subject.email),
        _patient(subject),
        writing.organization("providerOrganization"),
    )


def _patient(subject: Subject) -> Element:
    marital = named("maritalStatusCode", subject.marital, oids.MARITAL, _MARITAL.get(subject.marital, ""))
    known_language = element("languageCode", code=subject.language)
    spoken = known_language if _LANGUAGE.fullmatch(subject.language) else null("languageCode", "UNK")
    return element(
        "patient",
        person_name(subject.name, subject.preferred, use="L"),
        _gender(subject.gender),
        once(subject.birth_date, "birthTime"),
        marital if subject.marital else null("maritalStatusCode", "UNK"),
        *_races(subject),
        *_ethnicities(subject),
        *(_guardian(one) for one in subject.contacts if one.is_guardian),
        element("languageCommunication", spoken, element("preferenceInd", value="true")),
    )


def _gender(recorded: Gender) -> Element:
    """HL7's code UN says that somebody is neither; the practice only did not say which."""
    name = "administrativeGenderCode"
    return named(name, recorded, oids.GENDER, _GENDERS[recorded]) if recorded in _GENDERS else null(name, "UNK")


def _races(subject: Subject) -> list[Element]:
    """Return one race of the five categories and all others beside it, each once."""
    distinct = {one.value: one for one in subject.races}
    first = next((one for one in distinct.values() if one.value in _RACES), None)
    if first is None:
        main = null("raceCode", "OTH" if distinct else "ASKU" if "race" in subject.declined else "UNK")
    else:
        main = coded("raceCode", first)
    return [main, *(coded("sdtc:raceCode", one) for one in distinct.values() if one is not first)]


def _ethnicities(subject: Subject) -> list[Element]:
    recorded = subject.ethnicity
    if recorded is None:
        return [null("ethnicGroupCode", "ASKU" if "ethnicity" in subject.declined else "UNK")]
    if recorded.value in _ETHNICITIES:
        return [coded("ethnicGroupCode", recorded)]
    if _HISPANIC_DETAIL.fullmatch(recorded.value):
        category = Code(_HISPANIC, "CDCREC", "Hispanic or Latino")
        return [coded("ethnicGroupCode", category), coded("sdtc:ethnicGroupCode", recorded)]
    return [null("ethnicGroupCode", "OTH", text("originalText", recorded.text or recorded.value))]


def _guardian(contact: Contact) -> Element:
    return element(
        "guardian",
        named("code", contact.relation, oids.RELATION) if contact.relation else None,
        address(contact.address, "HP"),
        *telecoms(contact.phones),
        element("guardianPerson", person_name(contact.name)),
    )


def _author(writing: Writing) -> Element:
    """A person's provider speaks through the practice's record; where that is an organisation, the software does."""
    provider = writing.summary.provider
    if provider.is_person:
        return writing.entity(provider, "assignedAuthor")
    device = element(
        "assignedAuthoringDevice", text("manufacturerModelName", _SOFTWARE), text("softwareName", _SOFTWARE)
    )
    return element(
        "assignedAuthor",
        writing.clinician_id(provider),
        writing.taxonomy(provider),
        *writing.reached(),
        device,
        writing.organization("representedOrganization"),
    )


def _custodian(writing: Writing) -> Element:
    where, telecom = writing.reached()
    name = text("name", writing.summary.practice.name)
    return element("representedCustodianOrganization", writing.organization_id(), name, telecom, where)


def _legal_authenticator(writing: Writing) -> list[Element]:
    """Only a person can answer for a document."""
    custodian = writing.summary.custodian
    if not custodian.is_person:
        return []
    signed = element("signatureCode", code="S")
    when = once(writing.summary.made, "time")
    return [element("legalAuthenticator", when, signed, writing.entity(custodian))]


def _service(writing: Writing) -> Element:
    """The care that is documented: of the whole life, or of the days the summary is limited to."""
    summary = writing.summary
    first = summary.period.first or summary.subject.birth_date
    today = summary.made.date()
    last = summary.period.last or (max(first, today) if first else today)
    return element(
        "serviceEvent",
        interval(first, last, over=True),
        element(
            "performer",
            writing.entity(summary.provider),
            typeCode="PRF",
        ),
        classCode="PCPR",
    )

"""What the page and the paper of a care summary say beside its sections: whose it is, when it was made and by whom."""

from typing import Final, NamedTuple

from econnector.documents.ccd.words import Words
from econnector.opendental.summary.records import Address, Contact, Name, Period, Subject, Summary
from econnector.web import formats
from econnector.web.language import Language

__all__ = ["Fact", "Front", "front"]

Fact = tuple[str, str]
"""What it is, and what was recorded; lines are parted by line feeds."""


class Front(NamedTuple):
    """Everything but the sections, in one language."""

    language: Language
    title: str
    name: str
    """The patient's."""
    made: str
    person: tuple[Fact, ...]
    """About the patient; only what was recorded."""
    about: tuple[Fact, ...]
    """About the summary itself."""
    practice: str
    phone: str
    end: str
    """The sentence at the end: whom to tell of what is wrong."""
    words: dict[str, str]
    """By the keys of `_WORDS`."""


def front(summary: Summary, language: str) -> Front:
    """Return what stands at the front of a summary in `en` or `es`."""
    ours = Words(language)
    spoken, words = Language(ours.language, "US"), _WORDS[ours.language]
    made = f"{ours.day(summary.made)}, {formats.clock(summary.made.isoformat(), spoken)}"
    practice, phone = summary.practice, formats.phone(summary.practice.phone)
    about = (
        (words["practice"], "\n".join(filter(None, (practice.name, _address(practice.address))))),
        (words["practice-phone"], phone),
        (words["provider"], _name(summary.provider.name)),
        (words["made"], made),
        (words["days"], _days(summary.period, words, ours)),
    )
    return Front(
        spoken,
        ours("summary"),
        _name(summary.subject.name),
        made,
        tuple(fact for fact in _person(summary.subject, words, ours) if fact[1]),
        tuple(fact for fact in about if fact[1]),
        practice.name,
        phone,
        words["end-phone" if phone else "end"].format(practice=practice.name, phone=phone),
        words,
    )


def _person(who: Subject, words: dict[str, str], ours: Words) -> tuple[Fact, ...]:
    return (
        (words["born"], ours.day(who.birth_date)),
        (words["called"], who.preferred),
        (ours("sex"), ours.known(f"sex.{who.gender}")),
        (words["race"], ", ".join(one.text for one in who.races if one.text)),
        (words["ethnicity"], who.ethnicity.text if who.ethnicity else ""),
        (words["language"], words.get(f"language-{who.language[:2]}", who.language)),
        (words["address"], _address(who.address)),
        (words["phone"], "\n".join(formats.phone(one.number) for one in who.phones)),
        (words["email"], who.email),
        (words["contacts"], "\n".join(_contact(one, words) for one in who.contacts)),
    )


def _name(name: Name) -> str:
    first = " ".join(filter(None, (name.prefix, *name.given, name.family)))
    return f"{first}, {name.suffix}" if name.suffix else first


def _address(address: Address) -> str:
    place = f"{address.city}, {address.state}" if address.city and address.state else address.city or address.state
    return "\n".join(filter(None, (*address.lines, f"{place} {address.zip}".strip(), address.country)))


def _contact(contact: Contact, words: dict[str, str]) -> str:
    phones = (formats.phone(one.number) for one in contact.phones)
    role = words["guardian"] if contact.is_guardian else ""
    return ", ".join(filter(None, (_name(contact.name), role, *phones)))


def _days(period: Period, words: dict[str, str], ours: Words) -> str:
    first, last = ours.day(period.first), ours.day(period.last)
    kind = ("from-to" if last else "from") if first else ("to" if last else "all")
    return words[kind].format(first=first, last=last)


_WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "skip": "Skip to the summary",
        "patient": "Patient",
        "summary": "About this summary",
        "contents": "Contents",
        "none": "nothing recorded",
        "page": "Page {number} of {count}",
        "end": "This is what {practice} had recorded when the summary was made. "
        "If something is wrong or missing, please tell the practice.",
        "end-phone": "This is what {practice} had recorded when the summary was made. "
        "If something is wrong or missing, please call {phone}.",
        "born": "Born",
        "called": "Preferred name",
        "race": "Race",
        "ethnicity": "Ethnicity",
        "language": "Language",
        "language-en": "English",
        "language-es": "Spanish",
        "address": "Address",
        "phone": "Phone",
        "email": "Email",
        "contacts": "Responsible persons",
        "guardian": "guardian",
        "practice": "Practice",
        "practice-phone": "Practice's phone",
        "provider": "Provider",
        "made": "Made on",
        "days": "Days covered",
        "all": "All that was recorded",
        "from": "From {first}",
        "to": "Until {last}",
        "from-to": "From {first} until {last}",
    },
    "es": {
        "skip": "Ir al resumen",
        "patient": "Paciente",
        "summary": "Sobre este resumen",
        "contents": "Contenido",
        "none": "nada registrado",
        "page": "Página {number} de {count}",
        "end": "Esto es lo que {practice} tenía registrado cuando se hizo el resumen. "
        "Si algo es incorrecto o falta, avise al consultorio.",
        "end-phone": "Esto es lo que {practice} tenía registrado cuando se hizo el resumen. "
        "Si algo es incorrecto o falta, llame al {phone}.",
        "born": "Nacimiento",
        "called": "Nombre preferido",
        "race": "Raza",
        "ethnicity": "Origen étnico",
        "language": "Idioma",
        "language-en": "Inglés",
        "language-es": "Español",
        "address": "Dirección",
        "phone": "Teléfono",
        "email": "Correo electrónico",
        "contacts": "Personas responsables",
        "guardian": "tutor legal",
        "practice": "Consultorio",
        "practice-phone": "Teléfono del consultorio",
        "provider": "Profesional",
        "made": "Hecho el",
        "days": "Días incluidos",
        "all": "Todo lo registrado",
        "from": "Desde el {first}",
        "to": "Hasta el {last}",
        "from-to": "Del {first} al {last}",
    },
}

"""The words of a care summary that are ours, English and Spanish.

What the practice typed in, and the words of a code, are as the practice has them.
"""

import datetime as dt
from typing import Final, Literal

from econnector.documents.ccd.narrative import SectionKey

__all__ = ["LANGUAGES", "Words"]

_Language = Literal["en", "es"]
LANGUAGES: Final[tuple[_Language, ...]] = ("en", "es")

_MONTHS: Final[dict[_Language, tuple[str, ...]]] = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "es": ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"),
}

_TITLES: Final[dict[_Language, dict[SectionKey, str]]] = {
    "en": {
        "allergies": "Allergies",
        "medications": "Medications",
        "problems": "Problems",
        "procedures": "Procedures",
        "results": "Test results",
        "vitals": "Vital signs",
        "social": "Social history",
        "immunizations": "Immunizations",
        "encounters": "Visits",
        "functional": "Functional and mental status",
        "plan": "Plan of treatment",
        "referral": "Reason for referral",
    },
    "es": {
        "allergies": "Alergias",
        "medications": "Medicamentos",
        "problems": "Problemas de salud",
        "procedures": "Procedimientos",
        "results": "Resultados de pruebas",
        "vitals": "Signos vitales",
        "social": "Antecedentes sociales",
        "immunizations": "Vacunas",
        "encounters": "Visitas",
        "functional": "Estado funcional y mental",
        "plan": "Plan de tratamiento",
        "referral": "Motivo de la remisión",
    },
}

_COLUMNS: Final[dict[_Language, dict[SectionKey, tuple[str, ...]]]] = {
    "en": {
        "allergies": ("Allergy to", "Kind", "Reaction", "Status", "Since"),
        "medications": ("Medication", "Instructions", "Status", "Began", "Ended", "Prescribed by"),
        "problems": ("Problem", "Status", "Began", "Ended"),
        "procedures": ("Procedure", "Tooth or area", "Status", "Date", "By"),
        "results": ("Test", "Value", "Normal range", "Flag", "Status", "Date", "Report"),
        "vitals": ("Date", "Height", "Weight", "Blood pressure", "Pulse", "Body mass index"),
        "social": ("Topic", "Answer", "Date"),
        "immunizations": ("Vaccine", "Status", "Date", "Dose", "Route", "Lot", "Manufacturer", "Given by"),
        "encounters": ("Visit", "Date", "With"),
        "functional": ("Finding", "Kind", "Status", "Began", "Ended"),
        "plan": ("Planned", "Instructions", "Date"),
        "referral": ("Referred to", "Reason", "Date"),
    },
    "es": {
        "allergies": ("Alergia a", "Tipo", "Reacción", "Estado", "Desde"),
        "medications": ("Medicamento", "Instrucciones", "Estado", "Inicio", "Fin", "Recetado por"),
        "problems": ("Problema", "Estado", "Inicio", "Fin"),
        "procedures": ("Procedimiento", "Diente o zona", "Estado", "Fecha", "Realizado por"),
        "results": ("Prueba", "Valor", "Intervalo normal", "Indicador", "Estado", "Fecha", "Informe"),
        "vitals": ("Fecha", "Estatura", "Peso", "Presión arterial", "Pulso", "Índice de masa corporal"),
        "social": ("Tema", "Respuesta", "Fecha"),
        "immunizations": ("Vacuna", "Estado", "Fecha", "Dosis", "Vía", "Lote", "Fabricante", "Aplicada por"),
        "encounters": ("Visita", "Fecha", "Con"),
        "functional": ("Hallazgo", "Tipo", "Estado", "Inicio", "Fin"),
        "plan": ("Previsto", "Instrucciones", "Fecha"),
        "referral": ("Remitido a", "Motivo", "Fecha"),
    },
}

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "summary": ("Care summary", "Resumen de atención médica"),
    "nothing": ("Nothing is recorded.", "No hay nada registrado."),
    "nothing.period": (
        "Nothing is recorded for the chosen dates.",
        "No hay nada registrado para las fechas elegidas.",
    ),
    "none.allergies": ("No known allergies.", "Sin alergias conocidas."),
    "none.medications": ("Takes no medications.", "No toma ningún medicamento."),
    "none.problems": ("No known problems.", "Sin problemas de salud conocidos."),
    "instruction": ("Instruction", "Instrucción"),
    "unnamed": ("Not named", "Sin nombre"),
    "status.active": ("Active", "Activo"),
    "status.inactive": ("Inactive", "Inactivo"),
    "status.resolved": ("Resolved", "Resuelto"),
    "status.completed": ("Done", "Realizado"),
    "status.existing": ("Done elsewhere or earlier", "Realizado en otro lugar o antes"),
    "status.condition": ("Condition", "Condición"),
    "status.planned": ("proposed, not on the plan in use", "propuesto, fuera del plan vigente"),
    "status.given": ("Given", "Aplicada"),
    "status.refused": ("Refused", "Rechazada"),
    "status.not-given": ("Not given", "No aplicada"),
    "status.partly-given": ("Partly given", "Aplicada en parte"),
    "status.final": ("Final", "Definitivo"),
    "status.preliminary": ("Preliminary", "Preliminar"),
    "allergy.": ("Allergy or intolerance", "Alergia o intolerancia"),
    "allergy.substance-allergy": ("Allergy to a substance", "Alergia a una sustancia"),
    "allergy.drug-allergy": ("Drug allergy", "Alergia a un medicamento"),
    "allergy.drug-intolerance": ("Drug intolerance", "Intolerancia a un medicamento"),
    "allergy.food-allergy": ("Food allergy", "Alergia a un alimento"),
    "allergy.food-intolerance": ("Food intolerance", "Intolerancia a un alimento"),
    "allergy.reaction": ("Adverse reaction", "Reacción adversa"),
    "allergy.drug-reaction": ("Adverse reaction to a drug", "Reacción adversa a un medicamento"),
    "allergy.food-reaction": ("Adverse reaction to a food", "Reacción adversa a un alimento"),
    "allergy.substance-reaction": ("Adverse reaction to a substance", "Reacción adversa a una sustancia"),
    "functional.cognitive-result": ("Mental status", "Estado mental"),
    "functional.cognitive-problem": ("Mental problem", "Problema mental"),
    "functional.functional-result": ("Functional status", "Estado funcional"),
    "functional.functional-problem": ("Functional problem", "Problema funcional"),
    "refusal.parental": ("the parents' decision", "decisión de los padres"),
    "refusal.religious": ("religious grounds", "motivos religiosos"),
    "refusal.other": ("another reason", "otro motivo"),
    "refusal.patient": ("the patient's decision", "decisión del paciente"),
    "route.intradermal": ("Into the skin", "Intradérmica"),
    "route.intramuscular": ("Into a muscle", "Intramuscular"),
    "route.nasal": ("Nasal", "Nasal"),
    "route.intravenous": ("Into a vein", "Intravenosa"),
    "route.oral": ("By mouth", "Oral"),
    "route.subcutaneous": ("Under the skin", "Subcutánea"),
    "route.transdermal": ("Through the skin", "Transdérmica"),
    "expires": ("expires", "caduca el"),
    "flag.L": ("Low", "Bajo"),
    "flag.LL": ("Critically low", "Críticamente bajo"),
    "flag.<": ("Below the measurable", "Inferior a lo medible"),
    "flag.H": ("High", "Alto"),
    "flag.HH": ("Critically high", "Críticamente alto"),
    "flag.>": ("Above the measurable", "Superior a lo medible"),
    "flag.N": ("Normal", "Normal"),
    "flag.A": ("Abnormal", "Anormal"),
    "flag.AA": ("Critically abnormal", "Críticamente anormal"),
    "flag.U": ("Went up", "Subió"),
    "flag.D": ("Went down", "Bajó"),
    "flag.B": ("Better", "Mejor"),
    "flag.W": ("Worse", "Peor"),
    "flag.S": ("Susceptible", "Sensible"),
    "flag.R": ("Resistant", "Resistente"),
    "flag.I": ("Intermediate", "Intermedio"),
    "flag.MS": ("Moderately susceptible", "Moderadamente sensible"),
    "flag.VS": ("Very susceptible", "Muy sensible"),
    "surface.M": ("mesial", "mesial"),
    "surface.O": ("occlusal", "oclusal"),
    "surface.D": ("distal", "distal"),
    "surface.B": ("buccal", "bucal"),
    "surface.F": ("facial", "facial"),
    "surface.L": ("lingual", "lingual"),
    "surface.I": ("incisal", "incisal"),
    "surface.V": ("class V", "clase V"),
    "tooth": ("Tooth", "Diente"),
    "sextant": ("Sextant", "Sextante"),
    "area.UR": ("Upper right", "Superior derecho"),
    "area.UL": ("Upper left", "Superior izquierdo"),
    "area.LR": ("Lower right", "Inferior derecho"),
    "area.LL": ("Lower left", "Inferior izquierdo"),
    "area.U": ("Upper arch", "Arcada superior"),
    "area.L": ("Lower arch", "Arcada inferior"),
    "tobacco": ("Tobacco", "Tabaco"),
    "sex": ("Sex", "Sexo"),
    "sex.F": ("Female", "Femenino"),
    "sex.M": ("Male", "Masculino"),
    "beats": ("per minute", "por minuto"),
}
"""Each in English and in Spanish."""


class Words:
    """The words of one language."""

    def __init__(self, language: str) -> None:
        """`language` is one of `LANGUAGES`, with or without a country; anything else means English."""
        short = language.split("-", maxsplit=1)[0]
        self.language: _Language = next((one for one in LANGUAGES if one == short), "en")

    def __call__(self, key: str) -> str:
        """Return the words of a key. Raises `KeyError` for none of ours."""
        english, spanish = _WORDS[key]
        return spanish if self.language == "es" else english

    def known(self, key: str) -> str:
        """Return the words of a key, or nothing for none of ours: for what a practice may have written otherwise."""
        return self(key) if key in _WORDS else ""

    def title(self, key: SectionKey) -> str:
        """Return a section's heading."""
        return _TITLES[self.language][key]

    def columns(self, key: SectionKey) -> tuple[str, ...]:
        """Return a section's column headings."""
        return _COLUMNS[self.language][key]

    def day(self, when: dt.date | None) -> str:
        """Return the day of a date or moment, such as `20 Nov 2026`; nothing for None."""
        return "" if when is None else f"{when.day} {_MONTHS[self.language][when.month - 1]} {when.year}"

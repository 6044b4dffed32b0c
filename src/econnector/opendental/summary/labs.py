"""What laboratories reported (ehrlab, ehrlabresult): HL7 messages that Open Dental keeps part by part, as text."""

import datetime as dt
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from econnector.opendental.summary.lexicon import Lexicon
from econnector.opendental.summary.records import Code, LabOrder, LabResult, Period
from econnector.opendental.summary.values import Zone, amount, inside, plain
from econnector.opendental.tables import ehrlab, ehrlabresult

__all__ = ["Labs"]

_FLAGS: Final = frozenset("< > A AA AC B D DET H HH HU I IE IND L LL LU N ND NEG NR POS R RR S U W WR".split())  # noqa: SIM905 - read more easily
"""HL7 ObservationInterpretation, as far as a laboratory's values have one."""
_FINAL, _WITHDRAWN = {"F", "C"}, {"D", "W"}
"""ehrlabresult.ObservationResultStatus: final, corrected; deleted, posted by mistake."""
_LOINC_NAMES = {"", "LN", "LOINC"}
_TEXTS = ("Text", "TextAlt", "TextOriginal")

_LABS: Final = (
    select(
        ehrlab.c.EhrLabNum.label("Lab"),
        ehrlab.c.UsiID,
        ehrlab.c.UsiText,
        ehrlab.c.UsiCodeSystemName,
        ehrlab.c.UsiIDAlt,
        ehrlab.c.UsiTextAlt,
        ehrlab.c.UsiCodeSystemNameAlt,
        ehrlab.c.UsiTextOriginal,
        ehrlab.c.ObservationDateTimeStart,
        ehrlab.c.ResultDateTime,
        *(
            ehrlabresult.c[name]
            for name in (
                "EhrLabResultNum",
                "ValueType",
                "ObservationIdentifierID",
                "ObservationIdentifierText",
                "ObservationIdentifierCodeSystemName",
                "ObservationIdentifierIDAlt",
                "ObservationIdentifierTextAlt",
                "ObservationIdentifierCodeSystemNameAlt",
                "ObservationIdentifierTextOriginal",
                "ObservationValueCodedElementID",
                "ObservationValueCodedElementText",
                "ObservationValueCodedElementTextAlt",
                "ObservationValueCodedElementTextOriginal",
                "ObservationValueDateTime",
                "ObservationValueTime",
                "ObservationValueComparator",
                "ObservationValueNumber1",
                "ObservationValueSeparatorOrSuffix",
                "ObservationValueNumber2",
                "ObservationValueNumeric",
                "ObservationValueText",
                "UnitsID",
                "UnitsText",
                "referenceRange",
                "AbnormalFlags",
                "ObservationResultStatus",
                "ObservationDateTime",
                "AnalysisDateTime",
            )
        ),
    )
    .outerjoin_from(ehrlab, ehrlabresult, ehrlabresult.c.EhrLabNum == ehrlab.c.EhrLabNum)
    .where(ehrlab.c.PatNum == bindparam("patient"))
    .order_by(ehrlab.c.EhrLabNum, ehrlabresult.c.SetIdOBX, ehrlabresult.c.EhrLabResultNum)
)


class Labs:
    """The rows of one person, read at once; then the section made of them."""

    def __init__(self, connection: Connection, patient: int, words: Lexicon) -> None:
        """Read the rows of `patient` (a PatNum) and tell `words` which codes there are."""
        self._words = words
        self._rows = connection.execute(_LABS, {"patient": patient}).all()
        for row in self._rows:
            words.want("LOINC", [row.UsiID, row.UsiIDAlt])
            words.want("LOINC", [row.ObservationIdentifierID, row.ObservationIdentifierIDAlt])

    def orders(self, zone: Zone, period: Period) -> tuple[LabOrder, ...]:
        """Return the reports, the newest first, each with its values; one without values is none."""
        reports: dict[int, list[Any]] = {}
        for row in self._rows:
            reports.setdefault(row.Lab, []).append(row)
        found = [self._order(rows, zone) for rows in reports.values()]
        told = [one for one in found if one.results and inside(period, one.at.date() if one.at else None)]
        return tuple(sorted(told, key=lambda one: one.at.timestamp() if one.at else 0.0, reverse=True))

    def _order(self, rows: list[Any], zone: Zone) -> LabOrder:
        first = rows[0]
        at = zone.read(first.ObservationDateTimeStart) or zone.read(first.ResultDateTime)
        what, code = self._named(first, "Usi{}", "UsiCodeSystemName")
        results = [
            self._result(row, zone, at)
            for row in rows
            if row.EhrLabResultNum and plain(row.ObservationResultStatus).upper() not in _WITHDRAWN
        ]
        at = at or next((one.at for one in results if one.at), None)
        return LabOrder(first.Lab, what, code, at, tuple(results))

    def _result(self, row: Any, zone: Zone, ordered: dt.datetime | None) -> LabResult:
        what, code = self._named(row, "ObservationIdentifier{}", "ObservationIdentifierCodeSystemName")
        value, quantity = _value(row, zone)
        return LabResult(
            number=row.EhrLabResultNum,
            what=what,
            code=code,
            value=value,
            quantity=quantity,
            unit=_unit(row),
            range=plain(row.referenceRange),
            flag=_flag(row.AbnormalFlags),
            final=plain(row.ObservationResultStatus).upper() in _FINAL,
            at=zone.read(row.ObservationDateTime) or zone.read(row.AnalysisDateTime) or ordered,
        )

    def _named(self, row: Any, part: str, system: str) -> tuple[str, Code | None]:
        """Return the laboratory's words, and the LOINC code, which it may give as the second of two.

        Without words there are the code's, and at last whatever identifier it was given.
        """
        words, code = (
            next((text for text in (plain(getattr(row, part.format(one))) for one in _TEXTS) if text), ""),
            None,
        )
        for alternate in ("", "Alt"):
            if plain(getattr(row, system + alternate)).upper() in _LOINC_NAMES:
                code = code or self._words.code("LOINC", getattr(row, part.format(f"ID{alternate}")), words)
        known = words or (code.text or code.value if code else "")
        return known or plain(getattr(row, part.format("ID"))), code


def _value(row: Any, zone: Zone) -> tuple[str, float | None]:
    """Return how a value reads, and the plain number that it may be."""
    match plain(row.ValueType).upper():
        case "NM":
            found = amount(row.ObservationValueNumeric)
            return ("" if found is None else f"{found:.15g}"), found
        case "SN":
            return _structured(row)
        case "CE" | "CWE":
            return _coded(row), None
        case "DT" | "TS":
            moment = zone.read(row.ObservationValueDateTime)
            return (f"{moment:%Y-%m-%d %H:%M}" if moment else plain(row.ObservationValueDateTime)), None
        case "TM":
            return plain(row.ObservationValueTime), None
        case _:
            return plain(row.ObservationValueText) or _coded(row), None


def _structured(row: Any) -> tuple[str, float | None]:
    """Read HL7's structured number: `> 10`, `1:128`, `10-20`, `2+`."""
    comparator, between = plain(row.ObservationValueComparator), plain(row.ObservationValueSeparatorOrSuffix)
    first, second = amount(row.ObservationValueNumber1), amount(row.ObservationValueNumber2)
    if first is None:
        return plain(row.ObservationValueText), None
    text = f"{comparator}{first:.15g}{between}"
    if between and between != "+" and second is not None:
        text += f"{second:.15g}"
    return text, first if comparator in {"", "="} and not between else None


def _coded(row: Any) -> str:
    texts = (plain(getattr(row, f"ObservationValueCodedElement{part}")) for part in (*_TEXTS, "ID"))
    return next((text for text in texts if text), "")


def _unit(row: Any) -> str:
    return next((unit for unit in (plain(row.UnitsID), plain(row.UnitsText)) if unit and " " not in unit), "")


def _flag(text: str | None) -> str:
    flags = (part.strip().upper() for part in plain(text).replace("~", ",").split(","))
    return next((flag for flag in flags if flag in _FLAGS), "")

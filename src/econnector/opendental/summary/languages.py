"""patient.Language as a tag: Open Dental keeps ISO 639-2 (`spa`), a practice's own words, or a culture (`es-MX`)."""

import re
from typing import Final

from econnector.opendental.summary.values import plain

__all__ = ["language"]

_TWO_LETTERS: Final = dict(
    pair.split(":")
    for pair in """
afr:af alb:sq sqi:sq amh:am ara:ar arm:hy hye:hy aze:az baq:eu eus:eu bel:be ben:bn bos:bs bul:bg bur:my mya:my
cat:ca chi:zh zho:zh cze:cs ces:cs dan:da dut:nl nld:nl eng:en est:et fin:fi fre:fr fra:fr geo:ka kat:ka ger:de
deu:de gle:ga glg:gl gre:el ell:el guj:gu hat:ht hau:ha heb:he hin:hi hrv:hr hun:hu ibo:ig ice:is isl:is ind:id
ita:it jpn:ja kan:kn kaz:kk khm:km kin:rw kor:ko kur:ku lao:lo lav:lv lit:lt mac:mk mkd:mk mal:ml mar:mr may:ms
msa:ms mlg:mg mlt:mt mon:mn nav:nv nep:ne nor:no nya:ny orm:om pan:pa per:fa fas:fa pol:pl por:pt pus:ps que:qu
rum:ro ron:ro run:rn rus:ru sin:si slo:sk slk:sk slv:sl smo:sm sna:sn som:so spa:es srp:sr sun:su swa:sw swe:sv
tam:ta tel:te tgl:tl tha:th tib:bo bod:bo tir:ti ton:to tur:tr ukr:uk urd:ur uzb:uz vie:vi wel:cy cym:cy wol:wo
xho:xh yid:yi yor:yo zul:zu
""".split()  # noqa: SIM905 - a block of text is read more easily than a list
)
"""ISO 639-2 (both forms where there are two) and ISO 639-1."""
_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{2}))?")


def language(typed: str | None, none: str) -> str:
    """Return the tag (`es`, `en-US`, `hmn`); '' for other words, and for `none`: the practice's word for declining."""
    text = plain(typed)
    match = _TAG.fullmatch(text)
    if match is None or text.casefold() == plain(none).casefold():
        return ""
    tongue = match[1].lower()
    if len(tongue) == 2 and tongue not in _TWO_LETTERS.values():  # noqa: PLR2004 - letters
        return ""
    tongue = _TWO_LETTERS.get(tongue, tongue)
    return f"{tongue}-{match[2].upper()}" if match[2] else tongue

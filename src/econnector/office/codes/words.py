"""How an import stands, in the words of Open Dental's own importer; the window and the commands say the same."""

from typing import Literal

import msgspec

from econnector.office.codes.importer import Row
from econnector.storage.state import code_downloads, code_imports

__all__ = ["CANCELLED", "COMPLETE", "DOWNLOADING", "IMPORTING", "PUTTING", "Said", "said", "size"]

DOWNLOADING, IMPORTING, COMPLETE, CANCELLED = "Downloading", "Importing", "Import complete", "Import cancelled"
PUTTING = "Putting into the table"
_CUT_OFF = "Cut off"
_KB = 1000


class Said(msgspec.Struct, frozen=True):
    """How the last import of a system stands."""

    word: str
    state: Literal["ok", "attention", "problem", "unknown"]
    loads: bool = False
    """The download is meant and not the import."""


def said(row: Row) -> Said | None:
    """Return how the last import stands, None where there was none."""
    download, last = row.download, row.progress
    loading = download is not None and download.status == code_downloads.DOWNLOADING
    if row.runs:
        word = PUTTING if last is not None and last.putting else IMPORTING
        return Said(DOWNLOADING if loading else word, "unknown", loading)
    # A file that is loaded and not imported says nothing more than its import does.
    told = download is not None and (download.status != code_downloads.LOADED or download.failure)
    if download is not None and told and (last is None or download.at >= last.at):
        status = code_imports.FAILED if download.failure else download.status
        return _ended(status, download.failure, loads=True)
    return _ended(last.status, last.failure) if last is not None else None


def _ended(status: str, failure: str, *, loads: bool = False) -> Said:
    if status == code_imports.COMPLETE:
        return Said(COMPLETE, "ok")
    if status == code_imports.FAILED:
        return Said(f"Error: {failure}", "problem", loads)
    return Said(CANCELLED if status == code_imports.CANCELLED else _CUT_OFF, "attention", loads)


def size(number: float) -> str:
    """Return a number of bytes for people: `999 B`, `12.3 kB`, `131.0 MB`."""
    for unit in ("B", "kB", "MB"):
        if number < _KB or unit == "MB":
            break
        number /= _KB
    return f"{number:,.0f} {unit}" if unit == "B" else f"{number:,.1f} {unit}"

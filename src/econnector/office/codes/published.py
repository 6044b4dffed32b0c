"""Files in their publisher's own form, written anew as the importer reads them: a line a row, tabs between its columns.

- ICD-10-CM as the CDC publishes it (`icd10cm_order_2026.txt`): fixed columns, 1-5 the order, 7-13 the code without its
  dot, 15 whether it may be billed, 17-76 the short text, 78 on the long one.
- SNOMED CT as the National Library of Medicine gives it out (release format 2, `sct2_Description_Snapshot-…`): tabs
  with a header; a concept's full name is the description that is active and of the type "fully specified name".

Both also in the zip in which they are given out, among other files. The CDC's own list of vaccines and the AMA's of
procedures are read as they are (`lines.py`).
"""

import contextlib
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from econnector.base.errors import CodeFileUnreadable
from econnector.office.codes.source import opened

__all__ = ["as_tabs"]

_LARGEST = 2_000_000_000
"""Bytes of a file in a zip: ten times SNOMED CT's names."""
_ORDER_LINE = re.compile(r"[0-9]{5} [A-Z][0-9][0-9A-Z]{1,5} +[01] \S")
_CODE, _BILLABLE, _SHORT, _LONG = slice(6, 13), 14, slice(16, 76), slice(77, None)
_STEM = 3
_NAMES_HEADER = "id\teffectiveTime\tactive\tmoduleId\tconceptId\tlanguageCode\ttypeId\tterm"
_ACTIVE, _CONCEPT, _TYPE, _TERM, _NAME_COLUMNS = 2, 4, 6, 7, 9
_FULL_NAME = "900000000000003001"


def _order_row(text: str) -> str:
    if not _ORDER_LINE.match(text):
        return text.replace("\t", " ")
    code = text[_CODE].strip()
    dotted = f"{code[:_STEM]}.{code[_STEM:]}" if len(code) > _STEM else code
    return f"{dotted}\t{text[_LONG].strip() or text[_SHORT].strip()}\t{text[_BILLABLE]}"


def _name_row(text: str) -> str:
    columns = text.split("\t")
    if text.startswith(_NAMES_HEADER):
        return ""
    if len(columns) < _NAME_COLUMNS:
        return text.replace("\t", " ")
    full = columns[_ACTIVE] == "1" and columns[_TYPE] == _FULL_NAME
    return f"{columns[_CONCEPT]}\t{columns[_TERM]}" if full else ""


class _Form(NamedTuple):
    entry: re.Pattern[str]
    """What the file is called among others in a zip."""
    first: re.Pattern[str]
    """How its first line begins."""
    row: Callable[[str], str]
    """A line as the importer reads it; empty for one that is no row, unchanged for one that is bad."""


_FORMS = {
    "ICD10CM": _Form(
        re.compile(r"(?!.*addenda)icd10cm[-_ ]?order[-_ ].*\.txt", re.IGNORECASE), _ORDER_LINE, _order_row
    ),
    "SNOMEDCT": _Form(
        re.compile(r"sct2_Description_Snapshot-en.*\.txt", re.IGNORECASE), re.compile(_NAMES_HEADER), _name_row
    ),
}


def as_tabs(system: str, path: Path, out: Path) -> Path:
    """Return a file that the importer reads: `path`, or `out` where that is in its publisher's own form.

    Line for line, so that their numbers stay; what is no row of that form is counted as bad by the importer. Raises
    `CodeFileUnreadable`.
    """
    form = _FORMS.get(system)
    if form is None:
        return path
    with _plain(form, path, out.with_suffix(".entry")) as plain:
        if not form.first.match(_first(plain)):
            return path
        try:
            with (
                opened(plain) as lines,
                out.open("w", encoding="utf-8", errors="surrogateescape", newline="\n") as file,
            ):
                file.writelines(f"{form.row(line.text)}\n" for line in lines)
        except OSError as error:
            raise CodeFileUnreadable(file=path, reason=error.strerror or "it cannot be read") from None
    return out


def _first(path: Path) -> str:
    with contextlib.suppress(CodeFileUnreadable), opened(path) as lines:  # the importer says what is wrong with it
        for line in lines:
            return line.text
    return ""


@contextlib.contextmanager
def _plain(form: _Form, path: Path, out: Path) -> Iterator[Path]:
    """Give the file itself, or what it is called in the zip, unpacked into `out` for so long."""
    entry = _entry(form, path)
    if not entry:
        yield path
        return
    try:
        _unpack(path, entry, out)
        yield out
    finally:
        out.unlink(missing_ok=True)


def _unpack(path: Path, entry: str, out: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive, out.open("wb") as plain:
            if archive.getinfo(entry).file_size > _LARGEST:
                raise CodeFileUnreadable(file=path, reason=f"{entry} in it is larger than any list of codes")
            with archive.open(entry) as packed:
                shutil.copyfileobj(packed, plain, 1 << 20)
    except OSError as error:
        raise CodeFileUnreadable(file=path, reason=error.strerror or "it cannot be unpacked") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise CodeFileUnreadable(file=path, reason=f"the zip is damaged or locked ({error})") from None


def _entry(form: _Form, path: Path) -> str:
    """Return the file's name in a zip of several, empty where it is no such zip."""
    with contextlib.suppress(OSError, zipfile.BadZipFile), zipfile.ZipFile(path) as archive:
        names = [each.filename for each in archive.infolist() if not each.is_dir()]
        if len(names) > 1:
            return next((name for name in names if form.entry.fullmatch(Path(name).name)), "")
    return ""

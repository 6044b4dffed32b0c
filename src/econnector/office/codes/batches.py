"""The lines of a file in batches of rows, with what must be looked up before a batch is written."""

from collections.abc import Iterator, Sequence
from itertools import compress, islice
from operator import itemgetter, not_

import msgspec

from econnector.office.codes.lines import NotARow, Reader, reader_of
from econnector.office.codes.seen import Seen
from econnector.office.codes.source import FileLine, Lines
from econnector.opendental.coderows import Line
from econnector.opendental.codesystems import CodeSystem
from econnector.storage.state.code_imports import BadLine

__all__ = ["BATCH", "Batch", "batches"]

BATCH = 10_000
"""Lines that are written at once, and looked up after a death. A later version may raise it, but not lower it."""


class Batch(msgspec.Struct):
    """Up to `BATCH` lines."""

    new: Sequence[Line] = ()
    """Rows that surely are not in the table; none stands here twice."""
    others: Sequence[Line] = ()
    """Rows that may be in the table, or stand here twice."""
    bad: list[BadLine] = []
    shortened: int = 0
    last: int = 0
    """Number of the last line."""
    share: float = 0.0
    """How much of the file was read with it, from 0 to 1."""


def batches(
    lines: Lines, system: CodeSystem, lengths: Sequence[int | None], *, done: int, sure_from: int | None
) -> Iterator[Batch]:
    """Yield what is behind the line `done`.

    A code that stands behind the line `sure_from`, and nowhere before it in the file, surely is not in the table;
    None: nothing is sure.
    """
    seen, reader, number, left = Seen(), None, 0, iter(lines)
    key = itemgetter(*range(len(system.same)))
    while some := list(islice(left, min(BATCH, done - number) if number < done else BATCH)):
        reader = reader or reader_of(system, some[0].text, lengths)
        first, number = some[0].number, some[-1].number
        batch, rows = _read(reader, some)
        new = seen.are_new(map(key, rows))
        if number <= done:
            continue
        batch.others, batch.last, batch.share = rows, number, lines.share()
        if sure_from is not None and first > sure_from:
            batch.new, batch.others = list(compress(rows, new)), list(compress(rows, map(not_, new)))
        yield batch


def _read(reader: Reader, lines: Sequence[FileLine]) -> tuple[Batch, list[Line]]:
    batch, rows = Batch(), list[Line]()
    for line in lines:
        try:
            row, shortened = reader.row(line)
        except NotARow as why:
            if line.text.strip():
                batch.bad.append(BadLine(line.number, str(why)))
            continue
        rows.append(row)
        batch.shortened += shortened
    return batch, rows

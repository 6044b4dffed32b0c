"""The lines of a file in batches of rows, with what must be looked up before a batch is written."""

from collections.abc import Iterator, Sequence

import msgspec

from econnector.office.codes.lines import NotARow, Reader, reader_of
from econnector.office.codes.seen import Seen
from econnector.office.codes.source import FileLine, Lines
from econnector.opendental.coderows import Line
from econnector.opendental.codesystems import CodeSystem
from econnector.storage.state.code_imports import BadLine

__all__ = ["BATCH", "Batch", "batches"]

BATCH = 5000
"""Lines that are written at once: what a death makes the next run write again."""


class Batch(msgspec.Struct):
    """Up to `BATCH` lines."""

    lines: list[Line] = []
    sure: set[int] = set()
    """Places in `lines` of codes that surely are not in the table."""
    bad: list[BadLine] = []
    shortened: int = 0
    last: int = 0
    """Number of the last line."""
    share: float = 0.0
    """How much of the file was read with it, from 0 to 1."""


def batches(
    lines: Lines, system: CodeSystem, lengths: Sequence[int | None], *, done: int, was_empty: bool
) -> Iterator[Batch]:
    """Yield what is behind the line `done`.

    `was_empty`: the table held nothing when the import began, so that only codes of this file can be there.
    """
    seen, batch, reader = Seen(), Batch(), None
    # Of the first batch after a death nobody knows how much of it was written.
    sure = was_empty and not done
    for line in lines:
        reader = reader or reader_of(system, line.text, lengths)
        row = _row(reader, line, batch)
        is_new = row is not None and seen.is_new(row[: len(system.same)])
        if line.number <= done:
            batch = Batch()
            continue
        if row is not None:
            if sure and is_new:
                batch.sure.add(len(batch.lines))
            batch.lines.append(row)
        batch.last, batch.share = line.number, lines.share()
        if (line.number - done) % BATCH == 0:
            yield batch
            batch, sure = Batch(), was_empty
    if batch.last:
        yield batch


def _row(reader: Reader, line: FileLine, batch: Batch) -> Line | None:
    if not line.text.strip():
        return None
    try:
        row, shortened = reader.row(line)
    except NotARow as why:
        batch.bad.append(BadLine(line.number, str(why)))
        return None
    batch.shortened += shortened
    return row

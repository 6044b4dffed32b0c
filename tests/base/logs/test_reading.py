"""Reading the log while it is written: between what was and what comes, no line is lost and none is read twice."""

import datetime as dt
from pathlib import Path

from econnector.base import logs
from econnector.base.logs.files import Writer

NOW = dt.datetime.now().astimezone()


def write(writer: Writer, area: str, number: int) -> None:
    line = f'{{"timestamp":"{NOW.isoformat()}","level":"info","event":"said","n":{number}}}'
    writer.write(area, line, NOW.date())


def test_what_is_written_while_old_lines_are_read_is_followed(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    write(writer, "Link", 1)
    write(writer, "Mail", 2)
    ends = logs.ends(tmp_path)
    read = logs.read(tmp_path, until=ends)
    first = next(read)
    for number, area in ((3, "Link"), (4, "Mail"), (5, "Window")):
        write(writer, area, number)
    assert [line.fields["n"] for line in (first, *read)] == [1, 2]
    turns = iter((True, False))
    followed = logs.follow(tmp_path, start=ends, going=lambda: next(turns))
    assert sorted(line.fields["n"] for line in followed) == [3, 4, 5]
    writer.close()


def test_a_file_that_is_swept_meanwhile_ends_nothing(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    write(writer, "Link", 1)
    ends = logs.ends(tmp_path)
    writer.close()
    next(iter(ends)).unlink()
    assert list(logs.read(tmp_path, until=ends)) == []

"""The log: what happened, for a person at midnight and for a program, without anybody's secrets or data.

One JSON line per event, one file per day and area (`files.py`). JSON, because a line of free text cannot be filtered
by office, call or reference without guessing; date and time stand first, so that a file also reads, sorts and greps
as a text. `econnector office logs` prints the lines as sentences.

Neither secrets nor patient data are ever given to it; `content.py` drops what slips in all the same. What libraries
write through `logging` goes the same way, without its arguments.
"""

from econnector.base.logs.content import describe, drop_secrets, redact
from econnector.base.logs.files import Swept, day_of, log_files, sweep
from econnector.base.logs.levels import WORDS, Level, level_of, word_of
from econnector.base.logs.outlets import under_journal
from econnector.base.logs.reading import Line, clean_line, ends, follow, read, since
from econnector.base.logs.setup import (
    bound,
    catch_strays,
    configure,
    current_level,
    default_folder,
    keep_traceback,
    set_level,
)

__all__ = [
    "WORDS",
    "Level",
    "Line",
    "Swept",
    "bound",
    "catch_strays",
    "clean_line",
    "configure",
    "current_level",
    "day_of",
    "default_folder",
    "describe",
    "drop_secrets",
    "ends",
    "follow",
    "keep_traceback",
    "level_of",
    "log_files",
    "read",
    "redact",
    "set_level",
    "since",
    "sweep",
    "under_journal",
    "word_of",
]

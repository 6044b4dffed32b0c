"""The office's answers to partners' programs: Open Dental in, contract out, and which key may see what.

- `keys.py`       what a key is, and whether one that comes is good
- `desk.py`       what every answer needs; who asks, and the trace in Open Dental's audit trail
- `status.py`, `schedule.py`, `documents.py`  the answers
"""

from econnector.base.clock import SYSTEM, Clock
from econnector.eservices.api.office import documents, schedule, status
from econnector.eservices.api.office.desk import Desk, SchemaOf
from econnector.opendental.imagestore import ImageStore
from econnector.storage.database import Database
from econnector.wire.call import Answers

__all__ = ["api_answers"]


def api_answers(
    database: Database, state: Database, schema_of: SchemaOf, images: ImageStore, clock: Clock = SYSTEM
) -> Answers:
    """Return the answers to every call of `calls.py`.

    `schema_of(connection)` gives the practice's schema of now, or raises `VersionsDiffer` or `UpdateRunning`.
    """
    desk, answers = Desk(database, state, schema_of, images, clock), Answers()
    for subject in (status, schedule, documents):
        subject.answer(desk, answers)
    return answers

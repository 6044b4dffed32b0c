"""The first import of a large file: its rows are gathered beside the empty table, then put into it at once.

Nothing of it is kept before it is in the table: an import that dies meanwhile begins again. Whatever the server has
against it, full disks and missing rights included, sends the import the ordinary way, batch by batch.
"""

import time
from typing import TYPE_CHECKING

import structlog

from econnector.office.codes.ahead import Ahead
from econnector.office.codes.batches import Batch
from econnector.opendental import gathered
from econnector.opendental.codesystems import CodeSystem
from econnector.opendental.gathered import NotGathered
from econnector.opendental.schema import Schemas
from econnector.storage.state.code_imports import MOST_BAD, BadLine, Progress

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from econnector.opendental.coderows import Line

__all__ = ["LEAST_BYTES", "Gathering"]

log = structlog.get_logger(__name__)

LEAST_BYTES = 1_000_000
"""Of a file for which it is worth the while."""
MOST_OTHERS = 50_000
"""Rows that may stand twice are compared at the end and held here until then, in about ten megabytes."""
_SHARE = 0.6
"""Of the time, for reading and gathering; the rest is for putting the rows into the table."""


class Gathering:
    """One attempt. Its numbers are read by others while it runs."""

    def __init__(self, schemas: Schemas, system: CodeSystem, ahead: Ahead, progress: Progress) -> None:
        """`progress` is that of an import that has done nothing yet."""
        self._schemas, self._system, self._ahead = schemas, system, ahead
        self._others: list[Line] = []
        self._last, self._share = 0, 0.0
        self._began = time.monotonic()
        self.progress = progress
        """How far it is; with its result, how far the import is."""
        self.bad: list[BadLine] = []
        """The first of those that could not be read."""
        self.stopped = False
        """Set it to have what is gathered put into the table, and the rest left."""

    def run(self, connection: "Connection") -> bool:
        """Gather and put; return whether that went well. False: nothing is known of the table, begin again.

        Raises what the file raises, and what the database does when the connection is lost.
        """
        schema = self._schemas(connection)
        if not gathered.serves(connection, schema, self._system):
            return False
        try:
            with gathered.alone(connection, self._system):
                self._gather(connection)
                return self._put(connection)
        except NotGathered as why:
            log.warning("codes are imported the slow way", system=self._system.name, code=str(why))
            return False

    def _gather(self, connection: "Connection") -> None:
        while not self.stopped and len(self._others) < MOST_OTHERS:
            batch = self._ahead.take().result()
            if batch is None:
                return
            gathered.add(connection, self._system, batch.new)
            self._count(batch)

    def _count(self, batch: Batch) -> None:
        self._others += batch.others
        self.bad += batch.bad[: MOST_BAD - len(self.bad)]
        self._last, self._share = batch.last, batch.share
        progress = self.progress
        progress.shortened += batch.shortened
        progress.bad += len(batch.bad)
        progress.gathered, progress.share = batch.last, _SHARE * batch.share
        progress.seconds = time.monotonic() - self._began

    def _put(self, connection: "Connection") -> bool:
        progress, others = self.progress, self._others
        progress.putting = True
        keep_old = progress.keep_old
        done = gathered.put(connection, self._schemas(connection), self._system, others, keep_old=keep_old)
        progress.gathered, progress.putting = 0, False
        if done is None:
            return False
        progress.line, progress.share = self._last, self._share
        progress.added, progress.changed, progress.same = done.added, done.changed, done.same
        progress.seconds = time.monotonic() - self._began
        return True

"""What a person does with code systems: see how they stand, accept terms, import, go on with what was cut off."""

import asyncio
import datetime as dt
import hashlib
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import (
    CodeChecksumDiffers,
    CodeFileNeeded,
    CodeImportRuns,
    CodesMiddleTier,
    CodeSystemUnknown,
    CodeTermsOpen,
)
from econnector.office.codes.importing import Import
from econnector.office.codes.source import digest_of
from econnector.office.codes.terms import SOURCES, Terms, digest, terms_of
from econnector.office.desk import Who, note
from econnector.office.hand import need_setup
from econnector.office.service.lock import Lock
from econnector.opendental import audit, coderows, codesystems
from econnector.opendental.codesystems import SYSTEMS, CodeSystem, Standing
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state import code_imports
from econnector.storage.state.code_imports import COMPLETE, BadLine, Progress

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["FOR_SUMMARIES", "SHIPPED", "Codes", "Prepared", "Row", "Wanted", "terms_shown"]

SHIPPED = {"CDCREC": "HL7 v3 2018-08-12", "CVX": "HL7 v2.9 table 0292"}
"""What comes with eConnector, and its version."""
FOR_SUMMARIES = ("SNOMEDCT", "CVX")
"""Without rows of these there is no care summary."""


class Wanted(msgspec.Struct, frozen=True):
    """An import that is asked for."""

    system: str
    file: Path | None = None
    """None for what comes with eConnector."""
    keep_old: bool = True
    release: str = ""
    """The version's name; empty for the one that is available, else the file's day."""
    checksum: str = ""
    """SHA-256 that the file must have; empty for any."""
    accept_terms: bool = False


class Row(msgspec.Struct, frozen=True):
    """One code system as it is listed."""

    system: Standing
    shipped: str
    """The version that comes with eConnector, empty for none."""
    source: str
    """Where its file comes from."""
    terms_accepted_by: str
    """Empty where nobody has, or nobody must."""
    progress: Progress | None
    """The last import."""
    runs: bool
    """Whether it is being imported at this moment."""
    needed: bool
    """Whether care summaries wait for it."""


class Codes:
    """One practice's code systems. Every method may raise the database's failures."""

    def __init__(  # noqa: PLR0913, PLR0917 - what an office consists of
        self,
        database: Database,
        state: Database,
        schemas: Schemas,
        machine: str,
        folder: Path,
        middle_tier: str = "",
        clock: Clock = SYSTEM,
    ) -> None:
        """`folder` is the connector's own; `middle_tier` names the file that says Open Dental uses one here."""
        self._database, self._state, self._schemas = database, state, schemas
        self._machine, self._folder, self._middle_tier, self._clock = machine, folder, middle_tier, clock

    async def listed(self) -> list[Row]:
        """Return every code system and how it stands."""
        standings = await self._database.run(self._standings)
        progress = await self._state.run(code_imports.every)
        return [await self._row(one, progress.get(one.name)) for one in standings]

    async def check(self) -> list[Row]:
        """Note in Open Dental's rows which versions come with eConnector; return how every system stands."""
        await self._database.run(self._offer)
        return await self.listed()

    async def bad_lines(self, name: str) -> list[BadLine]:
        """Return the lines of the last import that could not be read, the first thousand."""
        return await self._state.run(code_imports.bad_lines, _known(name).name)

    async def accept(self, who: Who, name: str) -> None:
        """Record that the practice accepts the terms. Raises `PermissionMissing`, `CodeSystemUnknown`."""
        need_setup(who)
        system = _known(name)
        if (terms := terms_of(system)) is not None:
            await self._note(who, f"terms of {terms.publisher} accepted for {system.name}.")
            await self._state.run(code_imports.accept, system.name, digest(terms), who.name, self._clock.now())

    async def prepare(self, who: Who, wanted: Wanted) -> "Prepared":
        """Return an import that may run: everything that forbids it is looked at before anything is written.

        Raises `PermissionMissing`, `CodesMiddleTier`, `CodeSystemUnknown`, `CodeTermsOpen`, `CodeFileNeeded`,
        `CodeFileUnreadable`, `CodeChecksumDiffers`, `CodeImportRuns`.
        """
        need_setup(who)
        if self._middle_tier:
            raise CodesMiddleTier(file=self._middle_tier)
        system = _known(wanted.system)
        await self._terms(who, system, accept=wanted.accept_terms)
        path = wanted.file or _shipped(system)
        found = await asyncio.to_thread(digest_of, path)
        if wanted.checksum and wanted.checksum.strip().lower() != found:
            raise CodeChecksumDiffers(file=path, found=found, expected=wanted.checksum)
        lock = self._lock(system)
        try:
            progress = await self._progress(system, wanted, path, found)
            more = f" from line {progress.line}" if progress.line else ""
            await self._note(who, f"import of {system.name} {progress.version} begun{more}.")
        except BaseException:
            lock.free()
            raise
        work = Import(self._database, self._state, self._schemas, system, path, progress, self._clock)
        return Prepared(work, lock)

    async def _progress(self, system: CodeSystem, wanted: Wanted, path: Path, found: str) -> Progress:
        """Return where to go on, or a new beginning."""
        before = await self._state.run(code_imports.find, system.name)
        if before and before.status != COMPLETE and (before.digest, before.keep_old) == (found, wanted.keep_old):
            before.status, before.failure = code_imports.IMPORTING, ""
            return before
        began = Progress(system.name, path.name, found, await self._version(system, wanted, path), wanted.keep_old)
        began.was_empty = await self._database.run(coderows.is_empty, system)
        began.at = self._clock.now().timestamp()
        await self._state.run(code_imports.begin, began)
        return began

    async def _version(self, system: CodeSystem, wanted: Wanted, path: Path) -> str:
        if wanted.release or wanted.file is None:
            return wanted.release or SHIPPED[system.name]
        (standing,) = await self._database.run(self._standings, (system,))
        if standing.available and standing.available != standing.current:
            return standing.available
        changed = (await asyncio.to_thread(path.stat)).st_mtime
        return f"{dt.datetime.fromtimestamp(changed).astimezone():%Y-%m-%d}"

    async def _terms(self, who: Who, system: CodeSystem, *, accept: bool) -> None:
        terms = terms_of(system)
        if terms is None:
            return
        if accept:
            await self.accept(who, system.name)
        elif not await self._state.run(code_imports.accepted, system.name, digest(terms)):
            raise CodeTermsOpen(name=system.name, publisher=terms.publisher)

    def _lock(self, system: CodeSystem) -> Lock:
        lock = Lock.take(self._lock_file(system.name))
        if lock is None:
            raise CodeImportRuns(name=system.name)
        return lock

    def _lock_file(self, name: str) -> Path:
        # One practice's import never waits for another's on the same machine.
        place = hashlib.sha256(self._database.server.encode()).hexdigest()[:8]
        return self._folder / f"codes-{name}-{place}.lock"

    async def _row(self, standing: Standing, progress: Progress | None) -> Row:
        system = _named(standing.name)
        terms = terms_of(system)
        accepted = await self._state.run(code_imports.accepted, system.name, digest(terms)) if terms else ""
        source = SOURCES.get(system.name, "comes with Open Dental")
        needed = system.name in FOR_SUMMARIES and not standing.rows
        return Row(standing, SHIPPED.get(system.name, ""), source, accepted, progress, self._runs(system.name), needed)

    def _runs(self, name: str) -> bool:
        file = self._lock_file(name)
        if not file.exists():
            return False
        lock = Lock.take(file)
        if lock is not None:
            lock.free()
        return lock is None

    def _standings(self, connection: "Connection", systems: Iterable[CodeSystem] = SYSTEMS) -> list[Standing]:
        return codesystems.standings(connection, self._schemas(connection), systems)

    def _offer(self, connection: "Connection") -> None:
        schema = self._schemas(connection)
        for standing in codesystems.standings(connection, schema, [_named(name) for name in SHIPPED]):
            if not standing.available:
                codesystems.offer(connection, schema, _named(standing.name), SHIPPED[standing.name])

    async def _note(self, who: Who, text: str) -> None:
        permission, words = audit.Permission.SERVICES_SETUP, f"{audit.CODES_CHANGED}{text}"
        await self._database.run(note, self._schemas, permission, words, who, self._machine)


class Prepared:
    """An import that may run, and whose system nobody else imports meanwhile."""

    def __init__(self, work: Import, lock: Lock) -> None:
        """`lock` is let go of when it has ended."""
        self.work, self._lock = work, lock

    async def __aenter__(self) -> Import:
        """Return the import."""
        return self.work

    async def __aexit__(self, *_error: object) -> None:
        """Let the system be imported by others."""
        self._lock.free()


def terms_shown(name: str) -> Terms | None:
    """Return the terms of a system, None where nothing must be accepted. Raises `CodeSystemUnknown`."""
    return terms_of(_known(name))


def _known(name: str) -> CodeSystem:
    found = codesystems.named(name)
    if found is None or not found.importable:
        names = ", ".join(system.name for system in SYSTEMS if system.importable)
        reason = "it comes with Open Dental's own updates" if found else "there is no code system of that name"
        raise CodeSystemUnknown(name=name, reason=reason, names=names)
    return found


def _named(name: str) -> CodeSystem:
    return next(system for system in SYSTEMS if system.name == name)


def _shipped(system: CodeSystem) -> Path:
    if system.name not in SHIPPED:
        raise CodeFileNeeded(name=system.name, where=SOURCES[system.name])
    return Path(str(files("econnector.office.codes").joinpath("shipped", f"{system.name}.tsv")))

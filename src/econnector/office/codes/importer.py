"""What a person does with code systems: see how they stand, accept terms, import, cancel, go on where it stopped."""

import asyncio
import contextlib
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
    CodeImportIdle,
    CodeImportRuns,
    CodesMiddleTier,
    CodeSystemUnknown,
    CodeTermsOpen,
)
from econnector.office.codes.fetching import Fetch
from econnector.office.codes.importing import Import
from econnector.office.codes.job import Job, Source
from econnector.office.codes.packaged import from_package, package_version
from econnector.office.codes.published import as_tabs
from econnector.office.codes.source import digest_of
from econnector.office.codes.terms import SOURCES, Terms, digest, terms_of
from econnector.office.codes.transfer import WayOut
from econnector.office.desk import Who, note
from econnector.office.hand import need_setup
from econnector.office.left import read_left
from econnector.office.service.lock import Lock
from econnector.opendental import audit, coderows, codesystems
from econnector.opendental.codesystems import SYSTEMS, CodeSystem, Standing
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state import code_downloads, code_imports, code_offers
from econnector.storage.state.code_downloads import Download
from econnector.storage.state.code_imports import COMPLETE, BadLine, Progress
from econnector.storage.state.code_offers import Offer

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["FOR_SUMMARIES", "SHIPPED", "Codes", "Row", "Wanted", "shipped_version", "terms_shown"]

SHIPPED = {"CDCREC": "HL7 v3 2018-08-12", "CVX": "HL7 v2.9 table 0292"}
"""What comes with eConnector, and its version."""
_PACKAGED = "ICD10CM"
_HQ_SECONDS, _LOOK_SECONDS = 8.0, 0.2
FOR_SUMMARIES = ("SNOMEDCT", "CVX")
"""Without rows of these there is no care summary."""


class Wanted(msgspec.Struct, frozen=True):
    """An import that is asked for."""

    system: str
    file: Path | None = None
    """None for an address, else for what HQ offers, else for what comes with eConnector."""
    keep_old: bool = True
    release: str = ""
    """The version's name; empty for the one that is available, else the file's day."""
    checksum: str = ""
    """SHA-256 that the file must have; empty for any."""
    accept_terms: bool = False
    url: str = ""
    """Where to download the file from."""
    shipped: bool = False
    """Take what comes with eConnector, whatever HQ offers."""


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
    download: Download | None
    """The download that runs, or that can be gone on with."""
    offer: Offer | None
    """What HQ offers."""
    runs: bool
    """Whether it is being imported at this moment."""
    needed: bool
    """Whether care summaries wait for it."""

    @property
    def available(self) -> str:
        """The newest version that can be had without looking for a file; empty when none is known."""
        return (self.offer.version if self.offer else "") or self.system.available or self.shipped

    @property
    def is_newer(self) -> bool:
        """Whether what HQ offers, or what comes with eConnector, is not what is imported."""
        ready = self.offer.version if self.offer else self.shipped
        return bool(ready) and ready != self.system.current


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
        way: WayOut = WayOut(),  # noqa: B008 - frozen
    ) -> None:
        """`folder` is the connector's own; `middle_tier` names the file that says Open Dental uses one here.

        `way` is how files are downloaded.
        """
        self._database, self._state, self._schemas, self._way = database, state, schemas, way
        self._machine, self._folder, self._middle_tier, self._clock = machine, folder, middle_tier, clock

    async def listed(self) -> list[Row]:
        """Return every code system and how it stands."""
        standings = await self._database.run(self._standings)
        progress = await self._state.run(code_imports.every)
        downloads = await self._state.run(code_downloads.every)
        offers = await self._state.run(code_offers.every)
        return [
            await self._row(one, progress.get(one.name), downloads.get(one.name), offers.get(one.name))
            for one in standings
        ]

    async def check(self) -> list[Row]:
        """Look which versions there are and note it in Open Dental's rows; return how every system stands."""
        await self._ask_hq()
        offers = await self._state.run(code_offers.every)
        await self._database.run(self._offer, {name: offer.version for name, offer in offers.items()})
        return await self.listed()

    async def _ask_hq(self) -> None:
        """Have HQ asked by the connector of this machine; wait some seconds for the answer where it has a link."""
        before = await self.asked()
        await self._state.run(code_offers.ask)
        running = (await read_left(self._state)).running
        if running.link != "open" or not running.alive(self._clock.now()):
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_HQ_SECONDS):
                while await self.asked() == before:  # noqa: ASYNC110 - another process tells nobody
                    await asyncio.sleep(_LOOK_SECONDS)

    async def asked(self) -> str:
        """Return when HQ was asked last which versions there are, ISO 8601; empty when it never answered."""
        return await self._state.run(code_offers.asked)

    async def cancel(self, who: Who, name: str) -> None:
        """Ask whoever imports the system, in this process or another, to stop behind the batch it is at.

        Raises `PermissionMissing`, `CodeSystemUnknown`, `CodeImportIdle`.
        """
        need_setup(who)
        system = _known(name)
        if not self.runs(system.name):
            raise CodeImportIdle(name=system.name)
        await self._state.run(code_imports.cancel, system.name, self._clock.now())

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

    async def prepare(self, who: Who, wanted: Wanted) -> Job:
        """Return an import that may run: everything that forbids it is looked at before anything is written.

        A file that must be downloaded first is looked at when it is there. Raises `PermissionMissing`,
        `CodesMiddleTier`, `CodeSystemUnknown`, `CodeTermsOpen`, `CodeFileNeeded`, `CodeFileUnreadable`,
        `CodeAddressUnusable`, `CodePackageBroken`, `CodeChecksumDiffers`, `CodeImportRuns`.
        """
        need_setup(who)
        if self._middle_tier:
            raise CodesMiddleTier(file=self._middle_tier)
        system, asked = _known(wanted.system), self._clock.now()
        offer = (await self._state.run(code_offers.every)).get(system.name)
        await self._terms(who, system, accept=wanted.accept_terms)
        source = self._source(system, wanted, offer)
        lock = self._lock(system)
        try:

            async def begin(there: Source) -> Import:
                return await self._begin(who, system, wanted, there, offer)

            ours = [self._own_file(system.name, kind) for kind in ("part", "tsv")]
            job = Job(self._state, system.name, source, begin, lock, asked=asked, leftovers=ours)
            await job.ready()
        except BaseException:
            lock.free()
            raise
        return job

    def _source(self, system: CodeSystem, wanted: Wanted, offer: Offer | None) -> Source:
        """Return where the file is, or how it comes to be."""
        if wanted.file is not None:
            return Source(wanted.file, wanted.file.name, wanted.release, wanted.checksum)
        takes_offer = offer is not None and not wanted.url and not wanted.shipped
        url = offer.url if offer is not None and takes_offer else wanted.url
        if url:
            path = self._own_file(system.name, "part")
            fetch = Fetch(self._state, system.name, url, path, self._way, self._clock)
            version, checksum = (offer.version, offer.checksum) if offer and url == offer.url else ("", "")
            address = fetch.download.address
            return Source(path, address, wanted.release or version, wanted.checksum or checksum, fetch)
        version = shipped_version(system.name)
        if not version:
            raise CodeFileNeeded(name=system.name, where=SOURCES[system.name])
        if system.name == _PACKAGED:
            path = self._own_file(system.name, "tsv")
            return Source(path, version, wanted.release or version, wanted.checksum, make=from_package)
        return Source(_shipped(system), f"{system.name}.tsv", wanted.release or version, wanted.checksum)

    async def _begin(self, who: Who, system: CodeSystem, wanted: Wanted, source: Source, offer: Offer | None) -> Import:
        """Return the import of a file that is there."""
        found = await asyncio.to_thread(digest_of, source.path)
        if source.checksum and source.checksum.strip().lower() != found:
            if source.fetch is not None:  # nothing to go on with
                await asyncio.to_thread(source.path.unlink, missing_ok=True)
            raise CodeChecksumDiffers(file=source.shown, found=found, expected=source.checksum)
        if offer is not None and offer.checksum == found and not source.version:
            source = msgspec.structs.replace(source, version=offer.version)
        path = await asyncio.to_thread(as_tabs, system.name, source.path, self._own_file(system.name, "tsv"))
        if path != source.path:
            found = await asyncio.to_thread(digest_of, path)
        progress = await self._progress(system, wanted, source, found, offer)
        more = f" from line {progress.line}" if progress.line else ""
        await self._note(who, f"import of {system.name} {progress.version} begun{more}.")
        return Import(self._database, self._state, self._schemas, system, path, progress, self._clock)

    async def _progress(
        self, system: CodeSystem, wanted: Wanted, source: Source, found: str, offer: Offer | None
    ) -> Progress:
        """Return where to go on, or a new beginning."""
        before = await self._state.run(code_imports.find, system.name)
        # What was gathered at a death is lost, and was counted.
        goes_on = before and before.status != COMPLETE and not before.gathered
        if before and goes_on and (before.digest, before.keep_old) == (found, wanted.keep_old):
            before.status, before.failure = code_imports.IMPORTING, ""
            return before
        version = source.version or await self._version(system, source.path, offer)
        began = Progress(system.name, source.shown, found, version, wanted.keep_old)
        began.was_empty = await self._database.run(coderows.is_empty, system)
        began.at = self._clock.now().timestamp()
        await self._state.run(code_imports.begin, began)
        return began

    async def _version(self, system: CodeSystem, path: Path, offer: Offer | None) -> str:
        """Return what to call the content of a file that nobody has named, and that is not HQ's."""
        (standing,) = await self._database.run(self._standings, (system,))
        if standing.available not in {"", standing.current, offer.version if offer else ""}:
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
        lock = Lock.take(self._own_file(system.name, "lock"))
        if lock is None:
            raise CodeImportRuns(name=system.name)
        return lock

    def _own_file(self, name: str, kind: str) -> Path:
        # One practice's import never waits for another's on the same machine.
        place = hashlib.sha256(self._database.server.encode()).hexdigest()[:8]
        return self._folder / f"codes-{name}-{place}.{kind}"

    async def _row(
        self, standing: Standing, progress: Progress | None, download: Download | None, offer: Offer | None
    ) -> Row:
        system = _named(standing.name)
        terms = terms_of(system)
        accepted = await self._state.run(code_imports.accepted, system.name, digest(terms)) if terms else ""
        source = SOURCES.get(system.name, "comes with Open Dental")
        needed = system.name in FOR_SUMMARIES and not standing.rows
        shipped = shipped_version(system.name)
        runs = self.runs(system.name)
        return Row(standing, shipped, source, accepted, progress, download, offer, runs, needed)

    def runs(self, name: str) -> bool:
        """Return whether a process of this machine imports the system."""
        file = self._own_file(name, "lock")
        if not file.exists():
            return False
        lock = Lock.take(file)
        if lock is not None:
            lock.free()
        return lock is None

    def _standings(self, connection: "Connection", systems: Iterable[CodeSystem] = SYSTEMS) -> list[Standing]:
        return codesystems.standings(connection, self._schemas(connection), systems)

    def _offer(self, connection: "Connection", offers: dict[str, str]) -> None:
        schema = self._schemas(connection)
        for standing in self._standings(connection):
            shipped = "" if standing.available else shipped_version(standing.name)
            version = offers.get(standing.name, shipped)
            if version and version != standing.available:
                codesystems.offer(connection, schema, _named(standing.name), version)

    async def _note(self, who: Who, text: str) -> None:
        permission, words = audit.Permission.SERVICES_SETUP, f"{audit.CODES_CHANGED}{text}"
        await self._database.run(note, self._schemas, permission, words, who, self._machine)


def shipped_version(name: str) -> str:
    """Return the version of a system that can be had without any file, empty for none."""
    return package_version() if name == _PACKAGED else SHIPPED.get(name, "")


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
    return Path(str(files("econnector.office.codes").joinpath("shipped", f"{system.name}.tsv")))

"""Looking before anything is asked or done: what this machine, its services, its state file and the database say."""

import asyncio
import os
from pathlib import Path
from typing import Any

import msgspec

from econnector.base.errors import InstallMiddleTier, InstallRights
from econnector.base.settings import Loaded
from econnector.office.addresses import database_place
from econnector.office.install import agreed, machine
from econnector.office.install.rules import Facts, Machine
from econnector.office.left import read_file
from econnector.office.service.accounts import current
from econnector.office.service.contract import ServiceState
from econnector.office.service.services import Services
from econnector.office.settings import Settings, names_database
from econnector.opendental import preferences, signals, statistics
from econnector.opendental.schema import Schemas
from econnector.opendental.signals import Severity
from econnector.storage.database import Database
from econnector.storage.server import server_facts

__all__ = ["REGISTRATION_KEY", "UPDATE_SERVER", "Surveyed", "check_rights", "survey"]

UPDATE_SERVER, CAN_BE_BLANK, REGISTRATION_KEY = (
    "WebServiceServerName",
    "WebServiceServerNameCanBeBlank",
    "RegistrationKey",
)
_TRUE = {"1", "true"}
_WITHIN = 15.0


class Surveyed(msgspec.Struct, frozen=True):
    """What was found."""

    facts: Facts
    registration_key: str
    """As it stands in Open Dental's preferences; empty if it has none."""
    lacking: tuple[str, ...]
    """Of SELECT, INSERT, UPDATE and DELETE, what the database account may not."""

    def __repr__(self) -> str:
        return "Surveyed()"  # without the key


async def survey(loaded: Loaded[Settings], services: Services, database: Database) -> Surveyed:
    """Look. Raises the database's failures, `VersionsDiffer`, `UpdateRunning`, `StateLocked` and `InstallMiddleTier`.

    Where Open Dental uses a middle tier, the settings must name the database itself: no other is looked for.
    """
    middle_tier = "" if names_database(loaded) else machine.middle_tier_file(loaded)
    if middle_tier:
        raise InstallMiddleTier(file=middle_tier)
    seen = await database.run(_look, Schemas(), within=_WITHIN)
    left = await read_file(loaded)
    facts = msgspec.structs.replace(
        seen.facts,
        machine=machine.this_machine(loaded.value),
        enrolled=bool(left.office),
        agreed=await agreed.is_kept(loaded),
        here=await asyncio.to_thread(_is_installed, loaded, services),
        cloud=machine.cloud_file(),
    )
    return msgspec.structs.replace(seen, facts=facts)


def _look(connection: Any, schemas: Schemas) -> Surveyed:
    schema, seen = schemas(connection), signals.look(connection)
    found = preferences.read_many(connection, (UPDATE_SERVER, CAN_BE_BLANK, REGISTRATION_KEY))
    facts = Facts(
        Machine(""),
        version=schema.numbers,
        update_server=found[UPDATE_SERVER],
        can_be_blank=found[CAN_BE_BLANK].strip().lower() in _TRUE,
        ever_beaten=signals.ever_beaten(connection),
        beats_now=seen.severity in {Severity.WORKING, Severity.ERROR},
        stopped=seen.newest is not None and seen.newest.severity in {Severity.CRITICAL, Severity.NOT_ENABLED},
        now=seen.now,
        entries=tuple(statistics.read(connection) or ()),
    )
    return Surveyed(facts, found[REGISTRATION_KEY].strip(), server_facts(connection).lacking or ())


def _is_installed(loaded: Loaded[Settings], services: Services) -> bool:
    name = services.serving(loaded.file) if loaded.file else ""
    return bool(name) and services.state(name) is not ServiceState.NOT_INSTALLED


def check_rights(loaded: Loaded[Settings], services: Services, surveyed: Surveyed) -> None:
    """Raise `InstallRights` with everything that is missing. Blocks."""
    settings, place = loaded.value, database_place(loaded)
    folders = (settings.state_file.parent, settings.log_folder, services.book.folder)
    missing, how = [], []
    if surveyed.lacking:
        rights = ", ".join(surveyed.lacking)
        missing.append(f"the rights {rights} of the database account {place.user} on {place.name}")
        how.append(f"As the database's root: GRANT {rights} ON `{place.name}`.* TO the account {place.user}.")
    closed = [str(folder) for folder in dict.fromkeys(folders) if not _may_write(folder)]
    administrator = services.manager.kind == "windows" and not is_administrator()
    if closed:
        missing.append(f"to write {', '.join(closed)}")
    if administrator:
        missing.append("to install services (a Windows administrator)")
    if closed or administrator:
        how.append("Run it as an administrator (on Windows: Run as administrator; on Linux and macOS with sudo).")
    if missing:
        raise InstallRights(account=current(), missing="; ".join(missing), how=" ".join(how))


def is_administrator() -> bool:
    """Return whether this process may install services on Windows; true elsewhere, where the manager knows."""
    import ctypes  # noqa: PLC0415 - Windows only

    shell = getattr(getattr(ctypes, "windll", None), "shell32", None)
    return shell is None or bool(shell.IsUserAnAdmin())


def _may_write(folder: Path) -> bool:
    existing = next(part for part in (folder, *folder.parents) if _exists(part))
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def _exists(folder: Path) -> bool:
    try:
        return folder.exists()
    except OSError:
        return False

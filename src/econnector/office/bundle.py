"""The bundle for support: one zip with all that a person far away needs, and nothing that is a secret or a patient's.

What goes in is chosen name by name, not cut out of something larger: settings that are no secrets, failures with their
public facts only, log lines whose every text is looked through once more (`logs.redact`).
"""

import asyncio
import contextlib
import datetime as dt
import io
import os
import platform
import sys
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from econnector.base import logs
from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import Failure, failure_from
from econnector.base.settings import Loaded, settings_of
from econnector.base.version import version
from econnector.office.addresses import database_place
from econnector.office.doctor import CHECKS
from econnector.office.doctor.check import Finding, examine
from econnector.office.doctor.scene import Scene
from econnector.office.running import Trouble
from econnector.office.settings import PREFIX, Settings
from econnector.office.status import OfficeStatus, look
from econnector.opendental import signals
from econnector.opendental.signals import Signal
from econnector.storage.database import Database

__all__ = ["DAYS", "make_bundle", "write_bundle"]

DAYS = 7
"""Days of log that go in."""
LARGEST = 20 * 1024 * 1024
"""Characters of log at most, the newest: a mail must be able to carry the zip."""
_WITHIN = 8.0
_LIBRARIES = ("websockets", "sqlalchemy", "pymysql", "uvicorn", "starlette", "cryptography", "msgspec", "structlog")
_SHOWN = (
    *("version", "pid", "started", "written", "stopped", "link", "link_since", "database", "database_since"),
    *("database_version", "program_version", "heard", "hq_version", "standing", "clock_ahead", "awake", "awake_by"),
    "sleep_allowed",
)


async def make_bundle(
    loaded: Loaded[Settings] | None,
    *,
    days: int = DAYS,
    clock: Clock = SYSTEM,
    findings: Sequence[Finding] | None = None,
) -> bytes:
    """Return the zip. What cannot be found out is left out and said inside; nothing in the office is changed.

    `loaded` is None where the settings cannot be used: then `findings` (else the doctor's, made now) say why.
    """
    since = clock.now() - dt.timedelta(days=days)
    if loaded is None:
        return await _bare(findings or (), since, days, clock)
    looks = _status(loaded), _findings(loaded, findings), _history(loaded)
    status, found, history = await asyncio.gather(*looks)
    files = {
        "README.txt": _readme(clock.now(), days),
        "versions.json": _json(_versions()),
        "settings.json": _json(_settings(loaded)),
        "status.json": _json(status),
        "doctor.json": _json(found),
        "history.json": _json(history),
    }
    log = await asyncio.to_thread(_log, loaded.value.log_folder, since)
    return await asyncio.to_thread(_zip, {**files, "log.jsonl": log}, clock.now())


async def _bare(findings: Sequence[Finding], since: dt.datetime, days: int, clock: Clock) -> bytes:
    """Return what there is without settings: versions, findings, and the log where it usually is."""
    files = {
        "README.txt": _readme(clock.now(), days) + "\nThe settings could not be used, so there is no more than this.\n",
        "versions.json": _json(_versions()),
        "doctor.json": _json([_clean(each) for each in findings]),
    }
    log = await asyncio.to_thread(_log, Settings().log_folder, since)
    return await asyncio.to_thread(_zip, {**files, "log.jsonl": log}, clock.now())


def write_bundle(file: Path, made: bytes) -> None:
    """Write the zip for its owner only. Raises FileExistsError where there is something already, and OSError."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(made)


def _readme(now: dt.datetime, days: int) -> str:
    return (
        f"eConnector {version()}, made {now:%Y-%m-%d %H:%M} UTC.\n\n"
        "versions.json  software and system\n"
        "settings.json  every setting, where it comes from; secrets are left out\n"
        "status.json    how the connector stands, its last outages and failures\n"
        "doctor.json    what `econnector doctor` finds\n"
        "history.json   rows of Open Dental's table eservicesignal of the last 30 days\n"
        f"log.jsonl      the log of the last {days} days, all areas in the order of time\n\n"
        "No secret and no patient's data is in here. References lead to failures: `econnector office failure`.\n"
    )


def _versions() -> dict[str, str]:
    from importlib import metadata  # noqa: PLC0415 - looked up once in a bundle's life

    found = {"econnector": version(), "python": sys.version, "system": platform.platform()}
    for name in _LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _settings(loaded: Loaded[Settings]) -> list[dict[str, str]]:
    rows = []
    for setting in settings_of(Settings, PREFIX):
        value: Any = loaded.value
        for part in setting.name.split("."):
            value = getattr(value, part)
        shown = "(secret)" if setting.secret and value else "" if value is None else logs.redact(str(value))
        rows.append({"name": setting.name, "value": shown, "from": loaded.places[setting.name]})
    return rows


async def _status(loaded: Loaded[Settings]) -> dict[str, Any]:
    try:
        found = await look(loaded)
    except Failure as failure:
        return {"failed": failure.code, "reference": failure.reference}
    return _shown(found)


def _shown(found: OfficeStatus) -> dict[str, Any]:
    running = found.running
    return {
        "verdict": found.verdict,
        "status": found.status,
        "enrolled": found.enrolled,
        "alive": found.alive,
        "running": {name: getattr(running, name) for name in _SHOWN},
        "troubles": [
            _trouble(each)
            for each in (found.database_trouble, running.link_trouble, running.database_trouble, running.report_trouble)
            if each is not None
        ],
        "outages": [
            {
                "kind": each.kind,
                "code": each.code,
                "reference": each.reference,
                "began": each.began,
                "ended": each.ended,
            }
            for each in found.outages
        ],
        "failures": [
            {name: getattr(each, name) for name in ("code", "reference", "call", "at")} | _public(each)
            for each in found.failures
        ],
    }


def _trouble(trouble: Trouble) -> dict[str, Any]:
    return {"code": trouble.code, "reference": trouble.reference, "since": trouble.since, **_public(trouble)}


def _public(met: Any) -> dict[str, Any]:
    """Return what may leave the office anyway: not even a path, which may hold a patient's name."""
    return {"facts": failure_from(met.code, met.reference, met.facts).public_facts()}


async def _findings(loaded: Loaded[Settings], found: Sequence[Finding] | None) -> list[Finding]:
    if found is not None:
        return [_clean(each) for each in found]
    scene = Scene.beside(loaded)
    try:
        made = await examine(scene, CHECKS)
    finally:
        await scene.close()
    return [_clean(each) for each in made]


def _clean(finding: Finding) -> Finding:
    clean = logs.redact
    return msgspec.structs.replace(
        finding,
        text=clean(finding.text),
        details=[clean(line) for line in finding.details],
        remedy=[clean(line) for line in finding.remedy],
        mend=clean(finding.mend),
    )


async def _history(loaded: Loaded[Settings]) -> list[Signal] | dict[str, str]:
    try:
        place = database_place(loaded)
        database = Database(place.url, password=place.password, ca=place.ca, workers=1, statement_seconds=5.0)
    except Failure as failure:
        return {"failed": failure.code, "reference": failure.reference}
    try:
        rows = await database.run(signals.history, within=_WITHIN)
    except Failure as failure:
        return {"failed": failure.code, "reference": failure.reference}
    finally:
        await database.close()
    return [msgspec.structs.replace(row, description=logs.redact(row.description)) for row in rows]


def _log(folder: Path, since: dt.datetime) -> str:
    lines = (logs.clean_line(line) for line in logs.read(folder, since=since))
    return "\n".join(_newest(lines)) + "\n"


def _newest(lines: Iterable[str]) -> list[str]:
    kept: list[str] = []
    size = 0
    for line in lines:
        kept.append(line)
        size += len(line)
        if size > 2 * LARGEST:  # now and then, so that memory stays bounded
            size = _cut(kept)
    _cut(kept)
    return kept


def _cut(lines: list[str]) -> int:
    """Drop the oldest until `LARGEST` is kept; return what that is."""
    size, first = 0, len(lines)
    while first and size + len(lines[first - 1]) <= LARGEST:
        first -= 1
        size += len(lines[first])
    del lines[:first]
    return size


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def _zip(files: dict[str, str], now: dt.datetime) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name, now.timetuple()[:6])
            entry.external_attr = 0o600 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text.encode(errors="backslashreplace"))
    return made.getvalue()

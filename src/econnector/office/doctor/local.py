"""Checks of this machine itself: settings, state file, who may read what is secret."""

import asyncio
import contextlib
import os
from pathlib import Path

from econnector.base.errors import Failure, OfficeFailure, SettingInvalid, SettingMissing, StateLocked
from econnector.base.settings import faults, settings_of
from econnector.office.addresses import database_place, hq_url
from econnector.office.doctor.check import Check, Finding, Fix, attention, from_failure, offering, ok, problem
from econnector.office.doctor.lines import line_of
from econnector.office.doctor.scene import NotNowError, Scene
from econnector.office.settings import PREFIX, Settings
from econnector.storage.state import meta

__all__ = ["CHECKS"]

_OTHERS = 0o077


async def _settings(scene: Scene) -> Finding:
    if scene.settings_failure is not None:
        return await asyncio.to_thread(_refused, scene, scene.settings_failure)
    loaded = scene.loaded
    secret = {setting.name for setting in settings_of(Settings, PREFIX) if setting.secret}
    places = [
        f"{name} from {place}{' (not shown)' if name in secret else ''}"
        for name, place in loaded.places.items()
        if place != "default"
    ]
    place = database_place(loaded)
    said = f"database {place.name} on {place.server}, state file {loaded.value.state_file}"
    try:
        return ok(f"HQ at {hq_url(loaded)}, {said}", *places)
    except SettingMissing as failure:
        return from_failure(failure, *places)


def _refused(scene: Scene, failure: Failure) -> Finding:
    """Return everything that is wrong in the file, each with its line, where the program stops at the first."""
    file = scene.file
    found = faults(Settings, file, PREFIX) if file is not None else []
    text = _text(file)
    lines = [_located(fault, text) for fault in found]
    finding = from_failure(failure, *lines)
    here = line_of(text, failure.facts.get("name", ""))
    if here and isinstance(failure, SettingInvalid):
        finding.text = f"{finding.text.removesuffix('.')} (line {here})."
    about = failure.facts.get("name"), failure.facts.get("place")
    if not found and about == ("database.password", str(file)) and file is not None and _open_to_others(file):
        return offering(finding, _CLOSE_SETTINGS, file=file)
    return finding


def _located(fault: SettingInvalid, text: str) -> str:
    name, line = fault.facts["name"], line_of(text, fault.facts["name"])
    return f"{f'line {line}: ' if line else ''}{name}: {fault.facts['why']}"


def _text(file: Path | None) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return file.read_text("utf-8-sig") if file is not None else ""
    return ""


async def _state(scene: Scene) -> Finding:
    file = scene.loaded.value.state_file
    if not scene.ran_here():
        return attention(
            f"there is no state file {file} yet: the connector never ran here",
            ["Enrol this machine: `econnector office enrol`.", "Start the connector: `econnector office run`."],
        )
    try:
        await scene.state().run(meta.read, "install")
    except OfficeFailure as failure:  # of whatever database: this one is ours
        reason = failure.facts.get("reason") or "it is no state file of an eConnector"
        return from_failure(StateLocked(path=file, reason=reason))
    files = _state_files(file)
    if any(_open_to_others(each) for each in files):
        finding = attention(f"other accounts may read the state file {file}", [f"Run `chmod 600 {file}*`."])
        # A link may lead to a file that is not ours.
        return finding if any(each.is_symlink() for each in files) else offering(finding, _CLOSE_STATE, file=file)
    return ok(f"the state file {file} can be read and is its owner's only")


def _state_files(file: Path) -> list[Path]:
    """Return the state file and what SQLite keeps beside it."""
    beside = (file.with_name(file.name + ending) for ending in ("-wal", "-shm", "-journal"))
    return [each for each in (file, *beside) if each.exists()]


def _open_to_others(file: Path) -> bool:
    try:
        return os.name != "nt" and bool(file.stat().st_mode & _OTHERS)
    except OSError:
        return False


async def _password(scene: Scene) -> Finding:
    """Look at the file with the database's password; that of the settings themselves is `settings`'."""
    if scene.settings_failure is not None:
        file = await asyncio.to_thread(_named_password_file, scene.file)
        if file is None or not file.is_file() or not _open_to_others(file):
            raise NotNowError("the settings cannot be used (see settings)")
        finding = problem(f"other accounts may read the password file {file}", [f"Run `chmod 600 {file}`."])
        return offering(finding, _CLOSE_PASSWORD, file=file)
    place = scene.loaded.places["database.password"]
    if place == "default":
        return ok("the database's account has no password of its own in the settings")
    if place.startswith("environment"):
        return ok(f"the database's password comes from the {place}: whoever started the connector sees to it")
    return ok(f"the database's password comes from {place}, which only its owner may read")


def _named_password_file(file: Path | None) -> Path | None:
    """Return the password file that unusable settings name, where that much can be read."""
    import tomllib  # noqa: PLC0415 - for settings that are broken

    if file is None:
        return None
    try:
        named = tomllib.loads(_text(file)).get("database", {}).get("password_file")
    except (tomllib.TOMLDecodeError, AttributeError):
        return None
    if not isinstance(named, str) or not named or "\0" in named:
        return None
    with contextlib.suppress(RuntimeError):
        return file.absolute().parent / Path(named).expanduser()
    return None


async def _close_state(scene: Scene) -> str:
    files = _state_files(scene.loaded.value.state_file)
    return await asyncio.to_thread(_close, files)


async def _close_settings(scene: Scene) -> str:
    return await asyncio.to_thread(_close, [scene.file] if scene.file is not None else [])


async def _close_password(scene: Scene) -> str:
    file = await asyncio.to_thread(_named_password_file, scene.file)
    return await asyncio.to_thread(_close, [file] if file is not None else [])


def _close(files: list[Path]) -> str:
    for file in files:
        file.chmod(file.stat().st_mode & ~_OTHERS & 0o7777)
    return f"Only its owner may read {files[0]} now." if files else "There was no such file."


_CLOSE_STATE = Fix(
    "close-state", "Take every other account's right to read the connector's state file {file} away.", _close_state
)
_CLOSE_SETTINGS = Fix(
    "close-settings", "Take every other account's right to read the settings file {file} away.", _close_settings
)
_CLOSE_PASSWORD = Fix(
    "close-password", "Take every other account's right to read the password file {file} away.", _close_password
)

CHECKS = (
    Check(
        "settings",
        "settings",
        "The settings can be read, are whole, and say where everything is.",
        3,
        _settings,
        (_CLOSE_SETTINGS,),
    ),
    Check(
        "password",
        "settings",
        "The database's password is kept where no other account reads it.",
        3,
        _password,
        (_CLOSE_PASSWORD,),
    ),
    Check(
        "state",
        "settings",
        "The connector's own state file can be used and nobody else can read it.",
        5,
        _state,
        (_CLOSE_STATE,),
    ),
)

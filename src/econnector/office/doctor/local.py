"""Checks of this machine itself: settings, state file."""

import os

from econnector.base.errors import Failure, SettingMissing
from econnector.base.settings import settings_of
from econnector.office.addresses import database_place, hq_url
from econnector.office.doctor.check import Check, Finding, attention, from_failure, ok
from econnector.office.doctor.scene import Scene
from econnector.office.settings import PREFIX, Settings
from econnector.storage.state import meta

__all__ = ["CHECKS"]


async def _settings(scene: Scene) -> Finding:
    if scene.settings_failure is not None:
        return from_failure(scene.settings_failure)
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


async def _state(scene: Scene) -> Finding:
    file = scene.loaded.value.state_file
    if not scene.ran_here():
        return attention(
            f"there is no state file {file} yet: the connector never ran here",
            ["Enrol this machine: `econnector office enrol`.", "Start the connector: `econnector office run`."],
        )
    try:
        await scene.state().run(meta.read, "install")
    except Failure as failure:
        return from_failure(failure)
    if os.name != "nt" and file.stat().st_mode & 0o077:
        return attention(f"other accounts may read the state file {file}", [f"Run `chmod 600 {file}`."])
    return ok(f"the state file {file} can be read and is its owner's only")


CHECKS = (
    Check("settings", "settings", "The settings can be read, are whole, and say where everything is.", 3, _settings),
    Check("state", "settings", "The connector's own state file can be used and nobody else can read it.", 5, _state),
)

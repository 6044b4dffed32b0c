"""Checks of this machine while it runs on: its power settings, and the window that its connector serves."""

import asyncio
import datetime as dt
from pathlib import Path

from econnector.base.errors import Failure, PortTaken, SettingInvalid
from econnector.office.awake import power
from econnector.office.doctor.check import Check, Finding, Fix, attention, from_failure, offering, ok, unknown
from econnector.office.doctor.scene import NotNowError, Scene
from econnector.office.running import local
from econnector.office.service.files import write_text
from econnector.office.service.tomlfile import changed
from econnector.storage.state import failures

__all__ = ["CHECKS"]

SLEPT_DAYS = 7
_SLEPT = [
    "Switch sleeping off in this computer's power settings; for a laptop also closing its lid.",
    "If it is a virtual machine: let its host neither pause nor suspend it.",
]
_PORTS = 100
_RESTART = "It counts from the connector's next start: `econnector service restart`, or stop and start it."


async def _sleep(scene: Scene) -> Finding:
    keep = scene.loaded.value.awake.keep
    found, running, slept = await asyncio.gather(asyncio.to_thread(power.look), scene.running(), _slept(scene))
    held = running.alive(scene.clock.now()) and running.awake == "kept"
    kept = f"the connector keeps it awake (by {running.awake_by})" if held else "nothing keeps it awake now"
    kept += "" if keep else "; the setting awake.keep is off"
    if found.allows:
        text = f"the power settings let this computer sleep: {'; '.join(found.allows)}"
        finding = attention(text, found.remedy, kept, *slept)
        wanted = not keep and scene.loaded.places["awake.keep"] == str(scene.loaded.file)
        return offering(finding, _KEEP, file=scene.loaded.file) if wanted else finding
    if slept:
        return attention(f"this computer slept or stood still in the last {SLEPT_DAYS} days", _SLEPT, kept, *slept)
    if not found.known:
        return ok(f"{kept}; its power settings cannot be read") if held else unknown("power settings cannot be read")
    return ok("the power settings do not let this computer sleep by itself", kept)


async def _slept(scene: Scene) -> list[str]:
    since = (scene.clock.now() - dt.timedelta(days=SLEPT_DAYS)).isoformat()
    try:
        outages = await scene.state().run(failures.latest_outages, 100)
    except (NotNowError, Failure):
        return []
    return [
        f"{local(each.began)} to {local(each.ended)}" for each in outages if each.kind == "sleep" and each.ended > since
    ]


async def _window(scene: Scene) -> Finding:
    settings, running = scene.loaded.value.window, await scene.running()
    if not settings.enabled:
        return ok("the window is switched off by the setting window.enabled")
    if not running.alive(scene.clock.now()):
        raise NotNowError("the connector does not run (see link)")
    if running.window_trouble is not None:
        failure = running.window_trouble.failure()
        finding = from_failure(failure)
        # Elsewhere than in the file it would go on counting; another port is one that the connector has not tried yet.
        ours = scene.loaded.file is not None and scene.loaded.places["window.port"] in {
            str(scene.loaded.file),
            "default",
        }
        tried = failure.facts.get("address", "").endswith(f":{settings.port}")
        mendable = isinstance(failure, PortTaken) and ours and tried
        return offering(finding, _PORT, taken=settings.port, file=scene.loaded.file) if mendable else finding
    if not running.window:
        return ok("the connector that runs serves no window")
    return ok(f"the window is at {running.window}")


async def _keep(scene: Scene) -> str:
    file = _file(scene)
    await asyncio.to_thread(_set, file, "awake.keep", value=True)
    return f"The connector will keep this computer awake (awake.keep in {file}). {_RESTART}"


async def _port(scene: Scene) -> str:
    file, settings = _file(scene), scene.loaded.value.window
    port = await _free(settings.address, settings.port)
    await asyncio.to_thread(_set, file, "window.port", value=port)
    return f"The window moves to port {port} (window.port in {file}). {_RESTART}"


def _file(scene: Scene) -> Path:
    if scene.loaded.file is None:
        raise NotNowError("there is no settings file to write that into")
    return scene.loaded.file


async def _free(address: str, taken: int) -> int:
    for port in range(taken + 1, min(taken + _PORTS, 65535) + 1):
        try:
            server = await asyncio.start_server(lambda _r, _w: None, address, port)
        except OSError:
            continue
        server.close()
        await server.wait_closed()
        return port
    raise NotNowError(f"no port from {taken + 1} to {taken + _PORTS} is free")


def _set(file: Path, name: str, *, value: object) -> None:
    """Write one setting; the file's owner, rights and, wherever that can be done, its comments stay."""
    file = file.resolve()  # a link stays one
    try:
        made = changed(file.read_text("utf-8-sig"), {name: value})
    except ValueError as error:
        raise SettingInvalid(name="file", place=file, why=f"it is not TOML: {error}") from None
    write_text(file, made.text, mode=file.stat().st_mode & 0o777)


_KEEP = Fix("keep-awake", "Set awake.keep in {file}, so that the connector keeps this computer awake.", _keep)
_PORT = Fix("window-port", "Set window.port in {file} to the next free port after {taken}.", _port)

CHECKS = (
    Check("sleep", "machine", "This computer does not fall asleep by itself.", 14, _sleep, (_KEEP,)),
    Check("window", "machine", "The eConnector Service window can be opened on this machine.", 5, _window, (_PORT,)),
)

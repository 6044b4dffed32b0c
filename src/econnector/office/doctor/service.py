"""Check of the service that runs the connector on this machine."""

import asyncio

from econnector.office.doctor.check import Check, Finding, attention, ok
from econnector.office.doctor.scene import NotNowError, Scene
from econnector.office.service.contract import ServiceState
from econnector.office.service.services import Entry, Services

__all__ = ["CHECKS"]


async def _service(scene: Scene) -> Finding:
    file = scene.loaded.file
    if file is None:
        raise NotNowError("there is no settings file that a service could run with")
    services = Services()
    entries = await asyncio.to_thread(services.entries)
    name = await asyncio.to_thread(services.serving, file)
    lines = [f"{each.name}: {each.state.value}" for each in entries]
    entry = next((each for each in entries if each.name == name), None)
    if entry is None:
        return ok("no service runs with these settings: the connector runs while somebody runs it", *lines)
    return _judge(entry, lines, boot_step=services.manager.boot_step)


def _judge(entry: Entry, lines: list[str], *, boot_step: str) -> Finding:
    if entry.state is ServiceState.NOT_INSTALLED:
        return attention(
            f"the service {entry.name} was added and is not installed",
            [f"Install it: `econnector service install {entry.name}`, then start it."],
            *lines,
        )
    if entry.state is ServiceState.STOPPED:
        return attention(
            f"the service {entry.name} is installed and stopped",
            [f"Start it: `econnector service start {entry.name}`."],
            *lines,
        )
    if boot_step:
        return attention(
            f"the service {entry.name} runs, and does not start with the machine",
            [boot_step.replace("NAME", entry.name)],
            *lines,
        )
    return ok(f"the service {entry.name} is installed and runs", *lines)


CHECKS = (Check("service", "service", "The connector is installed as a service, and the service runs.", 12, _service),)
"""One check; who may change services is seen when somebody tries."""

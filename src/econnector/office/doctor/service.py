"""Checks of the service that runs the connector: it runs, as the right account, and it is the only one."""

import asyncio
from pathlib import Path

from econnector.base.errors import AccountUnknown, Failure, ServiceMissing
from econnector.office.doctor.access import lacks
from econnector.office.doctor.check import Check, Finding, Fix, attention, from_failure, offering, ok, problem
from econnector.office.doctor.scene import NotNowError, Scene
from econnector.office.service.accounts import current, is_root
from econnector.office.service.book import Record
from econnector.office.service.command import user_of
from econnector.office.service.contract import Definition, ServiceState
from econnector.office.service.folders import folders_of, hand_over
from econnector.office.service.programs import run
from econnector.office.service.sameness import refuse_same
from econnector.office.service.services import Entry, Services

__all__ = ["CHECKS"]

_THEIRS = "econnector"
"""In the name of the service that Open Dental's own eConnector has."""


def _file(scene: Scene) -> Path:
    if scene.loaded.file is None:
        raise NotNowError("there is no settings file that a service could run with")
    return scene.loaded.file


def _record(scene: Scene, services: Services) -> Record | None:
    """Return the service that runs with these settings. Blocks."""
    name = services.serving(_file(scene))
    return services.book.find(name) if name else None


async def _service(scene: Scene) -> Finding:
    file = _file(scene)
    services = Services()
    entries = await asyncio.to_thread(services.entries)
    name = await asyncio.to_thread(services.serving, file)
    lines = [f"{each.name}: {each.state.value}" for each in entries]
    entry = next((each for each in entries if each.name == name), None)
    if entry is None:
        return ok("no service runs with these settings: the connector runs while somebody runs it", *lines)
    if entry.state is ServiceState.STOPPED and (await scene.running()).alive(scene.clock.now()):
        text = f"the connector runs, and not as the service {name}, which is stopped: when it ends, nothing starts it"
        return attention(
            text, [f"End it where it runs, then start the service: `econnector service start {name}`."], *lines
        )
    word = await asyncio.to_thread(_at_start, services, entry.name)
    return _judge(entry, lines, services.manager.boot_step, enabled=word != "disabled", masked="masked" in word)


def _judge(entry: Entry, lines: list[str], boot_step: str, *, enabled: bool, masked: bool = False) -> Finding:
    name = entry.name
    if entry.state is ServiceState.NOT_INSTALLED:
        remedy = [f"Install it: `econnector service install {name}`, then start it."]
        return attention(f"the service {name} was added and is not installed", remedy, *lines)
    if entry.state is ServiceState.STOPPED:
        remedy = [f"Start it: `econnector service start {name}`."]
        return offering(attention(f"the service {name} is installed and stopped", remedy, *lines), _START, name=name)
    if masked:
        text = f"the service {name} runs, and somebody has forbidden that systemd starts it again (masked)"
        return attention(text, [f"If that is not wanted: run `systemctl unmask {name}.service` as root."], *lines)
    if boot_step or not enabled:
        step = boot_step.replace("NAME", name) if boot_step else f"Run `systemctl enable {name}.service` as root."
        finding = attention(f"the service {name} runs, and does not start with the machine", [step], *lines)
        mendable = not enabled or "enable-linger" in boot_step
        return offering(finding, _AT_BOOT, name=name) if mendable else finding
    return ok(f"the service {name} is installed and runs", *lines)


def _at_start(services: Services, name: str) -> str:
    """Return systemd's word for whether it starts it with the machine; other managers always do, or never."""
    if services.manager.kind != "systemd":
        return ""
    which = [] if is_root() else ["--user"]
    return run(["systemctl", *which, "is-enabled", f"{name}.service"]).out.strip()


async def _start(scene: Scene) -> str:
    services = Services()
    name = await asyncio.to_thread(services.serving, _file(scene))
    if not name:
        raise ServiceMissing(name="of these settings", step="added")
    await asyncio.to_thread(services.start, name)
    return f"The service {name} is started."


async def _at_boot(scene: Scene) -> str:
    services = Services()
    name = await asyncio.to_thread(services.serving, _file(scene))
    if services.manager.boot_step:
        said = await asyncio.to_thread(run, ["loginctl", "enable-linger"])
        if said.status:
            raise NotNowError(f"loginctl said: {said.reason}")
    else:
        await asyncio.to_thread(services.renew, name)
    return f"The service {name} starts with the machine from now on."


async def _account(scene: Scene) -> Finding:
    services = Services()
    record = await asyncio.to_thread(_record, scene, services)
    if record is None:
        return ok(f"no service runs with these settings; this examination is done as {current()}")
    return await asyncio.to_thread(_may, record)


def _may(record: Record) -> Finding:
    """Look at files and folders with the eyes of the service's account. Blocks."""
    if not record.account:
        return ok(f"the service {record.name} runs as the operating system's usual account")
    try:
        who = user_of(record.account)
    except KeyError:
        return from_failure(
            AccountUnknown(name=record.name, account=record.account, why="this machine has no such account")
        )
    if not who:
        return ok(f"the service {record.name} runs as {record.account}; Windows gives it its rights")
    folders = folders_of(Definition(record.name, record.settings, record.account))
    wanted = {record.settings: "r", folders.state: "rwx", folders.log: "rwx"}
    if folders.password is not None:
        wanted[folders.password] = "r"
    lacking = [f"{place}: {why}" for place, need in wanted.items() if (why := lacks(who, place, need))]
    if not lacking:
        return ok(f"the service {record.name} runs as {record.account}, which may use everything it needs")
    remedy = [f"Give the account {record.account} these rights, or let an administrator run `econnector doctor --fix`."]
    text = f"the service {record.name} runs as {record.account}, which may not use everything it needs"
    finding = problem(text, remedy, *lacking)
    return offering(finding, _HAND_OVER, account=record.account) if is_root() else finding


async def _hand_over(scene: Scene) -> str:
    record = await asyncio.to_thread(_record, scene, Services())
    if record is None:
        raise NotNowError("no service runs with these settings")
    folders = folders_of(Definition(record.name, record.settings, record.account))
    await asyncio.to_thread(hand_over, record.account, record.settings, folders)
    return f"State, log and password file belong to {record.account} now."


async def _alone(scene: Scene) -> Finding:
    file, services = _file(scene), Services()
    entries = await asyncio.to_thread(services.entries)
    name = await asyncio.to_thread(services.serving, file)
    try:
        await asyncio.to_thread(refuse_same, name or "this connector", scene.loaded, services.book.records())
    except Failure as failure:
        return from_failure(failure)
    theirs = [each for each in entries if each.settings is None and _THEIRS in each.name.casefold()]
    running = [each.name for each in theirs if each.state is ServiceState.RUNNING]
    if running:
        return attention(
            f"another eConnector runs on this machine: {', '.join(running)}",
            [
                "If it serves this practice: uninstall it in Open Dental (Tools, Misc Tools, Service Manager).",
                "Then run `econnector doctor` once more.",
            ],
        )
    return ok("no other service of this machine serves this practice")


_START = Fix("start-service", "Start the service {name}.", _start)
_AT_BOOT = Fix("service-at-boot", "Let the service {name} start with the machine.", _at_boot)
_HAND_OVER = Fix("hand-over", "Give state, log and password file to the service's account {account}.", _hand_over)

CHECKS = (
    Check(
        "service",
        "service",
        "The connector is installed as a service, and the service runs.",
        12,
        _service,
        (_START, _AT_BOOT),
    ),
    Check(
        "service-account",
        "service",
        "The account that the service runs as may use everything it needs.",
        10,
        _account,
        (_HAND_OVER,),
    ),
    Check("service-alone", "service", "No other service of this machine serves the same practice.", 12, _alone),
)
"""Who may change services is seen when somebody tries."""

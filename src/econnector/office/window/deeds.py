"""What the buttons of the first page do: Start, Ack, Stop Monitoring, Save."""

import asyncio

from starlette.responses import Response

from econnector.base.errors import ServiceElsewhere, ValueRejected
from econnector.office.desk import ConnectorSettings
from econnector.office.service.contract import ServiceState
from econnector.office.window import services, status
from econnector.office.window.frame import Page, Section, Visitor
from econnector.office.window.scene import Scene
from econnector.opendental.connectorsettings import MOST_LOG_DAYS

__all__ = ["PAGES", "SECTION"]

_DIGITS = 10
"""More than any number of days has; Python refuses to read thousands of them."""
_STARTED = "The eConnector service is started. Its first heartbeat turns the status to Working within seconds."
_STARTED_ALREADY = "The eConnector service is already started on this computer."


async def start(visitor: Visitor) -> Response:
    """Start this office's service. Everybody may, so that anyone can get the eConnector back up."""
    scene = visitor.scene
    if await scene.alive():
        return visitor.go("/", _STARTED_ALREADY, "info")
    name, already = await asyncio.to_thread(_start_service, scene)
    if visitor.signed_in and not already:
        await services.note(visitor, "start", name)
    return visitor.go("/", _STARTED_ALREADY, "info") if already else visitor.go("/", _STARTED)


def _start_service(scene: Scene) -> tuple[str, bool]:
    """Return the service, and whether it was running already. Raises `ServiceElsewhere`, or why it did not start."""
    found, file = scene.services(), scene.loaded.file
    name = found.serving(file) if file else ""
    state = found.state(name) if name else ServiceState.NOT_INSTALLED
    if state is ServiceState.NOT_INSTALLED:
        raise ServiceElsewhere(machine=scene.machine)
    found.start(name)
    return name, state is ServiceState.RUNNING


async def acknowledge(visitor: Visitor) -> Response:
    """Acknowledge all errors."""
    count = await visitor.scene.desk.acknowledge(visitor.who)
    if not count:
        return visitor.go("/", "There was no error to acknowledge.", "info")
    many = "1 error is" if count == 1 else f"{count} errors are"
    return visitor.go("/", f"{many} acknowledged. The eServices menu of Open Dental stops showing yellow.")


async def ask_stop(visitor: Visitor) -> Response:
    """Say what Stop Monitoring does and to whom, before it is done."""
    return visitor.page("window/stop-monitoring.html", stands=await visitor.scene.desk.status())


async def stop_monitoring(visitor: Visitor) -> Response:
    """Stop monitoring."""
    await visitor.scene.desk.stop_monitoring(visitor.who)
    return visitor.go("/", "Monitoring is stopped. It can take up to one minute until every workstation has noticed.")


async def save(visitor: Visitor) -> Response:
    """Save the three settings; what cannot be used is shown beside its field."""
    form = visitor.form
    days = form.get("log_days").strip() or "0"
    if not (days.isascii() and days.isdecimal() and len(days) < _DIGITS and int(days) <= MOST_LOG_DAYS):
        form.wrong("log_days", f"Enter a number of days from 0 to {MOST_LOG_DAYS}; 0 never deletes.")
        return await status.show(visitor)
    wanted = ConnectorSettings(form.get("listener") == "1", form.get("mail_process") == "1", int(days))
    try:
        changed = await visitor.scene.desk.save(visitor.who, wanted)
    except ValueRejected as rejected:
        form.wrong(rejected.facts["field"].replace("-", "_"), rejected.facts["why"])
        return await status.show(visitor)
    if not changed:
        return visitor.go("/", "Nothing was changed, so nothing was saved.", "info")
    return visitor.go("/", "Saved. The other Open Dental workstations are told.")


SECTION: Section | None = None
PAGES = (
    Page("/start", start, method="POST", needs="nobody"),
    Page("/ack", acknowledge, method="POST", needs="setup"),
    Page("/stop-monitoring", ask_stop),
    Page("/stop-monitoring", stop_monitoring, method="POST", needs="admin"),
    Page("/settings", save, method="POST", needs="setup"),
)

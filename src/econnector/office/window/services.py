"""The Service Manager's page: this machine's eConnectors as services, and the configuration of each one.

The window may be served by the very connector that it stops. Then the command does it, in a process of its own that
outlives this one; uninstalling is left to the command altogether, because nobody would be there to say how it went.
"""

import asyncio
import subprocess
import sys
from pathlib import Path

import structlog
from starlette.responses import Response

from econnector.base.errors import Failure, InputFailure, SettingInvalid, ValueRejected
from econnector.office.service.book import Record
from econnector.office.service.configure import Access, Tested, beginning, own_places, save, split_server, try_out
from econnector.office.service.contract import DEEDS, ServiceState
from econnector.office.service.names import DEFAULT
from econnector.office.service.places import settings_for
from econnector.office.service.services import Entry, Services
from econnector.office.window.frame import Page, Section, Visitor
from econnector.office.window.scene import Scene
from econnector.web.failing import FailureView
from econnector.web.forms import Form

__all__ = ["PAGES", "SECTION", "note"]

log = structlog.get_logger(__name__)

_SIGNS = {ServiceState.RUNNING: "ok", ServiceState.STOPPED: "problem", ServiceState.NOT_INSTALLED: "unknown"}
_ENDING = ".toml"
_PAST = {deed: done for done, deed in DEEDS.items()}
_LATER = "It is being done. This window is served by this eConnector, so it goes away for a moment."


async def show(visitor: Visitor) -> Response:
    """Show every service, and the form that adds one."""
    services = await asyncio.to_thread(visitor.scene.services)
    entries = await asyncio.to_thread(services.entries)
    form = (
        visitor.form if visitor.form.mistakes else Form({"name": DEFAULT} if not entries else {"name": f"{DEFAULT}_"})
    )
    code = 422 if visitor.form.mistakes else 200
    return visitor.page(
        "window/services.html", code, form=form, entries=entries, signs=_SIGNS, manager=services.manager
    )


async def add(visitor: Visitor) -> Response:
    """Add a service to the list."""
    name = visitor.form.get("name").strip()
    try:
        await asyncio.to_thread(_add, visitor.scene, name, visitor.form)
    except ValueRejected as rejected:
        visitor.form.wrong(rejected.facts["field"], rejected.facts["why"])
        return await show(visitor)
    except (Failure, OSError) as failure:
        if not isinstance(failure, Failure) or failure.http not in {409, 422}:
            raise
        visitor.form.wrong("account" if failure.code == "service-account" else "name", failure.office_text())
        return await show(visitor)
    await note(visitor, "added", name)
    return visitor.go(f"/services/{name}", f"{name} is added. Configure it next, then install it.")


def _add(scene: Scene, name: str, form: Form) -> None:
    services, typed = scene.services(), form.get("settings").strip()
    if typed and not (Path(typed).expanduser().is_absolute() and typed.endswith(_ENDING)):
        # The connector may be root: what it writes for somebody who is not shall be a settings file, whatever the name.
        why = f"Enter the whole path of a settings file, which ends with {_ENDING}."
        raise ValueRejected(field="settings", why=why)
    settings = Path(typed).expanduser() if typed else settings_for(name, services.book.records())
    services.add(name, settings, form.get("account").strip())


async def edit(visitor: Visitor) -> Response:
    """Show one service with its buttons."""
    services, entry, own = await _find(visitor)
    return visitor.page(
        "window/service.html",
        has_settings=bool(entry.settings and entry.settings.exists()),
        entry=entry,
        own=own,
        sign=_SIGNS[entry.state],
        manager=services.manager,
    )


async def _find(visitor: Visitor) -> tuple[Services, Entry, bool]:
    """Return the service of this address, and whether it is the one that serves this window."""

    def find() -> tuple[Services, Entry, bool]:
        services, file = visitor.scene.services(), visitor.scene.loaded.file
        entry = services.entry(visitor.request.path_params["name"])
        own = visitor.scene.inside and file is not None and services.serving(file) == entry.name
        return services, entry, own and entry.state is ServiceState.RUNNING

    return await asyncio.to_thread(find)


async def ask(visitor: Visitor) -> Response:
    """Say what stopping or uninstalling does, before it is done."""
    _, entry, own = await _find(visitor)
    return visitor.page("window/service-ask.html", entry=entry, own=own, deed=_deed(visitor))


async def do(visitor: Visitor) -> Response:
    """Install, start, stop, restart or uninstall it."""
    services, entry, own = await _find(visitor)
    deed = _deed(visitor)
    if own and deed in {"stop", "restart"}:
        await note(visitor, deed, entry.name)
        await asyncio.to_thread(_do_later, deed, entry.name)
        return visitor.go("/services", _LATER, "info")
    if own and deed == "uninstall":
        text = f"Run `econnector service uninstall {entry.name}` on this machine."
        return visitor.go(f"/services/{entry.name}", text, "attention")
    await asyncio.to_thread(getattr(services, deed), entry.name)
    await note(visitor, deed, entry.name)
    if deed == "uninstall":
        return visitor.go("/services", f"{entry.name} is uninstalled. Its settings file {entry.settings} stays.")
    return visitor.go(f"/services/{entry.name}", f"{entry.name}: {(await _find(visitor))[1].state.value}.")


def _deed(visitor: Visitor) -> str:
    return visitor.request.url.path.rpartition("/")[2]


def _do_later(deed: str, name: str) -> None:
    words = [sys.executable, "-m", "econnector", "service", deed, name, "--json", "--noted"]
    subprocess.Popen(  # noqa: S603 - our own command; the name is one that was found
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(subprocess, "DETACHED_PROCESS", 0),
    )


async def note(visitor: Visitor, deed: str, name: str) -> None:
    """Say in log and audit trail who did it; a database that is away keeps nobody from a service."""
    log.info("service changed in the window", deed=deed, service=name, user=visitor.who.user)
    try:
        await visitor.scene.desk.service_changed(visitor.who, f"{name}: {_PAST.get(deed, deed)}")
    except Failure as failure:
        log.warning("the change is not in the audit trail", code=failure.code, reference=failure.reference)


# -- configuration --------------------------------------------------------------------------------------------------


async def configuration(visitor: Visitor) -> Response:
    """Show the form: what the settings say, else what Open Dental's own file says, else its defaults."""
    record = await _record(visitor)
    return _form(visitor, record, _values(await asyncio.to_thread(beginning, record.settings)))


async def configure(visitor: Visitor) -> Response:
    """Test what was typed, and save it when that was asked for; what is not given stays as it was."""
    record, form = await _record(visitor), visitor.form
    try:
        access = await asyncio.to_thread(_typed, form, record)
        tested = await asyncio.to_thread(try_out, access)
    except ValueRejected as rejected:
        form.wrong({"host": "server"}.get(rejected.facts["field"], rejected.facts["field"]), rejected.facts["why"])
        return _form(visitor, record, form, code=422)
    except SettingInvalid as invalid:
        form.wrong("ca" if invalid.facts["name"] == "database.ca" else "hq", invalid.office_text())
        return _form(visitor, record, form, code=422)
    except InputFailure:
        raise
    except Failure as failure:
        return _form(visitor, record, form, code=422, failed=visitor.failed(failure))
    if form.get("do") != "save" or (tested.lacking and form.get("anyway") != "1"):
        return _form(visitor, record, form, tested=tested)
    kept = await asyncio.to_thread(_save, visitor.scene, record, access)
    await note(visitor, "configured", record.name)
    remark = "" if kept else " The file was written anew: the comments in it are gone."
    text = f"Saved in {record.settings}. A service that runs uses it after a restart.{remark}"
    return visitor.go(f"/services/{record.name}", text)


async def _record(visitor: Visitor) -> Record:
    services = await asyncio.to_thread(visitor.scene.services)
    return await asyncio.to_thread(services.book.get, visitor.request.path_params["name"])


def _values(access: Access) -> Form:
    values = {"server": access.server, "database": access.database, "user": access.user, "hq": access.hq}
    return Form(values | {"ca": str(access.ca or "")})


def _typed(form: Form, record: Record) -> Access:
    host, port = split_server(form.get("server"))
    ca = form.get("ca").strip()
    before, user = beginning(record.settings), form.get("user").strip()
    # A form may not send the password that is kept to a server of the sender's choice.
    kept = before.password if (host, port, user) == (before.host, before.port, before.user) else ""
    if before.password and not kept and not form.get("password"):
        why = (
            f"Enter the password: the one that is kept is {before.user}’s on {before.server}, and is sent nowhere else."
        )
        raise ValueRejected(field="password", why=why)
    access = Access(
        host=host,
        port=port,
        database=form.get("database"),
        user=user,
        password=form.get("password") or kept,
        ca=Path(ca) if ca else None,
        hq=form.get("hq"),
    )
    return access.checked()


def _save(scene: Scene, record: Record, access: Access) -> bool:
    services = scene.services()
    services.refuse(record.name, access.place())
    others = [each.settings for each in services.book.records() if each.name != record.name]
    saved = save(record.settings, access, own_places(record.settings, others))
    services.renew(record.name)
    return saved.comments_kept


def _form(  # noqa: PLR0913 - what the page shows
    visitor: Visitor,
    record: Record,
    form: Form,
    *,
    code: int = 200,
    tested: Tested | None = None,
    failed: FailureView | None = None,
) -> Response:
    shown = {"entry": record, "tested": tested, "failed": failed, "form": form.without("password")}
    return visitor.page("window/service-configure.html", code, **shown)


SECTION = Section("Services", "/services", "service")
PAGES = (
    Page("/services", show),
    Page("/services", add, method="POST", needs="setup"),
    Page("/services/{name}", edit),
    Page("/services/{name}/configure", configuration, needs="setup"),
    Page("/services/{name}/configure", configure, method="POST", needs="setup"),
    Page("/services/{name}/stop", ask),
    Page("/services/{name}/uninstall", ask),
    *(
        Page(f"/services/{{name}}/{deed}", do, method="POST", needs="setup")
        for deed in ("install", "start", "stop", "restart", "uninstall")
    ),
)

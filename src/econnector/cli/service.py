"""`econnector service`: the eConnectors of this machine as services of its operating system."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from econnector.cli.choice import json_option
from econnector.cli.main import LazyGroup
from econnector.cli.terminal import console, print_json, print_table, state

if TYPE_CHECKING:
    from econnector.office.service.services import Entry, Services

__all__ = ["record_of", "service", "services"]

COMMANDS = {
    "configure": (
        "econnector.cli.service_configure:configure",
        "Ask for server, database, user and password; test them, then save.",
    ),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def service() -> None:
    """The eConnectors installed on this machine as services: one per database.

    Names begin with OpenDent and have no spaces. The usual way: add, configure, install, start.
    """


def services() -> "Services":
    """Return this machine's services."""
    from econnector.base import logs  # noqa: PLC0415 - as below
    from econnector.office.service.services import Services  # noqa: PLC0415 - heavy

    logs.configure(None)  # a command says by itself what happened
    return Services()


_settings = click.option("--settings", type=click.Path(path_type=Path), help="The settings file it runs with.")
_account = click.option("--account", default="", help="The account it runs as (a workstation installation).")
_name = click.argument("name")
_noted_already = click.option("--noted", is_flag=True, hidden=True)  # the window that asks has said who it is


@service.command()
@_name
@_settings
@_account
@json_option
def add(name: str, settings: Path | None, account: str, as_json: bool) -> None:
    """Add the service NAME to the list; nothing is installed yet.

    Without --settings it is office.toml at the usual place, or NAME.toml beside it where another service has that.
    """
    found = services()
    record = record_of(found, name, settings, account, anew=True)
    _said(
        found, record.name, as_json, f"{record.name} is added with the settings {record.settings}.", _after_add(record)
    )


def _after_add(record: Any) -> str:
    configure = f"`econnector service configure {record.name}`, then " if not record.settings.exists() else ""
    return f"{configure}`econnector service install {record.name}`"


def record_of(found: "Services", name: str, settings: Path | None, account: str, *, anew: bool = False) -> Any:
    """Return the service's record; it is added when there is none, and must be new with `anew`."""
    from econnector.office.service.places import settings_for  # noqa: PLC0415 - as above

    record = found.book.find(name)
    if record is None or anew:
        found.add(name, settings or settings_for(name, found.book.records()), account)
        return found.book.get(name)
    if settings is not None and settings.absolute() != record.settings:
        raise click.UsageError(
            f"{record.name} runs with {record.settings}; uninstall it before it gets other settings."
        )
    if account and account != record.account:
        found.change(record.name, account=account)
    return found.book.get(name)


@service.command()
@_name
@_settings
@_account
@click.option(
    "--account-password-stdin", is_flag=True, help="Windows: read the account's password from standard input."
)
@json_option
def install(name: str, settings: Path | None, account: str, account_password_stdin: bool, as_json: bool) -> None:
    """Install the service NAME, so that it starts with the machine; it is added first where that was not done.

    With --account it is tried whether this account reads the images folder and reaches the database.
    """
    from econnector.office.service.workstation import examine  # noqa: PLC0415 - heavy

    found = services()
    record = record_of(found, name, settings, account)
    found.check(record)
    remarks = examine(record.account, record.settings) if record.account else []
    log_on = _log_on(found.manager.kind, record.account, stdin=account_password_stdin)
    found.install(record.name, log_on=log_on)
    _noted(record.name, record.settings, "install")
    if not as_json:
        _show_remarks(record.account, remarks)
        if found.manager.boot_step:
            console().print(f"! {found.manager.boot_step.replace('NAME', record.name)}", markup=False)
    _said(
        found,
        record.name,
        as_json,
        f"{record.name} is installed{'' if found.manager.at_boot else ', but does not start with the machine'}.",
        f"`econnector service start {record.name}`",
        account_checks=remarks,
    )


def _log_on(kind: str, account: str, *, stdin: bool) -> str:
    """Return the account's password where Windows wants one."""
    managed = account.endswith("$") or account.upper().startswith("NT ")
    if kind != "windows" or not account or managed:
        return ""
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt(f"Password of {account}", hide_input=True, err=True))


def _show_remarks(account: str, remarks: list[Any]) -> None:
    from rich.text import Text  # noqa: PLC0415 - `--json` does not pay for it

    for remark in remarks:
        console().print(Text.assemble(state(remark.state), f"  {remark.about}, as {account}: {remark.text}"))
        for step in remark.remedy if remark.state != "ok" else ():
            console().print(Text(f"      {step}"))


@service.command()
@_name
@json_option
def uninstall(name: str, as_json: bool) -> None:
    """Stop the service NAME, remove it from the operating system and from the list; its settings file stays."""
    found = services()
    entry = found.entry(name)
    found.uninstall(name)
    _noted(entry.name, entry.settings, "uninstall")
    _said(found, entry.name, as_json, f"{entry.name} is uninstalled; {entry.settings} stays.")


@service.command()
@_name
@json_option
def start(name: str, as_json: bool) -> None:
    """Start the service NAME and wait until its connector has begun."""
    _do(name, as_json, "start", "runs")


@service.command()
@_name
@_noted_already
@json_option
def stop(name: str, noted: bool, as_json: bool) -> None:
    """Stop the service NAME and wait until it has stopped."""
    _do(name, as_json, "stop", "is stopped", noted=noted)


@service.command()
@_name
@_noted_already
@json_option
def restart(name: str, noted: bool, as_json: bool) -> None:
    """Stop the service NAME and start it again."""
    _do(name, as_json, "restart", "runs again", noted=noted)


def _do(name: str, as_json: bool, deed: str, done: str, *, noted: bool = False) -> None:
    found = services()
    getattr(found, deed)(name)
    entry = found.entry(name)
    if not noted:
        _noted(entry.name, entry.settings, deed)
    _said(found, entry.name, as_json, f"{entry.name} {done}.")


def _noted(name: str, settings: Path | None, deed: str) -> None:
    """Say in the practice's audit trail who did it, where its database can be asked."""
    from econnector.cli.office_desk import operator  # noqa: PLC0415 - heavy
    from econnector.office.service.noting import note  # noqa: PLC0415 - as above

    note(operator(), name, settings, deed)


@service.command()
@_name
@json_option
def status(name: str, as_json: bool) -> None:
    """Say how the service NAME stands: Not installed; Installed, Stopped; or Installed, Running.

    The exit status is 0 when it runs, 3 when it does not, 4 when it is not installed.
    """
    from econnector.office.service.contract import ServiceState  # noqa: PLC0415 - heavy

    found = services()
    entry = found.entry(name)
    if as_json:
        print_json(_fields(entry, found))
    else:
        click.echo(f"{entry.name}: {entry.state.value}")
    exits = {ServiceState.RUNNING: 0, ServiceState.STOPPED: 3, ServiceState.NOT_INSTALLED: 4}
    click.get_current_context().exit(exits[entry.state])


@service.command("list")
@json_option
def listed(as_json: bool) -> None:
    """List every service of this machine whose name begins with OpenDent, also those of other programs."""
    found = services()
    entries = found.entries()
    if as_json:
        print_json([_fields(entry, found) for entry in entries])
    elif not entries:
        click.echo("There is no service yet. Add one: `econnector service add OpenDentalEConnector`.")
    else:
        rows = [(e.name, e.state.value, e.settings or "(another program's)", e.account) for e in entries]
        print_table(["service", "state", "settings", "account"], rows)


@service.command()
@_name
def unit(name: str) -> None:
    """Print what installing NAME would give the operating system: unit, plist or command. For doing it by hand."""
    from econnector.office.service.places import by_hand  # noqa: PLC0415 - heavy

    found = services()
    click.echo(by_hand(found.manager.kind, found.book.get(name)), nl=False)


def _fields(entry: "Entry", found: "Services") -> dict[str, object]:
    return {
        "name": entry.name,
        "state": entry.state.value,
        "settings": str(entry.settings) if entry.settings else None,
        "account": entry.account,
        "manager": found.manager.kind,
        "ours": entry.settings is not None,
    }


def _said(found: "Services", name: str, as_json: bool, text: str, after: str = "", **more: object) -> None:
    if as_json:
        print_json({"ok": True, "name": name, "state": found.state(name).value, "manager": found.manager.kind} | more)
        return
    console().print(f"✓ {text}", markup=False)
    if after:
        console().print(f"  Next: {after}.", markup=False)

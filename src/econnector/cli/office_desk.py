"""`econnector office history | ack | stop-monitoring | settings`: the eConnector Service window as commands."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from econnector.base.errors import Failure
from econnector.base.settings import Loaded, Setting, settings_of
from econnector.cli.choice import Choice, json_option, with_settings
from econnector.cli.terminal import console, print_json, print_table
from econnector.office.settings import PREFIX, Settings

if TYPE_CHECKING:
    from econnector.office.desk import ConnectorSettings, Desk, Who
    from econnector.opendental.signals import Signal

__all__ = ["ack", "history", "operator", "settings", "settings_page", "stop_monitoring"]

T = TypeVar("T")


def _at_desk(loaded: Loaded[Settings], do: "Callable[[Desk], Awaitable[T]]") -> T:
    from econnector.office.desk import desk_of  # noqa: PLC0415 - heavy

    async def work() -> T:
        async with desk_of(loaded) as desk:
            return await do(desk)

    return asyncio.run(work())


def operator() -> "Who":
    """Return who types: an account of the operating system that can read the database's password may do all of it."""
    import psutil  # noqa: PLC0415 - only where something is changed

    from econnector.office.desk import Who  # noqa: PLC0415 - heavy

    return Who(0, psutil.Process().username(), may_setup=True, may_admin=True)


@click.command("history")
@click.option("--errors", is_flag=True, help="Only errors and stops.")
@click.option("--unacknowledged", is_flag=True, help="Only errors that nobody has acknowledged.")
@click.option("--text", default="", help="Only rows that hold this text.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV for a spreadsheet.")
@json_option
@with_settings
def history(  # noqa: PLR0913, PLR0917 - one per option
    choice: Choice,
    errors: bool,
    unacknowledged: bool,
    text: str,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Say what happened in the last 30 days, newest first, as Open Dental's eConnector window does."""
    from econnector.office.history import csv_text, matching  # noqa: PLC0415 - heavy

    found = _at_desk(choice.load(), lambda desk: desk.history())
    rows = matching(found, show="unacknowledged" if unacknowledged else "errors" if errors else "all", text=text)
    if as_csv:
        click.echo(csv_text(rows), nl=False)
    elif as_json:
        print_json([_fields(row) for row in rows])
    else:
        _show_history(rows)


def _fields(row: "Signal") -> dict[str, object]:
    from econnector.office.history import is_unacknowledged, word_of  # noqa: PLC0415 - heavy

    return {
        "at": row.at.isoformat(),
        "status": word_of(row),
        "details": row.description,
        "unacknowledged": is_unacknowledged(row),
    }


def _show_history(rows: "list[Signal]") -> None:
    from econnector.office.history import is_unacknowledged, word_of  # noqa: PLC0415 - heavy

    if not rows:
        console().print("There is no such row in the last 30 days.")
        return
    lines = [(f"{row.at:%Y-%m-%d %H:%M:%S}", word_of(row), row.description, is_unacknowledged(row)) for row in rows]
    print_table(["time", "", "status", "details"], [(at, "!" if new else "", *rest) for at, *rest, new in lines])
    if any(line[-1] for line in lines):
        console().print("  ! nobody has acknowledged it; do what it asks for, then: `econnector office ack`.")


@click.command("ack")
@json_option
@with_settings
def ack(choice: Choice, as_json: bool) -> None:
    """Acknowledge every error of every eService, so that Open Dental's eServices menu stops showing yellow."""
    count = _at_desk(choice.load(), lambda desk: desk.acknowledge(operator()))
    if as_json:
        print_json({"ok": True, "acknowledged": count})
    elif count:
        console().print(f"✓ Errors acknowledged: {count}.")
    else:
        console().print("There was no error to acknowledge.")


_STOPPING = (
    "Nobody will be alarmed any more when the eConnector is down. Uninstall or stop its service first: one that runs\n"
    "starts monitoring again with its next heartbeat, within five minutes."
)


@click.command("stop-monitoring")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@with_settings
def stop_monitoring(choice: Choice, yes: bool, as_json: bool) -> None:
    """Say that eServices are not in use any more, so that no workstation is alarmed."""
    loaded = choice.load()
    if not yes:
        click.echo(_STOPPING, err=True)
        click.confirm("Stop monitoring?", abort=True, err=True)
    _at_desk(loaded, lambda desk: desk.stop_monitoring(operator()))
    said = "Monitoring is stopped. It takes up to one minute until every workstation has noticed."
    if as_json:
        print_json({"ok": True, "note": said})
    else:
        console().print(f"✓ {said}")


ORIGIN = "Open Dental's database"
_OPEN_DENTAL = {"listener": "listener", "mail-process": "mail_process", "log-days": "log_days"}
_SWITCH = {"on": True, "yes": True, "true": True, "1": True, "off": False, "no": False, "false": False, "0": False}


@click.command("settings")
@click.argument("changes", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--markdown", is_flag=True, help="Print the page docs/settings.md.")
@json_option
@with_settings
def settings(choice: Choice, changes: tuple[str, ...], markdown: bool, as_json: bool) -> None:
    r"""Say every setting, its value and where that comes from; change those of Open Dental's eConnector window.

    \b
    listener=on|off      Enable eServices Listener
    mail-process=on|off  Send emails with a different process; only if support advises it
    log-days=0..36500    Delete logs older than this many days; 0 never does

    These three stand in Open Dental's database: every workstation shows them and hears of a change at once. The
    others are changed in the settings file.
    """
    if markdown:
        click.echo(settings_page(), nl=False)
        return
    loaded = choice.load()
    if changes:
        _change(loaded, dict(_read_change(text) for text in changes), as_json=as_json)
        return
    rows = [(each.name, _shown(each, loaded), loaded.places[each.name]) for each in settings_of(Settings, PREFIX)]
    rows += _open_dental_rows(loaded)
    if as_json:
        print_json([{"name": name, "value": value, "from": place} for name, value, place in rows])
    else:
        print_table(["setting", "value", "from"], rows)


def _read_change(text: str) -> tuple[str, bool | int]:
    name, _, value = text.partition("=")
    if name not in _OPEN_DENTAL:
        known = ", ".join(_OPEN_DENTAL)
        raise click.UsageError(f"{name} is not changed here, only {known}; the others stand in the settings file.")
    if name == "log-days":
        if not value.strip().isdecimal():
            raise click.UsageError("log-days takes a number of days between 0 and 36500; 0 is never.")
        return "log_days", int(value)
    if value.strip().lower() not in _SWITCH:
        raise click.UsageError(f"{name} is on or off, such as {name}=on.")
    return _OPEN_DENTAL[name], _SWITCH[value.strip().lower()]


def _change(loaded: Loaded[Settings], changes: dict[str, bool | int], *, as_json: bool) -> None:
    async def save(desk: "Desk") -> "tuple[bool, ConnectorSettings]":
        wanted = msgspec.structs.replace(await desk.settings(), **changes)
        return await desk.save(operator(), wanted), await desk.settings()

    changed, now = _at_desk(loaded, save)
    if as_json:
        print_json({"ok": True, "changed": changed, "settings": dict(_words(now))})
        return
    console().print("✓ Saved; every workstation hears of it." if changed else "It is so already: nothing was changed.")
    print_table(["setting", "value"], _words(now))


def _words(now: "ConnectorSettings") -> list[tuple[str, str]]:
    values = [(name, getattr(now, field)) for name, field in _OPEN_DENTAL.items()]
    return [(name, ("on" if value else "off") if isinstance(value, bool) else str(value)) for name, value in values]


def _open_dental_rows(loaded: Loaded[Settings]) -> list[tuple[str, str, str]]:
    """Return Open Dental's three; a database that cannot be asked keeps nobody from reading the others."""
    try:
        found = _at_desk(loaded, lambda desk: desk.settings())
    except Failure as failure:
        return [(name, "–", f"{ORIGIN} (not reached: {failure.code})") for name in _OPEN_DENTAL]
    return [(name, value, ORIGIN) for name, value in _words(found)]


def _shown(setting: Setting, loaded: Loaded[Settings]) -> str:
    value: Any = functools.reduce(getattr, setting.name.split("."), loaded.value)
    if value in (None, ""):
        return "–"
    return "(secret)" if setting.secret else str(value)


def settings_page() -> str:
    """Return docs/settings.md."""
    head = (
        "# The connector's settings\n\n"
        "Written by `econnector office settings --markdown`; do not edit. HQ's: [hq-settings.md](hq-settings.md).\n\n"
        "Where they come from, the first that has one counts: `--set NAME=VALUE`, an environment variable, the\n"
        "settings file, an Open Dental config file (`open_dental_config`), the default. The settings file is the one\n"
        "that `--settings` or `ECONNECTOR_SETTINGS` names, else `office.toml` in `/etc/econnector` (root),\n"
        "`~/.config/econnector` or `%PROGRAMDATA%\\eConnector`. It is TOML; `hq.url` is `url` in the table `[hq]`; a\n"
        "relative path counts from the file's folder. `econnector office settings` says where each value came from.\n"
        "No secret ever stands in a command line.\n"
    )
    return head + "".join(_paragraph(setting) for setting in settings_of(Settings, PREFIX))


def _paragraph(setting: Setting) -> str:
    default = f"`{setting.default}`" if setting.default not in (None, "") else "–"
    return f"\n## {setting.name}\n\n{setting.text}\n\nEnvironment: `{setting.variable}` · default: {default}\n"

"""`econnector office`: the connector on a dental office's machine."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import click

from econnector.base.errors import Failure, failure_from
from econnector.cli.choice import Choice, json_option, with_settings
from econnector.cli.main import LazyGroup
from econnector.cli.terminal import console, print_json, print_table, state

__all__ = ["office"]

COMMANDS = {
    "window": ("econnector.cli.office_window:window", "Open the eConnector Service window in the browser."),
    "history": ("econnector.cli.office_desk:history", "What happened in the last 30 days."),
    "ack": ("econnector.cli.office_desk:ack", "Acknowledge errors, so that Open Dental stops showing them."),
    "stop-monitoring": ("econnector.cli.office_desk:stop_monitoring", "No more alarms for a service that is not used."),
    "settings": ("econnector.cli.office_desk:settings", "Say or change the settings."),
    "install": ("econnector.cli.office_install:install", "Install the eConnector on this machine and start it."),
    "auto-install": (
        "econnector.cli.office_install:auto_install",
        "What an updater calls: install where it is new.",
    ),
    "update": ("econnector.cli.office_install:update", "Update this machine's eConnectors, and go back if one fails."),
    "logs": ("econnector.cli.office_logs:logs_command", "Read the log; make a bundle for support."),
    "mail": ("econnector.cli.office_mail:mail", "The outgoing mail: queue, pause, resume, test."),
    "access": ("econnector.cli.office_access:access", "Patients' access to the portal: give, reset, remove, unlock."),
    "payments": (
        "econnector.cli.office_payments:payments",
        "Online payments: list, how they are posted, ask about one.",
    ),
    "contacts": ("econnector.cli.office_contacts:contacts", "Who gets a mail when the office is unreachable."),
    "api-keys": ("econnector.cli.office_api_keys:api_keys", "Keys of partners' programs: make, list, remove."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def office() -> None:
    """The connector in a dental office: run, enrol, status, settings."""


@office.command()
@click.option("--quiet", is_flag=True, help="Write to the log files only.")
@with_settings
def run(choice: Choice, quiet: bool) -> None:
    """Run the connector until it is told to stop (Ctrl-C, SIGTERM)."""
    from econnector.office.run import run as run_office  # noqa: PLC0415 - heavy

    run_office(choice.load(), quiet=quiet)


@office.command()
@click.argument("source", required=False, metavar="[-]")
@click.option("--key-file", type=click.Path(path_type=Path), help="Read the registration key from this file.")
@json_option
@with_settings
def enrol(choice: Choice, source: str | None, key_file: Path | None, as_json: bool) -> None:
    """Make this machine known to HQ with the office's registration key.

    The key is asked for; `-` reads it from standard input. It never stands in a command line, where every program on
    this machine could read it.
    """
    from econnector.office.enrol import enrol as enrol_office  # noqa: PLC0415 - heavy

    key = _read_key(source, key_file)
    welcomed = asyncio.run(enrol_office(choice.load(), key))
    if as_json:
        print_json({"ok": True, "office": welcomed.office, "title": welcomed.title, "hq_version": welcomed.hq_version})
        return
    console().print(f"✓ This machine is the connector of {welcomed.title or welcomed.office}.", markup=False)
    console().print("  Next: `econnector office run`, or start its service.", markup=False)


def _read_key(source: str | None, file: Path | None) -> str:
    if source not in (None, "-"):
        raise click.UsageError("A registration key never stands in a command line: leave it out, you will be asked.")
    if file is not None:
        try:
            return file.read_text("utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise click.FileError(str(file), getattr(error, "strerror", None) or "not a text") from None
    if source == "-" or not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    return str(click.prompt("Registration key (XXXX-XXXX-XXXX-XXXX)"))


@office.command()
@json_option
@with_settings
def status(choice: Choice, as_json: bool) -> None:
    """Say how the connector stands, as Open Dental's own window and in its own words.

    The exit status is 0 when all is well, 1 when somebody should look, 2 for a problem, 3 when it cannot be told.
    """
    from econnector.office.status import EXITS, look  # noqa: PLC0415 - heavy

    loaded = choice.load()
    found = asyncio.run(look(loaded))
    if as_json:
        print_json(found)
    else:
        _show_status(found, _command(found.next_step.action, loaded.file))
    click.get_current_context().exit(EXITS[found.verdict])


_LINKS = {
    "open": "linked to {hq}",
    "away": "no link to {hq}",
    "refused": "{hq} refuses it",
    "standby": "in standby: another machine is this office's connector",
}


_COMMANDS = {
    "start": "`econnector office run`",
    "install": "`econnector office install`",
    "enrol": "`econnector office enrol`, then `econnector office run`",
    "ack": "`econnector office ack`",
}


def _command(action: str, settings: Path | None) -> str:
    """Return what to type for the next step; empty where it is nothing to type."""
    if action == "start" and settings is not None:
        from econnector.office.service.services import Services  # noqa: PLC0415 - only where it is needed

        name = Services().serving(settings)
        if name:
            return f"`econnector service start {name}`"
    return _COMMANDS.get(action, "")


_OUTAGES = {
    "database": "the database was away",
    "hq": "there was no link to HQ",
    "sleep": "this computer slept",
}


def _show_status(found: Any, command: str) -> None:
    from rich.text import Text  # noqa: PLC0415 - `--json` does not pay for it

    from econnector.office.running import local  # noqa: PLC0415 - as above

    running, out = found.running, console()
    word = f"Open Dental shows {found.status}" if found.status else "the database cannot be asked"
    began = f" since {found.since.replace('T', ' ')[:16]}" if found.since else ""
    out.print(Text.assemble(state(found.verdict), f"  {word}{began}"))
    out.print(Text(f"  {found.why}"))
    if found.next_step.text:
        out.print(Text(f"  Next: {found.next_step.text} {command}".rstrip()))
    print_table(["", "", ""], _standing(found))
    for when in running.sleep_allowed if found.alive else ():
        out.print(Text(f"! By this computer's power settings, {when}: `econnector doctor --only sleep`."))
    if running.standing in {"disabled", "ended"}:
        out.print(Text(f"✗ HQ says that the registration key is not active: {running.standing} (code 103)."))
    if running.others:
        out.print(Text(f"! Other machines tried to be this office's connector: {', '.join(running.others)}."))
    for trouble in (found.database_trouble, running.link_trouble if found.alive else None):
        if trouble is not None:
            _show_failure(trouble.failure())
    for each in found.outages:
        what = f"{_OUTAGES.get(each.kind, each.kind)} ({each.code} · {each.reference})"
        out.print(Text(f"  {local(each.began)} – {local(each.ended) or 'now'}: {what}"))


def _standing(found: Any) -> list[tuple[str, str, str]]:
    from econnector.office.running import local  # noqa: PLC0415 - as above

    running = found.running
    since = local(running.started if found.alive else running.stopped or running.written)
    rows = [("connector", "running" if found.alive else "not running", since and f"since {since}")]
    rows.append(("office", found.enrolled or "not enrolled", ""))
    if found.alive:
        link = _LINKS[running.link].format(hq=running.hq)
        rows.append(("link", link, f"since {local(running.link_since)}"))
    rows.append(("database", "away" if found.database_trouble else "open", running.database_version))
    if found.alive and (running.window or running.window_trouble):
        trouble = running.window_trouble
        rows.append(("window", running.window or "not served", trouble.failure().office_text() if trouble else ""))
    if found.alive and running.awake:
        rows.append(("sleep", "kept awake" if running.awake == "kept" else "not kept awake", running.awake_by))
    return rows


def _show_failure(failure: Failure) -> None:
    click.echo(f"✗ {failure.office_text()} ({failure.code} · {failure.reference})")
    for number, step in enumerate(failure.remedy_steps(), 1):
        click.echo(f"  {number}. {step}")


@office.command()
@click.argument("reference")
@json_option
@with_settings
def failure(choice: Choice, reference: str, as_json: bool) -> None:
    """Say what stands behind the REFERENCE that a patient reads from a page."""
    from econnector.office.running import local  # noqa: PLC0415 - as above
    from econnector.office.status import find_failure  # noqa: PLC0415 - heavy

    found = asyncio.run(find_failure(choice.load(), reference))
    if as_json:
        print_json(found)
    elif not found:
        click.echo(f"Nothing is known under {reference}. Failures are kept for 90 days, on the machine that answered.")
    for met in () if as_json else found:
        known = failure_from(met.code, met.reference, met.facts)
        click.echo(f"{local(met.at)}, {met.call}:")
        _show_failure(known)
    click.get_current_context().exit(0 if found else 1)


@office.command("import-config")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--output",
    "--settings",
    "output",
    envvar="ECONNECTOR_SETTINGS",
    type=click.Path(path_type=Path),
    help="The settings file to make (or ECONNECTOR_SETTINGS); default: the usual place.",
)
def import_config(file: Path, output: Path | None) -> None:
    """Make a settings file from Open Dental's FreeDentalConfig.xml or OpenDentalWebConfig.xml.

    Open Dental keeps the database password in a cipher of its own: then it is asked for.
    """
    from econnector.base.places import settings_folder  # noqa: PLC0415 - only where used
    from econnector.office.opendental_config import read_config, settings_text  # noqa: PLC0415 - as above

    config = read_config(file)
    target = output or settings_folder() / "office.toml"
    password = config.password or (_ask_password(config.user) if config.encrypted else "")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.UsageError(f"{target} is there already; name another one with --output.") from None
    except OSError as error:
        raise click.FileError(str(target), error.strerror) from None
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(settings_text(config, password))
    click.echo(f"{target} is made. Next: set hq.url in it, then `econnector doctor` and `econnector office enrol`.")


def _ask_password(user: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(f"Database password of {user or 'root'}", hide_input=True))
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise click.UsageError("Only Open Dental can read the password in that file: give it on standard input.")
    return password

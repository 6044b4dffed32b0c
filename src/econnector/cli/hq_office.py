"""`econnector hq office`: the offices and their registration keys."""

import datetime as dt
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

from econnector.base.clock import SYSTEM
from econnector.base.registration import shown
from econnector.cli.hq import with_settings
from econnector.cli.main import LazyGroup
from econnector.cli.terminal import STATES, console, print_json, print_table
from econnector.hq.eservices import ESERVICES
from econnector.hq.registry import connectors, contacts, heartbeats, history, migrate, notices, offices
from econnector.hq.registry.connectors import Installation
from econnector.hq.registry.database import Registry
from econnector.hq.registry.heartbeats import Reach
from econnector.hq.registry.history import Event
from econnector.hq.registry.offices import Office, inactive_reason
from econnector.hq.settings import HqSettings, find_file, read

__all__ = ["Desk", "at_desk", "office", "when"]

P = ParamSpec("P")
R = TypeVar("R")

_WIDTH, _INDENT = 79, " " * 4
_KEY_ONCE = "Registration key (shown only now, stored nowhere): "


class Desk:
    """HQ's registry and settings, as one command sees them."""

    def __init__(self, settings: HqSettings) -> None:
        self.settings, self.now = settings, SYSTEM.now()
        self._registry = Registry(settings.database_url())
        migrate.prepare(self._registry)

    def do(self, f: Callable[Concatenate[Any, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what a registry function returns."""
        return self._registry.run_now(f, *args, **kwargs)

    def addresses(self, office: Office) -> list[str]:
        """Return every address of the office's first eService."""
        service = ESERVICES[0]
        own = [f"https://{host}{service.host_path}/" for host in office.hosts]
        return [*own, f"{self.settings.public_url()}/o/{office.name}{service.path}/"]


def at_desk(command: Callable[..., None]) -> Callable[..., Any]:
    """Open the registry that `--settings` and `--database` name, and pass it as the first argument."""

    def opened(settings: Path | None, database: str | None, **rest: Any) -> None:
        command(Desk(read(find_file(settings), {"database": database}).value), **rest)

    opened.__doc__, opened.__name__ = command.__doc__, command.__name__
    opened.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    return with_settings(opened)


_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_name = click.argument("name")


CONTACTS = ("econnector.cli.hq_contacts:contact", "Who gets a mail when the office is unreachable: add, list, remove.")


@click.group(cls=LazyGroup, lazy={"contact": CONTACTS})
def office() -> None:
    """The offices: add, list, show, disable, enable, move."""


@office.command()
@at_desk
@_name
@click.option("--title", default="", help="What people call the practice.")
@click.option("--phone", default="", help="The practice's phone number, shown when its connector is away.")
@click.option("--host", "hosts", multiple=True, metavar="NAME", help="A host name of its own for its portal; again.")
@_json
def add(  # noqa: PLR0913, PLR0917 - click passes one per option
    desk: Desk, name: str, title: str, phone: str, hosts: tuple[str, ...], as_json: bool
) -> None:
    """Add an office and print its registration key, which is shown only now."""
    added, key = desk.do(offices.add, name, desk.now, title=title, phone=phone, hosts=hosts)
    if as_json:
        print_json({"ok": True, "name": name, "registration_key": shown(key), "addresses": desk.addresses(added)})
        return
    out = console()
    out.print(f"Added {added.title} ({name}).", markup=False)
    out.print(f"{_KEY_ONCE}[bold]{shown(key)}[/]")
    for address in desk.addresses(added):
        out.print(f"Patients go to: {address}", markup=False)
    out.print("In the office: `econnector office enrol` asks for the key.", markup=False)


@office.command("list")
@at_desk
@_json
def list_offices(desk: Desk, as_json: bool) -> None:
    """List all offices: key, link, version, status."""
    found = desk.do(heartbeats.overview)
    if as_json:
        print_json([_as_json(desk, each) for each in found])
        return
    heads = ["name", "title", "key", "link", "last seen", "version", "status"]
    rows = [
        (each.name, each.title, _key(desk, each), _link(desk, each), when(each.last_seen), each.version, each.status)
        for each in found
    ]
    print_table(heads, rows)


@office.command()
@at_desk
@_name
@_json
def show(desk: Desk, name: str, as_json: bool) -> None:
    """Show everything HQ knows about an office."""
    found = desk.do(offices.get, name)
    reach = desk.do(heartbeats.find, name)
    machines = desk.do(connectors.installations, found.id)
    if reach is None:
        return
    if as_json:
        office_json = {**_as_json(desk, reach), "addresses": desk.addresses(found), "machines": machines}
        last = desk.do(notices.last_sent, found.id)
        office_json |= {"contacts": len(desk.do(contacts.recipients, found.id)), "last_notice": last and last[1]}
        print_json({**office_json, "created_at": found.created_at, "key_used_at": found.key_used_at})
        return
    print_table(["", ""], _facts(desk, found, reach), title=f"{reach.title} ({name})")
    if machines:
        print_table(["machine", "state", "version", "address", "first seen", "last seen"], map(_machine, machines))


def _facts(desk: Desk, found: Office, reach: Reach) -> list[tuple[str, object]]:
    used = f"used {when(found.key_used_at)}" if found.key_used_at else "not used yet"
    move = f"until {when(found.move_until)}" if found.move_until and found.move_until > desk.now else "–"
    rows: list[tuple[str, object]] = [("address", address) for address in desk.addresses(found)]
    rows += [("phone", reach.phone or "–"), ("added", when(found.created_at))]
    rows += [("registration key", _key(desk, reach)), ("", used), ("support ends", found.support_ends or "–")]
    rows += [("link", _link(desk, reach)), ("connector on", reach.machine or "–"), ("since", when(reach.since))]
    rows += [("last seen", when(reach.last_seen)), ("another machine may take over", move)]
    rows += [("eConnector", reach.version or "–"), ("Open Dental", reach.program_version or "–")]
    rows += [("database", reach.database_version or "–"), ("Open Dental shows", reach.status or "–")]
    if reach.failure:
        rows.append(("failure", f"{reach.failure} since {reach.failure_since}"))
    return [*rows, *_told(desk, found)]


def _told(desk: Desk, found: Office) -> list[tuple[str, object]]:
    """Return who is told of outages, and when they last were."""
    count, last = len(desk.do(contacts.recipients, found.id)), desk.do(notices.last_sent, found.id)
    mail = "" if desk.settings.smtp.host else " (HQ has no mail server: nobody is told)"
    return [("contacts", f"{count}{mail}"), ("last mail to them", f"{when(last[1])} ({last[0]})" if last else "–")]


@office.command("set")
@at_desk
@_name
@click.option("--title", help="What people call the practice, until its connector says it.")
@click.option("--phone", help="The practice's phone number, until its connector says it.")
@click.option("--host", "hosts", multiple=True, metavar="NAME", help="A host name of its own for its portal; again.")
@click.option("--no-host", is_flag=True, help="It has no host name of its own any more.")
def describe(  # noqa: PLR0913, PLR0917 - click passes one per option
    desk: Desk, name: str, title: str | None, phone: str | None, hosts: tuple[str, ...], no_host: bool
) -> None:
    """Change an office's title, phone number or host names; given host names replace all it had."""
    if hosts and no_host:
        raise click.UsageError("--host and --no-host exclude each other.")
    if title is None and phone is None and not hosts and not no_host:
        raise click.UsageError("Say what to change: --title, --phone, --host or --no-host.")
    changed = desk.do(
        offices.describe, name, desk.now, title=title or None, phone=phone, hosts=hosts if hosts or no_host else None
    )
    out = console()
    out.print(f"Changed {changed.title} ({name}).", markup=False)
    for address in desk.addresses(changed):
        out.print(f"Patients go to: {address}", markup=False)


@office.command()
@at_desk
@_name
@click.option("--reason", required=True, help="Why; the office reads it, patients do not.")
def disable(desk: Desk, name: str, reason: str) -> None:
    """Disable an office's key: its pages answer 103 within five seconds, and it may not connect again."""
    desk.do(offices.disable, name, reason, desk.now)
    console().print(f"The key of {name} is disabled.", markup=False)


@office.command()
@at_desk
@_name
def enable(desk: Desk, name: str) -> None:
    """Make an office's key active again, whether it was disabled or its support ended."""
    desk.do(offices.enable, name, desk.now)
    console().print(f"The key of {name} is active.", markup=False)


@office.command("end-support")
@at_desk
@_name
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="First day (UTC) without support; default: today.")
def end_support(desk: Desk, name: str, on: dt.datetime | None) -> None:
    """Let an office's support end: from that day on its pages answer 103."""
    day = on.date() if on else desk.now.date()
    desk.do(offices.end_support, name, day, desk.now)
    console().print(f"Support of {name} ends on {day}.", markup=False)


@office.command()
@at_desk
@_name
@click.option("--hours", type=click.IntRange(1, 24 * 14), default=24, show_default=True, help="How long it may.")
def move(desk: Desk, name: str, hours: int) -> None:
    """Allow one other machine to become the office's connector.

    The present one goes on until the other one connects; then it stays in standby.
    """
    until = desk.now + dt.timedelta(hours=hours)
    desk.do(offices.open_move, name, until, desk.now)
    out = console()
    out.print(f"Until {when(until)} one other machine may become the connector of {name}.", markup=False)
    out.print("There: `econnector office enrol`, then start the connector.", markup=False)


@office.command("new-key")
@at_desk
@_name
@_json
def new_key(desk: Desk, name: str, as_json: bool) -> None:
    """Replace an office's registration key, if it was lost or leaked; a machine that is enrolled stays so."""
    key = shown(desk.do(offices.new_registration_key, name, desk.now))
    if as_json:
        print_json({"ok": True, "name": name, "registration_key": key})
    else:
        console().print(f"{_KEY_ONCE}[bold]{key}[/]")


@office.command("history")
@at_desk
@_name
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many events.")
@_json
def show_history(desk: Desk, name: str, limit: int, as_json: bool) -> None:
    """Show what happened to an office, the latest first."""
    events = desk.do(history.recent, desk.do(offices.get, name).id, limit)
    if as_json:
        print_json(events)
        return
    for event in events:
        _show_event(event)


def _show_event(event: Event) -> None:
    """Print an event as one line, and what more is known of it below: fits any terminal."""
    from rich.text import Text  # noqa: PLC0415 - `--json` does not pay for it

    out, machine = console(), f"  {event.machine}" if event.machine else ""
    out.print(Text.assemble(f"{when(event.at)}  ", (event.kind, "bold"), machine))
    for label, text in (("cause", event.cause), ("", event.detail), ("reference", event.reference)):
        if text:
            line = f"{label} {text}".strip()
            click.echo(textwrap.fill(line, _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT))


def _machine(each: Installation) -> tuple[object, ...]:
    seen = (when(each.first_seen), when(each.last_seen))
    return (each.machine, each.state, each.version, each.address, *seen)


def when(moment: dt.datetime | None) -> str:
    """Return a moment as lists show it."""
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "–"


def _key(desk: Desk, reach: Reach) -> Any:
    why = inactive_reason(reach.disabled_at, reach.disabled_reason, reach.support_ends, desk.now)
    return _said("problem", f"{why.reason} since {why.since}") if why else _said("ok", "active")


def _link(desk: Desk, reach: Reach) -> Any:
    if reach.last_seen is None:
        return _said("unknown", "never (104)")
    if reach.connected(desk.now):
        return _said("ok", "connected")
    return _said("problem", f"away since {when(reach.lost_at or reach.last_seen)}")


def _said(state: str, words: str) -> Any:
    from rich.text import Text  # noqa: PLC0415 - `--json` does not pay for it

    colour, sign = STATES[state]
    return Text(f"{sign} {words}", style=colour)


def _as_json(desk: Desk, reach: Reach) -> dict[str, object]:
    why = inactive_reason(reach.disabled_at, reach.disabled_reason, reach.support_ends, desk.now)
    values = {name: getattr(reach, name) for name in reach.__struct_fields__ if name != "office"}
    return values | {"standing": why.standing if why else "active", "connected": reach.connected(desk.now)}

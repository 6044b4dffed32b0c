"""`econnector hq`: the vendor's side. Run HQ, bring its registry up to date, see its settings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from econnector.base.settings import Loaded, Setting, settings_of
from econnector.cli.main import LazyGroup
from econnector.cli.terminal import console, print_json, print_table
from econnector.hq.settings import PREFIX, HqSettings, find_file, read

__all__ = ["hq", "settings_page", "with_settings"]

COMMANDS = {
    "admin": ("econnector.cli.hq_admin:admin", "Who may use the fleet pages: add, list, password, remove."),
    "fleet": ("econnector.cli.hq_fleet:fleet", "Every office: its status, CEMT's word, version, outage, last failure."),
    "office": ("econnector.cli.hq_office:office", "The offices: add, list, show, disable, enable, move."),
    "mail": ("econnector.cli.hq_mail:mail", "The mail that HQ sends to offices' contacts: test it."),
}


def with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options `--settings` and `--database`."""
    file = click.option("--settings", type=click.Path(path_type=Path), help="HQ's settings file.")
    text = "The registry; beats the settings file. A password stands in ECONNECTOR_HQ_DATABASE instead."
    database = click.option("--database", metavar="URL", callback=_without_password, help=text)
    return file(database(command))


def _without_password(_: click.Context, __: click.Parameter, url: str | None) -> str | None:
    """Refuse a password on the command line, where every program on this machine could read it."""
    try:
        secret = url and urlsplit(url).password
    except ValueError:
        secret = None
    if secret:
        raise click.BadParameter("a password never stands in a command line: set ECONNECTOR_HQ_DATABASE instead")
    return url


@click.group(cls=LazyGroup, lazy=COMMANDS)
def hq() -> None:
    """The vendor's side: run HQ, keep the offices."""


@hq.command()
@with_settings
@click.option("--listen", metavar="ADDRESS:PORT", help="Where browsers and connectors reach HQ.")
@click.option("--url", metavar="URL", help="HQ's public address.")
@click.option("--admin", metavar="ADDRESS:PORT", help="Where /metrics and the fleet pages are; inner network.")
@click.option("--switchboard", metavar="URL", help="`local`, or nats://server:4222 for several nodes.")
def run(settings: Path | None, **flags: str | None) -> None:
    """Run HQ until it is told to stop (SIGTERM or Ctrl-C).

    The registry is made or brought up to date first. Stopping lets calls in flight end and sends the offices away.
    """
    from econnector.hq.run import run as run_hq  # noqa: PLC0415 - the other commands need no server

    run_hq(read(find_file(settings), flags), _say_ready)


def _say_ready(url: str) -> None:
    console(stderr=True).print(f"HQ is up at {url}", markup=False)


@hq.command()
@with_settings
def migrate(settings: Path | None, database: str | None) -> None:
    """Bring the registry's tables up to date; `run` does the same when it starts."""
    from econnector.hq.registry import migrate as migrations  # noqa: PLC0415 - `--help` does not pay for SQLAlchemy
    from econnector.hq.registry.database import Registry  # noqa: PLC0415 - as above

    loaded = read(find_file(settings), {"database": database})
    before, after = migrations.upgrade(Registry(loaded.value.database_url()))
    done = f"is at revision {after} already" if before == after else f"went from {before or 'empty'} to {after}"
    console().print(f"The registry {done}.", markup=False)


@hq.command("settings")
@with_settings
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--markdown", is_flag=True, help="Print the page docs/hq-settings.md.")
def show_settings(settings: Path | None, database: str | None, as_json: bool, markdown: bool) -> None:
    """Every setting of HQ: its value and where that came from."""
    if markdown:
        click.echo(settings_page(), nl=False)
        return
    loaded = read(find_file(settings), {"database": database})
    rows = [(each.name, _shown(each, loaded), loaded.places[each.name]) for each in settings_of(HqSettings, PREFIX)]
    if as_json:
        print_json([{"name": name, "value": value, "from": place} for name, value, place in rows])
    else:
        print_table(["setting", "value", "from"], rows)


def _shown(setting: Setting, loaded: Loaded[HqSettings]) -> str:
    value: Any = loaded.value
    for part in setting.name.split("."):
        value = getattr(value, part)
    if value in (None, "", [], {}):
        return "–"
    if isinstance(value, dict):
        return ", ".join(sorted(value))
    return "(secret)" if setting.secret else str(value)


def settings_page() -> str:
    """Return docs/hq-settings.md."""
    head = (
        "# HQ's settings\n\n"
        "Written by `econnector hq settings --markdown`; do not edit.\n\n"
        "Where they come from, the first that has one counts: a flag of the command, an environment variable, the\n"
        "settings file, the default. The settings file is the one that `--settings` or `ECONNECTOR_HQ_SETTINGS`\n"
        "names, else `hq.toml` in `/etc/econnector` (root), `~/.config/econnector` or `%PROGRAMDATA%\\eConnector`.\n"
        "It is TOML; `tls.key` is `key` in the table `[tls]`. `econnector hq settings` says where each value came\n"
        "from.\n"
    )
    return head + "".join(_paragraph(setting) for setting in settings_of(HqSettings, PREFIX))


def _paragraph(setting: Setting) -> str:
    if isinstance(setting.default, dict):
        return f"\n## {setting.name}\n\n{setting.text}\n"
    default = f"`{setting.default}`" if setting.default not in (None, "", [], {}) else "–"
    return f"\n## {setting.name}\n\n{setting.text}\n\nEnvironment: `{setting.variable}` · default: {default}\n"

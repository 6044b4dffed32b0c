"""What every command of the connector shares: which settings file, what was typed to go before it, and `--json`."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec

import click

from econnector.base import logs
from econnector.base.settings import Loaded, settings_of
from econnector.office.settings import PREFIX, Settings, find_file, load_settings

if TYPE_CHECKING:
    from econnector.office.desk import Who

__all__ = ["Choice", "json_option", "whoever_types", "with_settings"]

P = ParamSpec("P")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class Choice:
    """Which settings file, and what was typed to go before it."""

    def __init__(self, file: Path | None, typed: dict[str, object]) -> None:
        """`file` is what `--settings` named, `typed` what `--set` gave by dotted name."""
        self.file, self.typed = file, typed

    def load(self) -> Loaded[Settings]:
        """Return the settings. Raises SettingInvalid or SettingMissing."""
        logs.configure(None)  # a command says by itself what happened; `run` begins its log afterwards
        return load_settings(find_file(self.file), self.typed)


def with_settings(function: Callable[Concatenate[Choice, P], None]) -> Callable[..., None]:
    """Add `--settings` and `--set` to a command; it gets what they say as its first argument."""

    @click.option("--settings", type=click.Path(path_type=Path), help="The settings file (or ECONNECTOR_SETTINGS).")
    @click.option("--set", "pairs", multiple=True, metavar="NAME=VALUE", help="A setting, such as hq.url=…; again.")
    @functools.wraps(function)
    def command(settings: Path | None, pairs: tuple[str, ...], *args: P.args, **rest: P.kwargs) -> None:
        function(Choice(settings, dict(_pair(text) for text in pairs)), *args, **rest)

    return command


def whoever_types() -> "Who":
    """Return the one at the command line: the right to read the database's password is the right to do anything."""
    import psutil  # noqa: PLC0415 - `--help` does not pay for it

    from econnector.office.desk import Who  # noqa: PLC0415 - as above

    return Who(0, psutil.Process().username(), may_setup=True, may_admin=True)


def _pair(text: str) -> tuple[str, str]:
    known = {setting.name: setting for setting in settings_of(Settings, PREFIX)}
    name, equals, value = text.partition("=")
    if not equals or name not in known:
        raise click.BadParameter(f"{name} is no setting; `econnector office settings` lists them", param_hint="--set")
    if known[name].secret and name != "database.url":
        variable = known[name].variable
        raise click.BadParameter(
            f"{name} is secret and never stands in a command line: use {variable}", param_hint="--set"
        )
    return name, value

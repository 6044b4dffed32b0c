"""The command `econnector`. Groups are imported only when one of their commands runs: `--help` stays quick."""

import gc
import importlib
import sys
from collections.abc import Sequence
from typing import Any, cast

import click

__all__ = ["LazyGroup", "main"]

COMMANDS = {
    "demo": ("econnector.cli.demo:demo", "HQ, an office with a synthetic practice and its portal, on this machine."),
    "office": ("econnector.cli.office:office", "The connector in a dental office: run, enrol, status."),
    "service": ("econnector.cli.service:service", "The eConnectors installed on this machine as services."),
    "hq": ("econnector.cli.hq:hq", "The vendor's side: run HQ, keep the offices."),
    "doctor": ("econnector.cli.doctor:doctor", "Find what is wrong on this machine, and say what to do."),
    "codes": ("econnector.cli.codes:codes", "Import code systems (SNOMED CT, CVX, ICD-10 and others)."),
    "ccd": ("econnector.cli.ccd:ccd", "Care summaries (C-CDA): see what is missing for them, write them as files."),
    "sim": ("econnector.cli.sim:sim", "Simulate many offices: load, storms of reconnecting, slow offices."),
    "errors": ("econnector.cli.errors:errors", "Every failure a person can meet: cause, words, remedy."),
}
"""From name to where the command is and its line in `--help`."""

_WHOLE = 300
"""A command's line in `--help` is its whole first sentence, over several lines where need be."""
_NEW_OBJECTS = 10_000
"""How many come before the garbage collector looks: what is imported stays, and each look costs time at the start."""
INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells expect it."""


class LazyGroup(click.Group):
    """A group that knows its commands' names and lines, and imports one when it is called."""

    def __init__(self, *args: Any, lazy: dict[str, tuple[str, str]] | None = None, **rest: Any) -> None:
        """`lazy` maps a name to `module:attribute` and the line that `--help` shows."""
        super().__init__(*args, **rest)
        self.lazy = lazy or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, those of `lazy` first, in their order."""
        return [*self.lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command."""
        if cmd_name not in self.lazy:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self.lazy[cmd_name][0].partition(":")
        return cast("click.Command", getattr(importlib.import_module(module), attribute))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        rows = [(name, self.lazy[name][1]) for name in self.lazy]
        for name in super().list_commands(ctx):
            command = super().get_command(ctx, name)
            rows.append((name, command.get_short_help_str(_WHOLE) if command else ""))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class Root(LazyGroup):
    """The outermost group: turns whatever is raised into words and an exit status."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line; unless `standalone_mode` is off, exit with its status."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        gc.set_threshold(_NEW_OBJECTS)
        typed = list(sys.argv[1:] if args is None else args)
        try:
            result = super().main(typed, prog_name, complete_var, standalone_mode=False, **extra)
        except Exception as error:  # noqa: BLE001 - the last place that can say something about it
            sys.exit(_say(error, json="--json" in typed))
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        sys.exit(result if isinstance(result, int) else 0)


def _say(error: Exception, *, json: bool) -> int:
    from econnector.base.errors import Failure, Unexpected  # noqa: PLC0415 - only when something went wrong
    from econnector.cli.terminal import show_failure  # noqa: PLC0415 - as above

    if isinstance(error, click.Abort):
        return INTERRUPTED
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    if isinstance(error, Failure):
        return show_failure(error, json=json)
    from econnector.base.logs import keep_traceback  # noqa: PLC0415 - as above

    unexpected = Unexpected(kind=type(error).__name__)
    return show_failure(unexpected, json=json, log=keep_traceback(unexpected.reference, error))


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from econnector.base.version import version  # noqa: PLC0415 - only when asked

        click.echo(f"econnector {version()}")
        ctx.exit()


@click.group(cls=Root, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Say the version.")
def main() -> None:
    """The bridge between a dental practice's Open Dental database and the web."""

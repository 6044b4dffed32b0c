"""`econnector office api-keys`: the keys with which partners' programs read, see docs/api.md."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar, cast

import click

from econnector.cli.choice import Choice, json_option, whoever_types, with_settings
from econnector.cli.terminal import console, print_json, print_table

if TYPE_CHECKING:
    from econnector.eservices.api.calls import Right
    from econnector.office.apikeys import ApiKeys

__all__ = ["api_keys"]

R = TypeVar("R")
_RIGHTS = ("schedule", "documents")


@click.group()
def api_keys() -> None:
    """Keys with which partners' programs read this practice's schedule or documents. HQ knows of none."""


@api_keys.command()
@click.argument("name")
@click.option(
    "--right",
    "rights",
    type=click.Choice(_RIGHTS),
    multiple=True,
    required=True,
    help="What it may read; again for more.",
)
@json_option
@with_settings
def add(choice: Choice, name: str, rights: tuple[str, ...], as_json: bool) -> None:
    """Make a key for the partner's program NAME. It is shown this once."""
    wanted = cast("tuple[Right, ...]", rights)
    made = _do(choice, lambda keys: keys.add(whoever_types(), name, wanted))
    if as_json:
        print_json(made)
        return
    console().print(made.key, markup=False)
    click.echo(
        f"The key is shown this once. Hand it to {made.name} on a safe way: who has it may read "
        f"{' and '.join(made.rights)}. To end it: `econnector office api-keys remove {made.number}`."
    )


@api_keys.command("list")
@json_option
@with_settings
def list_keys(choice: Choice, as_json: bool) -> None:
    """List the keys, and those that were removed."""
    found = _do(choice, lambda keys: keys.every())
    if as_json:
        print_json(found)
    elif not found:
        click.echo("No program has a key. Make one: `econnector office api-keys add NAME --right schedule`.")
    else:
        rows = [
            (
                *(each.number, each.name, ", ".join(each.rights), f"{each.made.astimezone():%Y-%m-%d}"),
                *(each.used or "never", f"{each.removed.astimezone():%Y-%m-%d}" if each.removed else "–"),
            )
            for each in found
        ]
        print_table(["id", "program", "may read", "made", "last used", "removed"], rows)


@api_keys.command()
@click.argument("number", metavar="ID")
@json_option
@with_settings
def remove(choice: Choice, number: str, as_json: bool) -> None:
    """Remove the key with this ID. A running connector refuses it within 5 seconds, for good."""
    name = _do(choice, lambda keys: keys.remove(whoever_types(), number))
    if as_json:
        print_json({"ok": True, "name": name})
    else:
        done = f"✓ The key {number} of {name} is refused from now on, within 5 seconds at the latest."
        console().print(done, markup=False)


def _do(choice: Choice, work: "Callable[[ApiKeys], Awaitable[R]]") -> R:
    """Return what is done with the keys, beside a connector that may run."""
    from econnector.office.apikeys import ApiKeys  # noqa: PLC0415 - `--help` does not pay for it
    from econnector.office.opened import opened  # noqa: PLC0415 - as above
    from econnector.opendental.schema import Schemas  # noqa: PLC0415 - as above

    async def done() -> R:
        loaded = choice.load()
        async with opened(loaded) as there:
            return await work(ApiKeys(there.database, there.state, Schemas(), loaded.value.machine_name))

    return asyncio.run(done())

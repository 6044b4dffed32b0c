"""`econnector office contacts`: who gets a mail when the office is unreachable."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from econnector.cli.choice import Choice, json_option, with_settings
from econnector.cli.terminal import console, print_json, print_table

if TYPE_CHECKING:
    from econnector.storage.database import Database

__all__ = ["contacts"]

R = TypeVar("R")
_LANGUAGES = ("en", "es")


@click.group()
def contacts() -> None:
    """Who gets a mail when the office has been unreachable for five minutes, and when it is back."""


@contacts.command()
@click.argument("address")
@click.option("--name", required=True, help="Whom the mails greet.")
@click.option("--language", type=click.Choice(_LANGUAGES), default="en", show_default=True, help="Of the mails.")
@click.option("--for", "purpose", default="", help='What this person is the one to ask for, such as "IT".')
@json_option
@with_settings
def add(  # noqa: PLR0913, PLR0917 - click passes one per option
    choice: Choice, address: str, name: str, language: str, purpose: str, as_json: bool
) -> None:
    """Add or change a contact.

    The one with this mail ADDRESS is changed if there is one; the running connector tells HQ within seconds.
    """
    from econnector.mail.contacts import checked  # noqa: PLC0415 - `--help` does not pay for it
    from econnector.office.contacts import add as keep  # noqa: PLC0415 - as above

    made = checked(name, address, language, purpose)
    new = _do(choice, lambda state: keep(state, made))
    if as_json:
        print_json({"ok": True, "new": new, "contact": made})
        return
    done = "is told from now on" if new else "was a contact already; what is known of them is changed"
    console().print(f"✓ {made.name} ({made.address}) {done}.", markup=False)


@contacts.command("list")
@json_option
@with_settings
def list_contacts(choice: Choice, as_json: bool) -> None:
    """List the contacts.

    Those that the office named; the vendor may have named others at HQ.
    """
    from econnector.office.contacts import every  # noqa: PLC0415 - as above

    found = _do(choice, every)
    if as_json:
        print_json(found)
    elif not found:
        click.echo("Nobody is told when this office is unreachable. Add somebody: `econnector office contacts add`.")
    else:
        rows = [(each.address, each.name, each.language, each.purpose) for each in found]
        print_table(["address", "name", "language", "for"], rows)


@contacts.command()
@click.argument("address")
@json_option
@with_settings
def remove(choice: Choice, address: str, as_json: bool) -> None:
    """Remove a contact.

    The one with this mail ADDRESS gets no more mails, from here and from HQ.
    """
    from econnector.office.contacts import remove as forget  # noqa: PLC0415 - as above

    _do(choice, lambda state: forget(state, address))
    if as_json:
        print_json({"ok": True})
    else:
        console().print(f"✓ {address.strip().lower()} gets no more mails.", markup=False)


def _do(choice: Choice, work: "Callable[[Database], Awaitable[R]]") -> R:
    """Return what is done with the state file, beside a connector that may hold it. Raises `StateLocked`."""
    from econnector.storage.state.base import join_state  # noqa: PLC0415 - as above

    async def done() -> R:
        state = await join_state(choice.load().value.state_file)
        try:
            return await work(state)
        finally:
            await state.close()

    return asyncio.run(done())

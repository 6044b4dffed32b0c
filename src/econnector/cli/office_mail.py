"""`econnector office mail`: the outgoing mail of this office's connector, also while it runs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from econnector.base.settings import Loaded
from econnector.cli.choice import Choice, json_option, with_settings
from econnector.cli.terminal import console, print_json, print_table
from econnector.office.settings import Settings

if TYPE_CHECKING:
    from econnector.office.mail.postbox import Postbox
    from econnector.office.mail.queue import Queue
    from econnector.office.mail.trial import Tried
    from econnector.storage.database import Database

__all__ = ["mail"]

R = TypeVar("R")

_MOST_REASONS = 5
_STATES = ("waiting", "sending", "sent", "failed", "removed")


@click.group()
def mail() -> None:
    """The outgoing mail: what waits, what failed and why; hold it, try it again, test the account."""


@mail.command("list")
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="Only these; again.")
@click.option("--full", is_flag=True, help="Show whole addresses: they belong to patients.")
@json_option
@with_settings
def list_mail(choice: Choice, states: tuple[str, ...], full: bool, as_json: bool) -> None:
    """List the mails.

    What is still to be done stands first; subjects and texts are never shown.
    """
    from econnector.office.mail.queue import read_queue  # noqa: PLC0415 - `--help` does not pay for it

    found = _beside(choice.load(), lambda file: read_queue(file, states=states, full=full))
    if as_json:
        print_json(found)
    else:
        _show(found, states)


def _show(found: "Queue", states: tuple[str, ...]) -> None:
    from econnector.office.running import local  # noqa: PLC0415 - as above

    out = console()
    if found.paused:
        out.print(
            f"! Nothing is sent since {local(found.paused)}. Next: `econnector office mail resume`.", markup=False
        )
    for account in found.accounts:
        if account.trouble:
            out.print(f"✗ {account.account}, since {local(account.since)}: {account.trouble}", markup=False)
            for number, step in enumerate(account.remedy, 1):
                out.print(f"  {number}. {step}", markup=False)
        else:
            out.print(f"✓ {account.account} last sent a mail at {local(account.last_sent)}.", markup=False)
    if not found.mails:
        out.print("There is no mail.")
        return
    rows = [
        (each.id, each.state, each.purpose, each.to, local(each.handed_in), each.tries, each.code)
        for each in found.mails
    ]
    print_table(["id", "state", "purpose", "to", "handed in", "tries", "trouble"], rows)
    more = sum(count for state, count in found.counts.items() if state in (states or found.counts)) - len(rows)
    if more > 0:
        out.print(f"{more} more are not shown.")
    said = {each.reference for each in found.accounts}
    reasons = {each.reason: each.reference for each in found.mails if each.reason and each.reference not in said}
    for reason, reference in list(reasons.items())[:_MOST_REASONS]:
        why = f": `econnector office failure {reference}`" if reference else ""
        out.print(f"Last reason: {reason}{why}", markup=False)


@mail.command()
@json_option
@with_settings
def pause(choice: Choice, as_json: bool) -> None:
    """Send nothing until `resume`.

    Also after a restart; what waits keeps waiting.
    """
    _with_postbox(choice, lambda postbox: postbox.pause())
    _done(as_json, "Nothing is sent any more. Mails wait until `econnector office mail resume`.")


@mail.command()
@json_option
@with_settings
def resume(choice: Choice, as_json: bool) -> None:
    """Send again, also what was handed in meanwhile."""
    _with_postbox(choice, lambda postbox: postbox.resume())
    _done(as_json, "Mail is sent again.")


@mail.command()
@click.argument("number", metavar="[ID]", type=int, required=False)
@json_option
@with_settings
def retry(choice: Choice, number: int | None, as_json: bool) -> None:
    """Try one mail, or all, at once.

    With ID that mail, also a failed one; without ID, everything that waits.
    """
    if number is None:
        count, paused = _with_postbox(choice, _hurried)
        _done(as_json, f"Mails that are tried {_when(paused)}: {count}.", mails=count)
        return
    _, paused = _with_postbox(choice, lambda postbox: _hurried(postbox, number))
    _done(as_json, f"Mail {number} is tried {_when(paused)}.", mails=1)


async def _hurried(postbox: "Postbox", number: int | None = None) -> tuple[int, bool]:
    """Let one mail or all be tried; return how many they are, and whether sending is paused."""
    if number is None:
        return await postbox.hurry(), bool(await postbox.paused())
    await postbox.retry(number)
    return 1, bool(await postbox.paused())


def _when(paused: bool) -> str:
    return "when sending goes on (`econnector office mail resume`)" if paused else "as soon as the connector runs"


@mail.command()
@click.argument("number", metavar="ID", type=int)
@json_option
@with_settings
def remove(choice: Choice, number: int, as_json: bool) -> None:
    """Never send the waiting or failed mail ID."""
    _with_postbox(choice, lambda postbox: postbox.remove(number))
    _done(as_json, f"Mail {number} will not be sent.")


@mail.command()
@click.option("--to", required=True, help="Who gets the test mail.")
@click.option("--clinic", type=int, default=0, help="Through the account of this clinic (its number).")
@json_option
@with_settings
def test(choice: Choice, to: str, clinic: int, as_json: bool) -> None:
    """Send a test mail now.

    It leaves through the account in use, past queue and pause; you learn whether the mail server took it.
    """
    tried = asyncio.run(_test(choice.load(), to, clinic))
    said = f"The mail server {tried.server} took it, from {tried.sender} through the account {tried.account}."
    _done(as_json, said, account=tried.account, sender=tried.sender, server=tried.server)


async def _test(loaded: Loaded[Settings], to: str, clinic: int) -> "Tried":
    from econnector.office.addresses import database_place  # noqa: PLC0415 - as above
    from econnector.office.mail.accounts import Accounts  # noqa: PLC0415 - as above
    from econnector.office.mail.trial import send_test  # noqa: PLC0415 - as above
    from econnector.opendental.schema import Schemas  # noqa: PLC0415 - as above
    from econnector.opendental.writes import guard  # noqa: PLC0415 - as above
    from econnector.storage.database import Database  # noqa: PLC0415 - as above

    place = database_place(loaded)
    database = Database(place.url, password=place.password, ca=place.ca, guard=guard)
    try:
        return await send_test(Accounts(database, Schemas(), loaded.value.mail.ca), to, clinic)
    finally:
        await database.close()


def _beside(loaded: Loaded[Settings], do: "Callable[[Database], Awaitable[R]]") -> R:
    """Do something with the state file, beside a connector that may hold it."""
    from econnector.storage.state.base import join_state  # noqa: PLC0415 - as above

    async def work() -> R:
        file = await join_state(loaded.value.state_file)
        try:
            return await do(file)
        finally:
            await file.close()

    return asyncio.run(work())


def _with_postbox(choice: Choice, do: "Callable[[Postbox], Awaitable[R]]") -> R:
    from econnector.office.mail.postbox import Postbox  # noqa: PLC0415 - as above

    return _beside(choice.load(), lambda file: do(Postbox(file)))


def _done(as_json: bool, said: str, **facts: Any) -> None:
    if as_json:
        print_json({"ok": True, **facts})
    else:
        console().print(f"✓ {said}", markup=False)

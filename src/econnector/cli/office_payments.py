"""`econnector office payments`: online payments, as the window's page does it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from econnector.cli.choice import Choice, json_option, whoever_types, with_settings
from econnector.cli.terminal import console, print_json, print_table
from econnector.opendental.balances import dollars

if TYPE_CHECKING:
    from econnector.office.onlinepayments import OnlinePayments, Row

__all__ = ["payments"]

R = TypeVar("R")


@click.group()
def payments() -> None:
    """Online payments: what was paid, whether it is in the books, and how it gets there."""


@payments.command("list")
@json_option
@with_settings
def list_payments(choice: Choice, as_json: bool) -> None:
    """List the newest payments, and what they are paid through."""
    found = _do(choice, lambda hand: hand.look())
    if as_json:
        print_json(found)
        return
    out = console()
    for account in found.accounts:
        out.print(f"{'✓' if account.ready else '✗'} {account.words}", markup=False)
    if found.sandbox:
        out.print("! This is the sandbox: no real money moves.", markup=False)
    waits = "are posted to the account at once" if found.here == "ledger" else "wait for staff in Open Dental"
    out.print(f"What is paid: payments {waits}. {found.why_not}".rstrip(), markup=False)
    if not found.rows:
        out.print("Nothing was paid online yet.")
        return
    headings = ["Number", "Begun", "Account", "Amount", "State", "Books"]
    print_table(headings, [_cells(row) for row in found.rows])


@payments.command()
@click.argument("mode", type=click.Choice(("ledger", "pending")))
@json_option
@with_settings
def post(choice: Choice, mode: str, as_json: bool) -> None:
    """Say how payments get into the books.

    `ledger`: posted to the account at once, where this version of Open Dental lets an outside program. `pending`: they
    wait in Open Dental's window Online Payments for staff.
    """
    changed = _do(choice, lambda hand: hand.choose(whoever_types(), "ledger" if mode == "ledger" else "pending"))
    if as_json:
        print_json({"ok": True, "changed": changed, "mode": mode})
    else:
        console().print("✓ That holds from the next payment on." if changed else "It was so already.")


@payments.command()
@click.argument("number")
@json_option
@with_settings
def look(choice: Choice, number: str, as_json: bool) -> None:
    """Ask the processor about one payment now, and do what follows."""
    row = _do(choice, lambda hand: hand.ask(whoever_types(), number))
    if as_json:
        print_json(row)
    else:
        print_table(["Number", "Begun", "Account", "Amount", "State", "Books"], [_cells(row)])


def _cells(row: "Row") -> list[str]:
    from econnector.office.onlinepayments import STATES  # noqa: PLC0415 - `--help` does not pay for it

    cents = row.paid_cents or row.cents
    books = "posted" if row.posted else "waits for staff" if row.waits else "processed" if row.payment else "-"
    state = "nobody knows: ask the processor" if row.unclear else STATES[row.state].lower()
    begun = f"{row.begun.astimezone():%Y-%m-%d %H:%M}"
    return [row.number, begun, row.account_name, dollars(cents), state, books]


def _do(choice: Choice, work: "Callable[[OnlinePayments], Awaitable[R]]") -> R:
    """Return what is done at this practice's database, beside a connector that may run."""
    from econnector.office.onlinepayments import payments_with  # noqa: PLC0415 - as above
    from econnector.office.opened import opened  # noqa: PLC0415 - as above
    from econnector.opendental.schema import Schemas  # noqa: PLC0415 - as above

    async def done() -> R:
        loaded = choice.load()
        async with opened(loaded) as there:
            return await work(payments_with(loaded, there.database, there.state, Schemas()))

    return asyncio.run(done())

"""`econnector office access`: patients' access to the portal, as the window's page Portal does it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from econnector.cli.choice import Choice, json_option, whoever_types, with_settings
from econnector.cli.terminal import console, print_json, print_table

if TYPE_CHECKING:
    from econnector.office.access import Access, Given, Standing
    from econnector.office.hand import Hand
    from econnector.office.invites import Invites
    from econnector.opendental.schema import Schemas
    from econnector.storage.database import Database

__all__ = ["access"]

R = TypeVar("R")
H = TypeVar("H", bound="Hand")

_NUMBER = click.argument("number", type=click.IntRange(1, 2**63 - 1))
_SHEET = click.option(
    "--sheet", type=click.Path(path_type=Path, dir_okay=False), help="Also write the sheet to print here, as a PDF."
)
_WORDS = {
    "none": "no access",
    "given": "given, never used",
    "used": "signs in",
    "removed": "removed",
    "several": "several sign-ins",
}


@click.group()
def access() -> None:
    """Grant access to the patient portal, give new passwords, take access away."""


@access.command()
@click.argument("words", nargs=-1, required=True)
@json_option
@with_settings
def find(choice: Choice, words: tuple[str, ...], as_json: bool) -> None:
    """Find patients by name, birth date or number; the beginning of a name is enough."""
    found = _do(choice, lambda hand: hand.search(" ".join(words)))
    if as_json:
        print_json(found)
        return
    if not found.people:
        click.echo("Nobody was found. Archived, deleted, deceased and merged charts are left out.")
        return
    _table(found.people)
    if found.more:
        click.echo("There are more. Type more of the name, or add the birth date.")


@access.command()
@_NUMBER
@json_option
@with_settings
def show(choice: Choice, number: int, as_json: bool) -> None:
    """Show how a patient stands (NUMBER is the PatNum), and what is missing in the chart."""
    one = _do(choice, lambda hand: hand.look(number))
    if as_json:
        print_json(one)
        return
    _table([one])
    if one.failures:
        click.echo(f"Wrong passwords in a row: {one.failures}; next try possible in {one.locked_seconds} seconds.")


@access.command()
@_NUMBER
@_SHEET
@json_option
@with_settings
def give(choice: Choice, number: int, sheet: Path | None, as_json: bool) -> None:
    """Give a patient access. The password is shown this once."""
    _hand_over(choice, lambda hand: hand.give(whoever_types(), number), sheet, as_json=as_json)


@access.command()
@_NUMBER
@_SHEET
@json_option
@with_settings
def reset(choice: Choice, number: int, sheet: Path | None, as_json: bool) -> None:
    """Give a patient with access a new password. It is shown this once; the old one ends."""
    _hand_over(choice, lambda hand: hand.reset(whoever_types(), number), sheet, as_json=as_json)


@access.command()
@_NUMBER
@json_option
@with_settings
def invite(choice: Choice, number: int, as_json: bool) -> None:
    """Send a patient an invite by mail: a link with a code that works once, for 7 days.

    Who has no access is given it. Who has it keeps their password until the invite is accepted. An earlier invite ends.
    """
    sent = _with(choice, _inviting(choice), lambda hand: hand.send(whoever_types(), number))
    if as_json:
        print_json(sent)
    else:
        until = sent.until.astimezone()
        click.echo(f"The invite is on its way to {sent.to}. It works once, until {until:%m/%d/%Y %H:%M}.")


@access.command()
@_NUMBER
@json_option
@with_settings
def remove(choice: Choice, number: int, as_json: bool) -> None:
    """Remove a patient's access; who is signed in is signed out at the next click."""
    had = _do(choice, lambda hand: hand.remove(whoever_types(), number))
    if as_json:
        print_json({"ok": True, "had_access": had})
    else:
        click.echo("Access is removed." if had else "There was no access to remove.")


@access.command()
@_NUMBER
@json_option
@with_settings
def unlock(choice: Choice, number: int, as_json: bool) -> None:
    """Forget a patient's wrong passwords, so that they may try again at once."""
    had = _do(choice, lambda hand: hand.unlock(whoever_types(), number))
    if as_json:
        print_json({"ok": True, "was_counted": had})
    else:
        click.echo("The wrong passwords are forgotten." if had else "Nothing was locked.")


@access.command("two-step-off")
@_NUMBER
@click.option("--yes", is_flag=True, help="Do not ask once more.")
@json_option
@with_settings
def two_step_off(choice: Choice, number: int, yes: bool, as_json: bool) -> None:
    """Turn off the two-step sign-in of a patient who has lost the phone; the patient is told by mail.

    Be sure first who asks: the password alone is enough afterwards.
    """
    from econnector.office.protection import Protections  # noqa: PLC0415 - heavy

    if not yes:
        click.confirm("Are you sure who asks for it? The password alone is enough afterwards", abort=True, err=True)
    ended = _with(choice, Protections, lambda hand: hand.two_step_off(whoever_types(), number))
    if as_json:
        print_json(ended)
    elif not ended.was_on:
        click.echo("There was no two-step sign-in to turn off.")
    else:
        told = "The patient is told by mail." if ended.told else "The chart has no mail address: tell the patient."
        click.echo(f"Two-step sign-in is off, and the patient is signed out everywhere. {told}")


@access.command()
@click.option("--days", type=click.IntRange(0, 90), default=7, show_default=True, help="With an appointment so soon.")
@click.option("--youngest", type=click.IntRange(0, 99), default=18, show_default=True, help="Only from this age on.")
@click.option("--give", "how", flag_value="give", help="Give them access; without it they are only listed.")
@click.option("--invite", "how", flag_value="invite", help="Give them access by an invite that is mailed to each.")
@_SHEET
@json_option
@with_settings
def many(  # noqa: PLR0913, PLR0917 - click passes one per option
    choice: Choice, days: int, youngest: int, how: str | None, sheet: Path | None, as_json: bool
) -> None:
    """List who comes soon and has no access; with --give or --invite, give it to those whose charts are complete."""
    from econnector.office.access import Wanted  # noqa: PLC0415 - `--help` does not pay for it

    found = _do(choice, lambda hand: hand.preview(Wanted(days, youngest)))
    numbers = [one.patient.number for one in found if not one.missing]
    if how == "give":
        _give_many(choice, numbers, sheet, as_json=as_json)
    elif how == "invite":
        _invite_many(choice, numbers, as_json=as_json)
    elif as_json:
        print_json(found)
    else:
        _table(found)
        click.echo("Nothing was written. Add --give or --invite to give access to those of whom nothing is missing.")


def _invite_many(choice: Choice, numbers: list[int], *, as_json: bool) -> None:
    from econnector.office.invites import Sent  # noqa: PLC0415 - heavy

    results = _with(choice, _inviting(choice), lambda hand: hand.send_many(whoever_types(), numbers))
    if as_json:
        print_json(results)
        return
    rows = [(each.name, each.to, "") for each in results if isinstance(each, Sent)]
    rows += [(each.patient.name, "", each.why) for each in results if not isinstance(each, Sent)]
    print_table(["patient", "invite on its way to", "left out because"], rows)


def _give_many(choice: Choice, numbers: list[int], sheet: Path | None, *, as_json: bool) -> None:
    results = _do(choice, lambda hand: hand.give_many(whoever_types(), numbers))
    given = [each.given for each in results if each.given]
    _write_sheet(choice, given, sheet)
    if as_json:
        print_json(results)
    else:
        rows = [(each.patient.name, each.given.user_name, each.given.password) for each in results if each.given]
        rows += [(each.patient.name, "", each.why) for each in results if not each.given]
        print_table(["patient", "user name", "password"], rows)


def _hand_over(
    choice: Choice, work: "Callable[[Access], Awaitable[Given]]", sheet: Path | None, *, as_json: bool
) -> None:
    given = _do(choice, work)
    _write_sheet(choice, [given], sheet)
    if as_json:
        print_json(given)
        return
    lines = (f"Website    {given.url}", f"User name  {given.user_name}", f"Password   {given.password}")
    for line in lines:
        console().print(line, markup=False)
    click.echo("The password is shown this once; at the first sign-in the patient chooses another.")


def _write_sheet(choice: Choice, given: "list[Given]", file: Path | None) -> None:
    if file is None or not given:
        return
    from econnector.documents import accesssheet  # noqa: PLC0415 - heavy

    rows = [(one.patient, one.user_name, one.password) for one in given]
    pdf = accesssheet.render(_do(choice, lambda hand: hand.sheets(rows)))
    file.touch(mode=0o600)
    file.write_bytes(pdf)


def _table(people: "list[Standing]") -> None:
    rows = [
        (
            str(one.patient.number),
            one.patient.name,
            one.patient.birth_date.isoformat() if one.patient.birth_date else "–",
            _WORDS[one.access],
            one.user_name or "–",
            ", ".join(one.missing) or "–",
        )
        for one in people
    ]
    print_table(["number", "patient", "born", "access", "user name", "missing"], rows)


def _do(choice: Choice, work: "Callable[[Access], Awaitable[R]]") -> R:
    """Return what is done with the practice's sign-ins."""
    from econnector.office.access import Access  # noqa: PLC0415 - heavy

    return _with(choice, Access, work)


def _inviting(choice: Choice) -> "Callable[[Database, Database, Schemas, str], Invites]":
    from econnector.office.invites import invites_with  # noqa: PLC0415 - heavy

    settings = choice.load().value
    return lambda database, state, schemas, _: invites_with(settings, database, state, schemas)


def _with(
    choice: Choice, kind: "Callable[[Database, Database, Schemas, str], H]", work: Callable[[H], Awaitable[R]]
) -> R:
    """Return what is done at this practice's database, beside a connector that may run."""
    from econnector.office.opened import opened  # noqa: PLC0415 - heavy
    from econnector.opendental.schema import Schemas  # noqa: PLC0415 - as above

    async def done() -> R:
        loaded = choice.load()
        async with opened(loaded) as there:
            return await work(kind(there.database, there.state, Schemas(), loaded.value.machine_name))

    return asyncio.run(done())

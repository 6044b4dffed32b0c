"""`econnector hq office contact`: who gets a mail when an office is unreachable."""

import click

from econnector.cli.hq_office import Desk, at_desk
from econnector.cli.terminal import console, print_json, print_table
from econnector.hq.registry import contacts, offices
from econnector.hq.registry.contacts import Listed
from econnector.mail.contacts import LANGUAGES, checked

__all__ = ["contact"]

_SOURCES = {"hq": "the vendor", "office": "the office"}
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_office = click.argument("office")


@click.group()
def contact() -> None:
    """Who gets a mail when an office has been unreachable for some minutes, and when it is back."""


@contact.command()
@at_desk
@_office
@click.argument("address")
@click.option("--name", required=True, help="Whom the mails greet.")
@click.option("--language", type=click.Choice(list(LANGUAGES)), default="en", show_default=True, help="Of the mails.")
@click.option("--for", "purpose", default="", help='What this person is the one to ask for, such as "IT".')
@_json
def add(  # noqa: PLR0913, PLR0917 - click passes one per option
    desk: Desk, office: str, address: str, name: str, language: str, purpose: str, as_json: bool
) -> None:
    """Add a contact to OFFICE, or change the one with this mail ADDRESS."""
    made = checked(name, address, language, purpose)
    new = desk.do(contacts.add, office, made, desk.now)
    if as_json:
        print_json({"ok": True, "new": new, "contact": made})
        return
    done = "is told from now on" if new else "was a contact already; what is known of them is changed"
    console().print(f"{made.name} ({made.address}) {done}.", markup=False)
    _say_if_silent(desk)


@contact.command("list")
@at_desk
@_office
@_json
def list_contacts(desk: Desk, office: str, as_json: bool) -> None:
    """List the contacts of OFFICE, the vendor's and the office's own."""
    found = desk.do(contacts.every, desk.do(offices.get, office).id)
    if as_json:
        print_json(found)
        return
    if found:
        print_table(["address", "name", "in", "for", "named by"], map(_row, found))
    else:
        console().print(f"{office} has no contacts: add one with `econnector hq office contact add {office} ADDRESS`.")
    _say_if_silent(desk)


@contact.command()
@at_desk
@_office
@click.argument("address")
@_json
def remove(desk: Desk, office: str, address: str, as_json: bool) -> None:
    """Remove the contact with this mail ADDRESS that the vendor added to OFFICE."""
    desk.do(contacts.remove, office, address, desk.now)
    if as_json:
        print_json({"ok": True})
    else:
        console().print(f"{address.strip().lower()} gets no more mails about {office}.", markup=False)


def _row(each: Listed) -> tuple[object, ...]:
    who = each.contact
    return (who.address, who.name, who.language, who.purpose, _SOURCES[each.source])


def _say_if_silent(desk: Desk) -> None:
    if not desk.settings.smtp.host:
        console().print("! HQ has no mail server (`smtp.host` in its settings): nobody is told until it has one.")

"""`econnector hq admin`: the accounts of the vendor's people who may use the fleet pages."""

import click

from econnector.cli.hq_office import Desk, at_desk, when
from econnector.cli.terminal import console, print_json, print_table
from econnector.hq.registry import admins
from econnector.hq.registry.admins import LEAST, Admin

__all__ = ["admin"]

_name = click.argument("name")
_codes = click.option("--codes", is_flag=True, help="Want a code of an authenticator app (TOTP) too.")


@click.group()
def admin() -> None:
    """Who may use the fleet pages: add, list, password, remove."""


@admin.command()
@at_desk
@_name
@_codes
def add(desk: Desk, name: str, codes: bool) -> None:
    """Make an account; asks for its password."""
    made = desk.do(admins.add, name, _password(), desk.now, codes=codes)
    console().print(f"{made.name} may sign in.", markup=False)
    _show_codes(made)
    if not desk.settings.admin:
        console().print("HQ serves no fleet pages yet: set `admin` in its settings.", markup=False)


@admin.command()
@at_desk
@_name
@click.option("--codes/--no-codes", default=None, help="New codes of an authenticator app, or none any more.")
def password(desk: Desk, name: str, codes: bool | None) -> None:
    """Replace an account's password, and end its sessions; asks for the new password. Its codes stay as they are."""
    made = desk.do(admins.set_password, name, _password(), desk.now, codes=codes)
    console().print(f"The password of {made.name} is changed.", markup=False)
    if codes:
        _show_codes(made)


@admin.command()
@at_desk
@_name
def remove(desk: Desk, name: str) -> None:
    """End an account and its sessions at once."""
    desk.do(admins.remove, name, desk.now)
    console().print(f"{name} may not sign in any more.", markup=False)


@admin.command("list")
@at_desk
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_admins(desk: Desk, as_json: bool) -> None:
    """List all accounts."""
    found = desk.do(admins.every)
    if as_json:
        print_json([{"name": each.name, "codes": bool(each.totp), "added_at": each.added_at} for each in found])
        return
    print_table(
        ["name", "codes", "added"], [(each.name, "yes" if each.totp else "no", when(each.added_at)) for each in found]
    )


def _password() -> str:
    asked: str = click.prompt(
        f"Password (at least {LEAST} characters)", hide_input=True, confirmation_prompt="The same again"
    )
    return asked


def _show_codes(made: Admin) -> None:
    if made.totp:
        out = console()
        out.print("For the authenticator app (shown only now):", markup=False)
        out.print(admins.provisioning(made), markup=False)

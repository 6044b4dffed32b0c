"""`econnector service configure`: which database, tested before it is saved."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from econnector.cli.choice import json_option
from econnector.cli.service import record_of, services
from econnector.cli.terminal import console, print_json

if TYPE_CHECKING:
    from econnector.office.service.configure import Access, Tested

__all__ = ["configure"]


@click.command()
@click.argument("name")
@click.option("--settings", type=click.Path(path_type=Path), help="The settings file it runs with.")
@click.option("--server", help="The database server, host or host:port.")
@click.option("--database", help="The database.")
@click.option("--user", help="The account that the connector logs in to the database with.")
@click.option("--ca", help="PEM file of the server's authority (SkySQL PEM), for TLS; an empty text for none.")
@click.option("--hq-url", help="HQ's address as the vendor gave it.")
@click.option("--from", "config", type=click.Path(path_type=Path), help="Begin with a FreeDentalConfig.xml.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--test", "only_test", is_flag=True, help="Test only; save nothing.")
@click.option(
    "--yes", is_flag=True, help="Ask nothing: take what is given; save also with an account that may not write."
)
@json_option
def configure(  # noqa: PLR0913, PLR0917 - one per option
    name: str,
    settings: Path | None,
    config: Path | None,
    password_stdin: bool,
    only_test: bool,
    yes: bool,
    as_json: bool,
    **given: str | None,
) -> None:
    """Ask for server, database, user and password of the service NAME; test them, then save.

    The test writes nothing to the database. The password goes to a place of its own (a systemd credential, DPAPI, or a
    file of its owner's only), never into the settings file or a command line. The service is added where that was not
    done.
    """
    from econnector.office.service import configure as step  # noqa: PLC0415 - heavy

    found = services()
    record = record_of(found, name, settings, "")
    asks = not yes and not as_json and sys.stdin.isatty()
    access = _filled(step.beginning(record.settings, config), given, asks=asks)
    access = _with_password(access, asks=asks, stdin=password_stdin).checked()
    tested = step.try_out(access)
    if not as_json:
        _show(tested, access)
    if only_test:
        _said(as_json, tested, None)
        return
    if tested.warnings and tested.lacking and not yes:
        _confirm(asks)
    others = [each.settings for each in found.book.records() if each.name != record.name]
    found.refuse(record.name, access.place())
    saved = step.save(record.settings, access, step.own_places(record.settings, others))
    _noted(record.name, record.settings)
    found.renew(record.name)
    _said(as_json, tested, saved)


def _noted(name: str, settings: Path) -> None:
    from econnector.cli.office_desk import operator  # noqa: PLC0415 - heavy
    from econnector.office.service.noting import note  # noqa: PLC0415 - as above

    note(operator(), name, settings, "configured")


def _filled(access: "Access", given: dict[str, str | None], *, asks: bool) -> "Access":
    """Return what was given, else asked for, else what the dialog begins with."""
    import msgspec  # noqa: PLC0415 - as above

    from econnector.office.service.configure import split_server  # noqa: PLC0415 - as above

    def field(option: str, label: str, before: str) -> str:
        typed = given[option]
        if typed is not None or not asks:
            return before if typed is None else typed
        return str(click.prompt(label, default=before, err=True))

    host, port = split_server(field("server", "Server (host or host:port)", access.server))
    ca = field("ca", "PEM file of the server's authority (empty: none)", str(access.ca or ""))
    return msgspec.structs.replace(
        access,
        host=host,
        port=port,
        database=field("database", "Database", access.database),
        user=field("user", "User", access.user),
        ca=Path(ca) if ca.strip() else None,
        hq=field("hq_url", "HQ's address (empty: later)", access.hq),
    )


def _with_password(access: "Access", *, asks: bool, stdin: bool) -> "Access":
    import msgspec  # noqa: PLC0415 - as above

    if stdin:
        typed = sys.stdin.readline().rstrip("\r\n")
    elif asks:
        label = "Password (empty: as before)" if access.password else "Password"
        typed = str(click.prompt(label, default="", hide_input=True, show_default=False, err=True)) or access.password
    else:
        typed = access.password
    return msgspec.structs.replace(access, password=typed)


def _confirm(asks: bool) -> None:
    if not asks:
        raise click.UsageError("Nothing is saved, because this account may not write. To save all the same: --yes.")
    click.confirm("Save all the same?", abort=True, err=True)


def _show(tested: "Tested", access: "Access") -> None:
    out = console()
    tls = "encrypted" if tested.encrypted else "not encrypted"
    out.print(f"✓ {tested.server} on {access.server} lets {access.user} in ({tls}).", markup=False)
    out.print(f"  The database {access.database} is of Open Dental {tested.version}.", markup=False)
    for warning in tested.warnings:
        out.print(f"! {warning}", markup=False)


def _said(as_json: bool, tested: "Tested", saved: Any) -> None:
    if as_json:
        places = saved and {
            "file": str(saved.file),
            "password": str(saved.password),
            "comments_kept": saved.comments_kept,
        }
        print_json({"ok": True, "tested": tested, "saved": places})
    elif saved is not None:
        console().print(f"✓ Saved in {saved.file}; the password is in {saved.password}.", markup=False)
        if not saved.comments_kept:
            console().print("! The file was written anew: the comments in it are gone.", markup=False)
        console().print("  If the service runs: restart it, so that it uses what was saved.", markup=False)
    else:
        console().print("  Nothing was saved.", markup=False)

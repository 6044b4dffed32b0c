"""`econnector demo`: everything on this machine, to try, to show, and to prove that it works."""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

import click

from econnector.base.loops import loop_factory

if TYPE_CHECKING:
    from econnector.demo.run import Shown, Wish

__all__ = ["demo"]

R = TypeVar("R")


@click.group(invoke_without_command=True)
@click.option("--open", "browse", is_flag=True, help="Open the portal in the browser.")
@click.option("--once", is_flag=True, help="Start, make a patient's journey, print one line of JSON, exit 0 or 1.")
@click.option(
    "--build", type=click.Path(path_type=Path, file_okay=False), help="Only write the practice to this folder."
)
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path, file_okay=False), help="Keep everything in this folder."
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Where HQ listens; by default a free port.")
@click.option(
    "--database",
    envvar="ECONNECTOR_DEMO_DATABASE",
    default="",
    help="mysql://user@host:3306/name: fill this database; it must have Open Dental's schema and no patients.",
)
@click.option("--switchboard", default="local", help="nats://server:4222: HQ's switchboard over NATS.")
@click.option("--seed", type=click.IntRange(1), default=1, help="Another number makes another practice.")
@click.pass_context
def demo(  # noqa: PLR0913 - one argument per option
    context: click.Context,
    *,
    browse: bool,
    once: bool,
    build: Path | None,
    folder: Path | None,
    port: int,
    database: str,
    switchboard: str,
    seed: int,
) -> int:
    """HQ, an office with a synthetic practice and its portal, on this machine.

    Nobody in the practice is real. Without --dir everything is gone at the end.

    A database's password is best given in the environment, as ECONNECTOR_OFFICE_DATABASE_PASSWORD.
    """
    if context.invoked_subcommand:
        return 0
    from econnector.demo.run import Wish  # noqa: PLC0415 - `--help` stays quick

    url, password = _without_password(database)
    with _folder(build or folder) as where:
        wish = Wish(where, port, switchboard, url, password, seed)
        if build:
            return _build(wish)
        return _once(wish) if once else _stay(wish, browse=browse)


@demo.command()
@click.option("--listen", default="127.0.0.1:8450", help="Where it listens; port 0 takes a free one.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where it keeps what it has done; by default here.",
)
@click.option("--notify", default="", help="Where Stripe's signed notices go; by default nowhere.")
@click.option(
    "--page-seconds", type=click.FloatRange(0.1, 86400), default=600.0, help="How long its payment pages can be used."
)
@click.option("--with-parent", is_flag=True, hidden=True)
def gateway(*, listen: str, folder: Path, notify: str, page_seconds: float, with_parent: bool) -> int:
    """The sandbox: a card processor that moves no money. It speaks as EdgeExpress, XWeb and Stripe do.

    Its own page says which cards it takes. `econnector demo` starts one by itself.
    """
    from econnector.demo.gateway.run import run  # noqa: PLC0415 - `--help` stays quick

    def told(address: str) -> None:
        click.echo(address)
        sys.stdout.flush()

    run(listen, folder, told, notify=notify, page_seconds=page_seconds, with_parent=with_parent)
    return 0


def _without_password(url: str) -> tuple[str, str | None]:
    """Take the password out of a database's URL: from here on it is in no URL, no file and no message."""
    parts = urlsplit(url)
    if parts.password is None:
        return url, None
    place = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{parts.username or ''}@{place}").geturl(), unquote(parts.password)


@contextlib.contextmanager
def _folder(named: Path | None) -> Iterator[Path]:
    if named:
        yield named
        return
    with tempfile.TemporaryDirectory(prefix="econnector-demo-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def _build(wish: "Wish") -> int:
    from econnector.demo.run import build_only  # noqa: PLC0415 - as above

    place = _run(lambda: build_only(wish))
    click.echo(f"The practice is in {place.folder}: every command takes --settings {place.settings_file}")
    return 0


def _once(wish: "Wish") -> int:
    import msgspec  # noqa: PLC0415 - as above

    from econnector.demo.run import once  # noqa: PLC0415 - as above

    report = _run(lambda: once(wish))
    click.echo(msgspec.json.encode(report).decode())
    return 0 if report.ok else 1


def _stay(wish: "Wish", *, browse: bool) -> int:
    from econnector.cli.terminal import console  # noqa: PLC0415 - as above
    from econnector.demo.run import stay  # noqa: PLC0415 - as above

    out = console(stderr=True)
    out.print("Making a practice, starting HQ and an office …")
    try:
        _run(lambda: stay(wish, _show, browse=browse))
    except KeyboardInterrupt:
        out.print("Stopped.")
    return 0


def _show(shown: "Shown") -> None:
    from rich.text import Text  # noqa: PLC0415 - as above

    from econnector.cli.terminal import console, print_table  # noqa: PLC0415 - as above

    out = console()
    out.print()
    for name, value in (("Portal", shown.portal), ("HQ", shown.hq), ("Cards", shown.cards), ("Files", shown.folder)):
        out.print(Text.assemble((f"{name:8}", "bold"), str(value)))
    out.print()
    rows = [(each.user_name, each.password, f"{each.name}: {each.shows}") for each in shown.sign_ins if each.works]
    print_table(("User name", "Password", "Who it is"), rows)
    out.print()
    refused = [(each.user_name, each.password, each.shows) for each in shown.sign_ins if not each.works]
    print_table(("Refused", "Password", "Why"), refused)
    out.print()
    out.print("Nobody here is real. Ctrl-C stops everything.")
    sys.stdout.flush()


def _run(work: Callable[[], Coroutine[Any, Any, R]]) -> R:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        try:
            return runner.run(work())
        except asyncio.CancelledError:  # SIGTERM
            raise KeyboardInterrupt from None

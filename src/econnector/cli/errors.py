"""`econnector errors`: the catalogue of failures, on the terminal and as a page."""

from collections.abc import Iterator, Mapping, Sequence

import click

from econnector.base.errors import Failure, walk
from econnector.cli.terminal import print_json, print_table

__all__ = ["errors", "errors_page"]


@click.command()
@click.argument("code", required=False)
@click.option("--markdown", is_flag=True, help="Print them all as a page.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def errors(code: str | None, markdown: bool, as_json: bool) -> None:
    """Every failure a person can meet: cause, words, remedy. CODE shows one."""
    if markdown:
        click.echo(errors_page(), nl=False)
        return
    kinds = [kind for kind in walk() if code is None or code.lower() in {kind.code, kind.__name__.lower()}]
    if code is not None and not kinds:
        raise click.BadParameter(f"there is no failure {code!r}; `econnector errors` lists them", param_hint="CODE")
    if as_json:
        print_json([_fields(kind) for kind in kinds])
    elif code is None:
        print_table(["code", "what happened", "doctor"], [(kind.code, kind.title, kind.check or "–") for kind in kinds])
    else:
        click.echo("".join(_entry(kinds[0])), nl=False)


def _fields(kind: type[Failure]) -> dict[str, object]:
    return {
        "code": kind.code,
        "title": kind.title,
        "today": kind.today,
        "patient": kind.patient,
        "office": kind.office,
        "remedy": list(kind.remedy),
        "http": kind.http,
        "exit": kind.exit,
        "check": kind.check,
        "retry": kind.retry,
    }


def errors_page(caused: Mapping[str, Sequence[str]] | None = None) -> str:
    """Return every failure as Markdown.

    `caused` names the tests that cause each code. `make docs` knows them; where the software is installed nobody does.
    """
    head = (
        "# Every failure, its cause and its remedy\n\n"
        "Written by `make docs`; do not edit. `econnector errors` shows the same anywhere. Search this page for the\n"
        "code or for the message that you see. Words in braces are filled in. The same texts stand on the pages, in\n"
        "the eConnector window's history and on the command line, with a reference:\n"
        "`econnector office failure REFERENCE` has the details.\n"
    )
    return head + "".join(line for kind in walk() for line in ("\n", *_entry(kind), *_caused(kind, caused)))


def _caused(kind: type[Failure], caused: Mapping[str, Sequence[str]] | None) -> Iterator[str]:
    if caused is not None:
        yield f"- **Caused in:** {', '.join(f'`{test}`' for test in caused.get(kind.code, ())) or '–'}\n"


def _entry(kind: type[Failure]) -> Iterator[str]:
    yield f"## {kind.code}: {kind.title}\n\n"
    if kind.__doc__:
        yield f"{kind.__doc__.strip().splitlines()[0]}\n\n"
    if kind.today:
        yield f"- **Also known as:** {kind.today}\n"
    yield f"- **The patient reads:** {kind.patient or '–'}\n"
    yield f"- **The office reads:** {kind.office}\n"
    for number, step in enumerate(kind.remedy, 1):
        yield f"{'- **What to do:**' + chr(10) if number == 1 else ''}  {number}. {step}\n"
    check = f"`econnector doctor --only {kind.check}`" if kind.check else "–"
    again = "yes" if kind.retry else "no"
    yield f"- **Found by:** {check} · HTTP {kind.http} · exit {kind.exit} · try the same again: {again}\n"

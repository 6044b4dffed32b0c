"""`econnector office window`: the eConnector Service window in the browser."""

import asyncio
import contextlib
import webbrowser

import click

from econnector.cli.choice import Choice, json_option, with_settings
from econnector.cli.terminal import print_json

__all__ = ["window"]


@click.command()
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@json_option
@with_settings
def window(choice: Choice, no_browser: bool, as_json: bool) -> None:
    """Open the eConnector Service window in the browser; sign in with your Open Dental user name.

    The connector serves it while it runs. While it does not, this command serves the same pages itself until Ctrl-C:
    its page has the button that starts the connector.
    """
    from econnector.office.window.standalone import served_by_connector, stay, why_not_served  # noqa: PLC0415 - heavy

    loaded = choice.load()
    browse = not no_browser and not as_json

    def say(address: str, *, ours: bool, why: str = "") -> None:
        if as_json:
            print_json({"ok": True, "address": address, "served_by": "this command" if ours else "connector"})
        else:
            click.echo(address)
        if ours and not as_json:
            click.echo(f"{why} This command serves it until Ctrl-C.", err=True)
        if browse:
            webbrowser.open(address)

    async def main() -> bool:
        address = await served_by_connector(loaded)
        if address:
            say(address, ours=False)
            return False
        why = await why_not_served(loaded)
        return await stay(loaded, lambda mine: say(mine, ours=True, why=why))

    with contextlib.suppress(KeyboardInterrupt):  # which is how one ends it
        if asyncio.run(main()) and not as_json:
            click.echo("The connector runs now and serves the window itself.", err=True)

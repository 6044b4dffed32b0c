"""`econnector hq mail`: the mail that HQ sends to offices' contacts."""

from pathlib import Path

import click

from econnector.base.errors import HqSendsNoMail
from econnector.base.ids import new_id
from econnector.cli.hq import with_settings
from econnector.cli.terminal import console, print_json
from econnector.hq.settings import find_file, read

__all__ = ["mail"]

_SECONDS = 60.0


@click.group()
def mail() -> None:
    """The mail that HQ sends to offices' contacts."""


@mail.command()
@with_settings
@click.option("--to", required=True, metavar="ADDRESS", help="Where the test mail goes.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def test(settings: Path | None, database: str | None, to: str, as_json: bool) -> None:
    """Send a test mail through the mail server in HQ's settings, and say what that server said."""
    from econnector.hq.mail import account_of  # noqa: PLC0415 - `--help` does not pay for them
    from econnector.mail.contacts import checked_address  # noqa: PLC0415 - as above
    from econnector.mail.news import trial_letter  # noqa: PLC0415 - as above
    from econnector.mail.smtp import deliver  # noqa: PLC0415 - as above

    smtp = read(find_file(settings), {"database": database}).value.smtp
    address, account = checked_address(to), account_of(smtp)
    if account is None:
        raise HqSendsNoMail
    deliver(account, trial_letter(address, f"<test-{new_id()}@hq.econnector>"), _SECONDS)
    if as_json:
        print_json({"ok": True, "server": f"{smtp.host}:{smtp.port}", "to": address})
    else:
        said = (
            f"The mail server {smtp.host}:{smtp.port} took a mail to {address}. See that it arrives, and not as spam."
        )
        console().print(said, markup=False)

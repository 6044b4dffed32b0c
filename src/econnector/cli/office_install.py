"""`econnector office install`, `auto-install` and `update`: the eConnector comes to this machine, and stays current."""

import asyncio
import contextlib
import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from econnector.base.errors import Failure, QuestionUnanswered
from econnector.cli.choice import Choice, json_option, with_settings
from econnector.cli.office_desk import operator
from econnector.cli.terminal import console, failure_fields, print_json, show_failure

if TYPE_CHECKING:
    from econnector.office.install.install import Progress, Step
    from econnector.office.install.rules import Question
    from econnector.office.service.configure import Access

__all__ = ["auto_install", "install", "update"]

PASSWORD = "ECONNECTOR_OFFICE_DATABASE_PASSWORD"  # noqa: S105 - a variable's name
KEYS = {
    "begin-listening": "yes or no: HQ may send this office's eServices through this computer",
    "update-server": "yes, no or cancel: this computer becomes Open Dental's Update Server, where none is named",
    "another-computer": "only no goes on: this is not the Update Server that is named, and that is no accident",
    "other-connector": "only gone goes on: the other computer with an eConnector will not come back",
    "hq-url": "HQ's address as the vendor gave it; as the next ones, where the settings do not say it",
    "database-server": "the database server, host or host:port",
    "database-name": "the database",
    "database-user": "the account that the connector logs in with",
    "database-ca": "PEM file of the server's certificate authority, where it has a private one",
}
_NEVER = 3
"""Exit status of an automatic installation that the rules do not want."""


def _read_answers(_: click.Context, __: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    answers = dict(pair.partition("=")[::2] for pair in pairs)
    for key in answers:
        if key not in KEYS:
            raise click.BadParameter(f"{key} is no question; there are: {', '.join(KEYS)}")
    return answers


class _Script:
    """Who answers: the command line first, then the person before the terminal, if there is one."""

    def __init__(self, answers: dict[str, str], key_file: Path | None, *, yes: bool, ask: bool) -> None:
        self._answers, self._key_file, self._yes, self._ask = answers, key_file, yes, ask

    def answer(self, question: "Question") -> str:
        given = self._answers.get(question.key, "").strip().lower()
        if not given and self._yes and question.recommended:
            return question.recommended
        if not given and self._ask:
            return self._prompt(question)
        if given not in question.answers:
            known = ", ".join(question.answers)
            why = f"{given} is none of {known}" if given else f"nobody is here to ask; it takes {known}"
            raise QuestionUnanswered(question=question.text, why=why, how=f"`--answer {question.key}=…`")
        return given

    def _prompt(self, question: "Question") -> str:
        click.echo(f"\n{question.more}")
        choices = click.Choice(question.answers, case_sensitive=False)
        return str(click.prompt(question.text, type=choices, default=question.recommended or None))

    def value(self, key: str, label: str, default: str) -> str:
        """Return something that is typed; what is there already needs no answer."""
        given = self._answers.get(key, "")
        if given or not self._ask:
            if not (given or default) and key != "database-ca":
                raise QuestionUnanswered(question=label, why="no settings say it", how=f"`--answer {key}=…`")
            return given or default
        return str(click.prompt(label, default=default, show_default=bool(default)))

    def key(self, known: str) -> str:
        """Return the registration key: from the file, else the one that Open Dental has, else what is typed."""
        if self._key_file is not None:
            with click.open_file(str(self._key_file), encoding="utf-8-sig") as stream:
                return str(stream.readline()).strip()
        if known and (not self._ask or click.confirm(f"\nUse Open Dental's registration key (…{known[-4:]})?", True)):
            return known
        if not self._ask:
            raise QuestionUnanswered(
                question="Registration key",
                why="Open Dental has none, and nobody is here to ask",
                how="`--key-file FILE`, or `--key-file -` and the key on standard input",
            )
        return str(click.prompt("Registration key (XXXX-XXXX-XXXX-XXXX)"))

    def password(self, user: str, default: str) -> str:
        found = os.environ.get(PASSWORD, default)
        if found or not self._ask:
            return found
        return str(click.prompt(f"Database password of {user}", hide_input=True, default="", show_default=False))

    def log_on(self, account: str) -> str:
        """Return the password of a Windows account that the service shall run as."""
        if not account or sys.platform != "win32" or not self._ask:
            return ""
        return str(click.prompt(f"Windows password of {account}", hide_input=True, default="", show_default=False))


_KEY, _TEXT = 18, 58
"""The widths of the two columns, which with their margin fit into 80."""


def _question(key: str, text: str) -> str:
    return textwrap.fill(text, _KEY + _TEXT, initial_indent=f"{key:<{_KEY}}", subsequent_indent=" " * _KEY)


_QUESTIONS = "\n".join(_question(key, text) for key, text in KEYS.items())
_EPILOG = f"Questions for `--answer`:\n\n\b\n{_QUESTIONS}"


@click.command(epilog=_EPILOG)
@click.option("--name", default="OpenDentalEConnector", show_default=True, help="The service's name.")
@click.option("--account", default="", help="Run the service as this account; default: the system's usual one.")
@click.option("--key-file", type=click.Path(path_type=Path), help="Read the registration key from here; - is stdin.")
@click.option("--yes", is_flag=True, help="Take the recommended answer where there is one; ask nothing.")
@click.option("--answer", "answers", multiple=True, metavar="KEY=VALUE", callback=_read_answers, help="See below.")
@json_option
@with_settings
def install(  # noqa: PLR0913, PLR0917 - a command's options
    choice: Choice,
    name: str,
    account: str,
    key_file: Path | None,
    yes: bool,
    answers: dict[str, str],
    as_json: bool,
) -> None:
    """Install the eConnector on this machine and start it; running it again goes on where it ended.

    \b
    1 settings       found, or asked for, tested and written
    2 database       reached
    3 rules          may it be installed here? questions, if any
    4 enrolment      this computer made known to HQ with the registration key
    5 service        installed and started
    6 heartbeat      seen in Open Dental's database
    7 update-server  written into Open Dental, if that was agreed

    No secret stands in the command line: the database's password is asked for, or comes from the variable
    ECONNECTOR_OFFICE_DATABASE_PASSWORD; the registration key is asked for, or comes from Open Dental or --key-file.
    """  # noqa: D301 - \b is click's
    from econnector.office.install.install import Asking, Installation  # noqa: PLC0415 - heavy
    from econnector.office.service.services import Services  # noqa: PLC0415 - as above

    script = _Script(answers, key_file, yes=yes, ask=not yes and not as_json and sys.stdin.isatty())
    with _told(as_json=as_json) as told:
        file = _settings_file(choice, script)
        asking = Asking(script.answer, script.key)
        log_on = script.log_on(account)
        run = Installation(
            file, Services(), asking, operator(), name=name, account=account, log_on=log_on, tell=told.tell
        )
        outcome = asyncio.run(run.run())
    if as_json:
        print_json({"ok": True, **_plain(outcome)})
        return
    console().print(f"\n✓ {outcome.message}.", style="bold green", markup=False)
    console().print("  Next: `econnector office window` shows it working, and what happens from now on.", markup=False)


@click.command("auto-install")
@click.option("--key-file", type=click.Path(path_type=Path), help="The registration key; default: Open Dental's own.")
@json_option
@with_settings
def auto_install(choice: Choice, key_file: Path | None, as_json: bool) -> None:
    """Install the eConnector if none has ever worked here; for an updater to call, asks nothing.

    Only where no heartbeat was ever recorded in the database and its version is 22.3.48 or later (of the line 22.3),
    or 22.4.20 or later. A blank Update Server becomes this computer, unless Open Dental's preference
    WebServiceServerNameCanBeBlank says that it may stay blank. One line says what was done or why not.

    The exit status is 0 when it was installed, 3 when the rules want none, else the failure's own.
    """
    from econnector.office.install.auto import auto_install as run  # noqa: PLC0415 - heavy
    from econnector.office.service.services import Services  # noqa: PLC0415 - as above

    script = _Script({}, key_file, yes=True, ask=False)
    with _told(as_json=as_json, quiet=True) as told:
        done = asyncio.run(run(_existing(choice), Services(), operator(), script.key, told.tell))
    if as_json:
        print_json({"ok": True, **_plain(done)})
    else:
        click.echo(done.why)
    click.get_current_context().exit(0 if done.installed else _NEVER)


@click.command()
@click.option("--wheel", type=click.Path(path_type=Path), help="The new version's wheel, econnector-*.whl.")
@click.option("--from-images", is_flag=True, help="The newest wheel in the folder SetupFiles of the images folder.")
@click.option("--force", is_flag=True, help="Also a version that is not newer.")
@click.option(
    "--wait", type=click.FloatRange(1, 3600), default=120.0, show_default=True, help="For a heartbeat, seconds."
)
@json_option
@with_settings
def update(  # noqa: PLR0913, PLR0917 - a command's options
    choice: Choice, wheel: Path | None, from_images: bool, force: bool, wait: float, as_json: bool
) -> None:
    """Update this machine's eConnectors; if one has no heartbeat with the new version, the old one runs again.

    The wheel is examined and tried before anything stops. Then the services of this machine that run are stopped, the
    new version is chosen, they are started again, and each must have a heartbeat. No alarm is raised over it. An
    update that was interrupted is finished by the next run.

    Whoever may write into the images folder decides with --from-images what runs on this machine.
    """
    from econnector.office.install.update import Update  # noqa: PLC0415 - heavy
    from econnector.office.service.services import Services  # noqa: PLC0415 - as above

    if (wheel is None) is not from_images:
        raise click.UsageError("Say from where the new version comes: --wheel FILE or --from-images.")
    file = wheel.absolute() if wheel else _wheel_in_images(choice)
    tell = (lambda _: None) if as_json else click.echo
    done = asyncio.run(Update(Services(), tell=tell, seconds=wait).run(file, force=force))
    if as_json:
        print_json({"ok": True, **_plain(done)})
        return
    many = f"; {', '.join(done.services)} had a heartbeat" if done.services else "; no service of it ran"
    console().print(f"✓ eConnector {done.new} is installed, {done.old} was before{many}.", markup=False)


def _wheel_in_images(choice: Choice) -> Path:
    from econnector.office.install.images import newest_wheel  # noqa: PLC0415 - heavy

    return asyncio.run(newest_wheel(choice.load()))


# -- settings ----------------------------------------------------------------------------------------------------------


def _existing(choice: Choice) -> Path:
    """Return the settings file. Raises SettingMissing where there is none."""
    from econnector.base.errors import SettingMissing  # noqa: PLC0415 - only when it is so
    from econnector.base.places import settings_folder  # noqa: PLC0415 - as above

    _refuse_typed(choice)
    loaded = choice.load()
    if loaded.file is None:
        usual = settings_folder() / "office.toml"
        raise SettingMissing(name="hq.url", places=f"{usual} (there is none)", variable="ECONNECTOR_SETTINGS")
    return loaded.file


def _settings_file(choice: Choice, script: _Script) -> Path:
    """Return the settings file; made from what is asked for, and tested, where there is none or it says too little."""
    from econnector.base.places import settings_folder  # noqa: PLC0415 - heavy
    from econnector.office.install.install import missing_settings  # noqa: PLC0415 - as above
    from econnector.office.service import configure  # noqa: PLC0415 - as above
    from econnector.office.settings import find_file  # noqa: PLC0415 - as above

    _refuse_typed(choice)
    file = (find_file(choice.file) or settings_folder() / "office.toml").absolute()
    if missing_settings(file):
        access = _asked(script, configure.beginning(file))
        tested = configure.try_out(access)
        configure.save(file, access)
        click.echo(f"✓ {tested.server}, Open Dental {tested.version}; settings written: {file}", err=True)
    return file


def _refuse_typed(choice: Choice) -> None:
    if choice.typed:
        raise click.UsageError("A service runs with what stands in its settings file: write it there, not in --set.")


def _asked(script: _Script, begin: "Access") -> "Access":
    from econnector.office.service.configure import Access, split_server  # noqa: PLC0415 - heavy

    hq = script.value("hq-url", "HQ's address, as the vendor gave it", begin.hq)
    host, port = split_server(script.value("database-server", "Database server", begin.server))
    name = script.value("database-name", "Database", begin.database)
    user = script.value("database-user", "Database account", begin.user)
    ca = script.value("database-ca", "PEM file of its authority (empty: none)", str(begin.ca or ""))
    return Access(host, port, name, user, script.password(user, begin.password), Path(ca) if ca else None, hq)


# -- telling -----------------------------------------------------------------------------------------------------------


class _Telling:
    """Says each step as it ends, and at which one it stopped."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self.step: Step = "settings"

    def tell(self, progress: "Progress") -> None:
        from econnector.office.install.install import STEPS  # noqa: PLC0415 - heavy

        self.step = progress.step
        if progress.state != "begun" and not self._quiet:
            sign = "✓" if progress.state == "done" else "="
            click.echo(f"{sign} {STEPS[progress.step]}: {progress.text}")

    def stopped(self) -> str:
        """Return where it stopped, in words."""
        from econnector.office.install.install import STEPS  # noqa: PLC0415 - heavy

        number = list(STEPS).index(self.step) + 1
        return f"Stopped at step {number} of {len(STEPS)}: {STEPS[self.step]}. Run it again to go on from here."


@contextlib.contextmanager
def _told(*, as_json: bool, quiet: bool = False) -> Iterator[_Telling]:
    telling = _Telling(quiet=quiet or as_json)
    try:
        yield telling
    except Failure as failure:
        _leave(failure, telling, as_json=as_json)


def _leave(failure: Failure, telling: _Telling, *, as_json: bool) -> NoReturn:
    if as_json:
        print_json(failure_fields(failure) | {"step": telling.step})
    else:
        click.echo(telling.stopped(), err=True)
        show_failure(failure)
    click.get_current_context().exit(failure.exit)


def _plain(value: object) -> dict[str, Any]:
    import msgspec  # noqa: PLC0415 - heavy

    found: dict[str, Any] = msgspec.to_builtins(value)
    return found

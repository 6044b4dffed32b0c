"""This machine's services in one hand: what the commands, the window, the installation and the update use."""

import contextlib
import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from econnector.base.errors import (
    AccountUnknown,
    ServiceExists,
    ServiceMissing,
    ServiceNotStarted,
    ServiceNotTheirs,
    SettingsFileMissing,
)
from econnector.base.settings import Loaded
from econnector.office.addresses import DatabasePlace
from econnector.office.service.book import Book, Record
from econnector.office.service.choose import choose, services_folder
from econnector.office.service.command import user_of
from econnector.office.service.contract import Definition, ServiceManager, ServiceState
from econnector.office.service.folders import folders_of, hand_over
from econnector.office.service.lock import held
from econnector.office.service.names import checked, same
from econnector.office.service.readiness import has_begun
from econnector.office.service.sameness import refuse_place, refuse_same
from econnector.office.settings import Settings, load_settings

__all__ = ["Entry", "Services"]

READY_SECONDS = 30.0
"""How long a connector may take to begin before nobody waits for it any more; it may still come."""
_TURN_SECONDS = 30.0
_PAUSE_SECONDS = 0.2


class Entry(msgspec.Struct, frozen=True):
    """A service as people see it in the list."""

    name: str
    settings: Path | None
    """None for a service that another program installed."""
    account: str
    state: ServiceState


class Services:
    """This machine's services. Every function blocks: call it in a thread. Raises `ServiceFailure`s."""

    def __init__(self, folder: Path | None = None, manager: ServiceManager | None = None) -> None:
        """`folder` is where the book of services is, `manager` the operating system's; by default the usual ones."""
        self.book = Book(folder or services_folder())
        self.manager = manager or choose(folder)

    def entries(self) -> list[Entry]:
        """Return every service: those that were added here, and those of others whose name begins with OpenDent."""
        records = self.book.records()
        found = [Entry(each.name, each.settings, each.account, self.manager.state(each.name)) for each in records]
        known = {each.name.casefold() for each in records}
        others = [name for name in self.manager.names() if name.casefold() not in known]
        return found + [Entry(name, None, "", self.manager.state(name)) for name in others]

    def entry(self, name: str) -> Entry:
        """Return one service. Raises ServiceMissing."""
        found = next((each for each in self.entries() if same(each.name, name)), None)
        if found is None:
            raise ServiceMissing(name=name, step="added")
        return found

    def add(self, name: str, settings: Path, account: str = "") -> None:
        """Write down a service that shall run with a settings file, which may be made later.

        Raises ServiceNameRejected, ServiceExists, ServiceDatabaseTaken, AccountUnknown, SettingInvalid.
        """
        record = Record(checked(name), settings.absolute(), account)
        _check_account(record)
        with self._turn():
            if any(same(name, other) for other in self.manager.names()):
                raise ServiceExists(name=name, whose="the operating system has it")
            if record.settings.exists():
                self.check(record)
            self.book.add(record)

    def change(self, name: str, *, account: str) -> None:
        """Let a service that is not installed yet run as another account. Raises ServiceMissing, AccountUnknown."""
        record = msgspec.structs.replace(self.book.get(name), account=account)
        _check_account(record)
        self.book.change(record)

    def check(self, record: Record) -> Loaded[Settings]:
        """Return a service's settings. Raises SettingsFileMissing, SettingInvalid, ServiceDatabaseTaken."""
        try:
            record.settings.open("rb").close()
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise SettingsFileMissing(name=record.name, file=record.settings, why=why) from None
        loaded = load_settings(record.settings, environment={})
        refuse_same(record.name, loaded, self.book.records())
        return loaded

    def refuse(self, name: str, place: DatabasePlace) -> None:
        """Refuse a database for a service that another one serves. Raises ServiceDatabaseTaken."""
        refuse_place(name, place, self.book.records())

    def install(self, name: str, *, log_on: str = "") -> None:
        """Install a service that was added; `log_on` is its account's password, which Windows wants.

        It is not started. Raises ServiceMissing, ServiceExists, what `check` raises, and the manager's failures.
        """
        with self._turn():
            record = self.book.get(name)
            self.check(record)
            _check_account(record)
            if self.manager.state(record.name) is not ServiceState.NOT_INSTALLED:
                raise ServiceExists(name=record.name, whose="it is installed")
            hand_over(record.account, record.settings, folders_of(Definition(record.name, record.settings)))
            self.manager.install(Definition(record.name, record.settings, record.account, log_on))

    def renew(self, name: str) -> None:
        """Let the operating system know what the settings of an installed service say now; it is not restarted."""
        record = self.book.get(name)
        if self.manager.kind == "systemd" and self.manager.state(record.name) is not ServiceState.NOT_INSTALLED:
            self.manager.install(Definition(record.name, record.settings, record.account))

    def uninstall(self, name: str) -> None:
        """Stop a service, remove it and strike it out of the list; its settings file and state file stay.

        Raises ServiceMissing, ServiceNotTheirs for another program's service.
        """
        with self._turn():
            record = self.book.find(name)
            if record is None:
                self.entry(name)
                raise ServiceNotTheirs(name=name, done="uninstalled")
            if self.manager.state(record.name) is not ServiceState.NOT_INSTALLED:
                self.manager.uninstall(record.name)
            self.book.forget(record.name)

    def start(self, name: str) -> None:
        """Start a service, and wait until its connector has begun; running already is success.

        Raises ServiceMissing when it is not installed, ServiceNotStarted when it ended again.
        """
        entry = self._installed(name)
        if entry.state is ServiceState.RUNNING:
            return
        began = dt.datetime.now(dt.UTC)
        self.manager.start(entry.name)
        if entry.settings is not None:
            self._wait_until_it_runs(entry.name, entry.settings, began)

    def stop(self, name: str) -> None:
        """Stop a service; stopped already is success. Raises ServiceMissing, ServiceNotStopped."""
        self.manager.stop(self._installed(name).name)

    def restart(self, name: str) -> None:
        """Stop a service and start it again. Raises as `start` and `stop`."""
        entry = self._installed(name)
        began = dt.datetime.now(dt.UTC)
        self.manager.restart(entry.name)
        if entry.settings is not None:
            self._wait_until_it_runs(entry.name, entry.settings, began)

    def state(self, name: str) -> ServiceState:
        """Return a service's state; one that nobody knows is not installed."""
        return self.manager.state(name)

    def serving(self, settings_file: Path) -> str:
        """Return the name of the service that is set up to run with this settings file; empty if there is none."""
        wanted = settings_file.resolve()
        return next((each.name for each in self.book.records() if each.settings.resolve() == wanted), "")

    def _installed(self, name: str) -> Entry:
        entry = self.entry(name)
        if entry.state is ServiceState.NOT_INSTALLED:
            raise ServiceMissing(name=name, step="installed")
        return entry

    def _wait_until_it_runs(self, name: str, settings: Path, began: dt.datetime) -> None:
        state_file = load_settings(settings, environment={}).value.state_file
        ends = time.monotonic() + READY_SECONDS
        while time.monotonic() < ends and not has_begun(state_file, began):
            if self.manager.restarts(name) or self.manager.state(name) is not ServiceState.RUNNING:
                raise ServiceNotStarted(
                    name=name,
                    seconds=f"{READY_SECONDS:g}",
                    reason=self.manager.last_words(name) or "it ended at once",
                    look=self.manager.look(name),
                    settings=settings,
                )
            time.sleep(_PAUSE_SECONDS)

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Let one process at a time change the list: two that add the same database at once are told apart."""
        with contextlib.ExitStack() as stack:
            try:
                self.book.folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(held(self.book.folder / ".lock", _TURN_SECONDS))
            except OSError as error:
                raise self.book.refused(self.book.folder.name, "change", error) from None
            yield


def _check_account(record: Record) -> None:
    try:
        user_of(record.account)
    except KeyError:
        raise AccountUnknown(name=record.name, account=record.account, why="this machine has no such account") from None

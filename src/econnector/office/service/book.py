"""The book of services: which settings file and which account each one has. One small TOML file per service.

It is what eConnector knows; what the operating system knows is asked of it each time, so that the two cannot differ
for long: a service that somebody installed or removed by other means is shown as it is.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from econnector.base.errors import ServiceExists, ServiceMissing, ServiceRights, SettingInvalid
from econnector.office.service.accounts import current
from econnector.office.service.files import read_text, write_text
from econnector.office.service.names import checked, same

__all__ = ["Book", "Record"]


class Record(msgspec.Struct, frozen=True):
    """A service as it was added."""

    name: str
    settings: Path
    account: str = ""


class Book:
    """The folder with one file per service."""

    def __init__(self, folder: Path) -> None:
        """`folder` is made when the first service is added."""
        self.folder = folder

    def records(self) -> list[Record]:
        """Return every service, by name. Raises SettingInvalid for a file that cannot be read."""
        return sorted(self._read(), key=lambda record: record.name.casefold())

    def find(self, name: str) -> Record | None:
        """Return the service called `name`, whatever its capitals."""
        return next((record for record in self._read() if same(record.name, name)), None)

    def get(self, name: str) -> Record:
        """Return the service called `name`. Raises ServiceMissing."""
        record = self.find(name)
        if record is None:
            raise ServiceMissing(name=name, step="added")
        return record

    def add(self, record: Record) -> None:
        """Write down a new service. Raises ServiceNameRejected, ServiceExists, ServiceRights."""
        checked(record.name)
        try:
            write_text(self._file(record.name), _text(record), new=True)
        except FileExistsError:
            raise ServiceExists(name=record.name, whose="it was added before") from None
        except OSError as error:
            raise self.refused(record.name, "add", error) from None

    def change(self, record: Record) -> None:
        """Write down a service anew. Raises ServiceRights."""
        try:
            write_text(self._file(record.name), _text(record))
        except OSError as error:
            raise self.refused(record.name, "change", error) from None

    def forget(self, name: str) -> None:
        """Strike a service out; its settings file stays. Raises ServiceRights."""
        try:
            self._file(name).unlink(missing_ok=True)
        except OSError as error:
            raise self.refused(name, "remove", error) from None

    def _file(self, name: str) -> Path:
        # One name, one file, also where the file system tells capitals apart.
        return self.folder / f"{name.casefold()}.toml"

    def _read(self) -> Iterator[Record]:
        for file in sorted(self.folder.glob("opendent*.toml")):
            try:
                text = read_text(file)
                if text is not None:
                    yield msgspec.convert(tomllib.loads(text), Record, dec_hook=lambda _, value: Path(value))
            except OSError as error:
                raise SettingInvalid(name="service", place=file, why=error.strerror or "it cannot be read") from None
            except (ValueError, TypeError):
                raise SettingInvalid(name="service", place=file, why="it is not a service's file") from None

    def refused(self, name: str, action: str, error: OSError) -> ServiceRights:
        """Return the failure for a folder that this account may not write."""
        return ServiceRights(
            account=current(),
            action=action,
            name=name,
            right=f"to write the folder {self.folder} ({error.strerror or type(error).__name__})",
            how="Run it as an administrator (on Linux and macOS with sudo).",
            manual=f"write {self._file(name)} with the lines name and settings.",
        )


def _text(record: Record) -> str:
    values = {"name": record.name, "settings": str(record.settings), "account": record.account}
    lines = [f"{key} = {msgspec.json.encode(value).decode()}" for key, value in values.items() if value]
    return "\n".join(["# One of this machine's eConnectors: econnector service list", *lines, ""])

"""The configuration step: which database, tested before it is saved; the password kept by the operating system's means.

Open Dental's own dialog tests by writing to the preference table; this one writes nothing, and says of an account that
may not write what will not work with it.
"""

import asyncio
import os
import ssl
import sys
from pathlib import Path

import msgspec

from econnector.base import secrets
from econnector.base.errors import Failure, SettingInvalid, ValueRejected
from econnector.base.places import data_folder, settings_folder
from econnector.base.settings import Loaded
from econnector.office.addresses import DatabasePlace, database_place, hq_url
from econnector.office.opendental_config import OpenDentalConfig, read_config
from econnector.office.service.files import read_text, write_text
from econnector.office.service.tomlfile import Changed, changed
from econnector.office.settings import CREDENTIAL, Database, Hq, Settings, load_settings
from econnector.opendental.schema import inspect
from econnector.storage import database as databases
from econnector.storage.server import ServerFacts, server_facts

__all__ = [
    "Access",
    "Own",
    "Saved",
    "Tested",
    "beginning",
    "find_config",
    "own_places",
    "save",
    "split_server",
    "try_out",
]

_STATEMENT_SECONDS = 10.0
_PORTS = 65535
_PEM = b"-----BEGIN CERTIFICATE-----"
_LACKS = {
    "SELECT": "it cannot read: nothing will work at all",
    "INSERT": "no heartbeat can be written, so Open Dental shows the eConnector as down; patients cannot sign in, "
    "send messages or set passwords",
    "UPDATE": "heartbeats, passwords and read marks cannot be kept up to date",
    "DELETE": "outdated heartbeats and alerts cannot be taken away",
}


class Access(msgspec.Struct, frozen=True):
    """What the dialog asks for."""

    host: str = "localhost"
    port: int = 3306
    database: str = "opendental"
    user: str = "root"
    password: str = ""
    ca: Path | None = None
    """PEM file of the server's authority (Open Dental's SkySQL PEM); with it, TLS is required."""
    hq: str = ""

    def __repr__(self) -> str:
        return f"Access({self.host!r}, {self.port}, {self.database!r}, {self.user!r})"

    @property
    def server(self) -> str:
        """Host, and port where it is not the usual one."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == Database().port else f"{shown}:{self.port}"

    def checked(self) -> "Access":
        """Return it without blanks around. Raises ValueRejected, SettingInvalid."""
        values = {name: getattr(self, name).strip() for name in ("host", "database", "user", "hq")}
        for name, label in (("host", "Server"), ("database", "Database"), ("user", "User")):
            if not values[name]:
                raise ValueRejected(field=name, why=f"{label} may not be blank.")
        if not 0 < self.port <= _PORTS:
            raise ValueRejected(field="host", why="The port is a number from 1 to 65535.")
        if values["hq"]:
            places = {"hq.url": "what was typed"}
            hq_url(Loaded(Settings(hq=Hq(url=values["hq"])), None, places))
        return msgspec.structs.replace(self, **values, ca=_checked_ca(self.ca))

    def place(self) -> DatabasePlace:
        """Return where the database is and how to log in."""
        database = Database(host=self.host, port=self.port, name=self.database, user=self.user, ca=self.ca)
        database.password = self.password
        return database_place(Loaded(Settings(database=database), None, {}))


class Tested(msgspec.Struct, frozen=True):
    """What the database said."""

    server: str
    """What it is, such as `MariaDB 10.11.14`."""
    version: str
    """Of Open Dental's database."""
    encrypted: bool
    lacking: tuple[str, ...] | None
    """Of SELECT, INSERT, UPDATE and DELETE; None when its grants do not tell."""
    warnings: list[str]
    """Sentences about what will not work."""


class Own(msgspec.Struct, frozen=True):
    """What a service has for itself where a machine has several."""

    state: Path
    log: Path
    port: int


class Saved(msgspec.Struct, frozen=True):
    """What was written."""

    file: Path
    password: Path
    comments_kept: bool


def split_server(text: str) -> tuple[str, int]:
    """Return host and port of `host[:port]`. Raises ValueRejected."""
    host, colon, port = text.strip().rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        return text.strip().strip("[]"), Database().port
    if not port.isascii() or not port.isdigit() or not 0 < int(port) <= _PORTS:
        raise ValueRejected(field="host", why="Behind the server's colon is its port, a number from 1 to 65535.")
    return host.strip("[]"), int(port)


def find_config() -> Path | None:
    """Return Open Dental's own FreeDentalConfig.xml where this machine has one."""
    if sys.platform != "win32":
        return None
    roots = [os.environ.get(name) for name in ("PROGRAMFILES(X86)", "PROGRAMFILES")]
    files = [Path(root, "Open Dental", "FreeDentalConfig.xml") for root in roots if root]
    return next((file for file in files if file.is_file()), None)


def beginning(file: Path, config: Path | None = None) -> Access:
    """Return what the dialog begins with.

    That is what the settings file says, else Open Dental's config file (`config`, or the one that is found), else
    localhost, opendental, root. Raises SettingInvalid for a `config` that cannot be read.
    """
    with_config = _from_config(read_config(config)) if config else _found()
    try:
        loaded = load_settings(file if file.exists() else None, environment={})
        place = database_place(loaded)
    except Failure:
        return with_config
    told = any(at != "default" for name, at in loaded.places.items() if name.startswith("database."))
    if not told or config or place.url.startswith("sqlite"):
        return msgspec.structs.replace(with_config, hq=loaded.value.hq.url)
    host, port = split_server(place.server)
    return Access(host, port, place.name, place.user, place.password or "", place.ca, loaded.value.hq.url)


def _found() -> Access:
    file = find_config()
    try:
        return _from_config(read_config(file)) if file else Access()
    except SettingInvalid:
        return Access()


def _from_config(config: OpenDentalConfig) -> Access:
    return Access(config.host, config.port, config.database, config.user or "root", config.password, config.ca)


def try_out(access: Access) -> Tested:
    """Log in and look, without writing anything. Blocks; raises the database's failures and what `checked` raises."""
    return asyncio.run(_try_out(access.checked()))


async def _try_out(access: Access) -> Tested:
    place = access.place()
    database = databases.Database(
        place.url, password=place.password, ca=place.ca, workers=1, statement_seconds=_STATEMENT_SECONDS
    )
    try:
        facts = await database.run(server_facts)
        schema = await database.run(inspect)
    finally:
        await database.close()
    return Tested(facts.version, schema.version, bool(facts.cipher), facts.lacking, _warnings(facts, access))


def _warnings(facts: ServerFacts, access: Access) -> list[str]:
    who = f"{access.user} on {access.database}"
    if facts.lacking is None:
        said = f"Whether {who} may write cannot be told from its grants: they are by role or by table."
        return [said, "`econnector doctor --only database` says more."]
    if not facts.lacking:
        return []
    rights = ", ".join(facts.lacking)
    effects = "; ".join(f"without {right}, {_LACKS[right]}" for right in facts.lacking)
    grant = f"GRANT SELECT, INSERT, UPDATE, DELETE ON `{access.database}`.* TO '{access.user}'@'…'"
    return [f"{who} lacks {rights}: {effects}.", f"The database's administrator gives these rights with: {grant}."]


def _checked_ca(file: Path | None) -> Path | None:
    """Return the PEM file as an absolute path. Raises SettingInvalid when it holds no certificate."""
    if file is None:
        return None
    absolute = file.expanduser().absolute()
    try:
        good = _PEM in absolute.read_bytes()
        ssl.create_default_context(cafile=str(absolute))
    except ssl.SSLError:
        good = False
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SettingInvalid(name="database.ca", place=absolute, why=why) from None
    if not good:
        raise SettingInvalid(name="database.ca", place=absolute, why="it holds no certificate in PEM form")
    return absolute


def own_places(file: Path, others: list[Path]) -> Own | None:
    """Return what the service with a new settings file needs for itself; None where nobody else is in its way."""
    if file.exists() or (not others and file == settings_folder() / "office.toml"):
        return None
    taken = {_window_port(other) for other in others}
    port = next(port for port in range(Settings().window.port, _PORTS) if port not in taken)
    folder = data_folder() / file.stem
    return Own(folder / "office.sqlite", folder / "log", port)


def _window_port(file: Path) -> int:
    try:
        return load_settings(file, environment={}).value.window.port
    except Failure:
        return Settings().window.port


def save(file: Path, access: Access, own: Own | None = None) -> Saved:
    """Write what the dialog asked for into the settings file; everything else in it stays.

    The password goes to a place of its own, and out of the file where it stood there. Raises SettingInvalid,
    ValueRejected.
    """
    access, file = access.checked(), file.absolute()
    text = _current(file)
    try:
        _changed(text, access, file, own)
        password = secrets.keep(CREDENTIAL, access.password, file.parent / "secrets" / file.stem)
        made = _changed(text, access, password, own)
        write_text(file, made.text, mode=_mode(file))
    except OSError as error:
        raise SettingInvalid(name="file", place=file, why=error.strerror or type(error).__name__) from None
    except ValueError as error:
        raise SettingInvalid(name="file", place=file, why=f"it is not TOML: {error}") from None
    return Saved(file, password, made.comments_kept)


def _current(file: Path) -> str:
    try:
        text = read_text(file)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not a UTF-8 text"
        raise SettingInvalid(name="file", place=file, why=why) from None
    return _HEAD if text is None else text.removeprefix("\ufeff")


_HEAD = "# Written by `econnector service configure`. Every setting: docs/settings.md; changes by hand stay.\n"


def _changed(text: str, access: Access, password: Path, own: Own | None) -> Changed:
    changes: dict[str, object] = {}
    if own is not None:
        changes |= {"state": str(own.state), "log.folder": str(own.log), "window.port": own.port}
    changes |= {
        "hq.url": access.hq or None,
        "database.host": access.host,
        "database.port": access.port,
        "database.name": access.database,
        "database.user": access.user,
        "database.password_file": str(password),
        "database.ca": str(access.ca) if access.ca else None,
        "database.url": None,
        "database.password": None,
        "open_dental_config": None,
    }
    return changed(text, changes)


def _mode(file: Path) -> int:
    try:
        return file.stat().st_mode & 0o777
    except OSError:
        return 0o644  # no secret stands in it, and the service's account reads it

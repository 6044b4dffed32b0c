"""Whether two services would be one office's: the same database, settings file or state file."""

import asyncio
import ipaddress
from pathlib import Path

import psutil

from econnector.base.errors import Failure, ServiceDatabaseTaken
from econnector.base.settings import Loaded
from econnector.office.addresses import DatabasePlace, database_place
from econnector.office.service.book import Record
from econnector.office.service.names import same
from econnector.office.settings import Settings, load_settings

__all__ = ["hosts_of", "refuse_place", "refuse_same", "same_database"]

_LOCAL = "this machine"
_DNS_SECONDS = 3.0


def refuse_same(name: str, loaded: Loaded[Settings], others: list[Record]) -> None:
    """Refuse settings with which the service `name` would meet another one of this machine.

    A service whose settings cannot be read serves nothing and meets nobody. Raises ServiceDatabaseTaken, and
    SettingInvalid where `loaded` does not say which database.
    """
    place = database_place(loaded)
    for other in others:
        if not same(other.name, name):
            _refuse(name, place, loaded, other)


def refuse_place(name: str, place: DatabasePlace, others: list[Record]) -> None:
    """Refuse a database that another service of this machine serves, before it is saved. Raises as `refuse_same`."""
    for other in others:
        theirs = None if same(other.name, name) else _settings(other)
        if theirs is not None and same_database(place, database_place(theirs)):
            raise ServiceDatabaseTaken(name=name, what=f"the database {place.name} on {place.server}", other=other.name)


def _refuse(name: str, place: DatabasePlace, loaded: Loaded[Settings], other: Record) -> None:
    if loaded.file is not None and _resolved(other.settings) == _resolved(loaded.file):
        what = f"the database in the settings file {loaded.file}"
        raise ServiceDatabaseTaken(name=name, what=what, other=other.name)
    theirs = _settings(other)
    if theirs is None:
        return
    refuse_place(name, place, [other])
    if _resolved(theirs.value.state_file) == _resolved(loaded.value.state_file):
        what = f"a database with the state file {loaded.value.state_file} (each needs its own setting `state`)"
        raise ServiceDatabaseTaken(name=name, what=what, other=other.name)


def _settings(other: Record) -> Loaded[Settings] | None:
    try:
        loaded = load_settings(other.settings, environment={})
        database_place(loaded)
    except Failure:
        return None
    return loaded


def same_database(one: DatabasePlace, other: DatabasePlace) -> bool:
    """Return whether two places are one database, however its server is written."""
    if one.url.startswith("sqlite") or other.url.startswith("sqlite"):
        return one.url == other.url or _resolved(Path(one.server)) == _resolved(Path(other.server))
    (host, port), (their_host, their_port) = (place.server.rpartition(":")[::2] for place in (one, other))
    # Database names are compared without capitals: on Windows and macOS, MySQL makes no difference.
    if port != their_port or one.name.casefold() != other.name.casefold():
        return False
    return host.casefold() == their_host.casefold() or bool(hosts_of(host) & hosts_of(their_host))


def hosts_of(host: str) -> set[str]:
    """Return the addresses that `host` stands for; every address of this machine is the same one."""
    bare = host.strip("[]").casefold()
    try:
        addresses = {str(ipaddress.ip_address(bare))}
    except ValueError:
        addresses = _resolve(bare)
    own = _own()
    return {_LOCAL if address in own or ipaddress.ip_address(address).is_loopback else address for address in addresses}


def _resolve(host: str) -> set[str]:
    async def ask() -> set[str]:
        found = await asyncio.get_running_loop().getaddrinfo(host, None)
        return {str(entry[4][0]).partition("%")[0] for entry in found}

    try:
        return asyncio.run(asyncio.wait_for(ask(), _DNS_SECONDS))
    except (OSError, TimeoutError, UnicodeError):
        return set()


def _own() -> set[str]:
    return {entry.address.partition("%")[0] for entries in psutil.net_if_addrs().values() for entry in entries}


def _resolved(file: Path) -> Path:
    try:
        return file.resolve()
    except (OSError, RuntimeError):
        return file.absolute()

"""What follows from the settings: HQ's address to dial, and the place of the practice's database."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from econnector.base.errors import SettingInvalid, SettingMissing
from econnector.base.settings import Loaded
from econnector.office.settings import PREFIX, Settings

__all__ = ["DatabasePlace", "database_place", "hq_url"]


@dataclass(frozen=True, slots=True)
class DatabasePlace:
    """Where the database is and how to log in."""

    url: str
    """Without password."""
    password: str | None
    ca: Path | None
    server: str
    """Host and port, or the SQLite file, for people."""
    name: str
    user: str

    def __repr__(self) -> str:
        return f"DatabasePlace({self.url!r})"


def hq_url(loaded: Loaded[Settings]) -> str:
    """Return the address to dial: `https` becomes `wss`, and no path becomes `/link`.

    Raises SettingMissing or SettingInvalid.
    """
    text = loaded.value.hq.url
    if not text:
        where = f"{loaded.file or 'the settings file (there is none)'} and the environment"
        raise SettingMissing(name="hq.url", places=where, variable=f"{PREFIX}_HQ_URL")
    try:
        parts = urlsplit(text if "//" in text else f"wss://{text}")
        good = parts.hostname and (parts.port or 1) and not parts.username
    except ValueError:
        good = None
    scheme = {"https": "wss", "http": "ws"}.get(parts.scheme, parts.scheme) if good else ""
    if scheme not in {"wss", "ws"}:
        why = "it must look like wss://hq.example.com/link"
        raise SettingInvalid(name="hq.url", place=loaded.places["hq.url"], why=why)
    if scheme == "ws" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        why = "ws:// without TLS is only for this machine itself; it must be wss://"
        raise SettingInvalid(name="hq.url", place=loaded.places["hq.url"], why=why)
    path = parts.path if parts.path.strip("/") else "/link"
    return urlunsplit((scheme, parts.netloc, path, parts.query, ""))


def database_place(loaded: Loaded[Settings]) -> DatabasePlace:
    """Return where the database is. Raises SettingInvalid."""
    database = loaded.value.database
    if database.url:
        return _from_url(loaded)
    host = f"[{database.host}]" if ":" in database.host else database.host
    server = f"{host}:{database.port}"
    url = f"mysql://{quote(database.user, safe='')}@{server}/{quote(database.name, safe='')}"
    return DatabasePlace(url, database.password, database.ca, server, database.name, database.user)


def _from_url(loaded: Loaded[Settings]) -> DatabasePlace:
    database, place = loaded.value.database, loaded.places["database.url"]
    try:
        parts = urlsplit(database.url)
        port, host, scheme = parts.port or 3306, parts.hostname or "", parts.scheme.split("+")[0]
    except ValueError:
        port, host, scheme = 0, "", ""
    if scheme == "sqlite":
        file = Path(unquote(parts.path.removeprefix("/")))
        if loaded.file and place == str(loaded.file):
            file = loaded.file.parent / file
        file = file.absolute()
        return DatabasePlace(f"sqlite:///{file}", None, None, str(file), file.name, "")
    name = unquote(parts.path.strip("/")) if scheme in {"mysql", "mariadb"} else ""
    if not host or not name:
        why = "it must look like mysql://user@host:3306/opendental or sqlite:///practice.sqlite"
        raise SettingInvalid(name="database.url", place=place, why=why)
    if parts.password and place == "flag":
        why = "a password never stands in a command line; give it as database.password"
        raise SettingInvalid(name="database.url", place=place, why=why)
    user, shown = unquote(parts.username or database.user), f"[{host}]" if ":" in host else host
    url = f"mysql://{quote(user, safe='')}@{shown}:{port}/{quote(name, safe='')}"
    password = unquote(parts.password) if parts.password else database.password
    return DatabasePlace(url, password, database.ca, f"{shown}:{port}", name, user)

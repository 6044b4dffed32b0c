"""An existing `FreeDentalConfig.xml` or `OpenDentalWebConfig.xml`: where Open Dental says its database is.

Shape (od-connector 3.3): `ConnectionSettings/DatabaseConnection` with `ComputerName` (host or host:port), `Database`,
`User`, `Password`, `MySQLPassHash` (the password in a cipher that only Open Dental has), `DatabaseType`, `SslCa`.
"""

from pathlib import Path
from xml.parsers import expat

import msgspec

from econnector.base.errors import SettingInvalid

__all__ = ["OpenDentalConfig", "middle_tier_uri", "read_config", "settings_text"]

LARGEST = 1 << 20
DEEPEST = 20
WANTED = {"ComputerName", "Database", "User", "Password", "MySQLPassHash", "DatabaseType", "SslCa"}


class OpenDentalConfig(msgspec.Struct, frozen=True):
    """What the file says about the database; empty where it says nothing."""

    file: Path
    host: str
    port: int
    database: str
    user: str
    password: str
    encrypted: bool
    """The password is there, but only in Open Dental's own cipher."""
    ca: Path | None


_MIDDLE_TIER = (
    "with it Open Dental uses a middle tier, and the eConnector needs the database itself: set database.host, "
    "database.name and database.user, which `econnector service configure` asks for"
)


def read_config(file: Path) -> OpenDentalConfig:
    """Read an Open Dental config file. Raises SettingInvalid, whose words quote nothing of the file's content."""
    file = file.absolute()  # what it names beside itself is looked for from elsewhere
    found = _Reader(file).read()
    kind = found.get("DatabaseType") or "MySql"
    if kind.lower() != "mysql":
        raise _invalid(file, "it names a database type other than MySql")
    if not found.get("ComputerName") and found.get("URI"):
        raise _invalid(file, _MIDDLE_TIER)
    if not found.get("ComputerName") or not found.get("Database"):
        raise _invalid(file, "it has no DatabaseConnection with ComputerName and Database")
    host, port = _host(file, found["ComputerName"])
    password = found.get("Password", "")
    password = password if password.strip() else ""  # an indented empty element
    return OpenDentalConfig(
        file=file,
        host=host,
        port=port,
        database=found["Database"],
        user=found.get("User", ""),
        password=password,
        encrypted=not password and bool(found.get("MySQLPassHash")),
        ca=_beside(file, found.get("SslCa", "")),
    )


def middle_tier_uri(file: Path) -> str:
    """Return the address of the middle tier that the file names, empty where Open Dental asks the database itself.

    Raises SettingInvalid as `read_config` does.
    """
    found = _Reader(file.absolute()).read()
    return "" if found.get("ComputerName") else found.get("URI", "")


def _invalid(file: Path, why: str) -> SettingInvalid:
    return SettingInvalid(name="open_dental_config", place=file, why=why)


def _host(file: Path, text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or ":" in host:  # no port, or an IPv6 address
        return text.strip("[]"), 3306
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:  # noqa: PLR2004 - TCP's ports
        raise _invalid(file, "the port in ComputerName is not a number from 1 to 65535")
    return host, int(port)


def _beside(file: Path, text: str) -> Path | None:
    return file.parent / text if text and "\0" not in text else None


class _Reader:
    """Reads the first DatabaseConnection; refuses everything such a file never has: DTD, entities, depth, size."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._path: list[str] = []
        self._text: list[str] = []
        self._found: dict[str, str] = {}
        self._done = False

    def read(self) -> dict[str, str]:
        try:
            with self._file.open("rb") as stream:
                content = stream.read(LARGEST + 1)
        except (OSError, ValueError) as error:
            raise _invalid(self._file, getattr(error, "strerror", None) or "its name cannot be used") from None
        if len(content) > LARGEST:
            raise _invalid(self._file, "it is larger than such a file ever is")
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        try:
            parser.Parse(content, True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            line = f" (line {error.lineno})" if isinstance(error, expat.ExpatError) else ""
            raise _invalid(self._file, f"it is not XML{line}") from None
        return self._found

    def _refuse(self, *_: object) -> None:
        raise _invalid(self._file, "it declares a document type or entities, which such a file never does")

    def _start(self, name: str, _: dict[str, str]) -> None:
        self._path.append(name)
        self._text.clear()
        if len(self._path) > DEEPEST:
            raise _invalid(self._file, "it is nested deeper than such a file ever is")

    def _end(self, name: str) -> None:
        self._path.pop()
        inside = bool(self._path) and self._path[-1] == "DatabaseConnection"
        if inside and name in WANTED and not self._done:
            text = "".join(self._text)
            self._found[name] = text if name == "Password" else text.strip()
        if name == "URI" and self._path and self._path[-1] == "ServerConnection":
            self._found.setdefault("URI", "".join(self._text).strip())
        self._done = self._done or name == "DatabaseConnection"
        self._text.clear()


def settings_text(config: OpenDentalConfig, password: str) -> str:
    """Return a settings file (TOML) that says the same."""
    values: dict[str, str | int] = {"host": config.host, "port": config.port, "name": config.database}
    values |= {"user": config.user} if config.user else {}
    values |= {"password": password} if password else {}
    values |= {"ca": str(config.ca)} if config.ca else {}
    lines = [f"{name} = {_toml(value)}" for name, value in values.items()]
    head = '# Made from Open Dental\'s own config file. Every setting: docs/settings.md\n\n[hq]\n# url = "wss://…"\n'
    return "\n".join([head, "[database]", *lines, ""])


def _toml(value: str | int) -> str:
    # A JSON string is a TOML basic string.
    return msgspec.json.encode(value).decode()

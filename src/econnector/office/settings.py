"""The connector's settings: what they are, and where the database's password may come from."""

import os
import platform
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from econnector.base import secrets
from econnector.base.errors import SettingInvalid, SettingMissing
from econnector.base.logs import Level
from econnector.base.places import data_folder, settings_folder
from econnector.base.settings import Loaded, described, load
from econnector.office.opendental_config import OpenDentalConfig, middle_tier_uri, read_config

__all__ = ["CREDENTIAL", "PREFIX", "Settings", "find_file", "load_settings", "names_database"]

PREFIX = "ECONNECTOR_OFFICE"
CREDENTIAL = "database-password"
"""Name of the systemd credential: `LoadCredentialEncrypted=database-password:…` in the unit."""
STRIPE_CREDENTIALS = {
    "payments.stripe_key": "stripe-key",
    "payments.stripe_webhook_secret": "stripe-webhook-secret",
}
"""As `CREDENTIAL`, by setting."""


class Hq(msgspec.Struct):
    """Where HQ is and how to get there."""

    url: Annotated[str, described("HQ's address as the vendor gave it, such as `wss://hq.example.com/link`.")] = ""
    ca: Annotated[Path | None, described("PEM file of HQ's certificate authority, where it is a private one.")] = None
    proxy: Annotated[
        str, described("Proxy to HQ: `system` asks the operating system, `none` goes directly, or `http://host:port`.")
    ] = "system"
    heartbeat_seconds: Annotated[int, described("How often HQ hears from us.", ge=5, le=300)] = 60

    def way_out(self) -> str | bool:
        """Return the proxy as the dialler takes it: true for the system's own, false for none, or an address."""
        address = self.proxy if "://" in self.proxy else f"http://{self.proxy}"
        return {"system": True, "none": False}.get(self.proxy, address)


class Database(msgspec.Struct):
    """Open Dental's database."""

    url: Annotated[
        str,
        described(
            "All in one: `mysql://user@host:3306/opendental` or `sqlite:///practice.sqlite`; instead of host, port, "
            "name and user.",
            secret=True,
        ),
    ] = ""
    host: Annotated[str, described("The database server.")] = "localhost"
    port: Annotated[int, described("Its port.", ge=1, le=65535)] = 3306
    name: Annotated[str, described("The database.")] = "opendental"
    user: Annotated[str, described("The account that the connector logs in with.")] = "root"
    password: Annotated[
        str,
        described(
            "Its password. Best given as the environment variable, as the systemd credential `database-password` or "
            "in `password_file`; a settings file that holds it must be readable by its owner only.",
            secret=True,
        ),
    ] = ""
    password_file: Annotated[
        Path | None,
        described(
            "File whose first line is the password, readable by its owner only; or one that `econnector service "
            "configure` has sealed with this machine's key (`.cred` by systemd, `.dpapi` by Windows)."
        ),
    ] = None
    ca: Annotated[
        Path | None,
        described(
            "PEM file of the server's certificate authority (Open Dental's \"SkySQL PEM\"): TLS is then required."
        ),
    ] = None


class Images(msgspec.Struct):
    """Open Dental's images folder (AtoZ)."""

    root: Annotated[
        Path | None, described("The images folder as this machine sees it, where Open Dental's own path is not right.")
    ] = None


class Log(msgspec.Struct):
    """The connector's log files."""

    folder: Annotated[Path | None, described("Where they are; by default `log` in the data folder.")] = None
    level: Annotated[
        Level,
        described(
            "The least that is written: `error`, `information` or `verbose`, as Open Dental calls them; `warning`, "
            "`info` and `debug` are taken too. `econnector office logs --level` changes it without a restart."
        ),
    ] = "information"
    days: Annotated[
        int | None,
        described(
            "Days to keep log files, 0 for ever; by default what Open Dental's eConnector window says (30).",
            ge=0,
            le=36500,
        ),
    ] = None


class Window(msgspec.Struct):
    """The eConnector Service window, a web page on this machine alone."""

    enabled: Annotated[bool, described("Whether the connector serves its window.")] = True
    address: Annotated[str, described("Where it is served; only this machine's own loopback addresses.")] = "127.0.0.1"
    port: Annotated[int, described("Its port.", ge=1, le=65535)] = 30790


class Awake(msgspec.Struct):
    """Keeping the machine from sleeping."""

    keep: Annotated[bool, described("Whether the machine is kept awake while the connector runs.")] = True


class Mail(msgspec.Struct):
    """Sending mail through the accounts of Open Dental's e-mail setup."""

    ca: Annotated[
        Path | None, described("PEM file of the mail servers' certificate authority, where it is a private one.")
    ] = None


class Payments(msgspec.Struct):
    """Taking cards in the portal."""

    processor: Annotated[
        Literal["open-dental", "stripe"],
        described(
            "`open-dental`: EdgeExpress or XWeb, with the credentials of Open Dental's program links; or `stripe`."
        ),
    ] = "open-dental"
    gateway: Annotated[
        str,
        described("Another server that speaks as the processor does, such as the sandbox of the demo."),
    ] = ""
    ca: Annotated[
        Path | None, described("PEM file of that server's certificate authority, where it is a private one.")
    ] = None
    stripe_key: Annotated[
        str,
        described(
            "Stripe's secret key (`sk_…` or `rk_…`). Best given as the environment variable, as the systemd "
            "credential `stripe-key` or in `stripe_key_file`, as the database's password is.",
            secret=True,
        ),
    ] = ""
    stripe_key_file: Annotated[
        Path | None, described("File whose first line is Stripe's secret key, readable by its owner only.")
    ] = None
    stripe_webhook_secret: Annotated[
        str,
        described(
            "The signing secret of Stripe's notices (`whsec_…`), given in the same ways; the credential is "
            "`stripe-webhook-secret`. Without it payments are asked about every minute.",
            secret=True,
        ),
    ] = ""
    stripe_webhook_secret_file: Annotated[
        Path | None, described("File whose first line is that signing secret, readable by its owner only.")
    ] = None


class Contacts(msgspec.Struct):
    """When the office's contacts are told of what HQ cannot tell them."""

    after_seconds: Annotated[
        int, described("Seconds that HQ or the database is away before contacts get a mail.", ge=5, le=86400)
    ] = 300


class Settings(msgspec.Struct):
    """All settings of the connector."""

    hq: Hq = msgspec.field(default_factory=Hq)
    database: Database = msgspec.field(default_factory=Database)
    images: Images = msgspec.field(default_factory=Images)
    log: Log = msgspec.field(default_factory=Log)
    window: Window = msgspec.field(default_factory=Window)
    awake: Awake = msgspec.field(default_factory=Awake)
    contacts: Contacts = msgspec.field(default_factory=Contacts)
    mail: Mail = msgspec.field(default_factory=Mail)
    payments: Payments = msgspec.field(default_factory=Payments)
    state: Annotated[
        Path | None, described("The connector's own state file; by default `office.sqlite` in the data folder.")
    ] = None
    machine: Annotated[str, described("What this machine is called at HQ; by default its host name.")] = ""
    open_dental_config: Annotated[
        Path | None,
        described("An existing `FreeDentalConfig.xml` or `OpenDentalWebConfig.xml` to take the database's place from."),
    ] = None

    @property
    def state_file(self) -> Path:
        """Where the state file is."""
        return self.state or data_folder() / "office.sqlite"

    @property
    def log_folder(self) -> Path:
        """Where log files go."""
        return self.log.folder or data_folder() / "log"

    @property
    def machine_name(self) -> str:
        """What this machine is called."""
        return self.machine or platform.node() or "this machine"


def find_file(named: Path | None) -> Path | None:
    """Return the settings file: the one named, else `ECONNECTOR_SETTINGS`, else `office.toml` where it exists."""
    variable = os.environ.get("ECONNECTOR_SETTINGS")
    if named or variable:
        return named or Path(str(variable))
    usual = settings_folder() / "office.toml"
    return usual if usual.exists() else None


def load_settings(
    file: Path | None, flags: Mapping[str, object] | None = None, environment: Mapping[str, str] | None = None
) -> Loaded[Settings]:
    """Return the connector's settings, with the password from wherever it may stand.

    Raises:
        SettingInvalid: a value cannot be used, or a file with the password can be read by others.
        SettingMissing: `open_dental_config` holds the password only encrypted, and nothing else gives it.
    """
    variables = os.environ if environment is None else environment
    loaded = load(Settings, file=file, prefix=PREFIX, flags=flags or {}, environment=variables)
    _find_password(loaded, variables)
    for name, credential in STRIPE_CREDENTIALS.items():
        _find_secret(loaded, variables, name, credential)
    config = loaded.value.open_dental_config
    if config and not (names_database(loaded) and config.exists() and middle_tier_uri(config)):
        _take_over(loaded, read_config(config))
    return loaded


def names_database(loaded: Loaded[Settings]) -> bool:
    """Return whether the connector's own settings say where the database is, whatever Open Dental's file says."""
    others = {"default", str(loaded.value.open_dental_config)}
    return any(loaded.places[name] not in others for name in ("database.url", "database.host"))


def _find_password(loaded: Loaded[Settings], variables: Mapping[str, str]) -> None:
    database = loaded.value.database
    if loaded.places["database.url"] == str(loaded.file) and _in_url(database.url):
        _refuse_readable_by_others("database.password", Path(str(loaded.file)))
    _find_secret(loaded, variables, "database.password", CREDENTIAL)


def _find_secret(loaded: Loaded[Settings], variables: Mapping[str, str], name: str, credential: str) -> None:
    """Take a secret from wherever it may stand: flag, environment, systemd credential, a file, the settings file."""
    table, _, attribute = name.partition(".")
    holder, place = getattr(loaded.value, table), loaded.places[name]
    if place == str(loaded.file):
        _refuse_readable_by_others(name, Path(str(loaded.file)))
    if place.startswith("environment") or place == "flag":
        return
    given, file = Path(variables.get("CREDENTIALS_DIRECTORY") or "/nowhere") / credential, f"{attribute}_file"
    if given.is_file():
        setattr(holder, attribute, _first_line(name, given))
        loaded.places[name] = f"systemd credential {credential}"
    elif getattr(holder, file):
        setattr(holder, attribute, secrets.read(getattr(holder, file), f"{table}.{file}"))
        loaded.places[name] = str(getattr(holder, file))


def _first_line(name: str, file: Path) -> str:
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not a UTF-8 text"
        raise SettingInvalid(name=name, place=file, why=why) from None
    return lines[0] if lines else ""


def _refuse_readable_by_others(name: str, file: Path) -> None:
    if os.name == "nt":  # who may read is not in the mode there; the doctor looks at the folder
        return
    if file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        why = f"other accounts of this machine can read it; run `chmod 600 {file}`"
        raise SettingInvalid(name=name, place=file, why=why)


def _take_over(loaded: Loaded[Settings], config: OpenDentalConfig) -> None:
    """Let an Open Dental config file stand between the settings file and the defaults."""
    database, places = loaded.value.database, loaded.places
    if places["database.url"] != "default":
        return
    for name, value in (
        ("host", config.host),
        ("port", config.port),
        ("name", config.database),
        ("user", config.user),
        ("password", config.password),
        ("ca", config.ca),
    ):
        if places[f"database.{name}"] == "default" and value:
            setattr(database, name, value)
            places[f"database.{name}"] = str(config.file)
    if config.encrypted and not database.password:
        where = f"the settings, and {config.file}, which holds it in a form that only Open Dental can read"
        raise SettingMissing(name="database.password", places=where, variable=f"{PREFIX}_DATABASE_PASSWORD")


def _in_url(url: str) -> bool:
    try:
        return bool(urlsplit(url).password)
    except ValueError:
        return False

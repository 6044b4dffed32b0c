"""Write a practice down: its rows into a database, its files into a folder, and the settings to work with both.

A practice that is there already is used as it is: a preference says which one it was, and its files are made again
where they are missing.
"""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from econnector.base.errors import SettingInvalid
from econnector.base.settings import Loaded
from econnector.demo.practice import Practice, compose
from econnector.demo.practice.compose import SEED
from econnector.demo.practice.setup import VERSION
from econnector.office.addresses import database_place
from econnector.office.settings import Settings, load_settings
from econnector.opendental import practicerows, preferences
from econnector.opendental.schema import Schema, inspect
from econnector.storage.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["MARK", "Place", "build"]

MARK = "EConnectorDemoPractice"
"""The preference that a demo database is known by: seed, day and digest of its practice, or `filling`."""
FILLING = "filling "
SETTINGS = "office.toml"
GATEWAY = "http://127.0.0.1:8450"
"""Where `econnector demo gateway` listens: no demo ever asks a real card processor."""


class Place(msgspec.Struct, frozen=True):
    """Where a practice is."""

    practice: Practice
    folder: Path
    settings_file: Path
    loaded: Loaded[Settings]
    """The connector's settings for it, with the database's password if it has one."""
    flags: dict[str, object]
    """What of them stands in no file, or shall not depend on this machine's environment."""
    database: str = ""
    """URL without password, where it is not the SQLite file in `folder`."""

    def at(self, more: dict[str, object]) -> "Place":
        """Return the same place with further settings, by dotted name."""
        return msgspec.structs.replace(self, loaded=load_settings(self.settings_file, self.flags | more))

    def tell(self, hq: str, cards: str) -> None:
        """Write where HQ's link and the card processor are: commands beside a running demo find them, too."""
        self.settings_file.write_text(_settings(self.database, hq, cards), encoding="utf-8")

    @property
    def images(self) -> Path:
        """The images folder."""
        return self.folder / "images"


async def build(  # noqa: PLR0913 - a practice is wished for in one place
    folder: Path, today: dt.date, *, database: str = "", password: str | None = None, hq: str = "", seed: int = 0
) -> Place:
    """Write a practice into `folder`, its rows into `database` or else into a SQLite file there.

    `database` is a URL without password, of a database that has Open Dental's schema and holds no patients, or the
    practice of an earlier demo. `hq` is the address of the link for the settings file; `seed` 0 means the usual one.

    Raises SettingInvalid where the database is in use by a practice, and what `Database.run` raises.
    """
    with _writing(folder):
        folder, file = await asyncio.to_thread(_prepare, folder, _settings(database, hq))
    flags: dict[str, object] = {
        "database.url": database or f"sqlite:///{folder / 'practice.sqlite'}",
        "images.root": str(folder / "images"),
        "payments.gateway": GATEWAY,
        "payments.processor": "open-dental",
        "state": str(folder / "office.sqlite"),
        "log.folder": str(folder / "log"),
    }
    if password is not None:
        flags["database.password"] = password
    loaded = load_settings(file, flags)
    where = database_place(loaded)
    if not database:
        with _writing(folder):
            (folder / "practice.sqlite").touch()
    # Without the guard: this is the one program that fills a practice's tables.
    db = Database(where.url, password=where.password, ca=where.ca, workers=2, statement_seconds=60)
    try:
        practice = await db.run(_settle, db.dialect == "sqlite", folder / "images", today, seed)
    finally:
        await db.close()
    with _writing(folder):
        await asyncio.to_thread(_write_files, practice, folder / "images")
    return Place(practice, folder, file, loaded, flags, database)


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Say which folder it was that could not be written."""
    try:
        yield
    except OSError as error:
        why = f"the folder {folder} cannot be written: {error.strerror or type(error).__name__}"
        raise SettingInvalid(name="folder", place="what the demo was given", why=why) from error


def _prepare(folder: Path, settings: str) -> tuple[Path, Path]:
    """Make the folders and the settings file; return both, whole."""
    folder = folder.resolve()
    for part in ("images/A", "images/EmailAttachments/Out", "images/EmailAttachments/In"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    file = folder / SETTINGS
    file.write_text(settings, encoding="utf-8")
    return folder, file


def _settle(connection: "Connection", own: bool, images: Path, today: dt.date, seed: int) -> Practice:
    """Return the practice that the database holds, or fill it with a new one."""
    if own:
        practicerows.create(connection, VERSION)
    facts = inspect(connection)
    mark = preferences.read(connection, MARK)
    if mark.startswith(FILLING):
        raise _refused("an earlier demo broke off while it filled this database; give it a fresh one")
    if not mark and practicerows.count_patients(connection):
        raise _refused("it already has patients; the demo fills only a database that nobody uses yet")
    if mark:
        practice = _recall(mark)
    else:
        practice = compose(today, seed or SEED)
        _prefer(connection, facts, MARK, FILLING)
        _fill(connection, facts, practice)
        _prefer(connection, facts, MARK, f"{practice.seed} {practice.today} {practice.digest()}")
    _prefer(connection, facts, "DocPath", str(images))
    return practice


def _recall(mark: str) -> Practice:
    """Make the practice again that a database was filled with."""
    seed, day, digest = mark.split()
    practice = compose(dt.date.fromisoformat(day), int(seed))
    if practice.digest() != digest:
        raise _refused("it holds the practice of another version of this demo; give it a fresh one")
    return practice


def _fill(connection: "Connection", facts: Schema, practice: Practice) -> None:
    try:
        for table, shelf in practice.book.tables():
            practicerows.load(connection, facts, table, shelf.rows, shelf.match, shelf.keep)
    except ValueError as error:
        raise _refused(f"its reference rows are not those of a fresh installation: {error}") from error


def _prefer(connection: "Connection", facts: Schema, name: str, value: str) -> None:
    row = {"PrefName": name, "ValueString": value}
    practicerows.load(connection, facts, "preference", [row], ("PrefName",), keep=False)


def _refused(why: str) -> SettingInvalid:
    return SettingInvalid(name="database", place="what the demo was given", why=why)


def _write_files(practice: Practice, images: Path) -> None:
    for file in practice.files:
        path = images / file.path
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.make())


def _settings(database: str, hq: str, cards: str = "") -> str:
    """Return the settings file: relative paths, so that the folder can be moved."""
    lines = [
        "# A synthetic practice: nobody in it is real. Written by `econnector demo`.",
        'state = "office.sqlite"',
        'machine = "front-desk"',
        "",
        "[hq]",
        f"url = {_text(hq or 'ws://127.0.0.1:8440/link')}",
        "",
        "[database]",
        f"url = {_text(database or 'sqlite:///practice.sqlite')}",
        "",
        "[images]",
        'root = "images"',
        "",
        "[payments]",
        f"gateway = {_text(cards or GATEWAY)}",
        "",
        "[log]",
        'folder = "log"',
    ]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    """Return a TOML string (its basic strings are those of JSON)."""
    return msgspec.json.encode(value).decode()

"""A registry in SQLite as the migrations leave it: they run once, and every test takes a copy."""

import shutil
from pathlib import Path

from econnector.hq.registry import migrate
from econnector.hq.registry.database import Registry
from tests.support.once import once

__all__ = ["lay_registry"]

FILE = "registry.db"


def _migrated(folder: Path) -> None:
    registry = Registry(f"sqlite:///{folder / FILE}")
    migrate.upgrade(registry)
    registry.engine.dispose()


def lay_registry(folder: Path) -> None:
    """Put an empty registry into `folder`, unless one is there."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / FILE).exists():
        shutil.copyfile(once("registry", _migrated) / FILE, folder / FILE)

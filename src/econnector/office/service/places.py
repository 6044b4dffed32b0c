"""Where a new service's settings go, and what somebody who installs it by hand needs."""

import os
from pathlib import Path

from econnector.base.places import settings_folder
from econnector.office.service.accounts import is_root
from econnector.office.service.book import Record
from econnector.office.service.command import run_command
from econnector.office.service.contract import Definition
from econnector.office.service.folders import folders_of
from econnector.office.service.names import same

__all__ = ["by_hand", "settings_for"]


def settings_for(name: str, records: list[Record]) -> Path:
    """Return the settings file of a new service: the usual one for the first, one of its own for every other."""
    named = os.environ.get("ECONNECTOR_SETTINGS")
    usual = Path(named).absolute() if named else settings_folder() / "office.toml"
    taken = any(record.settings == usual and not same(record.name, name) for record in records)
    return usual.with_name(f"{name}.toml") if taken else usual


def by_hand(kind: str, record: Record) -> str:
    """Return the text that the operating system would get for a service."""
    definition = Definition(record.name, record.settings, record.account)
    if kind == "systemd":
        from econnector.office.service.unit import unit_text  # noqa: PLC0415 - one of four is needed

        return unit_text(definition, folders_of(definition), user=not is_root())
    if kind == "launchd":
        from econnector.office.service.launchd import Launchd, plist_text  # noqa: PLC0415 - as above

        user = not is_root()
        return plist_text(definition, Launchd(user=user).output(record.name), agent=user)
    if kind == "windows":
        from econnector.office.service.windows import binary  # noqa: PLC0415 - as above

        return binary(definition) + "\n"
    return " ".join(run_command(record.settings)) + "\n"

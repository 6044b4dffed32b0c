"""A practice in which every text is an attack: all text columns of all of Open Dental's tables that have rows.

Which columns there are comes from the tables' metadata, so that a column that is added is hostile by itself. What
stays as it is carries a meaning without which no page would be shown; it is named here, each with what it is.
"""

import importlib
import pkgutil
import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import String

from econnector import opendental
from econnector.opendental import tables

__all__ = ["MEANING", "poison", "text_columns"]

MEANING: Final = {
    "appointment": {"Pattern"},  # how long it takes, a letter for five minutes
    "definition": {"ItemValue"},  # which categories patients may see
    "document": {"FileName", "ExternalSource"},  # names a file that is there, and says that it is there
    "emailattach": {"ActualFileName"},  # names a file that is there
    "emailmessage": {"MsgType"},  # which messages are web mail
    "patient": {"ImageFolder"},  # names a folder that is there
    "preference": {"PrefName", "ValueString"},  # below
    "userod": {"UserName", "Password"},  # what staff sign in with
    "userweb": {"UserName", "Password"},  # what patients sign in with
}
"""Text columns that carry a meaning, by table."""
_MEANT: Final = {
    *("AtoZfolderUsed", "DocPath", "DataBaseVersion", "ProgramVersion", "UpdateInProgressOnComputerName"),
    *("LanguageAndRegion", "FamPhiAccess", "DateLastAging", "BalancesDontSubtractIns", "PracticeDefaultProv"),
    *("EasyNoClinics", "ApptEConfirmStatusAccepted", "PracticeST"),
}
"""Preferences that carry a meaning."""


def text_columns() -> dict[str, list[str]]:
    """Return the text columns of every table that we know, but for those that carry a meaning."""
    return {
        table.name: [
            column.name
            for column in table.columns
            if isinstance(column.type, String) and column.name not in MEANING.get(table.name, ())
        ]
        for table in tables.metadata.sorted_tables
    }


def poison(file: Path, text: str) -> None:
    """Write `text` into every text of the practice in `file` (SQLite) that carries no meaning."""
    with sqlite3.connect(file, timeout=60) as practice:
        for table, names in text_columns().items():
            there = {row[1] for row in practice.execute(f"PRAGMA table_info({table})")}
            named = ", ".join(f"{name}=?" for name in names if name in there)
            if named:
                practice.execute(f"UPDATE {table} SET {named}", [text] * named.count("?"))
        for name in _preferences() - _MEANT:
            practice.execute("DELETE FROM preference WHERE PrefName=?", (name,))
            practice.execute("INSERT INTO preference (PrefName, ValueString) VALUES (?, ?)", (name, text))
    practice.close()


def _preferences() -> set[str]:
    """Return the preferences that the modules of `opendental` say they read."""
    found: set[str] = set()
    for module in pkgutil.iter_modules(opendental.__path__):
        named = getattr(importlib.import_module(f"{opendental.__name__}.{module.name}"), "SETTINGS", ())
        found.update(named)
    return found

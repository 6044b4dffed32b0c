"""Table preference: the practice's settings, by name.

A setting may have no row: newer settings are added by updates. The reader then says what that means.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, select

from econnector.opendental import writes
from econnector.opendental.schema import Schema
from econnector.opendental.tables import preference

__all__ = ["read", "read_many", "write"]

# Built once: building a statement takes longer than running it.
_NAMED = select(preference.c.PrefName, preference.c.ValueString).where(
    preference.c.PrefName.in_(bindparam("names", expanding=True))
)


def read(connection: Connection, name: str, default: str = "") -> str:
    """Return a setting's text, or `default` if it has no row."""
    found = connection.scalar(select(preference.c.ValueString).where(preference.c.PrefName == name))
    return default if found is None else found


def read_many(connection: Connection, names: Iterable[str], **defaults: str) -> dict[str, str]:
    """Return the settings' texts by name; one without a row is ''. `defaults`: further names, and what no row means."""
    found = dict.fromkeys(names, "") | defaults
    rows = connection.execute(_NAMED, {"names": list(found)})
    return found | {row.PrefName: row.ValueString for row in rows if row.PrefName in found}


def write(connection: Connection, schema: Schema, name: str, value: str) -> None:
    """Set a setting, adding its row if there is none. Workstations learn of it by a Prefs signal (`cachesignals`)."""
    here = preference.c.PrefName == name
    if connection.scalar(select(preference.c.PrefNum).where(here)) is None:
        writes.insert(connection, schema, preference, {"PrefName": name, "ValueString": value, "Comments": ""})
    else:
        writes.update(connection, schema, preference, {"ValueString": value}, here)

"""Where in a settings file a setting stands, so that whoever corrects it finds it."""

import re

__all__ = ["line_of"]

_TABLE = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")


def line_of(text: str, name: str) -> int:
    """Return the line (from 1) of a TOML file on which the dotted `name` stands, or its table; 0 for nowhere."""
    table, heading = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        found = _TABLE.match(line)
        if found:
            table = _plain(found[1])
            if table == name:
                heading = number
            continue
        key = _plain(line.partition("=")[0]) if "=" in line else ""
        whole = f"{table}.{key}" if table else key
        if key and (whole == name or name.startswith(f"{whole}.")):
            return number
    return heading


def _plain(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))

"""Changing some settings in a TOML file, while everything else in it stays, comments too wherever that can be done."""

import datetime as dt
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

__all__ = ["Changed", "changed"]

_TABLE = re.compile(r"\s*\[\s*([A-Za-z0-9_.-]+)\s*\]\s*(#.*)?")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Changed(msgspec.Struct, frozen=True):
    """A file's new text."""

    text: str
    comments_kept: bool


def changed(text: str, changes: Mapping[str, object]) -> Changed:
    """Return `text` with `changes` by dotted name (`hq.url`); None removes a setting. Raises TOMLDecodeError."""
    wanted = _merged(tomllib.loads(text), changes)
    edited = _edited(text.splitlines(), changes)
    try:
        if tomllib.loads(edited) == wanted:
            return Changed(edited, comments_kept=True)
    except tomllib.TOMLDecodeError:
        pass
    return Changed("\n".join(_table(wanted, "")).lstrip("\n") + "\n", comments_kept="#" not in text)


def _merged(tables: dict[str, Any], changes: Mapping[str, object]) -> dict[str, Any]:
    for name, value in changes.items():
        *path, key = name.split(".")
        table = tables
        for part in path:
            table = table.setdefault(part, {})
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value
    return {key: value for key, value in tables.items() if value != {}}


def _edited(lines: list[str], changes: Mapping[str, object]) -> str:
    """Change line by line what stands on a line of its own; the caller looks whether that was right."""
    for name, value in changes.items():
        table, _, key = name.rpartition(".")
        begin, end = _section(lines, table)
        found = [at for at in range(begin, end) if re.match(rf"\s*{re.escape(key)}\s*=", lines[at])]
        if value is None:
            for at in reversed(found):
                del lines[at]
        elif found:
            lines[found[0]] = f"{key} = {_value(value)}"
        else:
            lines[end:end] = _added(lines, table, f"{key} = {_value(value)}", here=begin <= end and _has(lines, table))
    return "\n".join([*_without_empty(lines, {name.rpartition(".")[0] for name in changes}), ""])


def _added(lines: list[str], table: str, line: str, *, here: bool) -> list[str]:
    if here:
        return [line]
    return [*([""] if lines and lines[-1].strip() else []), f"[{table}]", line]


def _has(lines: list[str], table: str) -> bool:
    return not table or any(_name(line) == table for line in lines)


def _section(lines: list[str], table: str) -> tuple[int, int]:
    """Return the first line of a table's own ones and the one after its last that is not blank."""
    headers = [at for at, line in enumerate(lines) if _name(line) is not None or line.lstrip().startswith("[[")]
    begin = 0 if not table else next((at + 1 for at in headers if _name(lines[at]) == table), len(lines))
    end = next((at for at in headers if at >= begin), len(lines))
    while end > begin and not lines[end - 1].strip():
        end -= 1
    return begin, end


def _name(line: str) -> str | None:
    found = _TABLE.fullmatch(line)
    return found[1] if found else None


def _without_empty(lines: list[str], tables: set[str]) -> Iterator[str]:
    """Drop headings of changed tables that nothing is left under."""
    for at, line in enumerate(lines):
        name = _name(line)
        rest = lines[at + 1 :]
        after = next((each for each in rest if each.strip()), "[")
        if name in tables and after.lstrip().startswith("["):
            continue
        yield line


def _table(table: dict[str, Any], path: str) -> Iterator[str]:
    inner = {key: value for key, value in table.items() if isinstance(value, dict)}
    own = {key: value for key, value in table.items() if key not in inner}
    if own and path:
        yield f"\n[{path}]"
    yield from (f"{_key(key)} = {_value(value)}" for key, value in own.items())
    for key, value in inner.items():
        yield from _table(value, f"{path}.{_key(key)}" if path else _key(key))


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _value(key)


def _value(value: object) -> str:
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + " }"
    # A JSON string, number or truth is TOML's too; what JSON leaves as it is, TOML does not allow.
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")

"""What another account may do with a file or folder, by its owner, group and mode; access lists (ACLs) are not seen."""

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Final

__all__ = ["lacks", "nearest"]

_BITS: Final = {"r": 4, "w": 2, "x": 1}
_WORDS: Final = {"r": "read", "w": "write", "x": "pass through"}


def lacks(who: Mapping[str, object], place: Path, need: str) -> str:
    """Return why the account (`user`, `group`, `extra_groups`, as `user_of` has them) may not do what it needs.

    `need` is some of `rwx`; a place that is not there yet is judged by the folder that it will be made in. An empty
    text: it may.
    """
    try:
        there = nearest(place)
        if there != place:
            need = "wx"
        for folder in reversed(there.parents):
            if _missing(who, folder, "x"):
                return f"it may not pass through {folder}"
        missing = _missing(who, there, need)
    except OSError as error:
        return f"nobody can look at it from here ({error.strerror})"
    if not missing:
        return ""
    words = " and ".join(_WORDS[letter] for letter in missing)
    return f"it may not {words} it" if there == place else f"it may not make it in {there}"


def nearest(place: Path) -> Path:
    """Return the place, or the closest folder above it that is there. Raises OSError, also for a drive that is away."""
    for each in (place, *place.parents):
        if each.exists():
            return each
    raise FileNotFoundError(errno.ENOENT, f"there is no {place.anchor or place}")


def _missing(who: Mapping[str, object], place: Path, need: str) -> str:
    if who.get("user") == 0:
        return ""
    found = place.stat()
    groups = {who.get("group"), *_numbers(who.get("extra_groups"))}
    shift = 6 if found.st_uid == who.get("user") else 3 if found.st_gid in groups else 0
    return "".join(letter for letter in need if not (found.st_mode >> shift) & _BITS[letter])


def _numbers(found: object) -> list[object]:
    return list(found) if isinstance(found, list) else []

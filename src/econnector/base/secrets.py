"""A secret that a program must have when nobody is there to type it: kept by the operating system's own means.

Three ways, told apart by the file's ending::

    NAME.cred     sealed by systemd-creds with this machine's key (and its TPM, where it has one); root opens it
    NAME.dpapi    sealed by Windows (DPAPI) with this machine's key; the file's rights say who may try
    NAME.secret   plain, readable by its owner only: where neither of the others is

No secret ever stands in a command line or an environment that others can see.
"""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

from econnector.base.errors import SettingInvalid, UnsealFailed

__all__ = ["ENDINGS", "Way", "keep", "read", "way_here"]

Way = Literal["systemd", "dpapi", "file"]
ENDINGS: dict[Way, str] = {"systemd": ".cred", "dpapi": ".dpapi", "file": ".secret"}
_SECONDS = 20.0
_BOOTED = Path("/run/systemd/system")


def way_here() -> Way:
    """Return the best way that this machine and this account have."""
    if sys.platform == "win32":
        return "dpapi"
    sealing = os.geteuid() == 0 and _BOOTED.is_dir() and shutil.which("systemd-creds")
    return "systemd" if sealing else "file"


def keep(name: str, secret: str, folder: Path, way: Way | None = None) -> Path:
    """Keep `secret` under `name` in `folder` (made for its owner only); return the file to `read`.

    What was kept under this name before, in whatever way, is gone afterwards. Raises SettingInvalid when it cannot be
    kept.
    """
    chosen = way or way_here()
    file = folder / f"{name}{ENDINGS[chosen]}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = secret.encode() if chosen == "file" else _seal(name, secret.encode(), chosen)
        _write(file, content)
        for other in ENDINGS.values():
            if other != file.suffix:
                file.with_suffix(other).unlink(missing_ok=True)
    except OSError as error:
        raise SettingInvalid(name=name, place=file, why=error.strerror or type(error).__name__) from None
    return file


def read(file: Path, setting: str = "") -> str:
    """Return the secret that `keep` put there: of a plain file the first line. `setting` is what named the file.

    Raises SettingInvalid when the file cannot be read or others can read it, UnsealFailed when it was sealed elsewhere.
    """
    name, said = file.stem, setting or file.stem
    try:
        content = file.read_bytes()
        if file.suffix == ENDINGS["systemd"]:
            return _run(name, "decrypt", f"--name={name}", str(file), "-").decode()
        if file.suffix == ENDINGS["dpapi"]:
            return _unprotect(name, content).decode()
        text = content.decode("utf-8-sig")
        _refuse_readable_by_others(file, said)
    except OSError as error:
        raise SettingInvalid(name=said, place=file, why=error.strerror or type(error).__name__) from None
    except UnicodeDecodeError:
        raise SettingInvalid(name=said, place=file, why="it is not a UTF-8 text") from None
    return next(iter(text.splitlines()), "")


def _seal(name: str, secret: bytes, way: Way) -> bytes:
    if way == "dpapi":
        return _protect(name, secret)
    return _run(name, "encrypt", f"--name={name}", "-", "-", stdin=secret)


def _run(name: str, *words: str, stdin: bytes = b"") -> bytes:
    """Run systemd-creds; the secret goes through pipes."""
    program = shutil.which("systemd-creds")
    if program is None:
        raise UnsealFailed(name=name)
    try:
        done = subprocess.run([program, *words], input=stdin, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603 - by argument list
    except (OSError, subprocess.TimeoutExpired):
        raise UnsealFailed(name=name) from None
    if done.returncode:
        raise UnsealFailed(name=name)
    return done.stdout


def _write(file: Path, content: bytes) -> None:
    """Write a file for its owner only, whole or not at all."""
    handle, made = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # 0600 from its first moment
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        _only_for_owner(Path(made))
        Path(made).replace(file)
    finally:
        Path(made).unlink(missing_ok=True)


def _refuse_readable_by_others(file: Path, said: str) -> None:
    if os.name != "nt" and file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        why = f"other accounts of this machine can read it; run `chmod 600 {file}`"
        raise SettingInvalid(name=said, place=file, why=why)


if sys.platform == "win32":
    from econnector.base.dpapi import only_for_owner as _only_for_owner
    from econnector.base.dpapi import protect as _protect
    from econnector.base.dpapi import unprotect as _unprotect
else:

    def _only_for_owner(_file: Path) -> None:
        """Nothing: the file is made so."""

    def _protect(name: str, _secret: bytes) -> bytes:
        raise UnsealFailed(name=name)

    def _unprotect(name: str, _sealed: bytes) -> bytes:
        raise UnsealFailed(name=name)

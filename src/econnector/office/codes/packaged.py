"""ICD-10-CM as the Python package simple-icd-10-cm holds it, where somebody has installed that beside eConnector.

The package keeps a hundred megabytes for as long as its process lives, so it is read in a process of its own:
`python -m econnector.office.codes.packaged FILE` writes the tab form of what it holds.
"""

import asyncio
import contextlib
import importlib
import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

from econnector.base.errors import CodePackageBroken

__all__ = ["PACKAGE", "from_package", "main", "package_version"]

PACKAGE = "simple-icd-10-cm"
_MODULE = "simple_icd_10_cm"
_CODE = re.compile(r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?")
"""The package also lists chapters (`4`) and blocks (`E08-E13`), which are no codes."""
_SECONDS = 180.0
# What a Python process needs to run; no setting of ours and no password is among them.
_KEPT = ("PATH", "PATHEXT", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "TEMP", "TMP", "LANG", "LC_ALL", "LD_LIBRARY_PATH")


def package_version() -> str:
    """Return the version of the package as it is shown, empty where it is not installed."""
    with contextlib.suppress(ImportError, ValueError):
        if importlib.util.find_spec(_MODULE) is None:
            return ""
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return f"{PACKAGE} {importlib.metadata.version(PACKAGE)}"
        return PACKAGE
    return ""


async def from_package(out: Path) -> None:
    """Write what the package holds to `out`. Raises `CodePackageBroken`."""
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS
    kept = {name: value for name, value in os.environ.items() if name.upper() in _KEPT}
    kept["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    command = (_python(), "-P", "-m", "econnector.office.codes.packaged", str(out))
    child = await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=kept,
        creationflags=flags,
    )
    try:
        async with asyncio.timeout(_SECONDS):
            status = await child.wait()
    except TimeoutError:
        raise _broken(f"it was not read within {_SECONDS:g} seconds") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
    if status:
        raise _broken("it gives no codes, or not in the way that is known")


def _broken(reason: str) -> CodePackageBroken:
    return CodePackageBroken(package=PACKAGE, name="ICD10CM", reason=reason)


def _python() -> str:
    """Return the Python to start; a Windows service runs in a host program of its own."""
    if Path(sys.executable).stem.lower().startswith("python") and "service" not in Path(sys.executable).stem.lower():
        return sys.executable
    return str(Path(sys.exec_prefix) / ("python.exe" if sys.platform == "win32" else "bin/python"))


def main(out: str) -> None:
    """Write the package's codes in its order: the code with its dot, the text, whether nothing finer stands below."""
    if hasattr(os, "nice"):
        os.nice(10)  # a patient's page goes first
    package = importlib.import_module(_MODULE)
    with Path(out).open("w", encoding="utf-8", newline="\n") as file:
        written = 0
        for code in package.get_all_codes(True):
            if _CODE.fullmatch(code):
                text = " ".join(package.get_description(code).split())
                file.write(f"{code}\t{text}\t{int(package.is_leaf(code))}\n")
                written += 1
    if not written:
        raise SystemExit(1)


if __name__ == "__main__":
    main(sys.argv[1])

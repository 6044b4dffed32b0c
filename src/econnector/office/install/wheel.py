"""A wheel of eConnector: is it one, may it be installed here, and how it lands in a folder of its own.

It is ours alone and holds Python only, so that unpacking it is installing it: no pip is needed, and nothing of the
version that runs is touched.
"""

import email.parser
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from importlib import metadata
from pathlib import Path

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from econnector.base.errors import UpdateNeedsMore, WheelRejected

__all__ = ["Wheel", "examine", "newest", "unpack"]

NAME = "econnector"
LARGEST = 200 * 1024 * 1024
_PROBE = (
    "import econnector.cli.main, econnector.office.run, econnector.cli.office, econnector.base.version as v; "
    "print(v.version())"
)
_PROBE_SECONDS = 120.0
_PIP_SECONDS = 600.0
_ANOTHER = "Take the wheel that the vendor gave you for this version, then run the update again."


class Wheel(msgspec.Struct, frozen=True):
    """A wheel that was looked at."""

    file: Path
    version: str
    sha256: str
    missing: tuple[str, ...]
    """Requirements that this Python does not meet."""


def examine(file: Path, current: str, *, force: bool = False) -> Wheel:
    """Return what the wheel is. Raises WheelRejected unless it is eConnector's, whole, and newer than `current`."""
    try:
        name, version, _, tags = parse_wheel_filename(file.name)
    except InvalidWheelFilename:
        raise _rejected(file, "its name is not a wheel's, such as econnector-1.2.3-py3-none-any.whl") from None
    if name != NAME:
        raise _rejected(file, f"it is {name}, not eConnector")
    if not any(tag.platform == "any" and tag.abi == "none" for tag in tags):
        raise _rejected(file, "it is for one kind of computer; eConnector's wheels are for every one")
    told = _metadata(file, f"{NAME}-{version}.dist-info/METADATA")
    _check_python(file, told["Requires-Python"] or "")
    if not force and version <= Version(current):
        why = f"it is version {version}, and {current} is installed"
        raise _rejected(file, why, "With --force an older or equal version is installed all the same.")
    needs = told.get_all("Requires-Dist") or []
    return Wheel(file, str(version), _sha256(file), tuple(text for text in needs if _is_missing(text)))


def newest(folder: Path) -> Path:
    """Return the newest of the folder's eConnector wheels. Raises WheelRejected if there is none."""
    found: list[tuple[Version, Path]] = []
    try:
        for file in sorted(folder.glob(f"{NAME}-*.whl")):
            try:
                found.append((parse_wheel_filename(file.name)[1], file))
            except InvalidWheelFilename:
                continue
    except OSError as error:
        raise _rejected(folder, error.strerror or type(error).__name__) from None
    if not found:
        raise _rejected(folder, "there is no econnector-*.whl in it", f"Put the new version's wheel into {folder}.")
    return max(found)[1]


def unpack(wheel: Wheel, folder: Path) -> None:
    """Unpack it into `folder`, get what it needs, and see that it begins with this Python.

    What a process that died left in `folder` goes first. Raises WheelRejected, UpdateNeedsMore; then nothing is left.
    """
    making = folder.with_name(folder.name + ".making")
    try:
        for left in (making, folder):
            shutil.rmtree(left, ignore_errors=True)
        _extract(wheel, making)
        if wheel.missing:
            _get(wheel, making)
        _try(wheel, making)
        making.rename(folder)
    except OSError as error:
        raise _rejected(wheel.file, f"{folder} cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _metadata(file: Path, name: str) -> email.message.Message:
    try:
        if file.stat().st_size > LARGEST:
            raise _rejected(file, "it is larger than eConnector ever is")
        with zipfile.ZipFile(file) as archive:
            if archive.testzip() is not None:
                raise _rejected(file, "it is damaged")
            return email.parser.Parser().parsestr(archive.read(name).decode())
    except (zipfile.BadZipFile, zlib.error, KeyError, UnicodeDecodeError, EOFError, NotImplementedError, RuntimeError):
        raise _rejected(file, "it is damaged, or no wheel") from None
    except OSError as error:
        raise _rejected(file, error.strerror or type(error).__name__, "See that the file is there.") from None


def _check_python(file: Path, wanted: str) -> None:
    here = ".".join(map(str, sys.version_info[:3]))
    try:
        good = here in SpecifierSet(wanted)
    except InvalidSpecifier:
        good = False
    if not good:
        raise _rejected(file, f"it needs Python {wanted}, and this is {here}", "Install that Python first.")


def _is_missing(text: str) -> bool:
    try:
        wanted = Requirement(text)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            return False
        return Version(metadata.version(wanted.name)) not in wanted.specifier
    except (InvalidRequirement, InvalidVersion, metadata.PackageNotFoundError):
        return True


def _extract(wheel: Wheel, folder: Path) -> None:
    with zipfile.ZipFile(wheel.file) as archive:
        for name in archive.namelist():
            parts = Path(name).parts
            if name.startswith("/") or ".." in parts or ":" in name or not parts or not parts[0].startswith(NAME):
                raise _rejected(wheel.file, "it holds files that are not eConnector's")
        archive.extractall(folder)


def _get(wheel: Wheel, folder: Path) -> None:
    """Install what is missing beside it, from the wheel's folder or the package index."""
    beside = str(wheel.file.parent)
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--target", str(folder)]
    try:
        done = subprocess.run(  # noqa: S603 - by argument list
            [*words, "--find-links", beside, *wheel.missing],
            capture_output=True,
            text=True,
            timeout=_PIP_SECONDS,
            check=False,
        )
        reason = (done.stderr.strip().splitlines() or ["pip does not say why"])[-1] if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = getattr(error, "strerror", None) or "pip did not answer"
    if reason:
        packages = ", ".join(wheel.missing)
        raise UpdateNeedsMore(version=wheel.version, packages=packages, reason=reason)


def _try(wheel: Wheel, folder: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(folder)}
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=False,
            env=environment,
            cwd=folder,
        )
    except (OSError, subprocess.TimeoutExpired):
        raise _rejected(wheel.file, "this Python does not begin with it") from None
    if done.returncode or done.stdout.strip() != wheel.version:
        last = (done.stderr.strip().splitlines() or [f"it says that it is {done.stdout.strip()[:40]}"])[-1]
        raise _rejected(wheel.file, f"this Python does not begin with it: {last[:200]}")


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _rejected(file: Path, why: str, step: str = _ANOTHER) -> WheelRejected:
    return WheelRejected(file=file, why=why, next=step)

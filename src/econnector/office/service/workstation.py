"""Whether an account can run the connector: reads the images folder, reaches the database. Tried as that account.

A workstation's service runs as a named account when the operating system's usual one has no rights on the share with
the images. What can only be known by being that account, and we cannot be it, is said too.
"""

import subprocess
import sys
from pathlib import Path
from typing import Literal

import msgspec

from econnector.base.errors import Failure
from econnector.office.service.accounts import current, is_root
from econnector.office.service.command import environment, user_of
from econnector.office.settings import PREFIX, load_settings

__all__ = ["Remark", "examine"]

_SECONDS = 45.0
_CHECKS = ("database", "images")


class Remark(msgspec.Struct, frozen=True):
    """What was found out about one thing."""

    about: str
    state: Literal["ok", "attention", "problem", "unknown"]
    text: str
    remedy: list[str] = []


class _Findings(msgspec.Struct):
    findings: list["_Finding"]


class _Finding(msgspec.Struct):
    check: str
    state: Literal["ok", "attention", "problem", "unknown"]
    text: str
    remedy: list[str]


def examine(account: str, settings: Path) -> list[Remark]:
    """Try as `account` what a connector with these settings needs. Blocks for up to 45 seconds; never raises."""
    own = not account or account == current()
    if not own and (sys.platform == "win32" or not is_root()):
        return [_cannot_tell(account, settings)]
    words = [sys.executable, "-m", "econnector", "doctor", "--settings", str(settings), "--json"]
    for check in _CHECKS:
        words += ["--only", check]
    try:
        done = subprocess.run(  # type: ignore[call-overload] # noqa: S603 - our own command
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            cwd="/" if sys.platform != "win32" else None,
            env=environment() | _password(settings),
            **({} if own else user_of(account)),
        )
        found = msgspec.json.decode(done.stdout, type=_Findings)
    except (OSError, KeyError, subprocess.SubprocessError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        return [
            Remark(
                "program",
                "problem",
                f"{account or current()} cannot run {sys.executable}: {why}",
                ["Install eConnector where this account may read it, such as /opt."],
            )
        ]
    except msgspec.DecodeError:
        return [_cannot_tell(account, settings)]
    return [Remark(each.check, each.state, each.text, each.remedy) for each in found.findings]


def _password(settings: Path) -> dict[str, str]:
    """Return the password as the account gets it from its service; its environment is its own and root's alone."""
    try:
        return {f"{PREFIX}_DATABASE_PASSWORD": load_settings(settings, environment={}).value.database.password}
    except Failure:
        return {}


def _cannot_tell(account: str, settings: Path) -> Remark:
    return Remark(
        "account",
        "unknown",
        f"whether {account} reads the images folder and reaches the database cannot be told from here",
        [f"Signed in as {account}, run `econnector doctor --only images --only database --settings {settings}`."],
    )

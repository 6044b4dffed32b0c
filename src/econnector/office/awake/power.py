"""What the power settings of this machine allow: whether it may fall asleep when nobody touches it.

The connector keeps it awake while it runs; before it starts and after it stops, only these settings do.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

__all__ = ["Power", "look", "parse_logind", "parse_pmset", "parse_powercfg", "parse_targets"]

_WITHIN = 5.0
_STANDBY, _HIBERNATE = "29f6c1db-86da-48c5-9fdb-f2b67b1f44da", "9d7815a6-7ee4-497e-8888-515a05f02364"
_LID = "5ca83367-6e45-459f-a27b-476b1d01c936"
_GUID = re.compile(r":\s*([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_LID_ACTIONS = {1: "sleeps", 2: "hibernates", 3: "shuts down"}
_SLEEPS = frozenset({"suspend", "hibernate", "hybrid-sleep", "suspend-then-hibernate", "sleep"})
_TARGETS = (
    "sleep.target",
    "suspend.target",
    "hibernate.target",
    "hybrid-sleep.target",
    "suspend-then-hibernate.target",
)
_LOGIND = ("/usr/lib/systemd/logind.conf", "/etc/systemd/logind.conf")
_DROP_INS = ("/usr/lib/systemd/logind.conf.d", "/run/systemd/logind.conf.d", "/etc/systemd/logind.conf.d")

Say = Callable[[list[str]], str]


class Power(msgspec.Struct, frozen=True):
    """What was found."""

    known: bool
    allows: tuple[str, ...] = ()
    """Each a sentence's end: `it sleeps after 30 minutes without use`. Empty: it does not fall asleep by itself."""
    remedy: tuple[str, ...] = ()


def look(platform: str = sys.platform) -> Power:
    """Ask this machine, in a few seconds at most; never raises."""
    if platform == "win32":
        return windows(say)
    if platform == "darwin":
        return macos(say)
    return linux(say) if platform.startswith("linux") else Power(known=False)


def say(command: list[str]) -> str:
    """Return what a program of the system says, or an empty text."""
    program = shutil.which(command[0])
    if program is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, no shell
            [program, *command[1:]], capture_output=True, timeout=_WITHIN, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace")


# -- Windows -------------------------------------------------------------------------------------------------------


def windows(ask: Say) -> Power:
    """Return what `powercfg` says of the plan in use."""
    found = parse_powercfg(ask(["powercfg", "/query", "SCHEME_CURRENT", "SUB_SLEEP"]))
    found |= parse_powercfg(ask(["powercfg", "/query", "SCHEME_CURRENT", "SUB_BUTTONS"]))
    if not found:
        return Power(known=False)
    allows = [
        f"it {verb} after {_minutes(found[name][0])} without use"
        for name, verb in ((_STANDBY, "sleeps"), (_HIBERNATE, "hibernates"))
        if found.get(name, (0, 0))[0]
    ]
    lid = _LID_ACTIONS.get(found.get(_LID, (0, 0))[0])
    if lid:
        allows.append(f"it {lid} when its lid is closed")
    remedy = (
        "Run `powercfg /change standby-timeout-ac 0` and `powercfg /change hibernate-timeout-ac 0` as administrator.",
        "Or: Settings, System, Power: put the device to sleep after: Never.",
    )
    return Power(known=True, allows=tuple(allows), remedy=remedy if allows else ())


def parse_powercfg(text: str) -> dict[str, tuple[int, int]]:
    """Return from a setting's GUID to its values (on mains, on battery); words are in Windows' own language.

    Of each setting's hexadecimal numbers the last two are the current ones; those before them are limits.
    """
    found: dict[str, tuple[int, int]] = {}
    parts = _GUID.split(text.lower())
    for guid, said in zip(parts[1::2], parts[2::2], strict=True):
        numbers = [int(value, 16) for value in re.findall(r":\s*0x([0-9a-f]+)", said)]
        if len(numbers) >= 2:  # noqa: PLR2004 - mains and battery
            found[guid] = (numbers[-2], numbers[-1])
    return found


# -- macOS ---------------------------------------------------------------------------------------------------------


def macos(ask: Say) -> Power:
    """Return what `pmset -g custom` says of mains power."""
    text = ask(["pmset", "-g", "custom"]) or ask(["pmset", "-g"])
    found = parse_pmset(text)
    if "sleep" not in found:
        return Power(known=False)
    minutes = found["sleep"]
    if not minutes:
        return Power(known=True)
    remedy = (
        "Run `sudo pmset -c sleep 0`.",
        "Or: System Settings, Energy: prevent automatic sleeping when the display is off.",
    )
    return Power(known=True, allows=(f"it sleeps after {_minutes(minutes * 60)} without use",), remedy=remedy)


def parse_pmset(text: str) -> dict[str, int]:
    """Return the settings for mains power; where there are no sections, those in use."""
    found: dict[str, int] = {}
    section = ""
    for line in text.splitlines():
        if line.rstrip().endswith(":") and not line.startswith(" "):
            section = line.strip().rstrip(":")
            continue
        pair = re.match(r"\s*([A-Za-z][\w ]*?)\s+(\d+)\b", line)
        if pair and section != "Battery Power":
            found[pair[1]] = int(pair[2])
    return found


# -- Linux ---------------------------------------------------------------------------------------------------------


def linux(ask: Say, root: Path = Path("/")) -> Power:
    """Return what systemd's sleep targets, its logind and the kernel say."""
    states = _read(root / "sys/power/state")
    if states is not None and not states.strip():
        return Power(known=True)  # the kernel cannot sleep at all, as in most virtual machines
    targets = parse_targets(ask(["systemctl", "show", "--property=Id,LoadState", *_TARGETS]))
    if not targets:
        return Power(known=False)
    if targets.get("sleep.target") == "masked" or all(targets.get(each) == "masked" for each in _TARGETS[1:3]):
        return Power(known=True)
    settings = parse_logind(_logind_files(root))
    allows = []
    if settings.get("IdleAction", "ignore") in _SLEEPS:
        allows.append(f"it sleeps after {settings.get('IdleActionSec', '30min')} without use")
    lid = settings.get("HandleLidSwitchExternalPower") or settings.get("HandleLidSwitch", "suspend")
    if lid in _SLEEPS and _has_lid(root):
        allows.append("it sleeps when its lid is closed")
    if _has_desktop(root):
        allows.append("its desktop may put it to sleep")
    remedy = ("Run `systemctl mask sleep.target suspend.target hibernate.target hybrid-sleep.target` as root.",)
    return Power(known=True, allows=tuple(allows), remedy=remedy if allows else ())


def parse_targets(text: str) -> dict[str, str]:
    """Return from a unit's name to how it is loaded: `loaded` or `masked`."""
    found: dict[str, str] = {}
    for block in text.split("\n\n"):
        pairs = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if "Id" in pairs:
            found[pairs["Id"]] = pairs.get("LoadState", "")
    return found


def parse_logind(texts: Iterable[str]) -> dict[str, str]:
    """Return what `[Login]` says; later texts count more, an empty value takes back an earlier one."""
    found: dict[str, str] = {}
    for text in texts:
        section = ""
        for line in text.splitlines():
            plain = line.strip()
            if plain.startswith("["):
                section = plain
            elif section == "[Login]" and "=" in plain and not plain.startswith(("#", ";")):
                name, _, value = plain.partition("=")
                found[name.strip()] = value.strip()
    return {name: value for name, value in found.items() if value}


def _logind_files(root: Path) -> list[str]:
    files = [root / name.lstrip("/") for name in _LOGIND]
    drops = [file for folder in _DROP_INS for file in (root / folder.lstrip("/")).glob("*.conf")]
    texts = (_read(file) for file in [*files, *sorted(drops, key=lambda file: file.name)])
    return [text for text in texts if text is not None]


def _has_lid(root: Path) -> bool:
    return any((root / "proc/acpi/button/lid").glob("*"))


def _has_desktop(root: Path) -> bool:
    """Return whether a desktop runs its own power settings, which only its user can see."""
    return any((root / name).exists() for name in ("usr/libexec/gsd-power", "usr/lib/gnome-settings-daemon/gsd-power"))


def _read(file: Path) -> str | None:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return None


def _minutes(seconds: int) -> str:
    minutes = max(seconds // 60, 1)
    return f"{minutes} minute{'s' if minutes != 1 else ''}"

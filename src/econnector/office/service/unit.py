"""The text of a systemd unit for one connector."""

from pathlib import Path

from econnector.base.secrets import ENDINGS
from econnector.office.service.command import run_command
from econnector.office.service.contract import Definition
from econnector.office.service.folders import Folders
from econnector.office.settings import CREDENTIAL

__all__ = ["unit_text"]

STATE_ROOT = Path("/var/lib")
LOG_ROOT = Path("/var/log")
_SPECIAL = set("\"'\\ \t;$#&|<>*?()[]{}~`!")


def unit_text(definition: Definition, folders: Folders, *, user: bool) -> str:
    """Return the unit, for root's systemd or for an account's own (`user`)."""
    sections = {
        "Unit": _unit(definition),
        "Service": [
            *_process(definition),
            *([] if user or not definition.account else [f"User={definition.account}"]),
            *_written(definition, folders, user=user),
            *_password(folders, user=user),
            *_KEPT_UP,
            *(_FENCE_OF_USERS if user else _FENCE),
        ],
        "Install": [f"WantedBy={'default.target' if user else 'multi-user.target'}"],
    }
    head = f"# Written by `econnector service install {definition.name}`; installing again writes it anew.\n"
    return head + "\n".join(f"[{name}]\n" + "".join(f"{line}\n" for line in lines) for name, lines in sections.items())


def _unit(definition: Definition) -> list[str]:
    return [
        f"Description=eConnector ({definition.name})",
        "Wants=network-online.target",
        # Where the database is on this machine it comes first; where it is not, these names are nobody's.
        "After=network-online.target mariadb.service mysql.service mysqld.service",
        "StartLimitIntervalSec=0",
    ]


def _process(definition: Definition) -> list[str]:
    return [
        "Type=exec",
        "ExecStart=" + " ".join(_word(word) for word in run_command(definition.settings)),
        f"WorkingDirectory={_plain(definition.settings.parent)}",
    ]


def _written(definition: Definition, folders: Folders, *, user: bool) -> list[str]:
    """Return the lines that make and open what the connector writes; all else of the system stays as it is."""
    if user:
        return []
    lines = []
    for line, root, folder in (("StateDirectory", STATE_ROOT, folders.state), ("LogsDirectory", LOG_ROOT, folders.log)):
        if folder.is_relative_to(root) and folder != root:
            lines += [f"{line}={_word(str(folder.relative_to(root)))}", f"{line}Mode=0700"]
    # The window's form saves settings.
    return [*lines, f"ReadWritePaths=-{_word(str(definition.settings.parent))}"]


def _password(folders: Folders, *, user: bool) -> list[str]:
    if user or folders.password is None:  # a unit of an account's own reads the file itself
        return []
    sealed = folders.password.suffix == ENDINGS["systemd"]
    return [f"LoadCredential{'Encrypted' if sealed else ''}={CREDENTIAL}:{_plain(folders.password)}"]


_KEPT_UP = [
    "Restart=always",
    "RestartSec=2",
    "KillMode=mixed",
    # The connector leaves within nine seconds of being told to.
    "TimeoutStopSec=20",
    "OOMScoreAdjust=-100",
]

_FENCE_OF_USERS = [
    "NoNewPrivileges=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "SystemCallArchitectures=native",
]

_FENCE = [
    *_FENCE_OF_USERS,
    # Full, not strict: the images folder may be anywhere, and who may write it is the folder's own business.
    "ProtectSystem=full",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
    "RestrictNamespaces=yes",
    # Patients' folders belong to many accounts; nothing else of root's power is needed.
    "CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER",
]


def _word(text: str) -> str:
    """Return a word as ExecStart takes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if set(text) & _SPECIAL or not text else escaped


def _plain(path: Path) -> str:
    """Return a path as a setting with one value takes it: spaces are its own, only specifiers are escaped."""
    return str(path).replace("%", "%%")

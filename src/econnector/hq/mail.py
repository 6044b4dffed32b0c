"""HQ's own mail account, from its settings."""

import os
import stat
from pathlib import Path

from econnector.base.errors import SettingInvalid
from econnector.hq.settings import Smtp
from econnector.mail.letter import Account

__all__ = ["account_of"]


def account_of(smtp: Smtp) -> Account | None:
    """Return the account, or None where HQ has none. Raises `SettingInvalid` for a password file of no use."""
    if not smtp.host:
        return None
    password = _password(smtp.password_file) if smtp.password_file else ""
    ca = str(smtp.ca) if smtp.ca else ""
    return Account(smtp.host, smtp.port, smtp.security, smtp.user, password, smtp.sender, ca)


def _password(file: Path) -> str:
    try:
        lines = file.read_text("utf-8-sig").splitlines()
        mode = file.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not a UTF-8 text"
        raise SettingInvalid(name="smtp.password_file", place=file, why=why) from None
    if os.name != "nt" and mode & (stat.S_IRGRP | stat.S_IROTH):
        why = f"other accounts of this machine can read it; run `chmod 600 {file}`"
        raise SettingInvalid(name="smtp.password_file", place=file, why=why)
    if not lines or not lines[0]:
        raise SettingInvalid(name="smtp.password_file", place=file, why="its first line is empty")
    return lines[0]

"""A key of this machine's for what the state file must be able to read again, kept outside of the file.

Who gets hold of a copy of the state file (a backup, a disk) has none of what is sealed. The key is kept by the means of
`base.secrets`: the operating system's own where there is one, else a file that only its owner can read.
"""

import hashlib
import hmac
import os
import secrets
import sys
import threading
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from econnector.base import secrets as kept

__all__ = ["Seal", "Unsealable"]

_NAME = "portal-seal"
_KEY_BYTES, _NONCE = 32, 12


class Unsealable(Exception):  # noqa: N818 - what it is, not that it went wrong
    """Sealed with another key, for another purpose, or damaged."""


class Seal:
    """Seals and digests under one key. Its functions block while the key is read for the first time."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` is where the key is kept, made at its first use; without one it lives as long as this object."""
        self._folder = folder
        self._lock = threading.Lock()
        self._key = b"" if folder else secrets.token_bytes(_KEY_BYTES)

    def seal(self, purpose: str, secret: bytes) -> bytes:
        """Return `secret` sealed; only `open` with the same purpose gives it back."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(self._known()).encrypt(nonce, secret, purpose.encode())

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """Return what was sealed for this purpose. Raises `Unsealable`."""
        try:
            return AESGCM(self._known()).decrypt(sealed[:_NONCE], sealed[_NONCE:], purpose.encode())
        except (InvalidTag, ValueError):
            raise Unsealable(purpose.partition(":")[0]) from None

    def digest(self, purpose: str, text: str) -> str:
        """Return what a short secret is kept as: nobody can try out the few there are without the key."""
        message = f"{purpose}\0{text}".encode("utf-8", "surrogatepass")
        return hmac.new(self._known(), message, hashlib.sha256).hexdigest()

    def _known(self) -> bytes:
        with self._lock:
            if not self._key and self._folder:
                self._key = _read(self._folder) or _make(self._folder)
            return self._key


def _read(folder: Path) -> bytes:
    for ending in kept.ENDINGS.values():
        file = folder / f"{_NAME}{ending}"
        if file.exists():
            return bytes.fromhex(kept.read(file))
    return b""


def _make(folder: Path) -> bytes:
    made = secrets.token_bytes(_KEY_BYTES)
    owner = _other_owner(folder)
    # A command that root types may be the first to need the key; the connector's own account must open it afterwards.
    file = kept.keep(_NAME, made.hex(), folder, "file" if owner else None)
    if owner and sys.platform != "win32":
        os.chown(file, *owner)
    return made


def _other_owner(folder: Path) -> tuple[int, int] | None:
    """Return user and group of the account whose folder it is, where that is not this process's and root may give."""
    if sys.platform == "win32" or os.geteuid() != 0 or not folder.exists():
        return None
    found = folder.stat()
    return (found.st_uid, found.st_gid) if found.st_uid else None

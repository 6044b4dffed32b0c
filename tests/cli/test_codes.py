"""`econnector codes …` as somebody in the office types it."""

import asyncio
import contextlib
import hashlib
import json
import random
import signal
import sqlite3
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from econnector.cli import codes_summaries
from econnector.cli.main import main
from tests.office.connector import Connector
from tests.support.fileserver import serving
from tests.support.mariadb import shared_server

LINES = 60_000


def snomed_file(folder: Path) -> Path:
    file = folder / "snomed.txt"
    file.write_text("".join(f"{10_000_000 + number * 7}\tfinding number {number}\n" for number in range(LINES)))
    return file


@pytest.mark.causes("code-file-needed", "code-terms")
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


@pytest.mark.causes("code-import-idle")
async def test_a_download_that_was_killed_goes_on_and_an_import_is_cancelled_from_another_shell(
    connector: Connector, practice: str
) -> None:
    connector.write("ws://127.0.0.1:9/link", practice)
    content = b"".join(b"%d\tsource %d\n" % (number, number) for number in range(100_000))
    async with serving(content) as server:
        command = ("codes", "import", "SOP", "--url", server.address, "--checksum", hashlib.sha256(content).hexdigest())
        server.holds = 500_000
        killed = connector.popen(*command)
        await asyncio.wait_for(server.held.wait(), 120)
        async with asyncio.timeout(60):
            while not state_of(connector, "SELECT done FROM code_download WHERE done > 0"):  # noqa: ASYNC110 - a file
                await asyncio.sleep(0.02)
        killed.kill()
        await asyncio.to_thread(killed.communicate)
        _, out, _ = await connector.invoke("codes", "status")
        assert "Cut off" in out
        server.holds = None
        running = connector.popen(*command)
        async with asyncio.timeout(120):
            begun = "SELECT line FROM code_import WHERE line > 0"
            while not state_of(connector, begun) and running.poll() is None:  # noqa: ASYNC110 - a file
                await asyncio.sleep(0.005)
        status, out, _ = await connector.invoke("codes", "cancel", "sop")
        _, err = await asyncio.to_thread(running.communicate)
        assert running.returncode == 75, err
        assert (status, out) == (0, "SOP: Import cancelled. Importing it again goes on where it was.\n")
        assert state_of(connector, "SELECT status FROM code_import") == ("cancelled",)
        status, _, err = await connector.invoke("codes", "cancel", "SOP")
        assert (status, "code-import-idle" in err) == (65, True)
        status, out, err = await connector.invoke(*command)
        assert (status, "SOP" in out) == (0, True), err
        ranges = [request.get("range", "bytes=0-") for request in server.asked]
        assert (len(ranges), ranges[0]) == (2, "bytes=0-")
        assert ranges[1] != "bytes=0-"
    with contextlib.closing(sqlite3.connect(connector.folder.parent / "practice.sqlite")) as database:
        assert database.execute("SELECT COUNT(*), COUNT(DISTINCT SopCode) FROM sop").fetchone() == (100_000, 100_000)
    assert not list((connector.folder / "state").glob("codes-*.part"))


def state_of(connector: Connector, query: str) -> object:
    file = connector.folder / "state" / "office.sqlite"
    with contextlib.closing(sqlite3.connect(file, timeout=60)) as state, contextlib.suppress(sqlite3.OperationalError):
        return state.execute(query).fetchone()
    return None


async def test_whoever_wants_care_summaries_is_led_to_them_with_what_is_missing(
    connector: Connector, practice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector.write("ws://127.0.0.1:9/link", practice)
    status, out, _ = await connector.invoke("codes", "for-summaries")
    assert (status, "CVX HL7 v2.9 table 0292 is imported: 124 new" in out) == (75, True)
    assert "Still missing: Clinical terms (SNOMED CT)." in out
    assert "econnector codes for-summaries --file FILE --accept-terms" in out
    file = connector.folder / "snomed.txt"
    file.write_text("100\tone\n")
    status, out, _ = await connector.invoke("codes", "for-summaries", "--file", str(file))
    assert (status, "The full terms of SNOMED International" in out) == (75, True)
    # Somebody who sits there is asked.
    monkeypatch.setattr(codes_summaries, "_somebody_is_there", lambda: True)
    typed = CliRunner().invoke
    words = ["codes", "for-summaries", "--settings", str(connector.file)]
    later = await asyncio.to_thread(typed, main, words, input="\n")
    assert (later.exit_code, "Make a free account" in later.stdout) == (75, True)
    refused = await asyncio.to_thread(typed, main, words, input=f"'{file}'\nn\n")
    assert (refused.exit_code, "Do you accept these terms" in refused.stdout) == (75, True)
    done = await asyncio.to_thread(typed, main, words, input=f"{file}\ny\n")
    assert (done.exit_code, "nothing is missing for care summaries" in done.stdout) == (0, True), done.output
    status, out, _ = await connector.invoke("codes", "for-summaries", "--json")
    assert (status, [step["done"] for step in json.loads(out)]) == (0, [True, True])
    status, _, err = await connector.invoke("codes", "import", "SOP", "--shipped", "--url", "https://example.com/x")
    assert (status, "Choose one of" in err) == (2, True)
    _, out, _ = await connector.invoke("codes", "check")
    assert "HQ has not said yet" in out

"""`econnector office logs` beside a running connector, and the connector that keeps its machine awake."""

import asyncio
import json
import os
import signal
import zipfile
from pathlib import Path

import psutil
import pytest

from econnector.base import logs
from econnector.eservices.portal.calls import PRACTICE, Nothing
from tests.hq.running import RunningHq
from tests.office.awake.test_holding import cats, stand_in
from tests.office.connector import Connector
from tests.support.whole import until


async def said(connector: Connector, *words: str) -> list[str]:
    status, out, err = await connector.invoke("office", "logs", *words)
    assert status == 0, err
    return out.splitlines()


async def test_a_person_reads_switches_follows_and_bundles(
    connector: Connector, hq: RunningHq, practice: str, tmp_path: Path
) -> None:
    _, key = await hq.add("smile")
    connector.write(hq.link, practice)
    await connector.enrol(key)
    assert await said(connector) == []
    connector.start()
    await connector.until(lambda running: running.link == "open" and running.database == "open" and running.heard)

    lines = await said(connector)
    (starts,) = [line for line in lines if "the connector starts" in line]
    assert "Info     Connector      the connector starts · " in starts
    assert "office=smile" in starts
    assert lines == sorted(lines, key=lambda line: line[:19])
    assert {json.loads(line)["office"] for line in await said(connector, "--json", "--area", "link")} == {"smile"}
    assert await said(connector, "--area", "Link", "--least", "error") == []
    assert await said(connector, "--since", "2020-01-01") == await said(connector, "--since", "3d")
    status, out, err = await connector.invoke("office", "logs", "--area", "Nowhere")
    assert (status, out) == (0, "")
    assert "no area Nowhere so far; it has Awake, " in err
    status, _, err = await connector.invoke("office", "logs", "--since", "yesterday")
    assert status == 2
    assert "neither like 2h" in err

    following = connector.popen("office", "logs", "--follow", "--area", "Connector", "--least", "information")
    assert following.stdout
    assert "the connector starts" in await asyncio.to_thread(following.stdout.readline)
    assert await said(connector, "--level", "verbose") == [
        "✓ The log level is Verbose. A running connector takes it within seconds."
    ]
    assert "the log level changes · to=Verbose" in await asyncio.to_thread(following.stdout.readline)
    following.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(following.wait, 30) == 130
    reference = "7F3K-22QX"
    await hq.hq.switchboard.office("smile").ask(PRACTICE, Nothing(), reference=reference)
    await asyncio.to_thread(until, lambda: list(logs.read(connector.folder / "log", reference=reference)))
    (answered,) = await said(connector, "--reference", "7f3k 22qx", "--json")
    fields = json.loads(answered)
    assert (fields["event"], fields["call"], fields["office"], fields["level"]) == (
        "answered",
        PRACTICE.name,
        "smile",
        "debug",
    )

    file = tmp_path / "support.zip"
    told = json.loads("".join(await said(connector, "--bundle", str(file), "--json")))
    assert told["file"] == str(file)
    assert os.name == "nt" or file.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(file) as archive:
        assert json.loads(archive.read("status.json"))["enrolled"] == "smile"
        assert any(each["check"] == "database" for each in json.loads(archive.read("doctor.json")))
    before = file.read_bytes()
    status, _, err = await connector.invoke("office", "logs", "--bundle", str(file))
    assert (status, file.read_bytes()) == (2, before)
    assert "is there already" in err


async def test_a_bundle_can_be_made_where_nothing_works(connector: Connector, tmp_path: Path) -> None:
    connector.write("wss://hq.invalid/link", "mysql://nobody:hunter2@127.0.0.1:1/none")
    file = tmp_path / "support.zip"
    await said(connector, "--bundle", str(file))
    with zipfile.ZipFile(file) as archive:
        everything = "\n".join(archive.read(name).decode() for name in archive.namelist())
    assert "hunter2" not in everything
    assert "database-away" in everything


@pytest.mark.skipif(os.name == "nt", reason="a stand-in for systemd-inhibit")
async def test_a_running_connector_keeps_its_machine_awake_and_lets_go_even_when_killed(
    connector: Connector, hq: RunningHq, practice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(connector.folder)
    monkeypatch.setenv("PATH", f"{connector.folder}{os.pathsep}{os.environ['PATH']}")
    _, key = await hq.add("smile")
    connector.write(hq.link, practice)
    await connector.enrol(key)
    for end in (signal.SIGKILL, signal.SIGTERM):
        process = connector.start()
        found = await connector.until(lambda running: running.pid == process.pid and running.awake)  # noqa: B023
        assert (found.awake, found.awake_by) == ("kept", "systemd-inhibit")
        (cat,) = await asyncio.to_thread(until, lambda: cats(process.pid))  # noqa: B023
        process.send_signal(end)
        await asyncio.to_thread(process.wait, 30)
        await asyncio.to_thread(until, lambda: not cat.is_running() or cat.status() == psutil.STATUS_ZOMBIE)  # noqa: B023
    assert any("this computer is kept awake" in line for line in await said(connector, "--area", "awake"))


@pytest.mark.causes("log-folder")
async def test_the_doctor_finds_a_log_that_cannot_be_written(connector: Connector) -> None:
    connector.write("wss://hq.invalid/link", "mysql://nobody@127.0.0.1:1/none")
    (connector.folder / "log").write_text("a file stands in the way")
    status, told = await connector.ask("doctor", "--only", "logs")
    (finding,) = told["findings"]
    assert (status, finding["code"], finding["state"]) == (2, "log-folder", "problem")
    assert "log.folder" in " ".join(finding["remedy"])

"""Two practices' connectors on one machine, and HQ's fleet, which hears of both and asks each one's doctor."""

import contextlib
import signal
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from econnector.base.errors import OfficeUnreachable
from econnector.hq.registry import fleet
from econnector.hq.registry.fleet import Line, Wanted
from econnector.link.calls import DOCTOR, DoctorWanted, Examined
from econnector.office.remote_doctor import fit_to_leave
from tests.hq.running import RunningHq, until
from tests.office.connector import Connector, sqlite_practice
from tests.support.ports import free_port

PLACES = ("north", "south")


@pytest.fixture
async def both(hq: RunningHq, tmp_path: Path) -> AsyncIterator[dict[str, Connector]]:
    """Two connectors with a database, settings, state, log and lock each, enrolled and not yet running."""
    made: dict[str, Connector] = {}
    for name in PLACES:
        (tmp_path / name).mkdir()
        url = await sqlite_practice(tmp_path / name / "practice.sqlite")
        _, key = await hq.add(name)
        made[name] = Connector(tmp_path / name)
        made[name].write(hq.link, url, more=f"[window]\nport = {free_port()}\n")
        await made[name].enrol(key)
    yield made
    for connector in made.values():
        connector.close()


async def lines(hq: RunningHq) -> dict[str, Line]:
    found = await hq.hq.registry.run(fleet.look, Wanted(), hq.hq.clock.now())
    return {line.name: line for line in found.lines}


async def seen(hq: RunningHq, **wanted: tuple[str, str]) -> None:
    """Wait until each office has this status at HQ and this word of CEMT."""

    async def so() -> bool:
        found = await lines(hq)
        return {name: (found[name].status, found[name].cemt.status) for name in wanted} == wanted

    for _ in range(1200):
        if await so():
            return
        with contextlib.suppress(TimeoutError):
            await until(lambda: False, 0.05)
    raise AssertionError(await lines(hq))


async def examined(hq: RunningHq, name: str) -> Examined:
    return await hq.hq.doors.asker(name).ask(DOCTOR, DoctorWanted())


async def test_two_connectors_of_one_machine_serve_two_databases_and_neither_minds_the_other(
    hq: RunningHq, both: dict[str, Connector]
) -> None:
    working = ("working", "Working")
    processes = {name: connector.start() for name, connector in both.items()}
    await seen(hq, north=working, south=working)

    # Each doctor sees its own office only, and what it says may leave.
    found = await examined(hq, "south")
    states = {each.check: each.state for each in found.findings}
    assert states["database"] == states["link"] == "ok"
    assert found.machine == "FRONT-DESK"
    assert all(each.text and each.proves for each in found.findings)

    # The word is the database's, by CEMT's own rule: an error that nobody has acknowledged.
    with sqlite3.connect(both["north"].folder / "practice.sqlite") as practice:
        practice.execute(
            "INSERT INTO eservicesignal (ServiceCode, ReasonCategory, ReasonCode, Severity, Description, SigDateTime,"
            " Tag, IsProcessed) VALUES (2, 0, 0, 4, 'a text message failed', datetime('now', 'localtime'), '', 0)"
        )
    await seen(hq, north=("working", "Error"), south=working)

    # One of them dies, with its database: the other one works on.
    processes["north"].send_signal(signal.SIGKILL)
    await seen(hq, north=("down", "Error"), south=working)
    with pytest.raises(OfficeUnreachable):
        await examined(hq, "north")
    assert (await both["south"].until(lambda running: running.link == "open")).pid == processes["south"].pid

    # What the doctor is asked for most: it answers while the database is away.
    (both["south"].folder / "practice.sqlite").write_bytes(b"no database at all" * 100)
    for _ in range(100):
        found = await examined(hq, "south")
        if {each.check: each for each in found.findings}["database"].state == "problem":
            break
    broken = {each.check: each for each in found.findings}["database"]
    assert (broken.state, bool(broken.code), bool(broken.remedy)) == ("problem", True, True)
    assert await both["south"].stop(processes["south"]) == 0


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ("the images folder is \\\\server\\OpenDentImages", "the images folder is \\\\server\\OpenDentImages"),
        ("no rights on /images/M/Maria11/Maria100.pdf", "no rights on /images/M/…"),
        ("no rights on Z:\\Images\\M\\Maria Gomez11\\x.pdf, ask", "no rights on Z:\\Images\\M\\…, ask"),
        ("document 4711 in /images: gone", "document … in /images: gone"),
        ("mysql://root:secret@server:3306/opendental", "mysql://server:3306/opendental"),
        ("password=hunter2 is refused", "password=… is refused"),
        ("token:abc, then go on", "token:… then go on"),
        ("set a new password: the office's window does it", "set a new password: the office's window does it"),
        ("x" * 5000, "x" * 1000),
    ],
)
def test_what_could_tell_of_a_patient_or_open_a_door_stays_in_the_office(text: str, leaves: str) -> None:
    assert fit_to_leave(text) == leaves

"""`econnector office update` with real wheels in a Python of its own: there, back, and over deaths in between."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from econnector.base.errors import WheelRejected
from econnector.office.install import wheel as wheels
from tests.support.fresh import FreshMachine, Vendor
from tests.support.mariadb import shared_server
from tests.support.wheels import build_wheel, private_python
from tests.support.whole import until

OLD, NEW, NEWER = "0.1.0", "0.2.0", "0.2.1"
RUN = [(2, "Heartbeat Anchor"), (2, "Heartbeat")]
BROKEN = """
import asyncio


class Heartbeat:
    beats = 0

    def __init__(self, *parts, **more):
        self.allowed = asyncio.Event()

    async def run(self):
        await asyncio.sleep(3600)

    async def others(self, machines):
        pass

    async def stopped(self, *parts, **more):
        pass
"""
"""A version that begins, and never beats."""


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with wheels, built once."""
    folder = tmp_path_factory.mktemp("wheels")
    build_wheel(folder, OLD)
    build_wheel(folder, NEW)
    build_wheel(folder, NEWER)
    build_wheel(folder / "broken", "0.3.0", office_heartbeat=BROKEN)
    build_wheel(folder / "faulty", "0.4.0", office_run="import nothing_of_the_kind\n")
    return folder


def named(folder: Path, version: str) -> str:
    return str(folder / f"econnector-{version}-py3-none-any.whl")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, shelf: Path, vendor: Vendor) -> Iterator[FreshMachine]:
    """A machine with a version in a Python of its own, and its connector at work; every test leaves it at work."""
    folder, server = tmp_path_factory.mktemp("machine"), shared_server()
    python = private_python(folder / "python", Path(named(shelf, OLD)))
    fresh = FreshMachine(folder / "office", server, server.open_dental("24.3"), python=python)
    fresh.write(vendor.link)
    fresh.set_preference("RegistrationKey", vendor.add("updated").replace("-", ""))
    try:
        assert fresh.ask("office", "install", "--yes")["ok"]
        yield fresh
    finally:
        fresh.close()
        server.drop_database(fresh.database)


def version(machine: FreshMachine) -> str:
    return machine.say("--version").split()[-1]


def after(found: str) -> str:
    """The version that a machine with version `found` is updated to."""
    return {OLD: NEW, NEW: NEWER}[found]


def errors(machine: FreshMachine) -> list[tuple[int, str]]:
    return [row for row in machine.signals() if row[0] == 4]


def test_an_update_that_was_killed_is_finished_by_the_next_run_and_alarms_nobody(
    machine: FreshMachine, shelf: Path
) -> None:
    old = version(machine)
    new = after(old)
    process = machine.popen("office", "update", "--wheel", named(shelf, new), PYTHONUNBUFFERED="1")
    assert process.stdout
    for line in process.stdout:
        if "is started with" in line:
            break
    process.kill()
    process.communicate()
    done = machine.ask("office", "update", "--wheel", named(shelf, new))
    assert (done["old"], done["new"], done["resumed"]) == (old, new, True)
    assert version(machine) == new
    assert machine.signals()[-2:] == RUN
    assert errors(machine) == []


@pytest.mark.causes("update-rolled-back", aside=True)
def test_a_version_without_a_heartbeat_is_taken_back(machine: FreshMachine, shelf: Path) -> None:
    old, before = version(machine), len(machine.signals())
    back = machine.ask("office", "update", "--wheel", named(shelf / "broken", "0.3.0"), "--wait", "5", status=70)
    assert back["code"] == "update-rolled-back"
    assert "no heartbeat within 5 seconds" in back["cause"]
    assert f"{old} runs again" in back["cause"]
    assert version(machine) == old
    assert machine.ask("service", "list")[0]["state"] == "Installed, Running"
    until(lambda: machine.signals()[-2:] == RUN and len(machine.signals()) > before + 1)
    assert errors(machine) == []


@pytest.mark.causes("update-wheel", aside=True)
def test_what_cannot_be_installed_is_refused_before_anything_stops(machine: FreshMachine, shelf: Path) -> None:
    old, before = version(machine), machine.signals()
    new = after(old)
    for words, why in (
        (("--wheel", named(shelf, old)), f"it is version {old}, and {old} is installed"),
        (("--wheel", named(shelf / "faulty", "0.4.0")), "nothing_of_the_kind"),
    ):
        said = machine.ask("office", "update", *words, status=65)
        assert (said["code"], why in said["cause"]) == ("update-wheel", True), said
    images = machine.folder / "images"
    (images / "A").mkdir(parents=True)
    machine.set_preference("DocPath", str(images))
    assert "SetupFiles" in machine.ask("office", "update", "--from-images", status=65)["cause"]
    assert machine.signals() == before
    (images / "SetupFiles").mkdir()
    (images / "SetupFiles" / f"econnector-{new}-py3-none-any.whl").write_bytes(Path(named(shelf, new)).read_bytes())
    assert machine.ask("office", "update", "--from-images")["new"] == new


def test_what_is_no_wheel_of_ours(tmp_path: Path, shelf: Path) -> None:
    good = Path(named(shelf, NEW))
    other, cut = tmp_path / "other-0.2.0-py3-none-any.whl", tmp_path / good.name
    other.write_bytes(good.read_bytes())
    cut.write_bytes(good.read_bytes()[:-1000])
    bent = tmp_path / "bent" / good.name
    bent.parent.mkdir()
    bent.write_bytes(good.read_bytes())
    with zipfile.ZipFile(bent, "a") as archive:
        archive.writestr("econnector/../../outside.py", "")
    torn = tmp_path / "torn" / good.name
    torn.parent.mkdir()
    with zipfile.ZipFile(torn, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("econnector/data.txt", "something that is packed " * 100)
    content = bytearray(torn.read_bytes())
    begins = 30 + len("econnector/data.txt")
    content[begins : begins + 8] = b"\xff" * 8  # no packed stream begins so
    torn.write_bytes(content)
    for file, why in (
        (torn, "damaged"),
        (other, "it is other, not eConnector"),
        (cut, "damaged"),
        (tmp_path / "setup.exe", "not a wheel's"),
        (tmp_path / "econnector-9-py3-none-any.whl", "No such file"),
        (tmp_path / "econnector-9-cp311-cp311-win32.whl", "for one kind of computer"),
    ):
        with pytest.raises(WheelRejected) as refused:
            wheels.examine(file, OLD)
        assert why in refused.value.office_text()
    with pytest.raises(WheelRejected, match="not eConnector's"):
        wheels.unpack(wheels.examine(bent, OLD), tmp_path / "versions" / NEW)
    assert list((tmp_path / "versions").glob("*")) == []
    assert not (tmp_path / "outside.py").exists()

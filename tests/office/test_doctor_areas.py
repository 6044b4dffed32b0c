"""Areas of the doctor that a whole world need not break for: each is made to find something, in words that help."""

import asyncio
import contextlib
import datetime as dt
import json
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from econnector.link import probe
from econnector.office.doctor import CHECKS, service, storage
from econnector.office.doctor.access import lacks
from econnector.office.doctor.check import Finding, examine
from econnector.office.doctor.fixing import mend
from econnector.office.doctor.lines import line_of
from econnector.office.doctor.scene import Scene
from econnector.office.running import Running
from econnector.office.service.book import Book, Record
from econnector.office.service.contract import Definition, ServiceState
from econnector.office.service.programs import Said
from econnector.office.service.services import Services
from econnector.office.service.supervised import Supervised
from tests.support.certificates import Authority
from tests.support.whole import built

UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


@pytest.fixture
def practice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An office's folder; this machine's services are the test's own."""
    monkeypatch.setenv("ECONNECTOR_SERVICE_MANAGER", "supervised")
    monkeypatch.setenv("ECONNECTOR_SERVICE_FOLDER", str(tmp_path / "services"))
    monkeypatch.setattr(probe, "STEP_SECONDS", 60.0)
    return Path(shutil.copytree(built(), tmp_path / "office"))


def sql(practice: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    with sqlite3.connect(practice / "practice.sqlite", timeout=60) as database:
        return database.execute(statement, values).fetchall()


async def found(practice: Path, check: str) -> Finding:
    scene = Scene(practice / "office.toml")
    try:
        return (await examine(scene, [each for each in CHECKS if each.id == check]))[0]
    finally:
        await scene.close()


# -- images -----------------------------------------------------------------------------------------------------------


async def test_a_folder_without_the_newest_documents_is_not_the_one_that_others_use(practice: Path) -> None:
    assert (await found(practice, "images-shared")).state == "ok"
    others = practice / "others"
    (practice / "images").rename(others)
    (practice / "images" / "A").mkdir(parents=True)
    finding = await found(practice, "images-shared")
    assert finding.state == "problem"
    assert "others use another folder" in finding.text
    names = {str(row[0]) for row in sql(practice, "SELECT LName FROM patient WHERE LName <> ''")}
    assert not [name for name in names if name in repr(finding)], "no patient is named"


async def test_some_documents_at_another_location_are_counted(practice: Path) -> None:
    newest = sql(practice, "SELECT FileName FROM document ORDER BY DateCreated DESC, DocNum DESC LIMIT 1")[0][0]
    for file in (practice / "images").rglob(str(newest)):
        file.unlink()
    finding = await found(practice, "images-shared")
    assert (finding.state, finding.text.startswith("1 of the ")) == ("attention", True)
    assert str(newest) not in repr(finding)


# -- portal, codes, mail ----------------------------------------------------------------------------------------------


async def test_who_cannot_sign_in_or_be_written_to_is_counted(practice: Path) -> None:
    sql(practice, "UPDATE userweb SET Password = 'clear text' WHERE FKey = 1")
    sql(practice, "UPDATE patient SET Email = '' WHERE PatNum = (SELECT MAX(FKey) FROM userweb)")
    before = await found(practice, "portal-people")
    assert before.state == "attention"
    assert "13.1 or earlier" in before.text
    sql(practice, "DELETE FROM userweb")
    assert (await found(practice, "portal-people")).state == "ok"


async def test_a_missing_code_system_is_named_with_its_import_unless_nobody_needs_it(practice: Path) -> None:
    assert (await found(practice, "codes")).state == "ok"
    sql(practice, "DELETE FROM snomed")
    finding = await found(practice, "codes")
    assert (finding.state, "SNOMEDCT" in finding.text) == ("attention", True)
    assert "econnector codes import SNOMEDCT" in finding.remedy[0]
    sql(practice, "DELETE FROM userweb")
    assert (await found(practice, "codes")).state == "ok"


async def test_a_clinics_own_account_that_is_not_filled_in_is_found(practice: Path) -> None:
    columns = [str(row[1]) for row in sql(practice, "SELECT * FROM pragma_table_info('emailaddress')")]
    assert "SMTPserver" in columns
    number = 7001
    kept = ", ".join(columns[1:])
    copied = "SELECT ?, " + kept + " FROM emailaddress LIMIT 1"
    sql(practice, f"INSERT INTO emailaddress ({', '.join(columns)}) {copied}", number)
    sql(practice, "UPDATE emailaddress SET SMTPserver = '' WHERE EmailAddressNum = ?", number)
    sql(practice, "UPDATE preference SET ValueString = ? WHERE PrefName = 'EmailNotifyAddressNum'", str(number))
    finding = await found(practice, "mail-accounts")
    assert finding.state == "problem"
    assert "mail accounts cannot be used" in finding.text
    assert any("notices of web mail" in line for line in finding.details)


# -- other eConnectors, services --------------------------------------------------------------------------------------


async def test_another_machine_that_works_for_the_practice_is_named(practice: Path) -> None:
    now = dt.datetime.now().astimezone().replace(tzinfo=None)
    said = [{"EConnectorComputerName": "BACK-OFFICE", "DateTimeNow": now.isoformat(timespec="seconds")}]
    wanted = "INSERT INTO preference (PrefName, ValueString) VALUES ('EConnectorStatistics', ?)"
    sql(practice, "DELETE FROM preference WHERE PrefName = 'EConnectorStatistics'")
    sql(practice, wanted, json.dumps(said))
    finding = await found(practice, "others")
    assert (finding.state, "BACK-OFFICE" in finding.text) == ("attention", True)
    sql(practice, "UPDATE preference SET ValueString = 'compressed' WHERE PrefName = 'EConnectorStatistics'")
    assert (await found(practice, "others")).state == "ok", "it stays there for ever after a change of the connector"


async def test_two_services_of_one_practice_are_told_apart(practice: Path, tmp_path: Path) -> None:
    second = practice / "second.toml"
    second.write_text((practice / "office.toml").read_text())
    book = Book(tmp_path / "services")
    book.add(Record("OpenDentalEConnector", practice / "office.toml"))
    assert (await found(practice, "service-alone")).state == "ok"
    book.add(Record("OpenDentalEConnector_Two", second))
    finding = await found(practice, "service-alone")
    assert (finding.code, "OpenDentalEConnector_Two" in finding.text) == ("service-database-taken", True)


class Systemd(Supervised):
    """What a service's manager says and is told where systemd runs."""

    kind = "systemd"
    boot_step = ""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.told: list[str] = []
        self.enabled = False

    def state(self, name: str) -> ServiceState:  # noqa: ARG002 - it is as the protocol has it
        return ServiceState.RUNNING

    def install(self, definition: Definition) -> None:
        self.told.append(f"install {definition.name}")
        self.enabled = True

    def runs(self, words: Sequence[str]) -> Said:
        self.told.append(" ".join(words))
        if words[0] == "loginctl":
            self.boot_step = ""
        return Said(0, "enabled" if self.enabled else "disabled")


@pytest.mark.parametrize("step", ["", "To start with the machine: `loginctl enable-linger`, or install as root."])
async def test_a_service_that_does_not_start_with_the_machine_is_made_to(
    practice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    manager = Systemd(tmp_path / "run")
    manager.boot_step, manager.enabled = step, bool(step)
    monkeypatch.setattr(service, "Services", lambda: Services(tmp_path / "services", manager))
    monkeypatch.setattr(service, "run", manager.runs)
    Book(tmp_path / "services").add(Record("OpenDentalEConnector", practice / "office.toml"))
    finding = await found(practice, "service")
    assert (finding.state, finding.fix) == ("attention", "service-at-boot")
    check = next(each for each in CHECKS if each.id == "service")
    mended = await mend(lambda: Scene(practice / "office.toml"), check)
    assert (mended.outcome, mended.after.state) == ("mended", "ok"), mended
    assert ("loginctl enable-linger" if step else "install OpenDentalEConnector") in manager.told


@pytest.mark.parametrize(
    ("state", "word", "said"),
    [
        (ServiceState.RUNNING, "masked", "systemctl unmask"),
        (ServiceState.STOPPED, "enabled", "End it where it runs"),
    ],
)
async def test_what_somebody_chose_is_not_undone_nor_a_second_connector_started(  # noqa: PLR0917
    practice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: ServiceState, word: str, said: str
) -> None:
    manager = Systemd(tmp_path / "run")
    monkeypatch.setattr(manager, "state", lambda _: state)
    monkeypatch.setattr(service, "Services", lambda: Services(tmp_path / "services", manager))
    monkeypatch.setattr(service, "run", lambda _: Said(0, word))
    monkeypatch.setattr(Running, "alive", lambda *_: True)
    Book(tmp_path / "services").add(Record("OpenDentalEConnector", practice / "office.toml"))
    finding = await found(practice, "service")
    assert (finding.state, finding.fix) == ("attention", "")
    assert said in finding.remedy[0]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give files to another account")
async def test_an_account_that_may_not_use_its_files_is_found_and_is_given_them(practice: Path, tmp_path: Path) -> None:
    book = Book(tmp_path / "services")
    book.add(Record("OpenDentalEConnector", practice / "office.toml", "nobody"))
    settings = practice / "office.toml"
    settings.write_text(settings.read_text().replace('"office.sqlite"', '"state/office.sqlite"'))
    for folder in (practice / "state", practice / "log"):
        folder.mkdir(mode=0o700, exist_ok=True)
    settings.chmod(0o644)
    for folder in (practice, *practice.parents):
        if folder.stat().st_mode & 0o001 == 0:
            folder.chmod(folder.stat().st_mode | 0o011)
    finding = await found(practice, "service-account")
    assert (finding.state, finding.fix) == ("problem", "hand-over")
    assert any(str(practice / "state") in line for line in finding.details)
    check = next(each for each in CHECKS if each.id == "service-account")
    mended = await mend(lambda: Scene(settings), check)
    assert (mended.outcome, mended.after.state) == ("mended", "ok"), mended
    book.change(Record("OpenDentalEConnector", settings, "gone-since"))
    assert (await found(practice, "service-account")).code == "service-account"


@pytest.mark.skipif(os.name == "nt", reason="rights of files are others there")
def test_rights_are_judged_as_the_other_account_has_them(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch(mode=0o600)
    mine = {"user": os.geteuid(), "group": os.getegid()}
    stranger = {"user": 4_000_001, "group": 4_000_001}
    assert not lacks(mine, file, "rw")
    for folder in tmp_path.parents:
        if not folder.stat().st_mode & 0o001:
            assert "may not pass through" in lacks(stranger, file, "r")
            return
    tmp_path.chmod(0o755)
    assert "may not read" in lacks(stranger, file, "r")


# -- this machine -----------------------------------------------------------------------------------------------------


async def test_a_disk_that_is_nearly_or_quite_full_is_found(practice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await found(practice, "disk")).state in {"ok", "attention"}
    monkeypatch.setattr(storage, "ROOMY", 1 << 60)
    assert (await found(practice, "disk")).state == "attention"
    monkeypatch.setattr(storage, "LEAST_FREE", 1 << 60)
    finding = await found(practice, "disk")
    assert (finding.state, "is full" in finding.text) == ("problem", True)


def test_a_setting_is_found_by_its_line_wherever_it_stands() -> None:
    text = 'machine = "x"\n\n[hq]\nurl = "wss://a"\n[ "window" ]\n"port" = 1\ndatabase.port = 3\n'
    lines = {"machine": 1, "hq.url": 4, "hq": 3, "window.port": 6, "window.database.port": 7, "nowhere": 0, "": 0}
    assert {name: line_of(text, name) for name in lines} == lines


# -- who stands between here and HQ -----------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def hq(authority: Authority) -> AsyncIterator[int]:
    """Something that ends TLS with a certificate of this authority, and opens WebSockets."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(UPGRADED)
            await writer.drain()
            await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=authority.issue("localhost").context())
    async with server:
        yield server.sockets[0].getsockname()[1]


def dial(practice: Path, port: int, ca: Path | None) -> None:
    settings = practice / "office.toml"
    text = settings.read_text().replace('url = "ws://127.0.0.1:8440/link"', f'url = "wss://localhost:{port}/link"')
    own = f'ca = "{ca}"\n' if ca else ""
    settings.write_text(text.replace("[hq]\n", f'[hq]\nproxy = "none"\n{own}'))


@pytest.mark.parametrize(
    ("issuer", "trusted", "state", "words"),
    [
        ("HQ CA", "own", "ok", "its own authority, CN=HQ CA"),
        ("Branch CA", "system", "attention", "not issued by HQ's own authority, but by CN=Branch CA"),
        ("Zscaler Root", "system", "attention", "(Zscaler)"),
        ("Nobody CA", "nobody", "problem", "issued by CN=Nobody CA, which nobody here trusts"),
    ],
)
async def test_who_opens_the_connection_on_its_way_is_named(  # noqa: PLR0917 - one column each
    practice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, issuer: str, trusted: str, state: str, words: str
) -> None:
    presents, own = Authority(tmp_path, issuer), Authority(tmp_path, "Vendor CA")
    if trusted == "system":
        monkeypatch.setenv("SSL_CERT_FILE", str(presents.file))
    async with hq(presents) as port:
        dial(practice, port, presents.file if trusted == "own" else own.file)
        finding = await found(practice, "certificate")
    assert finding.state == state, finding
    assert words in finding.text
    assert finding.remedy or state == "ok"

"""A whole office with its window: HQ and connector in processes of their own, the real database, Open Dental users."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page

from econnector.base.clock import ManualClock
from econnector.demo.browser import Browser, Lost
from econnector.office.settings import load_settings
from econnector.office.window.scene import Scene
from econnector.opendental import passwords
from econnector.opendental.schema import Schemas
from econnector.opendental.writes import guard
from econnector.storage.database import Database
from econnector.storage.state.base import join_state
from tests.office.connector import sqlite_practice
from tests.office.window.bare import PORT, Window, add_users
from tests.support.chromium import chromium
from tests.support.mariadb import MariaDb, shared_server
from tests.support.ports import free_port
from tests.support.together import WINDOW
from tests.support.whole import Whole, until

PASSWORD = "Molar-42"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SERVICES_SETUP, SECURITY_ADMIN = 91, 24
USERS = {"Ada": (SERVICES_SETUP, SECURITY_ADMIN), "Frank": (SERVICES_SETUP,), "Vera": ()}
"""Who may what: everything, all but Stop Monitoring, only look."""
BUSY = 150.0
"""Seconds that a process may take to begin where many others do."""


class WindowOffice(Whole):
    """HQ and one connector over a copy of the real database, in processes of their own."""

    def __init__(self, folder: Path, server: MariaDb) -> None:
        # The practice needs no patients here, so nothing of a demo is built.
        self.folder, self.switchboard, self.port = folder, "local", free_port()
        self.hq_url, self.processes = f"http://127.0.0.1:{self.port}", {}
        self.start("hq", "hq", "run")  # while the database is made
        self.server, self.database = server, server.open_dental("24.3")
        self.window_port = free_port()
        self.address = f"http://127.0.0.1:{self.window_port}/"
        self.settings = folder / "office.toml"
        self.settings.write_text(
            f'machine = "FRONT-DESK"\nstate = "office.sqlite"\n'
            f'[hq]\nurl = "ws://127.0.0.1:{self.port}/link"\nproxy = "none"\n'
            f'[database]\nurl = "{server.url(self.database)}"\n[log]\nfolder = "log"\n[awake]\nkeep = false\n'
            f"[window]\nport = {self.window_port}\n"
        )
        self.add_users()

    @property
    def environment(self) -> dict[str, str]:
        """The machine's services are the test's own."""
        own = {
            "ECONNECTOR_SERVICE_MANAGER": "supervised",
            "ECONNECTOR_SERVICE_FOLDER": str(self.folder / "services"),
            "STATE_DIRECTORY": str(self.folder / "data"),
        }
        return super().environment | own

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        return self.server.sql(statement, *values, database=self.database)

    def add_users(self) -> None:
        for group, (name, permissions) in enumerate(USERS.items(), 501):
            self.sql("INSERT INTO usergroup (UserGroupNum, Description) VALUES (%s, %s)", group, name)
            self.sql(
                "INSERT INTO userod (UserNum, UserName, Password, UserGroupNum) VALUES (%s, %s, %s, 0)",
                group,
                name,
                passwords.make(PASSWORD),
            )
            self.sql("INSERT INTO usergroupattach (UserNum, UserGroupNum) VALUES (%s, %s)", group, group)
            for permission in permissions:
                self.sql("INSERT INTO grouppermission (UserGroupNum, PermType) VALUES (%s, %s)", group, permission)

    def row(self, severity: int, text: str, *, ago: str = "0 SECOND", processed: bool = True) -> None:
        """Add a row to the history."""
        self.sql(
            "INSERT INTO eservicesignal (ServiceCode, ReasonCategory, ReasonCode, Severity, Description, SigDateTime,"
            f" Tag, IsProcessed) VALUES (1, 0, 0, %s, %s, NOW() - INTERVAL {ago}, '', %s)",
            severity,
            text,
            int(processed),
        )

    def clear_history(self) -> None:
        """Leave what a connector has that has just begun to work."""
        self.sql("DELETE FROM eservicesignal")
        self.row(2, "Heartbeat Anchor", ago="2 MINUTE")
        self.row(2, "Heartbeat", ago="1 SECOND")
        self.sql("UPDATE userod SET FailedAttempts=0")

    def preference(self, name: str) -> str:
        found = self.sql("SELECT ValueString FROM preference WHERE PrefName=%s", name)
        return str(found[0][0]) if found else ""

    @property
    def whole(self) -> Whole:
        """The processes."""
        return self

    def audit(self) -> list[str]:
        """Return who did what, newest first, as Open Dental's audit trail shows it."""
        rows = self.sql("SELECT UserNum, PermType, LogText FROM securitylog ORDER BY SecurityLogNum DESC LIMIT 20")
        return [f"{user} {permission} {text}" for user, permission, text in rows]

    def serves_window(self) -> bool:
        """Whether the connector's page is there."""
        with contextlib.suppress(Lost):
            return Browser(self.address).open("").status == 200
        return False


@pytest.fixture(scope="session")
def built_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WindowOffice]:
    office = WindowOffice(tmp_path_factory.mktemp("window"), shared_server())
    until(lambda: office.reaches("/health"), BUSY)
    office.enrol()
    office.start_office()
    until(office.serves_window, BUSY)
    until(lambda: office.sql("SELECT 1 FROM eservicesignal WHERE Severity=2"), BUSY)
    yield office
    office.close()
    office.server.drop_database(office.database)


@pytest.fixture
def office(request: pytest.FixtureRequest, built_office: WindowOffice) -> WindowOffice:
    """Return the office; it works, nothing waits, the settings are as they were."""
    assert request.path.name in WINDOW, "name the file there: every process that runs one builds this office"
    built_office.clear_history()
    for name, value in (
        ("EServiceListenerEnabled", "1"),
        ("SendEmailsInDiffProcess", "0"),
        ("EConnectorCleanupLoggerIntervalDays", "30"),
    ):
        built_office.sql("UPDATE preference SET ValueString=%s WHERE PrefName=%s", value, name)
    return built_office


@pytest.fixture(scope="module")  # as long as it lives, no other event loop runs in this process
def browser() -> Iterator[Chromium]:
    with chromium() as found:
        yield found


Opener = Callable[..., Page]


@pytest.fixture
def open_page(browser: Chromium) -> Iterator[Opener]:
    """Yield a function that opens a fresh browser window; what it logs as an error fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(**options: object) -> Page:
        context = browser.new_context(**{"locale": "en-US", **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(page: Page, office: WindowOffice, name: str = "Ada", password: str = PASSWORD) -> None:
    """Sign in and stand on the first page, or on the sign-in page with what was wrong."""
    page.goto(f"{office.address}sign-in")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state()


def shots(folder: Path | None, page: Page, name: str) -> None:
    """Keep screenshots where somebody wants to look."""
    if folder is None:
        return
    for width in (1280, 320):
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})


# -- the app alone ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def practice_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice with three users, made once."""
    file = tmp_path_factory.mktemp("practice") / "practice.sqlite"

    async def make() -> None:
        database = Database(await sqlite_practice(file))
        await add_users(database)
        await database.close()

    asyncio.run(make())
    return file


@pytest.fixture
async def window(tmp_path: Path, practice_file: Path) -> AsyncIterator[Window]:
    url = f"sqlite:///{shutil.copy(practice_file, tmp_path / 'practice.sqlite')}"
    loaded = load_settings(None, {"database.url": url, "state": str(tmp_path / "office.sqlite")}, {})
    clock = ManualClock()
    database, state = Database(url, guard=guard), await join_state(tmp_path / "office.sqlite")
    scene = Scene(loaded, database, Schemas(), state, "127.0.0.1", PORT, inside=False, clock=clock)
    yield Window(scene, clock, url)
    await database.close()
    await state.close()

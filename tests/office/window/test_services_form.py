"""The Service Manager's page without a browser: what a form may not do, and who is said to have done what."""

import asyncio
import dataclasses
from pathlib import Path

import pytest

from econnector.base import secrets
from econnector.office.service.services import Services
from econnector.office.service.supervised import Supervised
from econnector.office.settings import CREDENTIAL
from tests.office.window.bare import Window, post

NAME, KEPT = "OpenDentalEConnector", "the-kept-password"


@pytest.fixture
def manager(window: Window, tmp_path: Path) -> Window:
    """The same window, on a machine with services of its own."""
    services = lambda: Services(tmp_path / "services", Supervised(tmp_path / "run"))  # noqa: E731
    return Window(dataclasses.replace(window.scene, services=services), window.clock, window.url)


async def test_the_password_that_is_kept_goes_to_no_other_server(manager: Window, tmp_path: Path) -> None:
    settings, visits = tmp_path / "north.toml", []
    kept = secrets.keep(CREDENTIAL, KEPT, tmp_path / "secrets")
    settings.write_text(
        f'[database]\nhost = "db.example"\nname = "od"\nuser = "ec"\npassword_file = "{kept}"\n', "utf-8"
    )
    manager.scene.services().add(NAME, settings)
    server = await asyncio.start_server(lambda _, writer: visits.append(writer), "127.0.0.1", 0)
    theirs = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, manager.signed_in("Frank") as browser:
        for changed in ({"server": theirs, "user": "ec"}, {"server": "db.example", "user": "root"}):
            fields = {"database": "od", "password": "", "ca": "", "hq": "", "do": "test"} | changed
            answer = await post(browser, f"/services/{NAME}/configure", f"/services/{NAME}/configure", **fields)
            assert answer.status_code == 422
            assert "Enter the password: the one that is kept is ec’s on db.example" in answer.text
            assert KEPT not in answer.text
        for writer in visits:
            writer.close()
    assert visits == []


@pytest.mark.parametrize("typed", ["/etc/cron.d/econnector", "north.toml", "../north.toml"])
async def test_a_settings_file_has_a_whole_path_and_is_one(manager: Window, typed: str) -> None:
    async with manager.signed_in("Frank") as browser:
        answer = await post(browser, "/services", "/services", name=NAME, settings=typed)
        assert answer.status_code == 422
        assert "which ends with .toml" in answer.text
    assert manager.scene.services().book.records() == []


async def test_who_changed_a_service_stands_in_the_audit_trail(manager: Window, tmp_path: Path) -> None:
    settings = tmp_path / "north.toml"
    settings.write_text(f'[database]\nurl = "{manager.url}"\n')
    async with manager.signed_in("Frank") as browser:
        await post(browser, "/services", "/services", name=NAME, settings=str(settings))
        await post(browser, f"/services/{NAME}/install", f"/services/{NAME}")
        await post(browser, f"/services/{NAME}/uninstall", f"/services/{NAME}")
    rows = [row for row in await manager.audit() if row[1] == 91]
    assert rows == [
        (502, 91, f"eConnector service changed. {NAME}: {done}") for done in ("added", "installed", "uninstalled")
    ]


async def test_without_an_audit_trail_a_service_is_changed_all_the_same(manager: Window, tmp_path: Path) -> None:
    async with manager.signed_in("Frank") as browser:
        await manager.sql("DROP TABLE securitylog")
        answer = await post(browser, "/services", "/services", name=NAME, settings=str(tmp_path / "north.toml"))
        assert answer.headers["location"] == f"/services/{NAME}"

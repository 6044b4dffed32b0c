"""Where a program keeps what it writes, on every system and for every account."""

import os
import sys
from pathlib import Path

import pytest

from econnector.base.places import data_folder, settings_folder


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STATE_DIRECTORY", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)


def on(monkeypatch: pytest.MonkeyPatch, system: str, account: int) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(os, "geteuid", lambda: account, raising=False)


@pytest.mark.parametrize(
    ("system", "account", "folder"),
    [
        ("linux", 0, "/var/lib/econnector"),
        ("linux", 1000, "/home/jo/.local/state/econnector"),
        ("darwin", 0, "/Library/Application Support/eConnector"),
        ("darwin", 501, "/home/jo/Library/Application Support/eConnector"),
        ("win32", 0, "C:/Data/eConnector"),
    ],
)
def test_every_system_has_its_own_place(
    monkeypatch: pytest.MonkeyPatch, system: str, account: int, folder: str
) -> None:
    monkeypatch.setenv("HOME", "/home/jo")
    monkeypatch.setenv("PROGRAMDATA", "C:/Data")
    on(monkeypatch, system, account)
    assert data_folder() == Path(folder)


def test_what_the_service_manager_gives_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/private/econnector:/other")
    assert data_folder() == Path("/var/lib/private/econnector")


def test_an_account_without_a_home_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    on(monkeypatch, "linux", 12345)
    monkeypatch.setattr(Path, "home", nobody)
    assert not data_folder().exists()
    assert not settings_folder().exists()

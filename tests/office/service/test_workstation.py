"""A named account is tried as what it is, before it runs the connector; and root hands over what it will write."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from econnector.office.service.folders import Folders, hand_over
from econnector.office.service.workstation import examine

pytestmark = pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can be another account")


async def test_this_account_is_examined_by_the_doctor(tmp_path: Path, practice: str) -> None:
    del practice
    settings = tmp_path / "office.toml"
    (tmp_path / "A").mkdir()
    settings.write_text(f'[database]\nurl = "sqlite:///{tmp_path}/practice.sqlite"\n[images]\nroot = "{tmp_path}"\n')
    found = {each.about: (each.state, each.text) for each in await asyncio.to_thread(examine, "", settings)}
    assert {"database", "images"} <= found.keys()
    assert {state for state, _ in found.values()} == {"ok"}, found


def test_another_account_that_may_not_even_read_is_told_so(tmp_path: Path) -> None:
    settings = tmp_path / "office.toml"
    settings.write_text('[database]\nurl = "sqlite:///practice.sqlite"\n')
    tmp_path.chmod(0o700)
    found = examine("daemon", settings)
    assert found
    assert all(each.state != "ok" for each in found)


def test_what_the_connector_writes_is_given_to_its_account(tmp_path: Path) -> None:
    import pwd  # noqa: PLC0415 - not on Windows

    password = tmp_path / "secrets" / "office" / "database-password.secret"
    password.parent.mkdir(parents=True)
    password.write_text("x")
    password.chmod(0o600)
    settings = tmp_path / "office.toml"
    settings.write_text("")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "office.sqlite").write_text("")
    hand_over("daemon", settings, Folders(tmp_path / "state", tmp_path / "log", password))
    wanted = pwd.getpwnam("daemon").pw_uid
    given = (tmp_path / "state", tmp_path / "state" / "office.sqlite", tmp_path / "log", password)
    assert {file.stat().st_uid for file in given} == {wanted}
    assert password.stat().st_mode & 0o077 == 0
    others = tmp_path / "log" / "others" / "letter.txt"
    ours = tmp_path / "log" / "Main" / "20-01-02" / "20-01-02 (001).txt"
    for file in (others, ours):
        file.parent.mkdir(parents=True)
        file.write_text("")
    hand_over("daemon", settings, Folders(tmp_path / "state", tmp_path / "log", password))
    assert (ours.stat().st_uid, others.stat().st_uid) == (wanted, os.geteuid())
    elsewhere = tmp_path / "private" / "password.txt"
    elsewhere.parent.mkdir(mode=0o700)
    elsewhere.write_text("x")
    hand_over("daemon", settings, Folders(tmp_path / "state", tmp_path / "log", elsewhere))
    assert elsewhere.stat().st_uid == wanted
    assert elsewhere.parent.stat().st_mode & 0o077 == 0, "a folder that is not ours is not opened"
    hand_over("daemon", settings, Folders(tmp_path, tmp_path, password))
    assert settings.stat().st_uid == tmp_path.stat().st_uid == os.geteuid(), "what holds the settings stays root's"

"""Secrets that outlive the one who typed them."""

import os
import shutil
import stat
import sys
from pathlib import Path

import pytest

from econnector.base.errors import SettingInvalid, UnsealFailed
from econnector.base.secrets import keep, read

SECRET = 'pä"ss \\ word'
sealing = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0 or not shutil.which("systemd-creds"), reason="needs root and systemd"
)


def test_a_plain_file_is_its_owners_only_and_comes_back_as_it_was(tmp_path: Path) -> None:
    file = keep("database-password", SECRET, tmp_path / "secrets", "file")
    assert read(file) == SECRET
    if os.name != "nt":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        file.chmod(0o640)
        with pytest.raises(SettingInvalid, match="chmod 600"):
            read(file)


def test_keeping_anew_replaces_and_leaves_nothing_else_behind(tmp_path: Path) -> None:
    keep("database-password", "old", tmp_path, "file")
    (tmp_path / "database-password.cred").write_text("sealed before")
    file = keep("database-password", SECRET, tmp_path, "file")
    assert read(file) == SECRET
    assert [each.name for each in tmp_path.iterdir()] == ["database-password.secret"]


def test_what_is_missing_or_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match="password_file"):
        read(tmp_path / "none.secret", "database.password_file")
    (tmp_path / "occupied").write_text("")
    with pytest.raises(SettingInvalid):
        keep("x", SECRET, tmp_path / "occupied" / "folder", "file")


@sealing
def test_a_sealed_secret_opens_here_and_holds_no_word_of_it(tmp_path: Path) -> None:
    file = keep("database-password", SECRET, tmp_path, "systemd")
    assert file.suffix == ".cred"
    assert SECRET.encode() not in file.read_bytes()
    assert read(file) == SECRET
    renamed = file.rename(tmp_path / "another-name.cred")
    with pytest.raises(UnsealFailed):
        read(renamed)


@pytest.mark.causes("unseal-failed")
@sealing
def test_a_secret_sealed_elsewhere_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "database-password.cred"
    file.write_text("WhQZht+JQJax1aZemmGLxmAAAAA=")
    with pytest.raises(UnsealFailed) as failed:
        read(file)
    assert "another machine" in failed.value.office_text()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows opens it")
def test_windows_sealing_is_windows_only(tmp_path: Path) -> None:
    file = tmp_path / "database-password.dpapi"
    file.write_bytes(b"x")
    with pytest.raises(UnsealFailed):
        read(file)

"""The connector's settings: the password's places, Open Dental's config file, addresses."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnector.base.errors import SettingInvalid, SettingMissing
from econnector.office.addresses import database_place, hq_url
from econnector.office.opendental_config import read_config
from econnector.office.settings import load_settings

WEB_CONFIG = """<ConnectionSettings>
   <DatabaseConnection>
      <ComputerName>{computer}</ComputerName>
      <Database>opendental</Database>
      <User>connector</User>
      <Password>{password}</Password>
      <MySQLPassHash>{hash}</MySQLPassHash>
      <UserLow></UserLow><PasswordLow></PasswordLow>
      <DatabaseType>MySql</DatabaseType>
      <SslCa>{ca}</SslCa>
   </DatabaseConnection>
   <LogLevelOfApplication>Error</LogLevelOfApplication>
</ConnectionSettings>
"""


def config(folder: Path, *, computer: str = "server", password: str = "", hashed: str = "", ca: str = "") -> Path:
    file = folder / "OpenDentalWebConfig.xml"
    text = WEB_CONFIG.format(computer=computer, password=password, hash=hashed, ca=ca)
    file.write_bytes(text.replace("\n", "\r\n").encode())
    return file


def settings_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "office.toml"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_a_config_file_of_open_dental_gives_the_place_of_the_database(tmp_path: Path) -> None:
    config(tmp_path, computer="server:3307", password=" s p ", ca="sky.pem")
    file = settings_file(tmp_path, 'open_dental_config = "OpenDentalWebConfig.xml"\n[database]\nuser = "me"\n')
    loaded = load_settings(file, environment={})
    place = database_place(loaded)
    assert place.url == "mysql://me@server:3307/opendental"
    assert place.password == " s p "
    assert place.ca == tmp_path / "sky.pem"
    assert loaded.places["database.host"] == str(tmp_path / "OpenDentalWebConfig.xml")
    assert loaded.places["database.user"] == str(file)


def test_a_password_that_only_open_dental_can_read_is_asked_for(tmp_path: Path) -> None:
    flags = {"open_dental_config": str(config(tmp_path, hashed="odv2e$abc"))}
    with pytest.raises(SettingMissing, match="only Open Dental can read") as caught:
        load_settings(None, flags, {})
    assert caught.value.facts["variable"] == "ECONNECTOR_OFFICE_DATABASE_PASSWORD"
    loaded = load_settings(None, flags, {"ECONNECTOR_OFFICE_DATABASE_PASSWORD": "typed"})
    assert database_place(loaded).password == "typed"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "not XML"),
        ("<ConnectionSettings>", "not XML"),
        ("<a/>", "no DatabaseConnection"),
        ("<!DOCTYPE a><a/>", "document type"),
        ("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", "document type"),
        ("<!DOCTYPE a [<!ENTITY b 'x'><!ENTITY c '&b;&b;&b;'>]><a>&c;</a>", "document type"),
        ("<a>" * 30 + "</a>" * 30, "nested deeper"),
        (" " * (1 << 20) + "<a/>", "larger"),
        ("<?xml version='1.0' encoding='klingon'?><a/>", "not XML"),
        (WEB_CONFIG.format(computer="server:99999", password="", hash="", ca=""), "port"),
        (WEB_CONFIG.replace("MySql", "Oracle").format(computer="s", password="", hash="", ca=""), "MySql"),
    ],
)
def test_a_hostile_or_broken_config_file_is_refused_with_its_reason(tmp_path: Path, content: str, why: str) -> None:
    file = tmp_path / "FreeDentalConfig.xml"
    file.write_text(content)
    with pytest.raises(SettingInvalid, match=why):
        read_config(file)


@given(content=st.binary(max_size=200))
def test_no_config_file_raises_anything_but_a_failure(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.xml"
    file.write_bytes(content)
    with pytest.raises(SettingInvalid):
        read_config(file)


@pytest.mark.skipif(os.name == "nt", reason="the file's mode says nothing on Windows")
def test_a_file_with_the_password_must_be_its_owners_only(tmp_path: Path) -> None:
    text = '[database]\npassword = "secret"\n'
    assert load_settings(settings_file(tmp_path, text), environment={}).value.database.password == "secret"
    with pytest.raises(SettingInvalid, match="chmod 600"):
        load_settings(settings_file(tmp_path, text, 0o644), environment={})
    url = '[database]\nurl = "mysql://me:secret@server/od"\n'
    with pytest.raises(SettingInvalid, match="chmod 600"):
        load_settings(settings_file(tmp_path, url, 0o640), environment={})
    (tmp_path / "password").write_text("from the file\n")
    (tmp_path / "password").chmod(0o644)
    with pytest.raises(SettingInvalid, match="password_file"):
        load_settings(settings_file(tmp_path, '[database]\npassword_file = "password"\n'), environment={})
    (tmp_path / "password").chmod(0o400)
    loaded = load_settings(settings_file(tmp_path, '[database]\npassword_file = "password"\n'), environment={})
    assert loaded.value.database.password == "from the file"


def test_a_systemd_credential_is_the_password(tmp_path: Path) -> None:
    (tmp_path / "database-password").write_text("sealed\n")
    loaded = load_settings(None, environment={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert loaded.value.database.password == "sealed"
    assert loaded.places["database.password"] == "systemd credential database-password"


@pytest.mark.parametrize("name", ["stripe_key", "stripe_webhook_secret"])
def test_stripes_secrets_are_given_as_the_password_is(tmp_path: Path, name: str) -> None:
    def value(text: str = "", mode: int = 0o600, variables: dict[str, str] | None = None) -> str:
        file = settings_file(tmp_path, f"[payments]\n{text}", mode)
        return str(getattr(load_settings(file, environment=variables or {}).value.payments, name))

    assert value(f'{name} = "here"') == "here"
    assert value(variables={f"ECONNECTOR_OFFICE_PAYMENTS_{name.upper()}": "there"}) == "there"
    (tmp_path / name.replace("_", "-")).write_text("sealed\n")
    assert value(f'{name} = "here"', variables={"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "sealed"
    (tmp_path / "secret").write_text("from the file\n")
    (tmp_path / "secret").chmod(0o400)
    assert value(f'{name}_file = "secret"') == "from the file"
    if os.name != "nt":
        with pytest.raises(SettingInvalid, match="chmod 600"):
            value(f'{name} = "here"', 0o644)


def test_a_password_never_stands_in_a_command_line() -> None:
    with pytest.raises(SettingInvalid, match="never stands in a command line"):
        database_place(load_settings(None, {"database.url": "mysql://me:secret@server/od"}, {}))


def test_no_message_and_no_repr_repeats_a_password(tmp_path: Path) -> None:
    loaded = load_settings(None, environment={"ECONNECTOR_OFFICE_DATABASE_URL": "mysql://me:s%40crt@[::1]/od"})
    place = database_place(loaded)
    assert place.password == "s@crt"
    assert place.url == "mysql://me@[::1]:3306/od"
    assert "crt" not in repr(place)
    with pytest.raises(SettingInvalid) as caught:
        database_place(load_settings(None, environment={"ECONNECTOR_OFFICE_DATABASE_URL": "oracle://me:secret@s/od"}))
    assert "secret" not in str(caught.value)
    config(tmp_path, computer="s:x", password="secret")
    with pytest.raises(SettingInvalid) as caught:
        read_config(tmp_path / "OpenDentalWebConfig.xml")
    assert "secret" not in str(caught.value)


def test_a_sqlite_file_in_the_settings_file_counts_from_there(tmp_path: Path) -> None:
    file = settings_file(tmp_path, '[database]\nurl = "sqlite:///practice.sqlite"\n')
    place = database_place(load_settings(file, environment={}))
    assert place.url == f"sqlite:///{tmp_path / 'practice.sqlite'}"
    assert database_place(load_settings(None, {"database.url": "sqlite:////a/b.sqlite"}, {})).url.endswith(
        "/a/b.sqlite"
    )


@pytest.mark.parametrize(
    ("typed", "dialled"),
    [
        ("wss://hq.example.com/link", "wss://hq.example.com/link"),
        ("https://hq.example.com", "wss://hq.example.com/link"),
        ("hq.example.com:8443", "wss://hq.example.com:8443/link"),
        ("http://localhost:8080", "ws://localhost:8080/link"),
    ],
)
def test_hqs_address_may_be_typed_as_people_know_it(typed: str, dialled: str) -> None:
    assert hq_url(load_settings(None, {"hq.url": typed}, {})) == dialled


@pytest.mark.parametrize(
    "typed", ["ftp://hq", "wss://", "ws://hq.example.com", "wss://u:p@hq", "wss://hq:99999/", "//"]
)
def test_an_address_that_cannot_be_hqs_is_refused(typed: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        hq_url(load_settings(None, {"hq.url": typed}, {}))
    assert caught.value.facts["name"] == "hq.url"


def test_hqs_address_is_needed() -> None:
    with pytest.raises(SettingMissing, match=r"hq\.url"):
        hq_url(load_settings(None, environment={}))

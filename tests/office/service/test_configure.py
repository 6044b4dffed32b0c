"""The configuration step: against a real server, without a word written to it."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from econnector.base.errors import DatabaseAway, DatabaseRefused, SettingInvalid, ValueRejected, VersionsDiffer
from econnector.office.addresses import database_place
from econnector.office.service.configure import Access, beginning, find_config, own_places, save, split_server, try_out
from econnector.office.settings import load_settings
from tests.office.test_settings import config
from tests.support.certificates import Authority
from tests.support.mariadb import MariaDb, shared_server
from tests.support.ports import free_port

PASSWORD = "a pässword \\ with 'quotes\""
TABLES = ("preference", "eservicesignal", "alertitem")


@pytest.fixture(scope="module")
def practice() -> Iterator[str]:
    """A database of Open Dental."""
    server = shared_server()
    name = server.open_dental("21.1")
    for user, rights in (
        ("ec_all", "SELECT, INSERT, UPDATE, DELETE"),
        ("ec_read", "SELECT"),
        ("ec_some", "SELECT, UPDATE"),
    ):
        server.create_user(user, PASSWORD, f"{rights} ON {name}.*")
    yield name
    server.drop_database(name)


def access(database: str, user: str = "ec_all", **other: object) -> Access:
    values: dict[str, object] = {"host": "127.0.0.1", "port": shared_server().port, "password": PASSWORD}
    return Access(database=database, user=user, **(values | other))  # type: ignore[arg-type]


def checksums(database: str) -> list[tuple[object, ...]]:
    return shared_server().sql(f"CHECKSUM TABLE {', '.join(TABLES)}", database=database)


@pytest.mark.shared
def test_a_good_account_is_told_what_it_meets_and_nothing_is_written(practice: str) -> None:
    before = checksums(practice)
    tested = try_out(access(practice))
    assert (tested.version, tested.lacking, tested.warnings) == ("21.1.9.0", (), [])
    assert tested.server.startswith("MariaDB ")
    assert checksums(practice) == before


@pytest.mark.shared
@pytest.mark.parametrize(
    ("user", "lacking"), [("ec_read", ("DELETE", "INSERT", "UPDATE")), ("ec_some", ("DELETE", "INSERT"))]
)
def test_an_account_that_may_not_write_is_told_what_will_not_work(
    practice: str, user: str, lacking: tuple[str, ...]
) -> None:
    before = checksums(practice)
    tested = try_out(access(practice, user))
    assert tested.lacking == lacking
    assert "no heartbeat can be written" in tested.warnings[0]
    assert "GRANT SELECT, INSERT, UPDATE, DELETE" in tested.warnings[1]
    assert PASSWORD not in "".join(tested.warnings)
    assert checksums(practice) == before


@pytest.mark.shared
def test_wrong_password_database_and_server_are_told_apart(practice: str) -> None:
    with pytest.raises(DatabaseRefused, match="wrong user or password"):
        try_out(access(practice, password="wrong"))
    with pytest.raises(DatabaseRefused):
        try_out(access("no_such_database"))
    with pytest.raises(DatabaseAway):
        try_out(access(practice, port=free_port()))
    empty = shared_server().create_database()
    with pytest.raises(VersionsDiffer):
        try_out(access(empty, user="root", password=""))
    shared_server().drop_database(empty)


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"host": "  "}, "Server"), ({"user": ""}, "User"), ({"database": " "}, "Database"), ({"port": 0}, "port")],
)
def test_nothing_may_be_blank(changed: dict[str, object], field: str) -> None:
    with pytest.raises(ValueRejected) as failed:
        access(**({"database": "opendental"} | changed)).checked()  # type: ignore[arg-type]
    assert field in failed.value.patient_text()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("server", ("server", 3306)),
        (" server:3307 ", ("server", 3307)),
        ("[fe80::1]:3307", ("fe80::1", 3307)),
        ("fe80::1", ("fe80::1", 3306)),
        ("[::1]", ("::1", 3306)),
    ],
)
def test_a_server_is_a_host_with_or_without_port(text: str, parts: tuple[str, int]) -> None:
    assert split_server(text) == parts
    assert split_server(Access(host=parts[0], port=parts[1]).server) == parts


@pytest.mark.parametrize("text", ["server:", "server:x", "server:70000", "server:0"])
def test_a_port_that_is_none_is_said(text: str) -> None:
    with pytest.raises(ValueRejected, match="port"):
        split_server(text)


@pytest.mark.shared
def test_with_an_authority_tls_is_required_and_the_server_must_be_the_one(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    issued = authority.issue("localhost", "127.0.0.1")
    tls = (f"--ssl-cert={issued.certificate}", f"--ssl-key={issued.key}", f"--ssl-ca={authority.file}")
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "Another CA")
    for file in tmp_path.iterdir():
        file.chmod(0o755 if file.is_dir() else 0o644)
    server = MariaDb(*tls)
    try:
        name = server.create_database()
        server.create_user("ec_tls", PASSWORD, f"ALL ON {name}.*")
        server.sql("ALTER USER ec_tls@'%' REQUIRE SSL")
        wanted = Access("127.0.0.1", server.port, name, "ec_tls", PASSWORD, authority.file)
        with pytest.raises(VersionsDiffer):  # it was let in, and there is nothing in this database
            try_out(wanted)
        with pytest.raises(DatabaseRefused, match="certificate"):
            try_out(Access("127.0.0.1", server.port, name, "ec_tls", PASSWORD, other.file))
    finally:
        server.close()
    plain = shared_server()
    plain.create_user("ec_tls", PASSWORD, "ALL ON *.*")
    with pytest.raises(DatabaseRefused, match="offers no encryption"):
        try_out(Access("127.0.0.1", plain.port, "mysql", "ec_tls", PASSWORD, authority.file))


def test_a_pem_file_is_looked_at_before_anybody_is_asked(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match="No such file"):
        access("od", ca=tmp_path / "none.pem").checked()
    (tmp_path / "not.pem").write_text("hello")
    with pytest.raises(SettingInvalid, match="no certificate"):
        access("od", ca=tmp_path / "not.pem").checked()


def test_what_is_saved_is_what_is_loaded_and_the_password_stands_elsewhere(tmp_path: Path) -> None:
    file, authority = tmp_path / "office.toml", Authority(tmp_path)
    saved = save(file, access("od", ca=authority.file, hq="wss://hq.example.com"))
    place = database_place(load_settings(file, environment={}))
    assert (place.name, place.user, place.password, place.ca) == ("od", "ec_all", PASSWORD, authority.file)
    assert PASSWORD not in file.read_text()
    assert load_settings(file, environment={}).value.hq.url == "wss://hq.example.com"
    if os.name != "nt":
        assert stat.S_IMODE(saved.password.stat().st_mode) == 0o600
    assert beginning(file) == access("od", ca=authority.file, hq="wss://hq.example.com")


OLD = """\
# Our office's settings
machine = "FRONT-DESK"  # the reception

[database]
url = "mysql://me:old-secret@server/od"

[log]
level = "debug"  # until Friday
"""


def test_what_else_stands_in_the_file_stays_and_a_password_in_it_goes(tmp_path: Path) -> None:
    file = tmp_path / "office.toml"
    file.write_text(OLD)
    file.chmod(0o600)
    saved = save(file, access("od"))
    text = file.read_text()
    assert saved.comments_kept
    assert "old-secret" not in text
    assert text.startswith("# Our office's settings\nmachine")
    assert 'level = "debug"  # until Friday' in text
    loaded = load_settings(file, environment={}).value
    assert (loaded.machine, loaded.log.level, loaded.database.url) == ("FRONT-DESK", "debug", "")
    if os.name != "nt":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_is_no_toml_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "office.toml"
    file.write_text("not toml")
    with pytest.raises(SettingInvalid, match="not TOML"):
        save(file, access("od"))
    assert file.read_text() == "not toml"
    assert not (tmp_path / "secrets").exists()


def test_it_begins_with_what_open_dental_says_else_with_its_defaults(tmp_path: Path) -> None:
    assert beginning(tmp_path / "none.toml") == Access("localhost", 3306, "opendental", "root")
    source = config(tmp_path, computer="server:3307", password="p", ca="sky.pem")
    begun = beginning(tmp_path / "none.toml", source)
    assert (begun.server, begun.password, begun.ca) == ("server:3307", "p", tmp_path / "sky.pem")


def test_open_dentals_own_file_is_found_where_windows_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Open Dental").mkdir()
    source = config(tmp_path).rename(tmp_path / "Open Dental" / "FreeDentalConfig.xml")
    monkeypatch.setenv("PROGRAMFILES", str(tmp_path))
    with monkeypatch.context() as there:
        there.setattr(sys, "platform", "win32")
        found = find_config()
    assert found == source


def test_a_second_service_gets_a_state_a_log_and_a_port_of_its_own(tmp_path: Path) -> None:
    first, second = tmp_path / "a.toml", tmp_path / "OpenDentalB.toml"
    save(first, access("a"))
    own = own_places(second, [first])
    assert own is not None
    save(second, access("b"), own)
    one, two = (load_settings(file, environment={}).value for file in (first, second))
    assert one.state_file != two.state_file
    assert one.log_folder != two.log_folder
    assert one.window.port != two.window.port
    assert own_places(second, [first]) is None, "what is there is not changed again"

"""The Service Manager's rules: names, the book of services, one service per database, and what a file keeps."""

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnector.base.errors import (
    ServiceDatabaseTaken,
    ServiceExists,
    ServiceFailure,
    ServiceMissing,
    ServiceNameRejected,
    ServiceNotTheirs,
    SettingInvalid,
    SettingsFileMissing,
)
from econnector.office.service.book import Book, Record
from econnector.office.service.choose import choose, kind_here
from econnector.office.service.command import environment
from econnector.office.service.contract import Definition, ServiceState
from econnector.office.service.files import write_text
from econnector.office.service.lock import Lock, held
from econnector.office.service.names import checked
from econnector.office.service.places import settings_for
from econnector.office.service.sameness import hosts_of
from econnector.office.service.services import Services
from econnector.office.service.supervised import Supervised
from econnector.office.service.tomlfile import changed
from econnector.office.service.words import BEGINS, telling_line

NAME = "OpenDentalEConnector"


@pytest.mark.parametrize("name", ["OpenDent", "OpenDentalEConnector", "OpenDental_North-2"])
def test_a_name_that_every_system_takes(name: str) -> None:
    assert checked(name) == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("eConnector", "begin with OpenDent"),
        ("opendental", "in these capitals"),
        ("OpenDental North", "spaces"),
        ("OpenDental\tNorth", "spaces"),
        ("OpenDental/../x", "letters"),
        ("OpenDentalÄ", "letters"),
        ("OpenDental%n", "letters"),
        ("OpenDent" + "x" * 73, "80 characters"),
        ("", "begin with"),
    ],
)
def test_a_name_that_is_refused_says_why(name: str, why: str) -> None:
    with pytest.raises(ServiceNameRejected, match=why) as failed:
        checked(name)
    assert 'Service name must begin with "OpenDent"' in failed.value.office_text()


@pytest.mark.causes("service-exists", row="install: service exists", sees="history")
def test_the_book_keeps_what_was_added_and_tells_capitals_not_apart(tmp_path: Path) -> None:
    book = Book(tmp_path / "services")
    assert book.records() == []
    record = Record(NAME, tmp_path / 'a "b" \\ c.toml', "ann")
    book.add(record)
    assert book.records() == [record]
    assert book.find(NAME.upper()) == record
    with pytest.raises(ServiceExists):
        book.add(Record("OpenDentalECONNECTOR", tmp_path))
    book.forget(NAME)
    with pytest.raises(ServiceMissing):
        book.get(NAME)


def test_a_damaged_entry_is_named(tmp_path: Path) -> None:
    (tmp_path / "opendentx.toml").write_text("name = 7")
    with pytest.raises(SettingInvalid, match="opendentx"):
        Book(tmp_path).records()


def test_a_file_is_whole_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "x"
    write_text(file, "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as there:
        there.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            write_text(file, "new")
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old"]


def test_one_holds_a_lock_at_a_time(tmp_path: Path) -> None:
    with held(tmp_path / "lock", 0.0) as ours:
        assert ours
        assert Lock.take(tmp_path / "lock") is None
    with held(tmp_path / "lock", 0.0) as again:
        assert again


# -- one service per database -----------------------------------------------------------------------------------------


def settings(folder: Path, name: str, text: str) -> Path:
    file = folder / name / "office.toml"
    file.parent.mkdir()
    file.write_text(f'state = "office.sqlite"\n[database]\n{text}\n')
    return file


@pytest.mark.parametrize(
    "other",
    [
        'host = "127.0.0.1"\nname = "practice"',
        'host = "localhost"\nport = 3306\nname = "PRACTICE"\nuser = "another"',
        'url = "mysql://me@[::1]/practice"',
    ],
)
def test_two_services_never_serve_one_database_however_it_is_written(
    services: Services, tmp_path: Path, other: str
) -> None:
    services.add(NAME, settings(tmp_path, "a", 'host = "localhost"\nname = "practice"'))
    with pytest.raises(ServiceDatabaseTaken, match=NAME):
        services.add("OpenDentalB", settings(tmp_path, "b", other))
    services.add("OpenDentalC", settings(tmp_path, "c", 'host = "localhost"\nname = "another"'))
    services.add("OpenDentalD", settings(tmp_path, "d", 'host = "localhost"\nport = 3307\nname = "practice"'))


def test_one_settings_file_and_one_state_file_have_one_service(services: Services, tmp_path: Path) -> None:
    first = settings(tmp_path, "a", 'name = "a"')
    services.add(NAME, first)
    with pytest.raises(ServiceDatabaseTaken, match="settings file"):
        services.add("OpenDentalB", first)
    twin = settings(tmp_path, "b", 'name = "b"')
    twin.write_text(twin.read_text().replace('"office.sqlite"', f'"{first.parent}/office.sqlite"'))
    with pytest.raises(ServiceDatabaseTaken, match="state file"):
        services.add("OpenDentalB", twin)


def test_settings_that_were_made_one_database_later_are_found_at_install(services: Services, tmp_path: Path) -> None:
    services.add(NAME, settings(tmp_path, "a", 'name = "a"'))
    later = tmp_path / "b" / "office.toml"
    services.add("OpenDentalB", later)
    with pytest.raises(SettingsFileMissing, match="OpenDentalB"):
        services.install("OpenDentalB")
    settings(tmp_path, "b", 'name = "a"')
    with pytest.raises(ServiceDatabaseTaken):
        services.install("OpenDentalB")


def test_names_of_one_machine_are_one_host() -> None:
    assert hosts_of("localhost") == hosts_of("127.0.0.1") == hosts_of("[::1]")
    assert hosts_of("192.0.2.7") == {"192.0.2.7"}
    assert hosts_of("no-such-host.invalid") == set()


@pytest.mark.causes("service-foreign")
def test_another_programs_service_is_listed_and_not_uninstalled(services: Services, tmp_path: Path) -> None:
    services.manager.install(Definition("OpenDentHL7", tmp_path / "hl7.toml"))
    assert [(each.name, each.settings) for each in services.entries()] == [("OpenDentHL7", None)]
    with pytest.raises(ServiceNotTheirs):
        services.uninstall("OpenDentHL7")
    with pytest.raises(ServiceExists):
        services.add("OpenDentHL7", tmp_path / "x.toml")
    assert services.state("OpenDentNobody") is ServiceState.NOT_INSTALLED


def test_an_account_that_is_none_is_refused(services: Services, tmp_path: Path) -> None:
    with pytest.raises(ServiceFailure, match="no such account"):
        services.add(NAME, tmp_path / "office.toml", "nobody-has-this-name")


# -- choosing, places, environment ------------------------------------------------------------------------------------


def test_a_machine_without_a_running_systemd_is_supervised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("econnector.office.service.choose._BOOTED", tmp_path / "none")
    monkeypatch.delenv("ECONNECTOR_SERVICE_MANAGER", raising=False)
    if os.uname().sysname == "Linux":
        assert kind_here() == "supervised"
    monkeypatch.setenv("ECONNECTOR_SERVICE_MANAGER", "supervised")
    assert isinstance(choose(tmp_path), Supervised)
    monkeypatch.setenv("ECONNECTOR_SERVICE_MANAGER", "cron")
    with pytest.raises(SettingInvalid, match="one of systemd"):
        kind_here()


def test_the_first_service_has_the_usual_settings_every_other_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECONNECTOR_SETTINGS", "/srv/office.toml")
    assert settings_for(NAME, []) == Path("/srv/office.toml")
    assert settings_for("OpenDentalB", [Record(NAME, Path("/srv/office.toml"))]) == Path("/srv/OpenDentalB.toml")


def test_a_service_knows_nothing_of_the_shell_that_started_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/srv/state")
    given = {
        "PATH": "/bin",
        "ECONNECTOR_OFFICE_HQ_URL": "x",
        "CREDENTIALS_DIRECTORY": "x",
        "ECONNECTOR_SERVICE_FOLDER": "y",
    }
    assert environment(given) == {"PATH": "/bin", "STATE_DIRECTORY": "/srv/state", "ECONNECTOR_SERVICE_FOLDER": "y"}


def test_last_words_are_the_cause_of_the_latest_start() -> None:
    old = f"{BEGINS} 10:00\n✗ an old cause\n"
    assert telling_line(f"{old}{BEGINS} 11:00\n✗ the cause\n  1. a step\n  code x\n") == "the cause"
    assert telling_line(f"{old}{BEGINS} 11:00\n") == ""
    assert telling_line("one\ntwo\n") == "two"
    assert telling_line("one\ntwo.\n") == "two", "it stands in the middle of a sentence"


# -- the settings file ------------------------------------------------------------------------------------------------

FILES = [
    "",
    'machine = "A"\n',
    "# head\n[hq] # of it\nurl = 'old' # where\n\n[log]\nlevel = \"debug\"\n",
    "hq.url = 'old'\n",
    "hq = { url = 'old', proxy = 'none' }\n",
    "[database]\nname = 'x'\n[hq]\nproxy = 'none'\n",
    'note = """\n[hq]\nurl = "not this one"\n"""\n',
    "[[list]]\na = 1\n[[list]]\na = 2\n",
    "when = 2026-11-21T10:00:00Z\nlist = [1, 2.5, true]\n",
]


@pytest.mark.parametrize("text", FILES)
def test_only_what_is_changed_changes(text: str) -> None:
    made = changed(text, {"hq.url": "new", "database.port": 3307, "database.name": None})
    wanted = tomllib.loads(text)
    wanted.setdefault("hq", {})["url"] = "new"
    wanted.setdefault("database", {})["port"] = 3307
    wanted["database"].pop("name", None)
    assert tomllib.loads(made.text) == wanted
    assert made.comments_kept == ("#" not in text or "# head" in made.text)


def test_comments_stay_where_the_file_is_an_ordinary_one() -> None:
    assert changed(FILES[2], {"log.level": "info", "database.name": "od"}).text == (
        '# head\n[hq] # of it\nurl = \'old\' # where\n\n[log]\nlevel = "info"\n\n[database]\nname = "od"\n'
    )


@given(st.text(), st.text())
def test_every_text_can_be_a_value(before: str, after: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in before + after):
        return
    first = changed("", {"a.b": before}).text
    assert tomllib.loads(changed(first, {"a.b": after, "a.c": before}).text) == {"a": {"b": after, "c": before}}

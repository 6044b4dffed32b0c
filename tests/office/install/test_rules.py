"""The rules of installing, as a table: what is asked, what goes on, what is refused, what an updater may do."""

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import pytest

from econnector.base.errors import (
    ConnectorElsewhere,
    Failure,
    InstallCloud,
    InstallDeclined,
    UpdateServerElsewhere,
)
from econnector.office.install import machine as machines
from econnector.office.install import rules
from econnector.office.install.rules import Facts, Machine
from econnector.office.settings import load_settings
from econnector.opendental.statistics import Entry

NOW = dt.datetime.fromisoformat("2026-03-02T12:00:00")
HERE = Machine("Front-Desk-Computer.smile.example", frozenset({"192.168.1.20", "fe80::1"}), "FRONT")
FRESH = Facts(HERE, version=(24, 3, 10, 0), now=NOW)


def facts(**changes: Any) -> Facts:
    return msgspec.structs.replace(FRESH, **changes)


def said(machine: str, hours: float) -> tuple[Entry, ...]:
    return (Entry(machine, NOW - dt.timedelta(hours=hours)),)


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("Front-Desk-Computer.smile.example", True),
        ("front-desk-computer", True),
        ("FRONT-DESK-COMP", True),  # the first fifteen characters
        (" Front-Desk-Computer ", True),
        ("FRONT", True),  # what our settings call it
        ("192.168.1.20", True),
        ("fe80::1", True),
        ("FRONT-DESK-COM", False),
        ("Front-Desk-Computer2", False),
        ("192.168.1.21", False),
        ("localhost", False),
        ("127.0.0.1", False),
        ("::1", False),
        ("", False),
    ],
)
def test_a_machine_is_known_by_name_fifteen_characters_or_address_never_as_localhost(name: str, same: bool) -> None:
    assert rules.is_this(name, HERE) is same


LISTEN, SERVER, ACCIDENT, OTHER = "begin-listening", "update-server", "another-computer", "other-connector"


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({}, [SERVER, LISTEN]),
        ({"enrolled": True}, [SERVER]),
        ({"enrolled": True, "here": True}, [SERVER]),
        ({"enrolled": True, "here": True, "ever_beaten": True}, []),
        ({"enrolled": True, "agreed": True}, []),
        ({"update_server": "FRONT-DESK-COMP"}, [LISTEN]),
        ({"update_server": "SERVER"}, [ACCIDENT, LISTEN]),
        ({"update_server": "localhost"}, [ACCIDENT, LISTEN]),
        ({"ever_beaten": True}, [SERVER, LISTEN]),
        ({"ever_beaten": True, "beats_now": True}, [OTHER, SERVER, LISTEN]),
        ({"entries": said("SERVER", 2.9)}, [OTHER, SERVER, LISTEN]),
        ({"entries": said("SERVER", 2.9), "stopped": True}, [SERVER, LISTEN]),
        ({"entries": said("SERVER", 3.1)}, [SERVER, LISTEN]),
        ({"entries": said("front-desk-computer", 1)}, [SERVER, LISTEN]),
        ({"entries": (Entry("SERVER", None),)}, [SERVER, LISTEN]),
        ({"entries": said("SERVER", 1), "enrolled": True, "here": True}, [SERVER]),
    ],
)
def test_only_what_is_not_settled_is_asked_and_the_gravest_first(changes: dict[str, Any], asked: list[str]) -> None:
    assert [question.key for question in rules.questions(facts(**changes))] == asked


def test_a_blank_update_server_after_an_earlier_connector_is_said_where_open_dental_says_nothing() -> None:
    (server, _) = rules.questions(facts(ever_beaten=True))
    assert "has worked for this database before" in server.more
    assert "has worked" not in rules.questions(facts())[0].more


@pytest.mark.parametrize(
    ("changes", "key", "answer", "failure"),
    [
        ({}, SERVER, "yes", None),
        ({}, SERVER, "no", None),
        pytest.param({}, SERVER, "cancel", InstallDeclined, marks=pytest.mark.causes("install-declined")),
        ({}, LISTEN, "yes", None),
        ({}, LISTEN, "no", InstallDeclined),
        ({"update_server": "SERVER"}, ACCIDENT, "no", None),
        pytest.param(
            {"update_server": "SERVER"},
            ACCIDENT,
            "yes",
            UpdateServerElsewhere,
            marks=pytest.mark.causes("install-update-server"),
        ),
        ({"update_server": "SERVER"}, ACCIDENT, "cancel", InstallDeclined),
        ({"entries": said("SERVER", 1)}, OTHER, "gone", None),
        pytest.param(
            {"entries": said("SERVER", 1)},
            OTHER,
            "no",
            ConnectorElsewhere,
            marks=pytest.mark.causes("install-elsewhere"),
        ),
    ],
)
def test_which_answers_go_on(changes: dict[str, Any], key: str, answer: str, failure: type[Failure] | None) -> None:
    found = facts(**changes)
    question = next(each for each in rules.questions(found) if each.key == key)
    assert answer in question.answers
    raised = rules.declined(question, answer, found)
    assert (type(raised) if raised else None) is failure
    assert raised is None or (raised.remedy_steps() and "{" not in raised.office_text())


def test_what_only_a_person_can_know_has_no_recommended_answer() -> None:
    grave = rules.questions(facts(update_server="SERVER", entries=said("SERVER", 1)))
    assert [question.recommended for question in grave] == ["", "", "yes"]
    assert rules.questions(facts(can_be_blank=True))[0].recommended == "no"


@pytest.mark.parametrize(
    ("changes", "answer", "becomes"),
    [
        ({}, "yes", True),
        ({}, "no", False),
        ({}, "", False),
        ({"agreed": True}, "", True),
        ({"update_server": "SERVER"}, "yes", False),
        ({"update_server": "SERVER", "agreed": True}, "", False),
    ],
)
def test_only_a_blank_update_server_is_taken_over(changes: dict[str, Any], answer: str, becomes: bool) -> None:
    assert rules.takes_over(facts(**changes), answer) is becomes


def test_the_update_server_is_named_as_every_workstation_recognises_it() -> None:
    assert rules.short_name(HERE) == "Front-Desk-Comp"
    assert rules.is_this(rules.short_name(HERE), HERE)


@pytest.mark.causes("install-cloud")
def test_no_answer_helps_in_the_cloud() -> None:
    rules.refuse(facts())
    with pytest.raises(InstallCloud):
        rules.refuse(facts(cloud="RegKeyNum.txt"))


@pytest.mark.parametrize(
    ("version", "may"),
    [
        ("21.1.9.0", False),
        ("22.2.60.0", False),
        ("22.3.47.0", False),
        ("22.3.48.0", True),
        ("22.3.60.0", True),
        ("22.4.19.0", False),
        ("22.4.20.0", True),
        ("23.1.1.0", True),
        ("24.3.10.0", True),
        ("", False),
    ],
)
def test_an_updater_installs_from_the_versions_on_in_which_it_does(version: str, may: bool) -> None:
    numbers = tuple(int(part) for part in version.split(".") if part)
    assert (rules.auto_reason(facts(version=numbers)) == "") is may


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"ever_beaten": True}, "worked for this database before"),
        ({"update_server": "SERVER"}, "the Update Server is SERVER"),
        ({"update_server": "FRONT-DESK-COMP"}, ""),
        ({"entries": said("SERVER", 1)}, "SERVER is this office's eConnector"),
        ({"entries": said("SERVER", 4)}, ""),
    ],
)
def test_an_updater_says_in_a_line_why_it_installs_nothing(changes: dict[str, Any], why: str) -> None:
    found = rules.auto_reason(facts(**changes))
    assert why in found
    assert bool(found) is bool(why)
    assert "\n" not in found


MIDDLE = "<ConnectionSettings><ServerConnection><URI>http://server/OpenDentalServer</URI></ServerConnection>{}</ConnectionSettings>"
DIRECT = "<DatabaseConnection><ComputerName>server</ComputerName><Database>opendental</Database></DatabaseConnection>"


@pytest.mark.parametrize(
    ("text", "middle"),
    [
        (MIDDLE.format(""), True),
        (MIDDLE.format(DIRECT), False),
        (f"<ConnectionSettings>{DIRECT}</ConnectionSettings>", False),
        ("<ConnectionSettings><ServerConnection><URI> </URI></ServerConnection></ConnectionSettings>", False),
        ("not XML at all", False),
    ],
)
def test_a_middle_tier_client_is_known_by_its_config_file(tmp_path: Path, text: str, middle: bool) -> None:
    config, settings = tmp_path / "FreeDentalConfig.xml", tmp_path / "office.toml"
    config.write_text(text)
    settings.write_text("")
    assert machines.middle_tier_file(load_settings(settings, environment={}), (config,)) == (
        str(config) if middle else ""
    )


def test_the_cloud_is_known_by_its_file(tmp_path: Path) -> None:
    file = tmp_path / "RegKeyNum.txt"
    assert machines.cloud_file(file) == ""
    file.write_text(" \n")
    assert machines.cloud_file(file) == ""
    file.write_text("12345\n")
    assert machines.cloud_file(file) == str(file)

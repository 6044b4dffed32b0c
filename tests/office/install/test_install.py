"""`econnector office install` and `auto-install` where nothing ever ran, against a real HQ and database."""

import platform

import pytest

from econnector.opendental import statistics
from tests.support.fresh import NAME, FreshMachine, Vendor
from tests.support.whole import until

HERE = platform.node().partition(".")[0][:15]
RUN = [(2, "Heartbeat Anchor"), (2, "Heartbeat")]


def key_file(machine: FreshMachine, key: str) -> str:
    file = machine.folder / "key"
    file.write_text(key + "\n")
    return str(file)


@pytest.mark.causes("question-unanswered", aside=True)
def test_nothing_is_changed_before_everything_is_answered_and_a_second_run_completes(
    machine: FreshMachine, vendor: Vendor
) -> None:
    key = key_file(machine, vendor.add("whole"))
    machine.write(vendor.link)
    machine.set_preference("WebServiceServerName", "SERVER")
    unanswered = machine.ask("office", "install", "--yes", "--key-file", key, status=64)
    assert (unanswered["code"], unanswered["step"]) == ("question-unanswered", "rules")
    assert "--answer another-computer=" in unanswered["remedy"][0]
    by_accident = machine.ask("office", "install", "--yes", "--answer", "another-computer=yes", status=78)
    assert by_accident["code"] == "install-update-server"
    assert "SERVER" in by_accident["cause"]
    assert machine.signals() == []
    assert machine.ask("service", "list") == []

    no_key = machine.say("office", "install", "--yes", "--answer", "another-computer=no", status=64)
    assert "Stopped at step 4 of 7" in no_key
    assert "--key-file" in no_key
    done = machine.ask("office", "install", "--yes", "--answer", "another-computer=no", "--key-file", key)
    assert done["message"] == "eConnector successfully installed"
    assert done["changed"] == ["enrolment", "service", "heartbeat"]
    assert machine.preference("WebServiceServerName") == "SERVER"
    assert machine.signals() == RUN

    again = machine.ask("office", "install", "--yes", "--answer", "another-computer=no")
    assert again["changed"] == []
    assert machine.signals() == RUN
    entries = until(lambda: statistics.parse(machine.preference("EConnectorStatistics")))
    assert [entry.machine for entry in entries or []] == [platform.node()]

    # What is left of the installation is found, the rest is done anew.
    machine.say("service", "uninstall", NAME)
    assert machine.signals()[2:] == [(5, "eConnector was stopped")]
    after = machine.ask("office", "install", "--yes", "--answer", "another-computer=no")
    assert after["changed"] == ["service", "heartbeat"]


def test_a_run_that_was_killed_on_any_step_is_completed_by_the_next(machine: FreshMachine, vendor: Vendor) -> None:
    key = key_file(machine, vendor.add("killed"))
    machine.write(vendor.link)
    words = ("office", "install", "--yes", "--key-file", key)
    for step in ("Reaching", "Making", "Installing"):
        process = machine.popen(*words, PYTHONUNBUFFERED="1")
        assert process.stdout
        for line in process.stdout:
            if step in line:
                break
        process.kill()
        process.communicate()
    assert machine.ask(*words)["ok"]
    assert machine.signals()[-2:] == RUN
    assert machine.preference("WebServiceServerName") == HERE


@pytest.mark.causes("install-rights", aside=True)
def test_missing_rights_are_named_all_at_once(machine: FreshMachine, vendor: Vendor) -> None:
    machine.server.create_user("reader", "secret", f"SELECT ON {machine.database}.*")
    machine.write(vendor.link)
    text = machine.settings.read_text().replace("root@", "reader:secret@")
    machine.settings.write_text(text)
    said = machine.ask("office", "install", "--yes", status=77)
    assert said["code"] == "install-rights"
    assert "DELETE, INSERT, UPDATE of the database account reader" in said["cause"]
    assert "GRANT" in said["remedy"][0]


def test_an_updater_installs_where_none_ever_worked_and_says_in_a_line_why_not_elsewhere(
    machine: FreshMachine, vendor: Vendor
) -> None:
    machine.write(vendor.link)
    machine.set_preference("RegistrationKey", vendor.add("auto").replace("-", ""))
    machine.set_preference("DataBaseVersion", "22.4.19.0")
    old = machine.say("office", "auto-install", status=3)
    assert old.count("\n") == 1
    assert "22.4.19.0 is older" in old
    machine.set_preference("DataBaseVersion", "24.3.10.0")
    said = machine.say("office", "auto-install")
    assert said == f"eConnector successfully installed as {NAME}; the Update Server is {HERE}.\n"
    assert machine.preference("WebServiceServerName") == HERE
    assert machine.signals() == RUN
    assert "has worked for this database before" in machine.ask("office", "auto-install", status=3)["why"]


def test_an_updater_leaves_the_update_server_blank_where_it_can_be(machine: FreshMachine, vendor: Vendor) -> None:
    machine.write(vendor.link)
    machine.set_preference("RegistrationKey", vendor.add("blank").replace("-", ""))
    machine.set_preference("WebServiceServerNameCanBeBlank", "1")
    assert "stays blank" in machine.say("office", "auto-install")
    assert machine.preference("WebServiceServerName") == ""

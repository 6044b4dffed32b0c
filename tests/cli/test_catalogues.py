"""The catalogue of failures and the list of settings are whole, and their pages in docs/ are up to date."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from econnector.base.errors import Failure, walk
from econnector.base.settings import Setting, settings_of
from econnector.cli.main import main
from econnector.cli.office_desk import settings_page
from econnector.office.settings import PREFIX, Settings
from scripts.errors_page import page

DOCS = Path(__file__).parents[2] / "docs"
ALL = list(walk())
ALL_SETTINGS = list(settings_of(Settings, PREFIX))


def test_the_page_of_failures_is_up_to_date() -> None:
    assert (DOCS / "errors.md").read_text("utf-8") == page(), "run: make docs"


def test_the_page_of_failures_can_be_printed_where_no_tests_are() -> None:
    printed = CliRunner().invoke(main, ["errors", "--markdown"]).output
    assert {f"## {kind.code}: {kind.title}" for kind in ALL} <= set(printed.splitlines())
    assert "tests/" not in printed


def test_the_page_of_settings_is_up_to_date() -> None:
    said = "run: econnector office settings --markdown > docs/settings.md"
    assert (DOCS / "settings.md").read_text("utf-8") == settings_page(), said


@pytest.mark.parametrize("setting", ALL_SETTINGS, ids=lambda setting: setting.variable)
def test_every_setting_says_what_it_means(setting: Setting) -> None:
    assert setting.text.endswith(".")


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.code)
def test_every_failure_says_what_happened_to_everybody_and_what_to_do(kind: type[Failure]) -> None:
    assert kind.title
    assert kind.patient
    assert kind.office
    assert kind.remedy
    assert kind.__doc__
    assert 400 <= kind.http < 600
    assert 0 < kind.exit < 128


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.code)
def test_no_failure_shows_a_patient_what_is_not_public(kind: type[Failure]) -> None:
    facts = {name: f"fact-{name}" for name in ("path", "account", "server", "user", "reason", "why", "machine", "url")}
    failure = kind(**facts)
    private = {value for name, value in facts.items() if name not in kind.public}
    assert not [value for value in private if value in failure.patient_text()]
    assert not private & set(failure.public_facts().values())


def test_the_catalogue_can_be_read_and_searched_on_the_terminal() -> None:
    listed = CliRunner().invoke(main, ["errors"])
    assert listed.exit_code == 0
    assert "database-away" in listed.output
    one = CliRunner().invoke(main, ["errors", "FileMissing"])
    assert "File not found" in one.output
    assert CliRunner().invoke(main, ["errors", "nonsense"]).exit_code == 2
    as_json = msgspec.json.decode(CliRunner().invoke(main, ["errors", "--json"]).output)
    assert {each["code"] for each in as_json} == {kind.code for kind in ALL}

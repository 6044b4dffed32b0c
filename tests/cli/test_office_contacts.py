"""`econnector office contacts …` as somebody in the office types it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from econnector.cli.main import main


class Person:
    """Types commands beside a connector that may or may not run."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "office.toml"
        self.file.write_text('state = "office.sqlite"\n[database]\nurl = "sqlite:///none.sqlite"\n')

    def types(self, *words: str, status: int = 0) -> str:
        done = CliRunner().invoke(main, ["office", "contacts", *words, "--settings", str(self.file)])
        assert done.exit_code == status, done.output
        return done.output

    def reads(self, *words: str, status: int = 0) -> Any:
        return json.loads(self.types(*words, "--json", status=status))


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    monkeypatch.setenv("COLUMNS", "200")
    return Person(tmp_path)


def test_contacts_are_added_changed_listed_and_removed(person: Person) -> None:
    assert "Nobody is told" in person.types("list")
    said = person.types("add", "Pat@Smile.example", "--name", "Pat", "--for", "IT", "--language", "es")
    assert "Pat (pat@smile.example) is told from now on." in said
    assert person.reads("add", "pat@smile.example", "--name", "Pat Example")["new"] is False
    (only,) = person.reads("list")
    assert only == {"name": "Pat Example", "address": "pat@smile.example", "language": "en", "purpose": ""}
    assert "Pat Example" in person.types("list")
    assert "gets no more mails" in person.types("remove", "PAT@smile.example")
    assert person.reads("list") == []
    assert "is not one of the contacts" in person.types("remove", "pat@smile.example", status=65)


@pytest.mark.causes("value-rejected")
@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "Type a mail address"),
        ("pat", "has one @"),
        ("pat@smile", "a full domain"),
        ("a@b.example, c@d.example", "One address at a time"),
        ("Pat <pat@smile.example>", "Only the address itself"),
        ("pat@smile..example", "no mail address that can be written to"),
    ],
)
def test_an_address_of_no_use_is_refused_with_what_is_wrong_about_it(person: Person, address: str, said: str) -> None:
    refused = person.reads("add", address, "--name", "Pat", status=65)
    assert refused["code"] == "value-rejected"
    assert said in refused["cause"]
    assert person.reads("list") == []

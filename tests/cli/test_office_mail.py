"""`econnector office mail` as its user types it: the queue, the switch, a mail tried again or removed, a test mail."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from econnector.mail.compose import new_message_id
from econnector.mail.letter import Letter
from econnector.office.mail.postbox import Postbox
from econnector.opendental.emailaddresses import encrypted
from econnector.storage.database import Database
from econnector.storage.state.base import open_state
from tests.office.connector import Connector, sqlite_practice
from tests.support.mailserver import mail_server


async def handed_in(connector: Connector) -> Database:
    """Hand two mails in, and hold the state file as a running connector does."""
    state = await open_state(connector.loaded().value.state_file)
    for to in ("jane.doe@example.com", "bob@example.com"):
        letter = Letter([to], "About Jane's visit", "A patient's text", new_message_id())
        await Postbox(state).hand_in(letter, purpose="portal")
    return state


@pytest.fixture
def connector(tmp_path: Path) -> Connector:
    made = Connector(tmp_path / "office")
    made.write("wss://hq.invalid/link", f"sqlite:///{tmp_path / 'practice.sqlite'}")
    return made


async def asked(connector: Connector, *words: str) -> tuple[int, Any]:
    """Return what the command says with `--json`."""
    status, out, err = await connector.invoke(*words, "--json")
    assert out, err
    return status, json.loads(out)


async def test_the_queue_beside_a_running_connector(connector: Connector) -> None:
    state = await handed_in(connector)
    status, found = await asked(connector, "office", "mail", "list")
    assert status == 0
    assert [(each["to"], each["state"]) for each in found["mails"]] == [
        ("b…@example.com", "waiting"),
        ("j…@example.com", "waiting"),
    ]
    assert "visit" not in str(found)
    status, found = await asked(connector, "office", "mail", "list", "--full")
    assert found["mails"][1]["to"] == "jane.doe@example.com"
    status, out, _ = await connector.invoke("office", "mail", "pause")
    assert (status, "Nothing is sent" in out) == (0, True)
    assert await Postbox(state).paused()
    status, out, _ = await connector.invoke("office", "mail", "list")
    assert "Nothing is sent since" in out
    assert "Jane" not in out
    assert (await asked(connector, "office", "mail", "remove", "1"))[0] == 0
    status, found = await asked(connector, "office", "mail", "remove", "1")
    assert (status, found["code"]) == (65, "value-rejected")
    assert await asked(connector, "office", "mail", "retry", "2") == (0, {"ok": True, "mails": 1})
    status, out, _ = await connector.invoke("office", "mail", "retry", "2")
    assert (status, "when sending goes on (`econnector office mail resume`)" in out) == (0, True)
    assert await asked(connector, "office", "mail", "retry") == (0, {"ok": True, "mails": 1})
    assert (await asked(connector, "office", "mail", "resume"))[0] == 0
    assert not await Postbox(state).paused()
    await state.close()
    connector.close()


async def add_account(url: str, port: int) -> None:
    """Make the practice's only account."""
    row = {"SMTPserver": "127.0.0.1", "EmailUsername": "front@smile.example", "EmailPassword": encrypted("secret")}
    row |= dict.fromkeys(("SenderAddress", "Pop3ServerIncoming", "AccessToken", "RefreshToken", "QueryString"), "")
    numbers = {"ServerPort": port, "UseSSL": 0, "ServerPortIncoming": 0, "UserNum": 0, "DownloadInbox": 0}
    values = row | numbers | {"AuthenticationType": 0}
    names = ", ".join(values)
    statement = text(f"INSERT INTO emailaddress ({names}) VALUES ({', '.join(f':{name}' for name in values)})")
    database = Database(url)
    await database.run(lambda connection: connection.execute(statement, values) and None)
    await database.close()


async def test_a_test_mail_says_at_once_whether_it_was_taken(connector: Connector, tmp_path: Path) -> None:
    url = await sqlite_practice(tmp_path / "practice.sqlite")
    status, found = await asked(connector, "office", "mail", "test", "--to", "it@example.com")
    assert (status, found["code"]) == (69, "sender-missing")
    assert "The parameter 'address' cannot be an empty string" in found["cause"]
    with mail_server(users={"front@smile.example": "secret"}) as server:
        await add_account(url, server.port)
        status, found = await asked(connector, "office", "mail", "test", "--to", "it@example.com")
        assert (status, found["account"], found["ok"]) == (0, "front@smile.example", True)
        assert server.received[0].recipients == ["it@example.com"]
        status, found = await asked(connector, "office", "mail", "test", "--to", "nobody")
        assert found["code"] == "value-rejected"
        status, found = await asked(connector, "doctor", "--only", "mail")
        assert status == 0, found
        assert "logged in" in str(found)
        assert len(server.received) == 1
        server.users.clear()
        status, found = await asked(connector, "doctor", "--only", "mail")
        assert "mail-login-refused" in str(found)
    connector.close()

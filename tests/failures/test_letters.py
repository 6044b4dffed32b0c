"""No sender address on the account in use: no mail is lost, the office is told which account, and then it goes."""

from pathlib import Path

import pytest

from econnector.office.status import find_failure
from econnector.storage.state.base import open_state
from tests.failures.world import examined
from tests.office.connector import Connector, sqlite_practice
from tests.office.mail.conftest import Office, letter
from tests.support.mailserver import mail_server


@pytest.mark.causes(
    "sender-missing", row="sender: no sender address on the email account in use", sees="history, doctor, again"
)
async def test_an_account_without_a_sender(connector: Connector, tmp_path: Path) -> None:
    url = await sqlite_practice(tmp_path / "practice.sqlite")
    connector.write("wss://hq.invalid/link", url)
    state = await open_state(connector.loaded().value.state_file)
    office = Office(tmp_path, url, state)
    with mail_server(users={"front@smile.example": "secret words"}) as server:
        await office.account(server.port, SenderAddress="", EmailUsername="")
        await office.postbox.hand_in(letter(), purpose="test")
        async with office.sending():
            (mail,) = await office.mails(lambda mails: [each.code for each in mails] == ["sender-missing"])
            assert (await office.postbox.counts())["waiting"] == 1
            (met,) = await find_failure(connector.loaded(), mail.reference)
            assert met.code == "sender-missing"
            finding = (await examined(connector, "mail"))["mail"]
            assert (finding.state, finding.code) == ("problem", "sender-missing")
            assert "address" in finding.text
            assert finding.remedy
            await office.account(server.port)
            await office.until(lambda counts: counts["sent"] == 1)
        assert len(server.received) == 1
        assert (await examined(connector, "mail"))["mail"].state == "ok"
    await office.close()
    await state.close()

"""The letters say the same in both languages, and nothing that helps a thief."""

import datetime as dt
import string

import pytest

from econnector.eservices.portal.office import security, sweep
from econnector.eservices.portal.office.letters import NEWS, WORDS
from econnector.storage.state import half_sign_ins, reset_codes
from econnector.storage.state.half_sign_ins import HalfSignIn
from tests.portal.security.conftest import MailedOffice


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_word_stands_in_both_languages() -> None:
    assert WORDS["en"].keys() == WORDS["es"].keys()
    for key, text in WORDS["en"].items():
        assert fields(text) == fields(WORDS["es"][key]), key


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_letter_holds_a_link_or_a_name(language: str) -> None:
    for text in WORDS[language].values():
        assert "://" not in text
        assert fields(text) <= {"practice", "phone", "code", "what"}


def test_everything_that_is_noted_is_told() -> None:
    assert set(security._NOTES) < set(NEWS)


async def test_what_waited_too_long_is_swept_away(small: MailedOffice) -> None:
    half = HalfSignIn(login=1, password="f", address="", agent="")
    now = small.clock.now()
    ticket = await small.state.run(half_sign_ins.begin, half, now)
    await small.state.run(half_sign_ins.challenge, half_sign_ins.holder_of(ticket), b"c", "example.com", now)
    await small.state.run(reset_codes.ask, "login:1", "", "digest", now)
    assert await sweep(small.state, small.clock) == 0
    small.clock.advance(dt.timedelta(days=2).total_seconds())
    assert await sweep(small.state, small.clock) == 3

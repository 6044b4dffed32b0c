"""Form tokens."""

from hypothesis import given
from hypothesis import strategies as st

from econnector.web import csrf

SECRET = "a-secret-that-only-the-cookie-holds"


def test_a_token_is_good_for_its_secret_and_its_office_only() -> None:
    token = csrf.mint(SECRET, "smile")
    assert csrf.valid(SECRET, "smile", token)
    assert not csrf.valid(SECRET, "other", token)
    assert not csrf.valid(SECRET + "x", "smile", token)


def test_no_two_pages_show_the_same_token() -> None:
    assert csrf.mint(SECRET, "smile") != csrf.mint(SECRET, "smile")


def test_a_note_can_be_read_and_not_be_changed() -> None:
    token = csrf.mint(SECRET, "smile", "maria")
    assert csrf.note_of(token) == "maria"
    assert csrf.valid(SECRET, "smile", token)
    assert not csrf.valid(SECRET, "smile", token.replace("~maria", "~greta"))
    assert not csrf.valid(SECRET, "smile", token.replace("~maria", ""))
    assert csrf.note_of(csrf.mint(SECRET, "smile")) == csrf.note_of("") == ""


def test_without_a_secret_nothing_is_valid() -> None:
    assert not csrf.valid("", "smile", csrf.mint("", "smile"))


@given(st.text())
def test_no_text_is_a_token_and_none_breaks_the_check(given_text: str) -> None:
    assert not csrf.valid(SECRET, "smile", given_text)


@given(st.text(min_size=1), st.text())
def test_a_changed_seal_is_refused(change: str, office: str) -> None:
    assert not csrf.valid(SECRET, office, csrf.mint(SECRET, office) + change)

"""Every form of `userweb.Password`, with the worked examples of Open Dental's own recipe."""

import base64
import hashlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnector.opendental.passwords import Form, check, fingerprint, form_of, make

SALT = base64.b64encode(bytes(range(64))).decode()
SHA3 = f"SHA3_512${SALT}$6SqiASXOOI/8VRrxjjOOYIXRqeTBf9ws1Onv2fHhFJVf5yqNP6dKJBYY2GhBKnZmx5InjAC6/GUiIQgK5GgJUQ=="
OLD_MD5 = "e+PQW5ayNZJNya7q5ZMmjA=="
BLANK_SHA3 = "J3k3VWdgC8ffI5EhDVNr8aNfrtYZqm+bwUDFSbTbArOodGBxByKJC8S1gRmJwNKO0omhhpjb6DWp8nBMlfm4cA=="


@pytest.mark.parametrize(
    ("stored", "password"),
    [
        (SHA3, "Tooth4Fairy"),
        (SHA3.replace("SHA3_512$", "3$"), "Tooth4Fairy"),
        (f"SHA3_512$${BLANK_SHA3}", " "),
        (f"MD5$${OLD_MD5}", "Tooth4Fairy"),
        (f"1$${OLD_MD5}", "Tooth4Fairy"),
        (OLD_MD5, "Tooth4Fairy"),
    ],
)
def test_the_right_password_matches_in_every_form(stored: str, password: str) -> None:
    assert check(stored, password)
    assert not check(stored, password + "x")
    assert not check(stored, password.swapcase() + ".")


def test_a_salted_md5_container_matches() -> None:
    digest = base64.b64encode(hashlib.md5("saltTooth4Fairy".encode("utf-16-le")).digest()).decode()
    assert check(f"MD5$salt${digest}", "Tooth4Fairy")
    assert not check(f"MD5$tlas${digest}", "Tooth4Fairy")


@pytest.mark.parametrize("stored", ["81dc9bdb52d04dc20036dbd8313ed055", "MD5_ECW$$81dc9bdb52d04dc20036dbd8313ed055"])
def test_the_ecw_form_matches_only_where_it_is_asked_for(stored: str) -> None:
    assert check(stored, "1234", ecw=True)
    assert not check(stored, "1234")
    assert form_of(stored) is Form.UNKNOWN
    assert check("7215ee9c7d9dc229d2921a40e899ec5f", " ", ecw=True)


@pytest.mark.parametrize(
    "stored",
    [None, "", "None$$", "0$$", "$$", "SHA3_512$$", "MD5$$", "SHA3_512$salt$", "None$$Tooth4Fairy", "Tooth4Fairy",
     "==", "$", "$$$", "sha3_512$$" + BLANK_SHA3, f"BCRYPT$x${OLD_MD5}", OLD_MD5 + "$", " " + OLD_MD5],
)  # fmt: skip
@pytest.mark.parametrize("password", ["", " ", "Tooth4Fairy", "None$$", "$$"])
def test_no_access_and_garbage_never_match(stored: str | None, password: str) -> None:
    assert not check(stored, password)


@given(st.text(max_size=40))
def test_no_text_in_the_column_is_its_own_password(text: str) -> None:
    assert not check(text, text)
    assert not check(text, "")


@given(st.text(st.characters(exclude_categories=()), min_size=1, max_size=80))
def test_a_new_password_matches_itself_and_fits_the_column(password: str) -> None:
    stored = make(password)
    assert len(stored) == 186
    assert form_of(stored) is Form.SHA3_512
    assert check(stored, password)
    assert not check(stored, password + "\0")


def test_the_same_characters_in_another_unicode_form_match() -> None:
    assert check(make("Zahna\u0308rztin 2026"), "Zahn\u00e4rztin 2026")
    assert check(make("Zahn\u00e4rztin 2026"), "Zahna\u0308rztin 2026")


def test_a_hostile_password_takes_no_time() -> None:
    began = time.process_time()
    assert not check(SHA3, "a" + "\u0301\u0327" * 1_000_000)
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize("password", ["", "x" * 1025])
def test_a_password_that_never_matches_is_never_written(password: str) -> None:
    with pytest.raises(ValueError, match="no access"):
        make(password)


@pytest.mark.parametrize(
    ("stored", "form"),
    [
        (SHA3, Form.SHA3_512),
        (OLD_MD5, Form.MD5),
        ("None$$", Form.NO_ACCESS),
        (None, Form.NO_ACCESS),
        ("x", Form.UNKNOWN),
    ],
)
def test_the_form_is_told(stored: str | None, form: Form) -> None:
    assert form_of(stored) is form


def test_a_fingerprint_changes_with_the_stored_text_and_holds_nothing_of_it() -> None:
    one, two = make("Tooth4Fairy"), make("Tooth4Fairy")
    assert fingerprint(one) == fingerprint(one) != fingerprint(two)
    assert fingerprint(None) == fingerprint("")

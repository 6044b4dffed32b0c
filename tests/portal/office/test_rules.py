"""What a patient may choose as password and user name."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnector.eservices.portal.rules_password import LONGEST, About, broken_rules
from econnector.eservices.portal.rules_user_name import broken_name_rules, tidy

MARIA = About(user_name="Maria48213", names=("Maria", "Delgado", "Mimi"), practice="Bright Smile Dental")


def rules(password: str, about: About = MARIA) -> set[str]:
    return {broken.rule for broken in broken_rules(password, about)}


@pytest.mark.parametrize(
    "password",
    [
        "Correct horse battery staple 7",
        "Violets grow 3 times faster",
        "tR9#kk2!vbQw0zLm",
        "Überraschung im 4. Stock",
        "Zwölf Boxkämpfer jagen Viktor 1",
        "A1 " + "чрезвычайно длинная фраза a",
        "Aa1 " + "😀🦷🪥🎈🌈🚲🧦🫖🥝🧭🎻",
        "Aa1 " + "plumbago quartz " * 8,
        "x" * 3 + "Quixotic-llama_%27" + "e" * 40,
    ],
)
def test_a_long_unexpected_password_is_taken(password: str) -> None:
    assert rules(password) == set()


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("Tooth4Fairy", "length"),
        ("Short 1 pass!!", "length"),
        ("correct horse battery staple 7", "upper"),
        ("CORRECT HORSE BATTERY STAPLE 7", "lower"),
        ("Correct horse battery staple", "digit"),
        ("Correct horse\tbattery staple 7", "characters"),
        ("Correct horse\0battery staple 7", "characters"),
        ("Correct horse\ud800battery staple 7", "characters"),
        ("maria48213 Loves long walks", "name"),
        ("Ms. D-e-l-g-a-d-o 77 violets", "name"),
        ("bright smile dental Violet 7", "practice"),
        ("A1a" + "a" * 30, "repeated"),
        ("Abc1Abc1Abc1Abc1", "repeated"),
        ("PasswordPassword1", "expected"),
        ("P@ssw0rdP@ssw0rd2026", "expected"),
        ("Qwertyuiop1234567890", "expected"),
        ("Abcdefghijklmnop1", "expected"),
        ("Winter2026Winter2026!", "expected"),
        ("Welcome To Dental 1", "expected"),
        ("Toothbrush 12345678", "expected"),
        ("A1" + "b" * LONGEST, "too-long"),
        ("A1b" * 4000, "too-long"),
    ],
)
def test_a_refused_password_says_which_rule(password: str, rule: str) -> None:
    assert rule in rules(password)


def test_open_dentals_minimum_holds_even_for_a_long_password() -> None:
    assert rules("ünïcödé 4 évér änd ä dáy".replace("n", "ñ")) >= {"upper"}


def test_the_same_characters_in_another_form_are_measured_alike() -> None:
    assert "length" in rules("Zahna\u0308rztin 202")  # 14 characters once composed


def test_a_very_short_name_may_stand_inside_a_word() -> None:
    assert rules("Alabaster 7 rivers bend", About(user_name="al", names=("Al", "Li"))) == set()


@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_any_text_is_judged_and_each_rule_says_why(password: str) -> None:
    for broken in broken_rules(password, MARIA):
        assert broken.rule
        assert broken.why.endswith(".")


def test_the_slowest_password_is_judged_quickly() -> None:
    began = time.process_time()
    rules("1password" * 28 + "A!~")
    rules("1a" * 128)
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize("name", ["maria.d", "Maria O'Neil", "100%_sure", "maría", "m@example.org", "' OR 1=1 --"])
def test_a_typeable_user_name_is_taken(name: str) -> None:
    assert broken_name_rules(tidy(name)) == []


@pytest.mark.parametrize(
    ("name", "rule"),
    [("", "length"), ("   ", "length"), ("abc", "length"), ("x" * 101, "too-long"), ("m" * 10_000, "too-long"),
     ("mari\0a", "characters"), ("maria😀", "characters"), ("ma\nria", "characters"), ("mar\u202eia", "characters")],
)  # fmt: skip
def test_a_refused_user_name_says_which_rule(name: str, rule: str) -> None:
    assert rule in {broken.rule for broken in broken_name_rules(tidy(name))}

"""The words on the pages."""

import re
from pathlib import Path

import pytest

from econnector.base.errors import Failure, walk
from econnector.eservices.portal.web.visiting import KIT
from econnector.web.language import SPOKEN

SOURCE = Path(__file__).parents[2] / "src" / "econnector"
ROOMS = [SOURCE / "web", SOURCE / "eservices" / "portal"]


def blanks(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_spanish_says_the_same_and_not_more() -> None:
    texts = KIT.texts
    spanish = {key for key in texts.keys("es") if not key.startswith(("failure.", "kind."))}
    assert texts.keys("en") == spanish
    for key in sorted(spanish):
        assert blanks(texts.find("en", key) or "") == blanks(texts.find("es", key) or ""), key


def test_every_failure_a_person_can_meet_has_spanish_words_with_the_same_facts() -> None:
    for kind in walk():
        own = f"failure.{kind.code}"
        keys = [own, *(f"kind.{base.__name__}" for base in kind.__mro__)]
        title, text = (
            next((found for key in keys if (found := KIT.texts.find("es", f"{key}.{part}"))), None)
            for part in ("title", "text")
        )
        assert title, kind.code
        assert text, kind.code
        assert blanks(text) == blanks(kind.patient), kind.code


def test_spanish_has_no_words_for_failures_that_do_not_exist() -> None:
    codes = {kind.code for kind in walk()}
    kinds = {base.__name__ for kind in walk() for base in kind.__mro__ if issubclass(base, Failure)}
    for key in KIT.texts.keys("es"):
        group, _, rest = key.partition(".")
        name = rest.rpartition(".")[0]
        assert group != "failure" or name in codes, key
        assert group != "kind" or name in kinds, key


def test_every_text_is_used_and_every_used_text_exists() -> None:
    sources = [path for room in ROOMS for path in room.rglob("*") if path.suffix in {".html", ".py"}]
    written = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    used = set(re.findall(r"""["']((?:[a-z-]+)\.(?:[a-z0-9.-]+))["']""", written))
    made = (
        "relation.",
        "state.",
        "rule.",
        "documents.",
        "looked-what.",
        "health.status.",
        "appointments.check-up-",
        "security.ask-",
        "security.notice-",
        "topic.",
        "family.relation-",
        "summary.did-",
        "pay.state-",
        "paid.title-",
        "paid.text-",
    )
    for key in KIT.texts.keys("en"):
        assert key in used or key.startswith(made), f"nobody says {key}"
    said = set(re.findall(r"""\b(?:t|say)\(\s*["']([a-z-]+\.[a-z0-9.-]+)["']""", written))
    assert said - set(made) <= KIT.texts.keys("en")


@pytest.mark.parametrize("words", SPOKEN)
def test_a_text_nobody_wrote_is_a_fault_that_tests_find(words: str) -> None:
    with pytest.raises(KeyError):
        KIT.texts.say(words)("no.such.text")

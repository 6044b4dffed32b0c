"""Which language a page speaks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnector.web.language import SPOKEN, Language, choose


@pytest.mark.parametrize(
    ("wishes", "practice", "tag"),
    [
        ("en-US,en;q=0.9", "en-US", "en-US"),
        ("es-MX,es;q=0.9,en;q=0.8", "en-US", "es-MX"),
        ("es", "en-US", "es-US"),
        ("en;q=0.2, es;q=0.9", "en-US", "es-US"),
        ("fr-FR,fr;q=0.9,es;q=0.3", "en-US", "es-US"),
        ("es;q=0, en", "en-US", "en-US"),
        ("fr, de", "es-PR", "es-PR"),
        ("fr", "fr-CA", "en-US"),
        ("", "", "en-US"),
        ("*", "es-US", "es-US"),
        ("en-Latn-GB", "en-US", "en-GB"),
        ('es"><script>', "en-US", "en-US"),
    ],
)
def test_the_browsers_wish_comes_first_and_the_practices_language_decides_otherwise(
    wishes: str, practice: str, tag: str
) -> None:
    assert choose(wishes, practice).tag == tag


@given(st.text(), st.text())
def test_no_header_and_no_preference_breaks_the_choice(wishes: str, practice: str) -> None:
    chosen = choose(wishes, practice)
    assert isinstance(chosen, Language)
    assert chosen.words in SPOKEN
    assert chosen.tag.replace("-", "").isalpha()

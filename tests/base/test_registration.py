"""A mistyped registration key is recognised where it is typed."""

import pytest

from econnector.base import registration
from econnector.base.errors import KeyUnknown
from econnector.base.registration import checked_key, new_key, shown

LETTERS = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def test_a_new_key_is_sixteen_clear_letters_and_digits_and_differs_every_time() -> None:
    keys = {new_key() for _ in range(200)}
    assert len(keys) == 200
    assert all(len(key) == 16 and set(key) <= set(LETTERS) for key in keys)


def test_a_key_is_taken_as_people_type_it() -> None:
    key = new_key()
    assert checked_key(shown(key)) == key
    assert checked_key(f"  {shown(key).lower().replace('-', ' – ')}\n") == key
    assert checked_key(key.replace("0", "O").replace("1", "i")) == key


def test_every_single_mistyped_character_is_found() -> None:
    key = new_key()
    for at, right in enumerate(key):
        for wrong in LETTERS:
            if wrong != right:
                with pytest.raises(KeyUnknown):
                    checked_key(key[:at] + wrong + key[at + 1 :])


@pytest.mark.parametrize("typed", ["", "ABCD", "A" * 17, "ÄBCD-EFGH-JKLM-NPQR", "hunter2; drop table offices"])
def test_what_cannot_be_a_key_is_refused_without_repeating_it(typed: str) -> None:
    with pytest.raises(KeyUnknown) as caught:
        checked_key(typed)
    assert not typed or typed not in str(caught.value)


def test_the_check_is_the_one_of_the_standard() -> None:
    """ISO/IEC 7064's own example for MOD 37,36: A12425GABC1234002 has the check character M."""
    assert registration._check("A12425GABC1234002") == "M"

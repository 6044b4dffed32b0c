"""Settings: which place wins, where a value came from, and what a mistake is called."""

import contextlib
import string
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnector.base.errors import SettingInvalid, SettingMissing
from econnector.base.settings import described, load, settings_of


class Inner(msgspec.Struct):
    url: Annotated[str, described("Where.")]
    port: Annotated[int, described("Port.", ge=1, le=65535)] = 443
    ca: Annotated[Path | None, described("CA.")] = None


class Outer(msgspec.Struct):
    inner: Inner
    names: Annotated[list[str], described("Names.")] = msgspec.field(default_factory=list)
    level: Annotated[Literal["low", "high"], described("Level.")] = "low"
    on: Annotated[bool, described("On.")] = False
    word: Annotated[str, described("Word.", secret=True)] = "default"


NEEDED = {"T_INNER_URL": "wss://hq"}


def test_every_declared_setting_has_a_name_a_variable_and_a_sentence() -> None:
    found = {setting.name: setting for setting in settings_of(Outer, "T")}
    assert list(found) == ["inner.url", "inner.port", "inner.ca", "names", "level", "on", "word"]
    assert found["inner.url"].variable == "T_INNER_URL"
    assert found["inner.url"].required
    assert found["names"].default == []
    assert found["word"].secret


def test_flags_win_over_environment_over_file_over_default(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text('word = "file"\n[inner]\nurl = "wss://file"\nport = 1\n')
    typed = load(Outer, file=file, prefix="T", flags={"word": "flag"}, environment={"T_WORD": "variable"})
    assert typed.value.word == "flag"
    assert typed.places["word"] == "flag"
    variable = load(Outer, file=file, prefix="T", flags={"word": None}, environment={"T_WORD": "variable"})
    assert variable.value.word == "variable"
    assert variable.places["word"] == "environment variable T_WORD"
    written = load(Outer, file=file, prefix="T", environment={"T_WORD": ""})
    assert written.value.word == "file"
    assert written.places["word"] == str(file)
    default = load(Outer, file=None, prefix="T", environment=NEEDED)
    assert default.value.word == "default"
    assert default.places["word"] == "default"


PLACES = ("flag", "environment", "file")


@given(
    given_in=st.sets(st.sampled_from(PLACES)),
    values=st.fixed_dictionaries({place: st.integers(1, 65535) for place in PLACES}),
)
def test_the_first_place_that_has_a_value_counts(
    tmp_path_factory: pytest.TempPathFactory, given_in: set[str], values: dict[str, int]
) -> None:
    file = tmp_path_factory.getbasetemp() / "precedence.toml"
    file.write_text(f"[inner]\nport = {values['file']}\n" if "file" in given_in else "")
    variables = NEEDED | ({"T_INNER_PORT": str(values["environment"])} if "environment" in given_in else {})
    flags = {"inner.port": values["flag"]} if "flag" in given_in else {}
    loaded = load(Outer, file=file, prefix="T", flags=flags, environment=variables)
    first = next((place for place in PLACES if place in given_in), None)
    assert loaded.value.inner.port == (values[first] if first else 443)


def test_texts_from_the_environment_become_numbers_truths_lists_and_paths() -> None:
    variables = NEEDED | {"T_INNER_PORT": "8443", "T_ON": "true", "T_NAMES": "a, b", "T_INNER_CA": "ca.pem"}
    value = load(Outer, file=None, prefix="T", environment=variables).value
    assert (value.inner.port, value.on, value.names, value.inner.ca) == (8443, True, ["a", "b"], Path.cwd() / "ca.pem")


def test_a_relative_path_in_the_file_counts_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text('[inner]\nurl = "x"\nca = "ca.pem"\n')
    assert load(Outer, file=file, prefix="T", environment={}).value.inner.ca == tmp_path / "ca.pem"


@pytest.mark.causes("setting-missing")
def test_a_setting_that_is_nowhere_names_the_places_it_was_looked_for() -> None:
    with pytest.raises(SettingMissing) as caught:
        load(Outer, file=None, prefix="T", environment={})
    assert caught.value.facts["name"] == "inner.url"
    assert "T_INNER_URL" in caught.value.office_text()
    assert "T_INNER_URL" in caught.value.remedy_steps()[0]


@pytest.mark.causes("setting-invalid")
@pytest.mark.parametrize(
    ("content", "name", "why"),
    [
        ("levle = 'low'", "levle", "did you mean level?"),
        ("[inner]\nurl = 'x'\nprot = 1", "inner.prot", "did you mean inner.port?"),
        ("[zzzzzz]\nqqqqq = 1", "zzzzzz", "there is no such setting"),
        ("level = 'middle'\n[inner]\nurl = 'x'", "level", "low, high"),
        ("[inner]\nurl = 'x'\nport = 0", "inner.port", ">= 1"),
        ("[inner]\nurl = 'x'\nport = '443'", "inner.port", "expected int"),
        ("[inner]\nurl = 'x'\nca = ''", "inner.ca", "path"),
        ("inner = 1", "inner", "no such setting"),
        ("[inner\n", "file", "not TOML"),
        ("\x00", "file", "not TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, content: str, name: str, why: str) -> None:
    file = tmp_path / "s.toml"
    file.write_text(content)
    with pytest.raises(SettingInvalid) as caught:
        load(Outer, file=file, prefix="T", environment={})
    assert caught.value.facts["name"] == name
    assert caught.value.facts["place"] == str(file)
    assert why in caught.value.office_text()


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match="No such file"):
        load(Outer, file=tmp_path / "none.toml", prefix="T", environment={})
    (tmp_path / "latin.toml").write_bytes(b"word = '\xe9'")
    with pytest.raises(SettingInvalid, match="UTF-8"):
        load(Outer, file=tmp_path / "latin.toml", prefix="T", environment={})


def test_notepads_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_bytes(b"\xef\xbb\xbf[inner]\nurl = 'x'\n")
    assert load(Outer, file=file, prefix="T", environment={}).value.inner.url == "x"


@given(content=st.text(st.characters(codec="utf-8"), max_size=60))
def test_no_file_raises_anything_but_a_failure(tmp_path_factory: pytest.TempPathFactory, content: str) -> None:
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_text(content, "utf-8")
    with contextlib.suppress(SettingInvalid):
        load(Outer, file=file, prefix="T", environment=NEEDED)


TOML = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(string.ascii_letters, max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "url", "port"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(
    name=st.sampled_from(["inner", "names", "level", "on", "word", "inner.port", "inner.ca", "inner.url"]), value=TOML
)
def test_no_value_raises_anything_but_a_failure(
    tmp_path_factory: pytest.TempPathFactory, name: str, value: object
) -> None:
    file = tmp_path_factory.getbasetemp() / "typed.toml"
    file.write_text(f"{name} = {_toml(value)}\n")
    with contextlib.suppress(SettingInvalid):
        load(Outer, file=file, prefix="T", environment=NEEDED)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return str(value).lower() if isinstance(value, bool | float) else repr(value)


def test_a_relative_path_counts_from_the_file_however_that_was_named_and_is_absolute_once_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "s.toml").write_text('[inner]\nurl = "wss://hq"\nca = "ca.pem"\n')
    monkeypatch.chdir(tmp_path)
    loaded = load(Outer, file=Path("d/s.toml"), prefix="T", environment={})
    assert loaded.value.inner.ca == tmp_path / "d" / "ca.pem"
    assert loaded.places["inner.ca"] == str(loaded.file) == str(tmp_path / "d" / "s.toml")
    typed = load(Outer, file=Path("d/s.toml"), prefix="T", flags={"inner.ca": "ca.pem"}, environment={})
    assert typed.value.inner.ca == tmp_path / "ca.pem"


def test_a_home_folder_that_nobody_has_is_a_mistake_in_words() -> None:
    with pytest.raises(SettingInvalid, match="home folder"):
        load(Outer, file=None, prefix="T", flags={"inner.ca": "~nobody-of-this-name/ca.pem"}, environment=NEEDED)

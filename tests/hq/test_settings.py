"""HQ's settings say where they came from, and what is wrong with one that cannot be used."""

from pathlib import Path

import pytest

from econnector.base.errors import SettingInvalid
from econnector.hq.settings import Address, parse_address, read
from econnector.link.calls import CodeOffer
from tests.support.certificates import Authority

EMPTY: dict[str, str] = {}


def test_without_any_setting_hq_listens_on_loopback_with_a_registry_file() -> None:
    settings = read(None, environment=EMPTY).value
    assert parse_address(settings.listen) == Address("127.0.0.1", 8440)
    assert settings.public_url() == "http://127.0.0.1:8440"
    assert settings.database_url().startswith("sqlite:///")
    assert settings.database_url().endswith("registry.db")
    assert settings.switchboard == "local"
    assert settings.admin == ""


def test_flags_beat_the_environment_and_the_environment_the_file(tmp_path: Path) -> None:
    file = tmp_path / "hq.toml"
    file.write_text('listen = "0.0.0.0:1"\nnode = "file"\nfolder = "data"\n[log]\ndays = 7\nfolder = "log"\n')
    environment = {"ECONNECTOR_HQ_LISTEN": "0.0.0.0:2", "ECONNECTOR_HQ_NODE": "environment"}
    loaded = read(file, {"listen": "0.0.0.0:3"}, environment)
    assert (loaded.value.listen, loaded.value.node) == ("0.0.0.0:3", "environment")
    assert (loaded.value.log.days, loaded.value.log.folder) == (7, tmp_path / "log")
    assert loaded.value.database_url() == f"sqlite:///{tmp_path / 'data' / 'registry.db'}"
    assert loaded.places["listen"] == "flag"
    assert loaded.places["node"] == "environment variable ECONNECTOR_HQ_NODE"
    assert loaded.places["log.days"] == str(file)
    assert loaded.places["switchboard"] == "default"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("listen", "8440"),
        ("listen", "host:99999"),
        ("listen", "127.0.0.1:8440/x"),
        ("admin", "0.0.0.0:9000"),
        ("admin", "8.8.8.8:9000"),
        ("admin", "hq.example.com:9000"),
        ("url", "hq.example.com"),
        ("url", "https://hq.example.com/path"),
        ("switchboard", "redis://x"),
        ("trusted_proxies", "10.0.0.0/8,everybody"),
        ("tls.certificate", "/nowhere.pem"),
        ("tls.key", "/nowhere.pem"),
        ("log.level", "loud"),
        ("log.days", "-1"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_its_name_and_place(name: str, value: str) -> None:
    variable = "ECONNECTOR_HQ_" + name.replace(".", "_").upper()
    with pytest.raises(SettingInvalid) as caught:
        read(None, environment={variable: value})
    assert caught.value.facts["name"] == name
    assert caught.value.facts["place"] == f"environment variable {variable}"


@pytest.mark.parametrize("address", ["127.0.0.1:9000", "[::1]:9000", "localhost:9000", "10.1.2.3:9000"])
def test_metrics_may_be_on_loopback_or_an_inner_network(address: str) -> None:
    assert read(None, {"admin": address}, EMPTY).value.admin == address


def test_certificate_and_key_must_belong_together(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    one, other = authority.issue(), authority.issue()
    good = {"tls.certificate": str(one.certificate), "tls.key": str(one.key)}
    assert read(None, good, EMPTY).value.public_url().startswith("https://")
    with pytest.raises(SettingInvalid):
        read(None, {**good, "tls.key": str(other.key)}, EMPTY)


def test_code_systems_are_offered_by_a_table_for_each(tmp_path: Path) -> None:
    file = tmp_path / "hq.toml"
    good = {"version": "2030-01", "url": "https://files.example.com/cvx.zip", "checksum": "0f" * 32}

    def codes(name: str = "CVX", **values: str) -> list[CodeOffer]:
        lines = [f'{key} = "{value}"' for key, value in (good | values).items()]
        file.write_text("\n".join([f"[codes.{name}]", *lines]))
        return read(file, environment=EMPTY).value.code_offers()

    assert codes() == [CodeOffer("CVX", "2030-01", good["url"], good["checksum"])]
    wrong: list[dict[str, str]] = [
        {"name": "SNOMED"},
        {"name": "CPT"},
        {"url": "http://files.example.com/cvx.zip"},
        {"url": "https://ada:secret@files.example.com/cvx.zip"},
        {"checksum": "1234"},
        {"version": " "},
        {"versoin": "1"},
    ]
    for values in wrong:
        with pytest.raises(SettingInvalid):
            codes(**values)

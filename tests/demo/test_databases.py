"""`econnector demo` on a practice's real database, in a process of its own."""

from pathlib import Path

import pytest

from tests.demo.commands import demo, report
from tests.support.mariadb import shared_server
from tests.support.nats import NatsServer


@pytest.mark.shared
def test_once_on_the_real_database_with_either_switchboard(folder: Path, nats_server: NatsServer) -> None:
    server = shared_server()
    name = server.open_dental("21.1")
    server.create_user("demo", "hush/hush-9", f"ALL ON {name}.*")
    first = demo("--once", "--dir", folder, "--database", server.url(name, "demo", "hush%2Fhush-9"))
    assert report(first)["ok"] is True, first.stdout
    variables = {
        "ECONNECTOR_DEMO_DATABASE": server.url(name, "demo"),
        "ECONNECTOR_OFFICE_DATABASE_PASSWORD": "hush/hush-9",
    }
    again = demo("--once", "--dir", folder, "--switchboard", nats_server.url, **variables)
    assert report(again)["ok"] is True, again.stdout
    assert server.sql("SELECT COUNT(*) FROM eservicesignal WHERE ServiceCode=1", database=name) > [(0,)]
    kept = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file() and "images" not in file.parts)
    assert b"hush-9" not in kept
    assert b"Maple-Street-42" not in kept
    server.drop_database(name)


@pytest.mark.shared
def test_once_on_the_real_database_of_a_later_version(folder: Path) -> None:
    server = shared_server()
    name = server.open_dental("24.3")
    done = demo("--once", "--dir", folder, "--database", server.url(name))
    assert report(done)["ok"] is True, done.stdout
    server.drop_database(name)

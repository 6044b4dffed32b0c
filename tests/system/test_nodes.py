"""Two HQ nodes that share their offices over NATS, on the real Open Dental database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from econnector.demo.browser import Browser
from tests.support.mariadb import shared_server
from tests.support.nats import NatsServer
from tests.support.ports import free_port
from tests.support.whole import OFFICE, Whole, until

USER, PASSWORD = "elena.rivera", "Maple-Street-42"
pytestmark = pytest.mark.shared


@pytest.fixture
def nats() -> Iterator[NatsServer]:
    server = NatsServer()
    server.start()
    yield server
    server.stop()


def test_a_patient_on_one_node_reaches_the_office_on_the_other(tmp_path: Path, nats: NatsServer) -> None:
    server = shared_server()
    database = server.open_dental("21.1")
    with Whole.running(tmp_path, database=server.url(database), switchboard=nats.url) as whole:
        port = free_port()
        whole.start("other", "hq", "run", "--listen", f"127.0.0.1:{port}")
        portal = f"http://127.0.0.1:{port}/o/{OFFICE}/portal/"
        whole.portal = portal
        assert until(whole.answers)
        browser, page = whole.sign_in(USER, PASSWORD)
        page = browser.open("statements")
        file = browser.open(page.link("/statements/", "/download"))
        assert any(file.body == stored.read_bytes() for stored in whole.images.rglob("*.pdf"))
        nats.kill()
        assert until(lambda: browser.open(portal).status == 503)
        nats.start()
        assert until(lambda: browser.open(portal).status == 200)
        whole.kill("hq")  # the node with the link
        whole.start_hq()
        assert until(lambda: browser.open(portal).status == 200)
        assert Browser(portal).open("sign-in").status == 200
    server.drop_database(database)

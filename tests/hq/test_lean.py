"""The API's lean route: the same answers as the contract's, in order, whatever else runs on the connection."""

import re
from collections.abc import AsyncIterator

import pytest

from econnector.eservices.api import calls
from econnector.eservices.api.web import resources
from tests.hq.lean import KEY, STATUS, Lean, lean

API = "/o/smile/api/v1"


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lean]:
    async with lean(tmp_path_factory.mktemp("lean")) as found:
        yield found


async def test_a_small_answer_is_what_the_contract_says(site: Lean) -> None:
    async with site.client() as client:
        got = await client.ask(f"{API}/status")
    assert got.status == 200
    assert got.body == resources.body(calls.STATUS, STATUS)
    assert got.headers["content-type"] == "application/json"
    assert got.headers["cache-control"] == "no-store"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert re.fullmatch(r"[A-Z0-9]{4}-[A-Z0-9]{4}", got.headers["x-reference"])
    assert "date" in got.headers
    assert "connection" not in got.headers
    assert site.desk.asked[-1] == KEY


async def test_an_office_is_found_by_its_own_host_name(site: Lean) -> None:
    async with site.client() as client:
        client.writer.write(
            b"GET /api/v1/status HTTP/1.1\r\nhost: Smile.example.com:443\r\n"
            + f"authorization: bearer {KEY}\r\n\r\n".encode()
        )
        assert (await client.hear()).status == 200
        assert (await client.ask("/api/v1/status")).status == 404

"""The API's lean route: the same answers as the contract's, in order, whatever else runs on the connection."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from econnector.eservices.api import calls
from econnector.eservices.api.web import resources
from econnector.hq.registry import heartbeats
from tests.hq.lean import KEY, PIECE, STATUS, Lean, lean
from tests.hq.running import until

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


async def test_a_host_name_that_can_be_none_is_neither_looked_up_nor_remembered(
    site: Lean, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def find(_: object, __: str, host: str) -> None:
        looked.append(host)

    monkeypatch.setattr(heartbeats, "find", find)
    async with site.client() as client:
        for host in ("a." * 10_000 + "example", "short.example"):
            client.writer.write(
                f"GET /api/v1/status HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {KEY}\r\n\r\n".encode()
            )
            assert (await client.hear()).status == 404
    assert looked == ["short.example"]


async def test_a_client_that_would_like_another_protocol_gets_its_answer(site: Lean) -> None:
    async with site.client() as client:
        answer = await client.ask(
            f"{API}/status", "connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAMAAABk"
        )
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert await client.ended() == b""


async def test_fields_after_a_body_are_cut_off_when_they_do_not_end(site: Lean) -> None:
    site.desk.waits = asyncio.Event()  # the answer is awaited: no timer of an idle connection ends it
    try:
        async with site.client() as client:
            client.say(f"{API}/appointments", "transfer-encoding: chunked", body=b"0\r\nx: ")
            with contextlib.suppress(ConnectionError):
                for _ in range(64):
                    client.writer.write(b"a" * 65536)
                    await client.writer.drain()
                    await asyncio.sleep(0.01)
            assert await client.ended() == b""
    finally:
        site.desk.waits = None


async def test_a_failure_is_found_in_the_log_by_its_reference(site: Lean) -> None:
    with capture_logs() as logs:
        async with site.client() as client:
            told = {
                (await client.ask(f"{API}/{path}")).headers["x-reference"]
                for path in ("nothing", "patients/7/documents")
            }
    shown = {line["reference"]: line for line in logs if line["event"] == "failure shown"}
    assert told <= set(shown)
    assert KEY not in str(logs)


async def test_failures_are_problems(site: Lean) -> None:
    async with site.client() as client:
        missing = await client.ask(f"{API}/status", "authorization: none")
        unknown = await client.ask("/o/nobody/api/v1/status")
        nowhere = await client.ask(f"{API}/patients")
        refused = await client.ask(f"{API}/patients/7/documents")
        slip = await client.ask(f"{API}/appointments?day=1")
        method = await client.ask(f"{API}/status", "content-length: 4", method="POST", body=b"{ } ")
        after = await client.ask(f"{API}/status")
    wanted = [401, 404, 404, 404, 422, 405]
    got = [missing, unknown, nowhere, refused, slip, method]
    assert [one.status for one in got] == wanted
    for one in got:
        problem = json.loads(one.body)
        assert one.headers["content-type"] == "application/problem+json"
        assert one.headers["cache-control"] == "no-store"
        assert problem["reference"] == one.headers["x-reference"]
        assert problem["status"] == one.status
    assert missing.headers["www-authenticate"].startswith("Bearer")
    assert json.loads(refused.body)["code"] == "record-missing"
    assert method.headers["allow"].startswith("GET")
    assert after.status == 200  # the body of the request before it was read and dropped


async def test_answers_leave_in_the_order_of_their_requests(site: Lean) -> None:
    site.desk.waits = asyncio.Event()
    async with site.client() as client:
        client.say(f"{API}/appointments?date=2026-11-24")
        client.say(f"{API}/status")
        client.say("/health")
        client.say(f"{API}/nothing")
        client.say("/o/smile/portal/sign-in")
        for day in range(10, 30):
            client.say(f"{API}/appointments?date=2026-10-{day}")
        client.say(f"{API}/status")
        await until(lambda: "2026-11-24" in site.desk.asked)
        site.desk.waits.set()
        assert json.loads((await client.hear()).body)["date"] == "2026-11-24"
        assert (await client.hear()).body == resources.body(calls.STATUS, STATUS)
        assert json.loads((await client.hear()).body) == {"status": "ok"}
        assert (await client.hear()).status == 404
        page = await client.hear()
        assert page.status == 501  # this office answers no pages
        assert page.headers["content-type"].startswith("text/html")
        for day in range(10, 30):
            assert json.loads((await client.hear()).body)["date"] == f"2026-10-{day}"
        assert (await client.hear()).status == 200
    site.desk.waits = None


async def test_requests_may_come_a_byte_at_a_time(site: Lean) -> None:
    async with site.client() as client:
        request = f"GET {API}/status HTTP/1.1\r\nhost: hq\r\nauthorization: Bearer {KEY}\r\n\r\n".encode()
        for at in range(len(request)):
            client.writer.write(request[at : at + 1])
            await asyncio.sleep(0)
        assert (await client.hear()).status == 200


async def test_who_wants_no_more_is_hung_up_on(site: Lean) -> None:
    for version, lines in (("1.0", ()), ("1.0", ("connection: keep-alive",)), ("1.1", ("connection: close",))):
        async with site.client() as client:
            got = await client.ask(f"{API}/status", *lines, version=version)
            assert got.status == 200
            assert got.headers["connection"] == "close"
            assert await client.ended() == b""
    async with site.client() as client:
        got = await client.ask(f"{API}/status", "expect: 100-continue", "content-length: 9")
        assert (got.status, got.headers["connection"]) == (200, "close")


async def test_a_head_tells_and_gives_nothing(site: Lean) -> None:
    async with site.client() as client:
        small = await client.ask(f"{API}/status", method="HEAD")
        assert small.status == 200
        assert int(small.headers["content-length"]) == len(resources.body(calls.STATUS, STATUS))
        file = await client.ask(f"{API}/documents/9", method="HEAD")
        assert int(file.headers["content-length"]) == 4 * 65536
        assert (await client.ask(f"{API}/status")).status == 200
    await until(lambda: not any(link.in_flight for link in site.hq.hq.gateway.links()))


async def test_a_head_that_is_too_long_is_refused(site: Lean) -> None:
    async with site.client() as client:
        client.writer.write(f"GET {API}/status HTTP/1.1\r\nx: ".encode() + b"a" * 200_000)
        assert (await client.ended())[:12] in (b"HTTP/1.1 431", b"")


async def test_a_file_comes_whole_and_is_named(site: Lean) -> None:
    site.desk.pieces = 60
    async with site.client() as client:
        client.say(f"{API}/documents/9")
        client.say(f"{API}/status")
        got = await client.hear()
        assert got.body == PIECE * 60
        assert got.headers["content-type"] == "application/pdf"
        assert got.headers["content-disposition"].startswith('attachment; filename="Rontgen')
        assert "accept-ranges" not in got.headers
        assert (await client.hear()).status == 200


async def test_a_file_of_another_size_than_announced_breaks_off(site: Lean) -> None:
    for announced in (4 * 65536 - 1, 4 * 65536 + 1):
        site.desk.pieces, site.desk.announced = 4, announced
        async with site.client() as client:
            client.say(f"{API}/documents/9")
            await client.head()
            assert len(await client.ended()) < announced + 1
    site.desk.announced = None
    async with site.client() as client:
        assert (await client.ask(f"{API}/status")).status == 200


async def test_who_reads_slowly_holds_a_window_and_no_more(site: Lean) -> None:
    site.desk.pieces, site.desk.given, site.desk.stopped = 1600, 0, False  # 100 MB
    async with site.client() as client:
        client.say(f"{API}/documents/9")
        await client.head()
        transport: Any = client.writer.transport
        transport.pause_reading()
        before = -1
        while before != site.desk.given:  # until it stands still
            before = site.desk.given
            await asyncio.sleep(0.3)
        assert 0 < site.desk.given < 400  # what the kernel's buffers take, and ours: not the file
        async with site.client() as other:
            assert (await other.ask(f"{API}/status")).status == 200
        assert not site.desk.stopped
    # It went away in the middle: the office's source is closed, and nothing is in flight.
    await until(lambda: site.desk.stopped)
    await until(lambda: not any(link.in_flight for link in site.hq.hq.gateway.links()))
    assert site.desk.given < 400


async def test_who_goes_away_before_the_answer_costs_nobody(site: Lean) -> None:
    site.desk.waits, site.desk.asked = asyncio.Event(), []
    async with site.client() as client:
        client.say(f"{API}/appointments?date=2026-01-01")
        client.say(f"{API}/appointments?date=2026-01-02")
        await until(lambda: site.desk.asked)
    await until(lambda: not any(link.in_flight for link in site.hq.hq.gateway.links()))
    assert site.desk.asked == ["2026-01-01"]
    site.desk.waits = None


async def test_an_office_that_is_too_slow_is_given_up(site: Lean, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls.APPOINTMENTS, "limit", 0.2)
    site.desk.waits = asyncio.Event()
    async with site.client() as client:
        got = await client.ask(f"{API}/appointments")
        assert got.status == 504
        assert json.loads(got.body)["code"] == "office-too-slow"
        assert (await client.ask(f"{API}/status")).status == 200
    site.desk.waits = None


async def test_metrics_count_answers(site: Lean) -> None:
    async with site.client() as client:
        await client.ask(f"{API}/status")
    text = bytes(site.hq.hq.metrics.exposition().body).decode()
    counted = re.findall(r'econnector_hq_api_seconds_count\{status="(\dxx)"\} (\S+)', text)
    assert {kind for kind, count in counted if float(count) >= 1} >= {"2xx"}
    assert 'econnector_hq_api_seconds_bucket{le="+Inf",status="2xx"}' in text
    assert "smile" not in text

"""The lean route when the office is elsewhere, away, or HQ itself is about to stop."""

import asyncio
import json
from pathlib import Path

from tests.hq.lean import PIECE, lean
from tests.hq.running import running_hq, until
from tests.support.nats import NatsServer, nats_server

__all__ = ["nats_server"]

API = "/o/smile/api/v1"


async def test_another_node_answers_alike(tmp_path: Path, nats_server: NatsServer) -> None:
    shared = {"switchboard": nats_server.url, "database": f"sqlite:///{tmp_path / 'registry.db'}"}
    async with (
        lean(tmp_path, node="a", **shared) as site,
        running_hq(tmp_path, node="b", **shared) as other,
        site.client() as here,
        site.client(other.url) as there,
    ):
        small = [await client.ask(f"{API}/status") for client in (here, there)]
        assert small[0].status == small[1].status == 200
        assert small[0].body == small[1].body
        site.desk.pieces = 40
        assert (await there.ask(f"{API}/documents/1")).body == PIECE * 40
        assert (await there.ask(f"{API}/patients/1/documents")).status == 404
        await site.connector.stop()
        await until(lambda: not site.hq.hq.gateway.count)
        away = await there.ask(f"{API}/status")
        assert away.status == 503


async def test_an_office_that_is_away_is_told_with_when_to_try_again(tmp_path: Path) -> None:
    async with lean(tmp_path) as site, site.client() as client:
        assert (await client.ask(f"{API}/status")).status == 200
        await site.connector.stop()
        await until(lambda: not site.hq.hq.gateway.count)
        got = await client.ask(f"{API}/status")
        assert got.status == 503
        assert int(got.headers["retry-after"]) > 0
        assert json.loads(got.body)["code"] == "office-unreachable"
        await site.hq.add("newcomer")
        never = await client.ask("/o/newcomer/api/v1/status")
        assert (never.status, json.loads(never.body)["code"]) == (503, "104")


async def test_a_link_that_breaks_fails_what_waits_and_breaks_off_what_runs(tmp_path: Path) -> None:
    async with lean(tmp_path) as site, site.client() as small, site.client() as large:
        site.desk.waits, site.desk.pieces = asyncio.Event(), 100_000
        large.say(f"{API}/documents/1")
        await large.head()
        small.say(f"{API}/appointments")
        await until(lambda: site.desk.asked)
        await site.connector.stop()
        lost = await small.hear()
        assert (lost.status, json.loads(lost.body)["code"]) == (503, "answer-lost")
        assert len(await large.ended()) < 100_000 * len(PIECE)


async def test_hq_that_stops_answers_what_is_in_flight_and_hangs_up(tmp_path: Path) -> None:
    async with lean(tmp_path) as site, site.client() as client, site.client() as idle:
        assert (await idle.ask(f"{API}/status")).status == 200
        site.desk.waits = asyncio.Event()
        client.say(f"{API}/appointments")
        await until(lambda: site.desk.asked[-1:] == [""])
        site.hq._stop.set()
        await until(lambda: site.hq.hq.draining)
        during = await idle.ask(f"{API}/status")
        assert during.headers["connection"] == "close"
        site.desk.waits.set()
        got = await client.hear()
        assert (got.status, got.headers["connection"]) == (200, "close")
        assert await client.ended() == b""

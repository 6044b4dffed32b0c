"""A partner's program at HQ's address, a real link, and an office that serves: what docs/api.md promises."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import msgspec
import pytest

from econnector.eservices.api.web import openapi
from econnector.web.problem import Problem
from tests.hq.running import RunningHq, running_hq
from tests.office.connector import Connector
from tests.office.test_office import live, until
from tests.support.ports import free_port
from tests.support.practice import practice_file, write_images
from tests.support.practice_papers import PNG
from tests.support.practice_visits import day


class Served(NamedTuple):
    """What stands between the program and the records."""

    hq: RunningHq
    connector: Connector
    practice: Path

    async def key(self, *rights: str) -> str:
        words = [word for right in rights for word in ("--right", right)]
        status, made = await self.connector.ask("office", "api-keys", "add", "Bright Recall", *words)
        assert status == 0
        return str(made["key"])

    def program(self, key: str) -> httpx2.AsyncClient:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return httpx2.AsyncClient(base_url=f"{self.hq.url}/o/bright/api/v1/", headers=headers, timeout=60)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    url, connector = practice_file(tmp_path), Connector(tmp_path / "office")
    await asyncio.to_thread(write_images, tmp_path / "images")
    async with running_hq(tmp_path / "hq") as hq:
        _, registration = await hq.add("bright")
        settings = f'[images]\nroot = "{tmp_path}/images"\n[window]\nport = {free_port()}\n'
        connector.write(hq.link, url, more=settings)
        await connector.enrol(registration)
        async with live(connector) as office:
            await until(lambda: office.snapshot().link == "open")
            yield Served(hq, connector, Path(url.removeprefix("sqlite:///")))


def said(answer: Any, status: int) -> Problem:
    """Return the problem that an answer is."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = msgspec.json.decode(answer.content, type=Problem)
    assert (problem.status, problem.reference) == (status, answer.headers["x-reference"])
    return problem


async def test_a_program_reads_what_its_key_allows_through_hq_and_link(served: Served) -> None:
    key = await served.key("schedule", "documents")
    async with served.program(key) as program:
        status = (await program.get("status")).json()
        assert (status["office"], status["rights"]) == ("Bright Smile Dental", ["schedule", "documents"])
        page = (await program.get("appointments", params={"date": day(3).isoformat(), "limit": 1})).json()
        assert ([row["AptNum"] for row in page["appointments"]], page["more"]) == ([1001], False)
        listed = (await program.get("patients/11/documents")).json()["documents"]
        assert [(row["DocNum"], row["fileSize"]) for row in listed] == [(107, 234009), (820, len(PNG))]
        file = await program.get("documents/820")
        assert (file.status_code, file.headers["content-type"], file.content) == (200, "image/png", PNG)
        assert file.headers["content-length"] == str(len(PNG))
        assert said(await program.get("documents/100"), 404).code == "record-missing"
        assert said(await program.get("appointments", params={"limit": "0"}), 422).parameter == "limit"
        assert said(await program.get("nothing"), 404).code == "200"
        refused = await program.post("status")
        assert (said(refused, 405).code, refused.headers["allow"]) == ("method-refused", "GET, HEAD")
    traces = sqlite3.connect(served.practice).execute("SELECT LogText FROM securitylog WHERE LogSource = 23").fetchall()
    assert len(traces) == 3
    assert all(text.startswith(f"API: Bright Recall (key {key.split('_')[1]}) ") for (text,) in traces)


async def test_without_the_right_key_there_is_nothing_but_the_description(served: Served) -> None:
    key = await served.key("schedule")
    async with served.program("") as nobody, served.program(key) as program:
        for path in ("status", "appointments", "patients/11/documents", "documents/820"):
            refused = await nobody.get(path)
            assert said(refused, 401).code == "api-key-refused"
            assert refused.headers["www-authenticate"].startswith("Bearer")
        described = await nobody.get("openapi.json")
        assert (described.status_code, described.content) == (200, openapi.DOCUMENT)
        assert said(await nobody.post("openapi.json"), 405).code == "method-refused"
        assert said(await program.get("documents/820"), 403).code == "api-right-missing"
        assert said(await program.get("patients/11/documents"), 403).detail.startswith("The API key does not have")
    logs = b"".join(file.read_bytes() for file in served.connector.folder.rglob("*") if file.is_file())
    assert key.split("_", 2)[2].encode() not in logs

"""What HQ's limits mean for whoever opens a page: an answer soon, if only when to come again."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from econnector.base.errors import SettingInvalid
from econnector.eservices.portal import calls
from econnector.hq.settings import Limits, read
from econnector.wire.call import Answers, Asked
from tests.hq.running import Connector, RunningHq, running_hq, until
from tests.support.ports import free_port
from tests.support.site import PLAIN

LIMITS = Limits(calls=2, queue=3, rate=0, all_calls=64)


class Slow:
    """An office that answers when it is told to."""

    def __init__(self) -> None:
        self.wake, self.asked = asyncio.Event(), 0

    def answers(self) -> Answers:
        answers = Answers()

        @answers.to(calls.PRACTICE)
        async def _(_asked: Asked, _params: calls.Nothing) -> calls.Practice:
            self.asked += 1
            await self.wake.wait()
            return calls.Practice("Smile Dental", "555-0100")

        return answers


@pytest.fixture
async def hq(tmp_path: Path) -> AsyncIterator[RunningHq]:
    async with running_hq(tmp_path, limits=LIMITS, admin=f"127.0.0.1:{free_port()}") as running:
        yield running


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_a_crowd_is_told_early_when_to_come_again_and_the_next_office_is_not_kept(
    hq: RunningHq, accept: str
) -> None:
    slow, quick = Slow(), Slow()
    quick.wake.set()
    connectors = [Connector(hq.link, (await hq.add(name))[1]) for name in ("slow", "quick")]
    for connector, office in zip(connectors, (slow, quick), strict=True):
        connector.start(office.answers())
        await connector.online()
    async with httpx2.AsyncClient(
        base_url=hq.url, headers={"accept": accept}, timeout=90, verify=PLAIN, trust_env=False
    ) as browser:
        crowd = [asyncio.create_task(browser.get("/o/slow/portal/sign-in")) for _ in range(8)]
        await asyncio.wait(crowd, return_when=asyncio.FIRST_COMPLETED)
        assert (await browser.get("/o/quick/portal/sign-in")).status_code == 200
        await until(lambda: sum(page.done() for page in crowd) >= 6)
        refused = [page.result() for page in crowd if page.done()]
        assert {page.status_code for page in refused} == {503}
        assert all(1 <= int(page.headers["retry-after"]) <= 30 for page in refused)
        assert all("very busy" in page.text for page in refused)
        slow.wake.set()
        assert sorted([(await page).status_code for page in crowd]) == [200, 200] + [503] * 6
        assert slow.asked == LIMITS.calls
        async with httpx2.AsyncClient(base_url=hq.admin_url, verify=PLAIN, trust_env=False) as scraper:
            figures = (await scraper.get("/metrics")).text
    for connector in connectors:
        await connector.stop()
    assert 'econnector_hq_calls_refused_total{reason="full"} 3.0' in figures
    assert 'econnector_hq_calls_refused_total{reason="late"} 3.0' in figures
    assert "econnector_hq_calls_waiting 0.0" in figures


async def test_at_the_door_only_readers_are_turned_away_in_their_language_and_as_safely_as_anywhere(
    hq: RunningHq,
) -> None:
    slow = Slow()
    connector = Connector(hq.link, (await hq.add("slow"))[1])
    connector.start(slow.answers())
    await connector.online()
    shares = hq.hq.switchboard.shares
    async with httpx2.AsyncClient(base_url=hq.url, timeout=90, verify=PLAIN, trust_env=False) as browser:
        crowd = [asyncio.create_task(browser.get("/o/slow/portal/sign-in")) for _ in range(5)]
        await until(lambda: shares.waiting == LIMITS.queue)
        spanish = {"accept": "text/html", "accept-language": "es-US"}
        refused = [await browser.get("/o/slow/portal/?a=%3Cb%3E", headers=spanish) for _ in range(2)]
        for page in refused:
            assert page.status_code == 503
            assert "muy ocupada" in page.text
            assert "<b>" not in page.text
            assert page.headers["x-reference"] in page.text
            assert page.headers["cache-control"] == "no-store"
            assert "default-src 'none'" in page.headers["content-security-policy"]
        assert (await browser.head("/o/slow/portal/")).status_code == 503
        assert (await browser.get("/o/nobody/portal/")).status_code == 404
        sent = await browser.post("/o/slow/portal/sign-in", data={"user_name": "ann", "password": "x"})
        assert sent.headers["x-reference"] not in {page.headers["x-reference"] for page in refused}
        style = re.search(r'href="(/static/[^"]+[.]css)"', (await browser.get("/")).text)
        assert style
        assert (await browser.get(f"/o/slow/portal{style[1]}")).status_code == 200
        slow.wake.set()
        await asyncio.gather(*crowd)
        await until(lambda: not shares.running)
        assert (await browser.get("/o/slow/portal/sign-in")).status_code == 200
    await connector.stop()


@pytest.mark.parametrize(
    ("variable", "value", "name"),
    [
        ("LIMITS_CALLS", "0", "limits.calls"),
        ("LIMITS_QUEUE", "-1", "limits.queue"),
        ("LIMITS_CALLS", "1000", "limits.all_calls"),
        ("LIMITS_ALL_MEGABYTES", "100", "limits.all_megabytes"),
    ],
)
def test_limits_that_fit_nothing_are_refused(variable: str, value: str, name: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        read(None, environment={f"ECONNECTOR_HQ_{variable}": value})
    assert caught.value.facts["name"] == name

"""Two nodes of HQ with one registry: an office's pages open on both, wherever its link is."""

from pathlib import Path

import httpx2

from econnector.link.state import Status
from tests.hq.running import Connector, running_hq, until
from tests.support.nats import NatsServer, nats_server
from tests.support.site import PLAIN

__all__ = ["nats_server"]


async def test_an_office_is_reached_through_any_node_and_may_move_between_them(
    tmp_path: Path, nats_server: NatsServer
) -> None:
    shared = {"switchboard": nats_server.url, "database": f"sqlite:///{tmp_path / 'registry.db'}"}
    async with running_hq(tmp_path, node="a", **shared) as a, running_hq(tmp_path, node="b", **shared) as b:
        _, key = await a.add(phone="555-0100")
        connector = Connector(a.link, key)
        async with connector.running():
            await connector.online()
            for node in (a, b):
                assert (await _sign_in(node.url)).status_code == 200

            moved = Connector(b.link, None, identity=connector.identity, epoch=connector.epoch)
            async with moved.running():
                await moved.online()
                await until(lambda: connector.state.status is Status.STANDBY)
                assert moved.epoch > connector.epoch
                for node in (a, b):
                    assert (await _sign_in(node.url)).status_code == 200
                assert (a.hq.gateway.count, b.hq.gateway.count) == (0, 1)
        await until(lambda: b.hq.gateway.count == 0)
        away = await _sign_in(a.url)
        assert away.status_code == 503
        assert "555-0100" in away.text


async def _sign_in(url: str) -> httpx2.Response:
    async with httpx2.AsyncClient(base_url=url, verify=PLAIN, trust_env=False, timeout=60) as browser:
        return await browser.get("/o/smile/portal/sign-in")

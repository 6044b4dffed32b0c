"""HQ's door for offices, as the web server around it behaves."""

import logging
import platform
import socket
from pathlib import Path

import pytest

from econnector.hq.memory import give_back
from econnector.link.state import Status
from tests.hq.running import Connector, running_hq, until


async def test_a_connector_sent_away_with_503_is_no_fault_of_hqs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_hq(tmp_path) as hq:
        _, key = await hq.add()
        await hq.hq.gateway.drain(0.0, 0.0)
        with caplog.at_level(logging.WARNING):
            async with Connector(hq.link, key).running() as connector:
                await until(lambda: connector.state.failure)
                assert connector.state.status is not Status.ONLINE
    assert "ASGI callable" not in caplog.text


async def test_a_link_has_its_tcp_options_and_forgets_its_handshake(tmp_path: Path) -> None:
    async with running_hq(tmp_path) as hq:
        _, key = await hq.add()
        async with Connector(hq.link, key).running() as connector:
            await connector.online()
            (task,) = [guest.departure for guest in hq.hq.gateway._guests]
            protocol = task.get_coro().cr_frame.f_locals["self"]  # type: ignore[union-attr]
            assert [name for name, _ in protocol.scope["headers"]] == [b"host"]
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                options = protocol.transport.get_extra_info("socket")
                assert options.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) > 0
            assert not list(protocol.request.headers.raw_items())
            assert not list(protocol.response.headers.raw_items())
            assert (await connector.say()).version


def test_free_memory_goes_back_to_the_system_where_the_c_library_keeps_it() -> None:
    assert give_back() is (platform.libc_ver()[0] == "glibc")

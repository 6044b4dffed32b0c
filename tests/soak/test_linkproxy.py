"""The line of the soak really fails in the ways that it says."""

import random
import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from tests.soak.linkproxy import LinkProxy
from tests.support.ports import free_port

SENT = b"0123456789abcdefghij"


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(65536):
            self.request.sendall(data)


@pytest.fixture
def proxy() -> Iterator[LinkProxy]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        made = LinkProxy(free_port(), [free_port(), server.server_address[1]], random.Random(1))
        yield made
        made.close()
        server.shutdown()


@pytest.fixture
def line(proxy: LinkProxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), 60) as made:
        yield made


def asked(line: socket.socket) -> bytes:
    line.sendall(SENT)
    found = b""
    while len(found) < len(SENT):
        came = line.recv(100)
        assert came, "the line is over"
        found += came
    return found


def test_it_carries_to_whichever_node_is_up(line: socket.socket) -> None:
    assert asked(line) == SENT


def test_a_cut_line_is_over_and_a_new_one_works(proxy: LinkProxy, line: socket.socket) -> None:
    asked(line)
    proxy.hurt("cut")
    assert line.recv(1) == b""
    with socket.create_connection(("127.0.0.1", proxy.port), 60) as other:
        assert asked(other) == SENT


def test_a_half_open_line_says_nothing_and_is_over_when_it_is_healed(proxy: LinkProxy, line: socket.socket) -> None:
    asked(line)
    proxy.hurt("half-open")
    line.sendall(SENT)
    line.settimeout(0.2)
    with pytest.raises(TimeoutError):
        line.recv(1)
    proxy.heal("half-open")
    line.settimeout(60)
    assert line.recv(1) == b""


def test_what_is_sent_at_once_comes_with_its_head_behind_its_body(proxy: LinkProxy, line: socket.socket) -> None:
    asked(line)
    time.sleep(0.1)
    proxy.hurt("reorder")
    came = asked(line)
    assert came != SENT
    assert sorted(came) == sorted(SENT)
    proxy.heal("reorder")
    assert proxy.reordered
    assert asked(line) == SENT


@pytest.mark.parametrize("how", ["delay", "throttle"])
def test_a_slow_line_loses_nothing_and_is_quick_again_when_it_is_healed(
    proxy: LinkProxy, line: socket.socket, how: str
) -> None:
    proxy.hurt(how)
    assert asked(line) == SENT
    proxy.heal(how)
    assert asked(line) == SENT

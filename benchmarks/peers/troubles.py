"""What happens when the office hangs, the server dies or readers are slow; for all tunnels."""

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence

from benchmarks.peers.asking import Address, ask, opened
from benchmarks.peers.peer import Peer

__all__ = ["Found", "away", "frozen", "slow_readers"]

_READERS, _PACE, _TURN = 4, 1_000_000, 0.1
"""So many readers, so many bytes a second each, so many seconds between two reads."""
_POLL, _NEAR = 0.05, 0.2

Found = dict[str, float | None]


def _every(peers: Sequence[Peer], measure: Callable[[Peer], Found]) -> dict[str, Found]:
    """Return what was found of each, by name; what did not come within its time is None."""
    found: dict[str, Found] = {}

    def one(peer: Peer) -> None:
        try:
            found[peer.name] = measure(peer)
        except (OSError, RuntimeError) as failure:
            print(f"bench-peers: {peer.name}: {failure}", file=sys.stderr, flush=True)

    # Threads that end with the program: whoever interrupts it must not wait for what hangs.
    threads = [threading.Thread(target=one, args=(peer,), daemon=True) for peer in peers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def _read_slowly(address: Address, until: float, over: threading.Event) -> None:
    with contextlib.suppress(OSError), opened(address, within=5.0) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        connection.sendall(address.request(address.file))
        while time.perf_counter() < until and not over.wait(_TURN):
            left = int(_PACE * _TURN)
            while left > 0 and (got := len(connection.recv(left))):
                left -= got


def slow_readers(peers: Sequence[Peer], seconds: float) -> dict[str, Found]:
    """Return the megabytes that server and client grow by while four readers take 1 MB/s of the file each.

    Before any other load, so that what an earlier one left behind hides nothing.
    """

    def measure(peer: Peer) -> Found:
        assert peer.server is not None
        assert peer.client is not None
        for _ in range(20):
            ask(peer.address, peer.address.small)
        trees = {"server_mb": (peer.server, *peer.besides), "client_mb": (peer.client,)}
        before = {end: sum(tree.tree_bytes for tree in both) for end, both in trees.items()}
        most = dict(before)
        until, over = time.perf_counter() + seconds, threading.Event()
        readers = [
            threading.Thread(target=_read_slowly, args=(peer.address, until, over), daemon=True)
            for _ in range(_READERS)
        ]
        for reader in readers:
            reader.start()
        while time.perf_counter() < until:
            time.sleep(0.25)
            most = {end: max(most[end], sum(tree.tree_bytes for tree in both)) for end, both in trees.items()}
        over.set()
        for reader in readers:
            reader.join()
        return {end: (most[end] - before[end]) / 1e6 for end in trees}

    return _every(peers, measure)


def frozen(peers: Sequence[Peer], bound: float) -> dict[str, Found]:
    """Return after how many seconds the first and the next request fail when the client stands still."""

    def measure(peer: Peer) -> Found:
        assert peer.client is not None
        peer.client.freeze()
        try:
            first = ask(peer.address, peer.address.small, within=bound)
            if first.good or first.seconds > bound - _NEAR:
                return {"first": None, "next": None}
            after = ask(peer.address, peer.address.small, within=bound)
            return {"first": first.seconds, "next": after.seconds if after.seconds < bound - _NEAR else None}
        finally:
            peer.client.thaw()

    return _every(peers, measure)


def away(peers: Sequence[Peer], gone: float, bound: float) -> dict[str, Found]:
    """Return how many seconds after its start a server that was killed for `gone` serves again.

    And whether the client was still there at the end: 1 or 0. One after the other, so that none waits for another's
    server to start.
    """

    def measure(peer: Peer) -> Found:
        assert peer.server is not None
        assert peer.client is not None
        peer.server.kill()
        time.sleep(gone)
        began = time.perf_counter()
        peer.serve()
        found: Found = {"served": None, "listening": time.perf_counter() - began}
        while found["served"] is None and time.perf_counter() - began < bound:
            alive = peer.client.running
            if ask(peer.address, peer.address.small, within=1.0).good:
                found["served"] = time.perf_counter() - began
            elif not alive:
                break
            time.sleep(_POLL)
        return found | {"client": float(peer.client.running)}

    found: dict[str, Found] = {}
    for peer in peers:
        found |= _every([peer], measure)
    return found

"""What an office costs on NATS: one subscription in nats-server and one in the node that holds its link.

python -m benchmarks.subscriptions [OFFICES]; figures for docs/performance.md, "From 10,000 to 1,000,000".
"""

import asyncio
import sys
import time
from typing import Any

import nats
import psutil

from tests.support.nats import NatsServer

_KIB = 1024.0


async def _measure(server: NatsServer, offices: int) -> None:
    here = psutil.Process()
    (there,) = [each for each in here.children() if "nats-server" in each.name()]
    node, page = await nats.connect(server.url), await nats.connect(server.url)

    async def heard(message: Any) -> None:
        await message.respond(b"here")

    await node.flush()
    before = there.memory_info().rss, here.memory_info().rss
    began, used = time.perf_counter(), time.process_time()
    for number in range(offices):
        await node.subscribe(
            f"econnector.office.sim-{number:07}", cb=heard, pending_msgs_limit=0, pending_bytes_limit=0
        )
    await node.flush()
    took, spent = time.perf_counter() - began, time.process_time() - used
    after = there.memory_info().rss, here.memory_info().rss
    server_kib, node_kib = ((now - was) / _KIB / offices for now, was in zip(after, before, strict=True))
    print(f"{offices} subscriptions on one connection: nats-server {server_kib:.2f} KiB, node {node_kib:.2f} KiB each")
    print(f"{offices / took:.0f} a second; {1e6 * spent / offices:.0f} µs of the node's CPU each")
    waits = []
    for number in range(200):
        await node.subscribe(f"econnector.office.new-{number}", cb=heard)
        asked = time.perf_counter()
        await node.flush()
        while True:
            try:
                await page.request(f"econnector.office.new-{number}", b"", timeout=5)
                break
            except nats.errors.NoRespondersError:
                continue
        waits.append(1000 * (time.perf_counter() - asked))
    waits.sort()
    print(f"an office's first call after its subscription, from another connection: half in {waits[100]:.1f} ms")
    await node.close()
    await page.close()


def main() -> None:
    """Start a server of our own, and measure."""
    server = NatsServer()
    server.start()
    try:
        asyncio.run(_measure(server, int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
    finally:
        server.stop()


if __name__ == "__main__":
    main()

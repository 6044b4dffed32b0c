"""A small closed-loop HTTP load: N keep-alive connections that ask one after the other."""

import asyncio
import ssl
import sys
import time
from dataclasses import dataclass, field

__all__ = ["Load", "fetch", "hammer", "percentile"]


@dataclass
class Load:
    """What a load saw."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failures: int = 0

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0


def percentile(values: list[float], share: float) -> float:
    """Return the value that `share` of all values do not exceed, in the values' unit."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def _answer(reader: asyncio.StreamReader) -> tuple[int, int]:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    lowered = head.lower()
    size = 0
    if b"transfer-encoding: chunked" in lowered:
        while True:
            length = int(await reader.readline(), 16)
            await reader.readexactly(length + 2)
            size += length
            if not length:
                return status, size
    at = lowered.find(b"content-length:")
    left = int(lowered[at + 15 : lowered.index(b"\r\n", at)]) if at >= 0 else 0
    while left:
        got = await reader.read(min(left, 1 << 20))
        if not got:
            raise ConnectionError("the answer broke off")
        left -= len(got)
        size += len(got)
    return status, size


async def _open(host: str, port: int, tls: ssl.SSLContext | None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(host, port, ssl=tls, limit=1 << 20)


def _request(host: str, path: str, cookie: str, authorization: str) -> bytes:
    proofs = {"Cookie": cookie, "Authorization": authorization}
    told = [f"{name}: {value}" for name, value in proofs.items() if value]
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Accept: */*", *told, "", ""]
    return "\r\n".join(lines).encode()


async def fetch(  # noqa: PLR0913 - as `hammer`
    host: str, port: int, path: str, *, cookie: str = "", authorization: str = "", tls: ssl.SSLContext | None = None
) -> tuple[int, int, float]:
    """Return (status, body bytes, seconds) of one request on a connection of its own."""
    reader, writer = await _open(host, port, tls)
    began = time.perf_counter()
    writer.write(_request(f"{host}:{port}", path, cookie, authorization))
    status, size = await _answer(reader)
    took = time.perf_counter() - began
    writer.close()
    return status, size, took


async def hammer(  # noqa: PLR0913 - a load is described in one place
    host: str,
    port: int,
    path: str,
    *,
    connections: int,
    seconds: float,
    cookie: str = "",
    authorization: str = "",
    expect: int = 200,
    tls: ssl.SSLContext | None = None,
    pause: float = 0.0,
) -> Load:
    """Ask `path` for `seconds` on `connections` connections at once.

    `pause`: seconds from one question to the next on each, if the answer is there by then; the first ones are spread.
    """
    load = Load()
    request = _request(f"{host}:{port}", path, cookie, authorization)
    end = time.perf_counter() + seconds

    async def one(first: float) -> None:
        await asyncio.sleep(first)
        reader, writer = await _open(host, port, tls)
        while (began := time.perf_counter()) < end:
            writer.write(request)
            status, _ = await _answer(reader)
            load.latencies.append(time.perf_counter() - began)
            load.failures += status != expect
            if pause:
                await asyncio.sleep(max(0.0, began + pause - time.perf_counter()))
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one(pause * number / connections) for number in range(connections)))
    load.seconds = time.perf_counter() - began
    return load


async def _pull(port: int, path: str, cookie: str) -> None:
    while True:
        status, _, _ = await fetch("127.0.0.1", port, path, cookie=cookie)
        if status != 200:
            sys.exit(f"status {status}")


if __name__ == "__main__":
    asyncio.run(_pull(int(sys.argv[1]), sys.argv[2], sys.argv[3]))

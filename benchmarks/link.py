"""The bare link: calls of 1 kB each way against the same WebSocket library echoing one message per call.

Two processes, as in life: HQ (uvicorn, uvloop) asks, the office (websockets) answers. Rounds of both kinds alternate
and the ratio of medians counts, so that a busy machine hurts both alike.
"""

import asyncio
import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import connect

from benchmarks.load import percentile
from benchmarks.processes import Process, free_port
from econnector.base.ids import new_id
from econnector.link.accept import Admission, Arrival, Gateway
from econnector.link.admission import Bounds
from econnector.link.calls import ECHO, Echo
from econnector.link.carrier import LARGEST_MESSAGE
from econnector.link.connect import tune
from econnector.link.dial import Dialler
from econnector.link.handshake import Limits
from econnector.link.identity import Identity, Install
from econnector.link.switchboard import LocalSwitchboard
from econnector.wire.call import Answers, Asked, Asker, Call, Streamed

__all__ = ["run"]

PAYLOAD = b"x" * 1000
IN_FLIGHT = (1, 64, 512)
ROUNDS = 5
LIMITS = Limits(streams=1024)
UNBOUNDED = Bounds(calls=1024, rate=0, all_calls=1 << 20)
FILE = Call("bench.file", Echo, Echo, limit=60, streams=True)
FILE_BYTES = 100_000_000
_CORES = sorted(os.sched_getaffinity(0))[:2]


def run(seconds: float = 20.0) -> dict[str, Any]:
    """Measure for about `seconds`; return rates, microseconds of CPU per call, and ratios (ours ÷ plain echo)."""
    import uvloop  # noqa: PLC0415 - not on Windows, where nothing is measured

    with (
        tempfile.TemporaryDirectory() as folder,
        _pinned(_CORES[0]),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(_measure(seconds, Path(folder) / "office.log"))


@contextlib.contextmanager
def _pinned(place: int) -> Iterator[None]:
    """Run on one core: else the two processes share a core in one round and not in the next."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {place})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


async def _measure(seconds: float, log: Path) -> dict[str, Any]:
    port = free_port()
    hq = _Hq()
    server = uvicorn.Server(_config(hq, port))
    serving = asyncio.create_task(server.serve())
    with Process(sys.executable, "-m", "benchmarks.link", f"ws://127.0.0.1:{port}", str(_CORES[-1]), log=log) as office:
        await hq.ready()
        result = await _rounds(hq, office, seconds)
    server.should_exit = True
    await serving
    return result


async def _rounds(hq: "_Hq", office: Process, seconds: float) -> dict[str, Any]:
    each = seconds / (len(IN_FLIGHT) * 2 * ROUNDS + 6)
    result: dict[str, Any] = {"payload_bytes": len(PAYLOAD)}
    for in_flight in IN_FLIGHT:
        kinds: dict[str, list[_Sample]] = {"plain": [], "link": []}
        for _ in range(ROUNDS):
            kinds["plain"].append(await _sample(hq.echo, in_flight, each, office))
            kinds["link"].append(await _sample(hq.ask, in_flight, each, office))
        plain, link = _row(kinds["plain"]), _row(kinds["link"])
        ratio = round(link["rate"] / plain["rate"], 2)
        cpu_ratio = round(link["cpu_us"] / plain["cpu_us"], 2)
        result[f"in_flight_{in_flight}"] = {"plain": plain, "link": link, "ratio": ratio, "cpu_ratio": cpu_ratio}
    result["download"] = await _download(hq, each * 3, office)
    return result


class _Sample:
    def __init__(self, latencies: list[float], seconds: float, cpu: float, office_cpu: float) -> None:
        self.rate = len(latencies) / seconds
        self.p50, self.p99 = percentile(latencies, 0.5), percentile(latencies, 0.99)
        self.cpu = (cpu + office_cpu) / len(latencies)


def _row(samples: list[_Sample]) -> dict[str, float]:
    return {
        "rate": round(statistics.median(sample.rate for sample in samples)),
        "p50_ms": round(statistics.median(sample.p50 for sample in samples) * 1e3, 3),
        "p99_ms": round(statistics.median(sample.p99 for sample in samples) * 1e3, 3),
        "cpu_us": round(statistics.median(sample.cpu for sample in samples) * 1e6, 1),
    }


async def _sample(call: Callable[[], Awaitable[None]], in_flight: int, seconds: float, office: Process) -> _Sample:
    latencies: list[float] = []
    ends = time.perf_counter() + seconds

    async def worker() -> None:
        now = time.perf_counter()
        while now < ends:
            await call()
            before, now = now, time.perf_counter()
            latencies.append(now - before)

    cpu, office_cpu, began = time.process_time(), office.cpu_seconds, time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(in_flight)))
    took = time.perf_counter() - began
    return _Sample(latencies, took, time.process_time() - cpu, office.cpu_seconds - office_cpu)


async def _download(hq: "_Hq", seconds: float, office: Process) -> dict[str, float]:
    """Small calls while large files download on the same link."""
    idle = await _sample(hq.ask, 1, seconds / 2, office)
    stop = asyncio.Event()
    got = 0

    async def download() -> None:
        nonlocal got
        while not stop.is_set():
            file = await hq.office.download(FILE, Echo())
            async for chunk in file:
                got += len(chunk)
                if stop.is_set():
                    break
            await file.aclose()

    downloading = asyncio.create_task(download())
    began = time.perf_counter()
    loaded = await _sample(hq.ask, 1, seconds, office)
    rate = got / (time.perf_counter() - began)
    stop.set()
    await downloading
    return {
        "mb_per_s": round(rate / 1e6),
        "idle_p99_ms": round(idle.p99 * 1e3, 3),
        "loaded_p50_ms": round(loaded.p50 * 1e3, 3),
        "loaded_p99_ms": round(loaded.p99 * 1e3, 3),
        "p99_ratio": round(loaded.p99 / idle.p99, 1),
    }


class _Hq:
    """The asking process: a gateway, and the plain echo's other end."""

    def __init__(self) -> None:
        self.switchboard = LocalSwitchboard(UNBOUNDED)
        self.gateway = Gateway(_OpenGate(), self.switchboard, lambda _: Answers(), limits=LIMITS)
        self.office: Asker = self.switchboard.office("office")
        self._plain: WebSocket | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def ready(self) -> None:
        async with asyncio.timeout(20):
            while self.gateway.count == 0 or self._plain is None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def ask(self) -> None:
        await self.office.ask(ECHO, Echo(PAYLOAD))

    async def echo(self) -> None:
        assert self._plain is not None
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await self._plain.send_bytes(PAYLOAD)
        await future

    async def serve_echo(self, websocket: WebSocket) -> None:
        await websocket.accept()
        self._plain = websocket
        try:
            while True:
                await websocket.receive_bytes()
                self._waiting.popleft().set_result(None)
        except WebSocketDisconnect:
            return


class _OpenGate:
    async def admit(self, arrival: Arrival) -> Admission:
        return Admission("office", 1, arrival.machine)

    async def retire(self, admission: Admission, reason: str) -> None:
        del admission, reason


def _config(hq: _Hq, port: int) -> uvicorn.Config:
    app = Starlette(routes=[WebSocketRoute("/link", hq.gateway.serve), WebSocketRoute("/echo", hq.serve_echo)])
    return uvicorn.Config(
        app,
        port=port,
        ws="websockets-sansio",
        ws_max_size=LARGEST_MESSAGE,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        lifespan="off",
        log_config=None,
        log_level="error",
    )


# -- the office's process ----------------------------------------------------------------------------------------


async def _office(url: str) -> None:
    answers = Answers()

    @answers.to(ECHO)
    async def echo(_asked: Asked, params: Echo) -> Echo:
        return params

    @answers.streaming(FILE)
    async def file(_asked: Asked, _params: Echo) -> Streamed[Echo]:
        async def chunks() -> Any:
            piece = bytes(256 * 1024)
            for _ in range(FILE_BYTES // len(piece)):
                yield piece

        return Streamed(Echo(), chunks())

    install = Install(new_id(), "bench", "0")
    dialler = Dialler(f"{url}/link", Identity.make(), install, answers, limits=LIMITS)
    await asyncio.gather(dialler.run(), _echo(f"{url}/echo"))


async def _echo(url: str) -> None:
    async with connect(url, compression=None, ping_interval=None, proxy=None) as connection:
        tune(connection.transport.get_extra_info("socket"))
        async for message in connection:
            await connection.send(message)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        import uvloop

        with _pinned(int(sys.argv[2])), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_office(sys.argv[1]))
    else:
        import json

        print(json.dumps(run(), indent=1))

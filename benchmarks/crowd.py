"""Other offices' pages while one office is asked far beyond its limits, and while a connector storms.

Real processes: HQ with its usual limits, all offices, and whoever is the crowd or the storm. As a process:
python -m benchmarks.crowd offices URL KEYS | crowd PORT OFFICE | storm URL KEY
"""

import asyncio
import contextlib
import itertools
import json
import logging
import random
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import structlog

from benchmarks.load import Load, hammer, percentile
from benchmarks.processes import Process, free_port, measured, wait_for_http, wait_until
from econnector.base.clock import SYSTEM
from econnector.eservices.portal import calls
from econnector.hq.registry import migrate, offices
from econnector.hq.registry.database import Registry
from econnector.link.calls import ECHO, Echo
from econnector.link.dial import Dialler
from econnector.link.identity import Identity, Install
from econnector.link.state import Status
from econnector.wire.call import Answers, Asked
from econnector.wire.codec import pack
from econnector.wire.messages import Kind, Request

__all__ = ["others"]

_HOST = "127.0.0.1"
_OTHERS = 8
_ANSWER_SECONDS = 1.0
"""How long the office with the crowd takes on average: with its 64 calls at a time it answers 64 pages a second."""
_CROWD = 640
"""Pages a second that it is asked for."""
_THERE = 2.0
"""Seconds until all of the crowd have come."""
_PACE = 0.1
"""Seconds between two pages of each other office."""


def others(folder: Path, seconds: float) -> list[dict[str, Any]]:
    """Return the rows; takes three times `seconds`, and fifteen more."""
    folder.mkdir(exist_ok=True)
    port, names = free_port(), [f"office-{number}" for number in range(_OTHERS + 2)]
    keys = _enter(folder, names)
    environment = {"FOLDER": str(folder), "LISTEN": f"{_HOST}:{port}"}
    hq_environment = {f"ECONNECTOR_HQ_{name}": value for name, value in environment.items()}
    url = f"ws://{_HOST}:{port}/link"
    out, crowd_out = folder / "offices.out", folder / "crowd.out"
    (folder / "keys").write_text("\n".join(keys[:-1]))
    with (
        Process(sys.executable, "-m", "econnector", "hq", "run", log=folder / "hq.out", **hq_environment) as hq,
        _itself("offices", url, str(folder / "keys"), log=out),
    ):
        wait_for_http(f"http://{_HOST}:{port}/health")
        wait_until(lambda: "all" in out.read_text())
        _visit(port, names[:_OTHERS], 1.0)
        idle = _visit(port, names[:_OTHERS], seconds)
        with _itself("crowd", str(port), names[_OTHERS], str(seconds + 2 * _THERE), log=crowd_out) as crowd:
            wait_until(lambda: "there" in crowd_out.read_text())
            time.sleep(_THERE)
            with measured(hq) as cpu:
                crowded = _visit(port, names[:_OTHERS], seconds)
            wait_until(lambda: not crowd.running)
        with _itself("storm", url, keys[-1], log=folder / "storm.out"):
            time.sleep(1.0)
            stormed = _visit(port, names[:_OTHERS], seconds)
        if not hq.running:
            raise RuntimeError(f"HQ is gone: see {folder / 'hq.out'}")
    told = json.loads(crowd_out.read_text().partition("\n")[2])
    storm = (folder / "storm.out").read_text().split()
    asked = f"one office is asked for {_CROWD} pages a second and answers {_CROWD // 10}"
    refused = f"{told['answered']} of the crowd answered, {told['refused']} refused in {told['refused_ms']} ms (p50)"
    refused += f", HQ's CPU {100 * cpu[0] / seconds:.0f} %"
    return [
        _row(f"p99 of other offices' pages while {asked}", crowded, idle, refused),
        _row(
            "p99 of other offices' pages while a connector opens calls and gives them up without end",
            stormed,
            idle,
            f"it lost {len(storm)} links",
        ),
    ]


def _row(what: str, loaded: Load, idle: Load, more: str) -> dict[str, Any]:
    after, before = percentile(loaded.latencies, 0.99), percentile(idle.latencies, 0.99)
    return {
        "what": what,
        "ours": f"{after * 1000:.1f} ms; {loaded.failures} failed; {more}",
        "beside": f"{before * 1000:.1f} ms while nothing else happens",
        "ratio": after / before,
        "target": "≤ 3",
    }


def _enter(folder: Path, names: list[str]) -> list[str]:
    """Add the offices; return their registration keys."""
    registry = Registry(f"sqlite:///{folder / 'registry.db'}")
    migrate.upgrade(registry)
    now = SYSTEM.now()
    return registry.run_now(lambda connection: [offices.add(connection, name, now=now)[1] for name in names])


def _itself(*words: str, log: Path) -> Process:
    return Process(sys.executable, "-m", "benchmarks.crowd", *words, log=log)


def _path(office: str) -> str:
    return f"/o/{office}/portal/sign-in"


def _visit(port: int, names: list[str], seconds: float) -> Load:
    """Open a page of each office again and again, at a pace that leaves HQ most of its time."""

    async def all_of_them() -> list[Load]:
        each = [hammer(_HOST, port, _path(name), connections=1, seconds=seconds, pause=_PACE) for name in names]
        return await asyncio.gather(*each)

    loads = asyncio.run(all_of_them())
    latencies = [latency for load in loads for latency in load.latencies]
    return Load(seconds, latencies, sum(load.failures for load in loads))


# -- the other processes -----------------------------------------------------------------------------------------


def _answers(late: float) -> Answers:
    answers = Answers()

    @answers.to(calls.PRACTICE)
    async def _(_asked: Asked, _params: calls.Nothing) -> calls.Practice:
        await asyncio.sleep(random.uniform(0.5, 1.5) * late)
        return calls.Practice("Office", "555-0100")

    return answers


def _dialler(url: str, key: str, number: int, late: float = 0.0) -> Dialler:
    install = Install(f"{number:032x}", f"MACHINE-{number}", "0.1.0")
    return Dialler(url, Identity.make(), install, _answers(late), registration_key=key, proxy=False)


async def _offices(url: str, keys: list[str]) -> None:
    diallers = [
        _dialler(url, key, number, _ANSWER_SECONDS if number >= _OTHERS else 0.0) for number, key in enumerate(keys)
    ]
    tasks = [asyncio.create_task(dialler.run()) for dialler in diallers]
    while any(dialler.state.status is not Status.ONLINE for dialler in diallers):  # noqa: ASYNC110 - as one looks at it
        await asyncio.sleep(0.05)
    print("all are connected", flush=True)
    await asyncio.gather(*tasks)


async def _crowd(port: int, office: str, seconds: float) -> None:
    """Ask a page a second from so many browsers, however late or early each answer comes."""
    print("there", flush=True)
    load = await hammer(_HOST, port, _path(office), connections=_CROWD, seconds=seconds, pause=1.0)
    early = [latency for latency in load.latencies if latency < _ANSWER_SECONDS / 2]
    told = {"answered": len(load.latencies) - load.failures, "refused": load.failures}
    print(json.dumps(told | {"refused_ms": round(1000 * percentile(early, 0.5), 1)}))


async def _storm(url: str, key: str) -> None:
    """Ask and give up as fast as the link takes it; dial again whenever it is lost, and say so."""
    dialler = _dialler(url, key, 99)
    running = asyncio.create_task(dialler.run())
    request = msgspec.msgpack.encode(Request(ECHO.name, 5.0, "AAAA-BBBB", msgspec.Raw(msgspec.msgpack.encode(Echo()))))
    while not running.done():
        link = dialler._link  # noqa: SLF001 - nothing of ours does this on purpose
        if link is None or link.ended is not None:
            await asyncio.sleep(0.01)
            continue
        with contextlib.suppress(Exception):
            for stream in itertools.count(1_000_001, 200):
                words = [pack(Kind.REQUEST, n, request) + pack(Kind.CANCEL, n) for n in range(stream, stream + 200, 2)]
                await link._carrier.send(b"".join(words))  # noqa: SLF001
        print("lost", flush=True)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    match sys.argv[1:]:
        case ["offices", url, keys]:
            asyncio.run(_offices(url, Path(keys).read_text().split()))
        case ["crowd", port, office, seconds]:
            asyncio.run(_crowd(int(port), office, float(seconds)))
        case ["storm", url, key]:
            asyncio.run(_storm(url, key))

"""`make bench-peers`: see the package."""

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec

from benchmarks import report
from benchmarks.peers import ALL, table, troubles, verdicts
from benchmarks.peers.cells import CELLS, Cells
from benchmarks.peers.direct import Direct
from benchmarks.peers.peer import Peer, said_by
from benchmarks.peers.results import Results, Row
from benchmarks.peers.rounds import Asked, Plan, run
from benchmarks.peers.wrk import Wrk

_BUDGET, _TROUBLE_SECONDS = 460.0, 115.0
"""Seconds: of a whole run, and of that for what follows and precedes the rounds."""
_LOADS = 5.7
"""How many times the seconds of one load a row takes in one round."""


class Settings(msgspec.Struct, frozen=True):
    """How long things take, in seconds, and how often they are done."""

    rounds: int = 3
    seconds: float = 2.0
    slow: float = 10.0
    frozen: float = 60.0
    gone: float = 3.0
    away: float = 30.0


QUICK = Settings(rounds=1, seconds=1.0, slow=4.0, frozen=7.0, gone=1.0, away=10.0)


def _say(what: str) -> None:
    print(f"bench-peers: {what}", file=sys.stderr, flush=True)


def _read() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description="eConnector beside other tunnels.")
    parser.add_argument("--quick", action="store_true", help="one short round, to see that all of it works")
    parser.add_argument("--rounds", type=int, help="how many rounds (default 3)")
    parser.add_argument("--only", action="append", metavar="NAME", help="only tunnels with this in their names")
    parser.add_argument("--print", action="store_true", help="write neither the page nor the JSON file")
    return parser.parse_args()


def _started(
    wanted: Sequence[type[Peer]], folder: Path, direct: Direct, stack: contextlib.ExitStack
) -> tuple[list[Peer], dict[str, str]]:
    """Return the peers that work and, by name, why the others do not."""
    peers, absent = [], {}
    for number, kind in enumerate(wanted):
        if why := kind.absent():
            absent[kind.name] = why
            continue
        _say(f"starting {kind.name}")
        peer = kind(folder / f"peer-{number}", direct.origin)
        stack.callback(peer.stop)
        try:
            peer.start()
        except (OSError, RuntimeError) as failure:
            peer.stop()
            absent[kind.name] = " ".join(f"did not start: {failure}".split())
            _say(f"{kind.name} did not start: {failure}")
        else:
            peers.append(peer)
    return peers, absent


def _settings(asked: argparse.Namespace, rows: int) -> Settings:
    if asked.quick:
        return QUICK
    settings = Settings(rounds=asked.rounds or Settings().rounds)
    needed = settings.rounds * (rows + 1) * _LOADS * settings.seconds
    return settings if needed < _BUDGET - _TROUBLE_SECONDS else msgspec.structs.replace(settings, seconds=1.0)


def _measured(asked: argparse.Namespace, folder: Path, stack: contextlib.ExitStack) -> tuple[Results, Settings]:
    began = time.monotonic()
    pinned = (os.cpu_count() or 1) > 1
    direct = Direct(folder / "direct", pinned=pinned)
    stack.callback(direct.tree.stop)
    wanted = [kind for kind in ALL if not asked.only or any(word in kind.name for word in asked.only)]
    peers, absent = _started(wanted, folder, direct, stack)
    needed = {"direct", *(peer.beside for peer in peers)}
    rows = [Row(name, direct.version(), "", "") for name in direct.addresses if name in needed]
    rows += [Row(peer.name, peer.version(), peer.encryption, peer.beside) for peer in peers]
    settings = _settings(asked, len(rows))
    results = Results(rows, absent, [], bounds={"frozen": settings.frozen, "away": settings.away})
    _say("slow readers, all tunnels at once")
    results.slow_readers = troubles.slow_readers(peers, settings.slow)
    loads = Cells(folder, Wrk(folder, pinned=pinned), settings.seconds)
    cells = {name: partial(measure, loads) for name, measure in CELLS.items()}
    directs = [Asked(name, direct.addresses[name], "") for name in direct.addresses if name in needed]
    tunnels = [Asked(peer.name, peer.address, peer.beside, peer.renew if peer.wears_out else None) for peer in peers]
    plan = Plan(settings.rounds, began + _BUDGET - _TROUBLE_SECONDS)
    results.sweeps = run(cells, directs, tunnels, plan)
    _say(f"every office frozen, for {settings.frozen:.0f} s at most")
    results.frozen = troubles.frozen(peers, settings.frozen)
    _say("one server after the other killed, and started again")
    results.away = troubles.away(peers, settings.gone, settings.away)
    return results, settings


def _about(settings: Settings, seconds: float) -> str:
    pinned = "nginx on CPU 0, wrk on CPU 1" if (os.cpu_count() or 1) > 1 else "one CPU"
    said = said_by("wrk", "-v").split("[")[0].strip()
    return f"{settings.rounds} rounds of {settings.seconds:.0f} s each in {seconds:.0f} s; {said}; {pinned}"


def _told(results: Results, settings: Settings, seconds: float, *, kept: bool) -> None:
    tables = [(table.HEAD, table.figures(results)), (verdicts.HEAD, verdicts.verdicts(results))]
    for head, lines in tables:
        plain = [tuple(cell.replace("**", "") for cell in line) for line in lines]
        report.show("share of the direct server within this run", head, plain, width=200)
    if results.absent:
        _say(f"not measured: {table.absent(results)}")
    if results.repeats():
        _say(f"{results.repeats()} sweeps were measured again")
    if not kept:
        return
    text = "\n\n".join(report.markdown(head, lines) for head, lines in reversed(tables))
    text += f"\n\nNot measured: {table.absent(results)}." if results.absent else ""
    raw = msgspec.to_builtins({"settings": settings, "results": results})
    file = report.keep(report.PEERS, raw, text, seconds, _about(settings, seconds))
    _say(f"written to {file.relative_to(report.ROOT)} and docs/performance.md")


def main() -> None:
    """Measure everything, tell it, and leave nothing running."""
    os.environ["PATH"] += os.pathsep + "/usr/sbin"
    asked = _read()
    if missing := Direct.absent():
        sys.exit(f"bench-peers: {', '.join(missing)} is missing; `python3 scripts/setup.py --peers` installs it")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench-peers: ended"))
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as folder, contextlib.ExitStack() as stack:
        try:
            results, settings = _measured(asked, Path(folder), stack)
        except KeyboardInterrupt:
            sys.exit("bench-peers: interrupted")
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # what was started is ended first, however impatiently
    _told(results, settings, time.perf_counter() - began, kept=not (asked.quick or asked.print or asked.only))


if __name__ == "__main__":
    main()

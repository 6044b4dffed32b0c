"""`make bench-peers`: when a sweep is measured again, and what is said of ours."""

import math
import time
from collections.abc import Iterator

from benchmarks.peers.asking import Address
from benchmarks.peers.cells import Figures
from benchmarks.peers.results import Results, Row
from benchmarks.peers.rounds import Asked, Plan, Sweep, run
from benchmarks.peers.table import figures
from benchmarks.peers.troubles import Found
from benchmarks.peers.verdicts import HEAD, OURS, verdicts

_DIRECT, _TUNNEL = Asked("direct", Address(1), ""), Asked("ssh -R", Address(2), "direct")
_LATER = math.inf


def _swept(direct_rates: Iterator[float], until: float = _LATER) -> list[Sweep]:
    def measure(address: Address) -> Figures:
        return {"rate": next(direct_rates) if address == _DIRECT.address else 10.0}

    return run({"one": measure}, [_DIRECT], [_TUNNEL], Plan(3, until))


def test_only_the_sweep_that_met_another_direct_server_is_measured_again() -> None:
    sweeps = _swept(iter([100, 100, 100, 40, 100, 100, 90, 110]))
    assert [sweep.repeated for sweep in sweeps] == [False, True, False]
    assert sweeps[1].rate("direct") == 100


def test_a_noisy_sweep_stays_and_says_so_when_there_is_no_time_left() -> None:
    sweeps = _swept(iter([100, 100, 100, 40, 100, 100]), until=time.monotonic() - 1)
    assert [(sweep.repeated, sweep.noisy) for sweep in sweeps] == [(False, False), (False, True), (False, False)]


def test_a_tunnel_that_fails_does_not_end_the_run() -> None:
    def measure(address: Address) -> Figures:
        if address == _TUNNEL.address:
            raise RuntimeError("nobody answered")
        return {"rate": 100.0}

    sweeps = run({"one": measure}, [_DIRECT], [_TUNNEL], Plan(1, _LATER))
    assert sweeps[0].failures == {"ssh -R": "nobody answered"}
    assert sweeps[0].rate("ssh -R") is None


def _results(native: float, relay: float, tunnel: float) -> Results:
    rates = {"direct": 1000.0, OURS[0]: native, OURS[1]: relay, "ssh -R": tunnel}
    rows = [Row(name, "1", "", "" if name == "direct" else "direct") for name in rates]
    seen = {name: [{"rate": rate, "p50_ms": 1.0, "p99_ms": 2.0, "failures": 0.0}] for name, rate in rates.items()}
    frozen: dict[str, Found] = {OURS[0]: {"first": 5.04}, OURS[1]: {"first": 5.06}, "ssh -R": {"first": None}}
    return Results(rows, {}, [Sweep("many", seen)], frozen=frozen, bounds={"frozen": 60.0})


def _said(results: Results, what: str) -> dict[str, str]:
    return next(dict(zip(HEAD, row, strict=True)) for row in verdicts(results) if what in row[0])


def test_a_bar_that_is_missed_and_a_tunnel_that_is_ahead_are_said() -> None:
    said = _said(_results(native=400, relay=200, tunnel=300), "32 connections")
    assert said[OURS[0]] == "0.40, met"
    assert said[OURS[1]] == "0.20, **missed**"
    assert said[HEAD[-1]] == "ssh -R 0.30, **ahead of relay**"


def test_a_figure_is_judged_as_it_is_shown_and_what_never_came_is_worse_than_all() -> None:
    said = _said(_results(native=400, relay=200, tunnel=300), "frozen")
    assert said[OURS[0]] == "5.0, met"
    assert said[OURS[1]] == "5.1, **missed**"
    assert said[HEAD[-1]] == "none in time"


def test_the_table_has_a_row_for_each_that_was_measured() -> None:
    lines = figures(_results(native=400, relay=200, tunnel=300))
    assert [line[0] for line in lines] == ["direct (1)", "ours, native (1)", "ours, relay (1)", "ssh -R (1)"]
    assert "**0.40** · 400/s · p50 1.00, p99 2.0 ms" in lines[1]
    assert "> 60 s" in lines[3]

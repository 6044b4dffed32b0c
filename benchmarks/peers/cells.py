"""What is measured of one tunnel while it works, one cell of the table each."""

import pathlib
import sys
import time
from collections.abc import Callable

import msgspec

from benchmarks.peers.asking import FILE_BYTES, Address, ask
from benchmarks.peers.tree import Tree
from benchmarks.peers.wrk import Load, Wrk

__all__ = ["CELLS", "Cells", "Figures"]

Figures = dict[str, float]
"""The figures of a cell by name; `rate` is what is compared: requests, or megabytes, per second."""
_ROOT = pathlib.Path(__file__).resolve().parents[2]
_SETTLE = 0.3
"""Seconds that a download has to come to its speed."""


class Cells:
    """Measures for `seconds` each."""

    def __init__(self, folder: pathlib.Path, wrk: Wrk, seconds: float) -> None:
        """`folder`: for what the helpers print."""
        self._folder, self._wrk, self.seconds = folder, wrk, seconds

    def _load(self, address: Address, connections: int, *, close: bool = False) -> Load:
        load = self._wrk.load(address, connections, self.seconds, close=close)
        if not load.rate:
            raise RuntimeError(f"no request was answered within {self.seconds:.0f} s")
        return load

    def one(self, address: Address) -> Figures:
        """1 kB, one connection."""
        return _figures(self._load(address, 1))

    def many(self, address: Address) -> Figures:
        """1 kB, 32 connections."""
        return _figures(self._load(address, 32))

    def anew(self, address: Address) -> Figures:
        """1 kB, 32 at once, each request on a connection of its own."""
        return _figures(self._load(address, 32, close=True))

    def file(self, address: Address) -> Figures:
        """The 100 MB file, one reader, over and over."""
        began = time.perf_counter()
        size = 0
        while (took := time.perf_counter() - began) < self.seconds / 2:
            answer = ask(address, address.file)
            if not answer.good or answer.size < FILE_BYTES:
                raise RuntimeError(f"the file came with {answer.status} and {answer.size} bytes")
            size += answer.size
        return {"rate": size / took / 1e6}

    def mixed(self, address: Address) -> Figures:
        """1 kB, four connections: idle, and beside one reader of the file who never pauses."""
        idle = self._load(address, 4)
        told = self._folder / "address.json"
        told.write_bytes(msgspec.json.encode(address))
        command = (sys.executable, "-m", "benchmarks.peers.asking", str(told))
        with Tree(*command, log=self._folder / "reader.out", PYTHONPATH=str(_ROOT)) as reader:
            time.sleep(_SETTLE)
            loaded = self._load(address, 4)
            if not reader.running:
                raise RuntimeError(f"the reader ended: {(self._folder / 'reader.out').read_text()[-500:]}")
        failures = float(idle.failures + loaded.failures)
        kept = {"rate": loaded.rate, "idle_rate": idle.rate}
        return kept | {"idle_p99_ms": idle.p99_ms, "loaded_p99_ms": loaded.p99_ms, "failures": failures}


def _figures(load: Load) -> Figures:
    return {"rate": load.rate, "p50_ms": load.p50_ms, "p99_ms": load.p99_ms, "failures": float(load.failures)}


CELLS: dict[str, Callable[[Cells, Address], Figures]] = {
    "one": Cells.one,
    "many": Cells.many,
    "anew": Cells.anew,
    "file": Cells.file,
    "mixed": Cells.mixed,
}
"""In the order in which they are measured."""

"""wrk as the load: one thread, pinned where there is a CPU for it."""

import json
import pathlib
import subprocess

import msgspec

from benchmarks.peers.asking import Address

__all__ = ["Load", "Wrk"]

_SCRIPT = """
{headers}
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '{{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"failures":%d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


class _Told(msgspec.Struct):
    requests: int
    microseconds: int
    p50: int
    p99: int
    failures: int


class Load(msgspec.Struct, frozen=True):
    """What a load saw: answers per second, milliseconds, and how many requests were not answered as asked."""

    rate: float
    p50_ms: float
    p99_ms: float
    failures: int


class Wrk:
    """The load; `folder` holds its scripts, as what stands in a command line can be read by everybody."""

    def __init__(self, folder: pathlib.Path, *, pinned: bool) -> None:
        """`pinned` to the second CPU."""
        self._folder = folder
        self._pin = ("taskset", "-c", "1") if pinned else ()

    def load(self, address: Address, connections: int, seconds: float, *, close: bool = False) -> Load:
        """Ask for the small answer for `seconds`; `close`: on a new connection each time."""
        headers = address.headers | ({"Connection": "close"} if close else {})
        told = "\n".join(f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items())
        script = self._folder / "wrk.lua"
        script.write_text(_SCRIPT.format(headers=told))
        words = ("-t", "1", "-c", str(connections), "-d", f"{max(1, round(seconds))}s", "--timeout", "10s")
        done = subprocess.run(
            (*self._pin, "wrk", *words, "-s", str(script), address.url + address.small),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"wrk: {done.stdout}{done.stderr}")
        found = msgspec.json.decode(done.stdout.strip().splitlines()[-1], type=_Told)
        rate = round(found.requests / found.microseconds * 1e6, 1)
        return Load(rate, found.p50 / 1000, found.p99 / 1000, found.failures)

"""`econnector sim`: many offices in one process, to load an HQ and to see it survive."""

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from econnector.base import logs
from econnector.base.loops import loop_factory
from econnector.cli.terminal import console, print_json

if TYPE_CHECKING:
    from econnector.demo.sim.plan import Second, Told

__all__ = ["sim"]


@click.command()
@click.option("--offices", type=click.IntRange(1, 20_000), default=100, help="How many.")
@click.option(
    "--calls-per-second", "pages", type=click.FloatRange(0), default=20.0, help="Pages that people open; a call each."
)
@click.option("--rest", type=click.FloatRange(0), default=0.0, help="Seconds that all stand idle before people come.")
@click.option("--seconds", type=click.FloatRange(1), default=60.0, help="How long people come.")
@click.option("--slow", type=click.IntRange(0), default=0, help="How many of the offices answer late.")
@click.option("--slow-seconds", type=click.FloatRange(0, 60), default=3.0, help="How late.")
@click.option(
    "--restart-every", type=click.FloatRange(0), default=0.0, help="Kill HQ so often, in seconds, and start it again."
)
@click.option("--away", type=click.FloatRange(0), default=0.0, help="Seconds that HQ stays away then.")
@click.option("--tls", is_flag=True, help="HQ does TLS itself.")
@click.option(
    "--hq-settings",
    "settings",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Settings of an HQ that runs on this machine: offices sim-00000 and up are added to it. Else one is started.",
)
@click.option("--registry", default="", help="Database URL for the HQ that is started; else a SQLite file.")
@click.option("--seed", type=int, default=1, help="Other dice visit the offices in another order.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def sim(  # noqa: PLR0913 - one argument per option
    *,
    offices: int,
    pages: float,
    rest: float,
    seconds: float,
    slow: int,
    slow_seconds: float,
    restart_every: float,
    away: float,
    tls: bool,
    settings: Path | None,
    registry: str,
    seed: int,
    as_json: bool,
) -> int:
    """Simulate many offices: real links to a real HQ, people who open pages, kills and slow offices.

    Everything runs on this machine, in two processes; what is measured says something as a ratio to another run of the
    same machine. The exit status is 1 when a page failed that had no reason to.
    """
    from econnector.demo.sim.plan import Plan  # noqa: PLC0415 - `--help` needs none of it
    from econnector.demo.sim.run import simulate  # noqa: PLC0415 - as above

    logs.configure(None, "error")
    plan = Plan(
        offices=offices,
        pages_per_second=pages,
        rest=rest,
        seconds=seconds,
        slow=min(slow, offices),
        slow_seconds=slow_seconds,
        restart_every=restart_every,
        away=away,
        tls=tls,
        settings=settings,
        registry=registry,
        seed=seed,
    )
    with (
        tempfile.TemporaryDirectory(prefix="econnector-sim-") as folder,
        asyncio.Runner(loop_factory=loop_factory()) as runner,
    ):
        try:
            told = runner.run(simulate(plan, Path(folder), _quiet if as_json else _say))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
    if as_json:
        print_json(told)
    else:
        _report(told)
    return 1 if told.failed else 0


def _quiet(_: "Second") -> None:
    """Say nothing."""


def _say(now: "Second") -> None:
    console().print(
        f"{now.at:6.0f} s  {now.online:6} online  {now.answered:8} pages  {now.failed:4} failed  "
        f"p50 {now.p50:7.1f} ms  p99 {now.p99:7.1f} ms  HQ {now.memory_mb:6.0f} MB"
    )


def _report(told: "Told") -> None:
    say = console().print
    say(f"\n{told.offices} offices were connected after {told.connected_seconds:g} s.")
    say(f"{told.pages} pages: half within {told.p50:g} ms, 99 of 100 within {told.p99:g} ms.")
    if told.slow_p50:
        say(f"Pages of slow offices: half within {told.slow_p50:g} ms.")
    say(f"{told.failed} pages failed without a reason; {told.away} found their office or HQ away.")
    say(f"{told.heartbeats} heartbeats, {told.heartbeats_late} late.")
    for back in told.restarts:
        came = f"half were back in {back.half:g} s, 95 of 100 in {back.most:g} s, all in {back.all:g} s"
        say(f"HQ was killed. After it listened again {came}.")
        say(f"  It used {back.cpu_ms_each:g} ms of CPU for each; pages meanwhile: 99 of 100 within {back.p99:g} ms.")
    if told.memory_mb:
        each, cpu = told.memory_kib_each, told.cpu_seconds
        say(f"HQ: {told.memory_mb:g} MB, {each:g} KiB for each office, {cpu:g} s of CPU.")
    if told.rest_cpu:
        say(f"While all stood idle it used {told.rest_cpu:g} % of a core.")
    say(f"Offices and people were played with {told.own_cpu_seconds:g} s of CPU.")

"""Connectors that die in the middle of a payment: `python -m tests.support.dying` forks one per line that it reads.

The connector's own parts answer the portal's calls and settle payments, over a real database, state file and processor.
What each of them does to the world is a step: a change of the state file, a row in the practice's database, a question
to the processor; before the first thing of it, and after the last. At the step that its line names the process is
killed, or kills the database server or the processor, or whoever asked goes away.
"""

import asyncio
import contextlib
import dataclasses
import datetime as dt
import functools
import importlib
import json
import logging
import os
import pkgutil
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio._backends
import msgspec
import sqlalchemy.dialects.mysql
import sqlalchemy.dialects.sqlite
import structlog
from sqlalchemy import event

from econnector.base.errors import Failure
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import portal_answers
from econnector.eservices.portal.office.cashier import Cashier, MerchantTills
from econnector.eservices.portal.office.merchant import Terms
from econnector.office.mail.postbox import Postbox
from econnector.opendental import writes
from econnector.opendental.imagestore import ImageStore
from econnector.opendental.schema import Schema, inspect
from econnector.payments import exchange
from econnector.payments.way import Way
from econnector.payments.xweb import XWeb
from econnector.storage import state
from econnector.storage.database import Database
from econnector.storage.state import payments
from econnector.storage.state.base import open_state
from econnector.storage.state.sealing import Seal
from econnector.wire.call import Asked, Call
from tests.support.gateway import Gateway

__all__ = ["Form", "Life", "Lived"]

BACK = "https://portal.example.com/o/bright/portal/pay/{payment}"
CARDS = {"approved": "4242424242424242", "partial": "4000000000000077", "declined": "4000000000000002"}


class Form(msgspec.Struct):
    """A payment that a patient wants: the form with its draft, and what they do on the processor's page."""

    draft: str
    cents: int
    does: str
    """`approved`, `partial`, `declined`: the card that is typed; `leave`; `card`: the kept one is charged."""
    card: int = 0
    keep: bool = False


class Life(msgspec.Struct, kw_only=True):
    """What one connector does until its end."""

    database: str
    folder: str
    gateway: str
    token: str = ""
    forms: list[Form] = []
    asks: bool = True
    """Whether the patients look what became of it; else they close the page after paying."""
    ahead: float = 0.0
    """Seconds that the clock has gone on since the first life."""
    dies: str = ""
    """What happens `at` a step: `connector`, `database`, `gateway`, `hq`, or nothing."""
    at: int = 0
    victim: int = 0
    """The process that is killed instead of the connector."""


class Lived(msgspec.Struct):
    """What became of it."""

    token: str = ""
    steps: int = 0
    numbers: dict[str, str] = {}
    """Payments by draft."""
    failures: list[str] = []
    killed: bool = False


@dataclasses.dataclass
class Clock:
    """The machine's, some time later."""

    ahead: float

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.ahead)

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


class Steps:
    """Counts what is done to the world, and lets it happen at one of them."""

    def __init__(self, life: Life) -> None:
        self.life, self.count, self.on = life, 0, False
        self.asker: asyncio.Task[Any] | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    def step(self) -> None:
        if not self.on:
            return
        self.count += 1
        if self.count != self.life.at:
            return
        if self.life.dies == "connector":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.life.dies in {"database", "gateway"}:
            os.kill(self.life.victim, signal.SIGKILL)
        elif self.life.dies == "hq" and self.asker is not None and self.loop is not None:
            self.loop.call_soon_threadsafe(self.asker.cancel)

    def around(self, work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        @functools.wraps(work)
        async def stepped(*args: Any, **named: Any) -> Any:
            self.step()
            answer = await work(*args, **named)
            self.step()
            return answer

        return stepped

    def hear(self, database: Database) -> None:
        """Take every change of a database for two steps."""
        engine = database._engine

        def changes(sql: str) -> bool:
            return sql.lstrip()[:6].upper() in {"INSERT", "UPDATE", "DELETE"}

        def before(_connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
            if changes(sql):
                self.step()

        event.listen(engine, "before_cursor_execute", before)
        event.listen(engine, "after_cursor_execute", before)


async def live(life: Life, schema: Schema, told: Callable[[str, str], None]) -> Lived:
    """Be a connector: settle what the last one left, answer for the forms, settle again."""
    # A patient of the test pays two hundred times an hour.
    payments._MOST_A_DAY = payments._MOST_UNFINISHED = 10_000
    steps, folder, clock = Steps(life), Path(life.folder), Clock(life.ahead)
    steps.loop = asyncio.get_running_loop()
    for name in ("begin", "look", "charge"):
        setattr(XWeb, name, steps.around(getattr(XWeb, name)))
    database, kept = Database(life.database, guard=writes.guard), await open_state(folder / "state.db")
    steps.hear(database)
    kept.run = steps.around(kept.run)  # type: ignore[method-assign,assignment]
    seal, post = Seal(folder), Postbox(kept)
    tills = MerchantTills(Terms(way=Way(gateway=life.gateway, seconds=4.0, proxy=False)), clock)
    cashier = Cashier(database, kept, lambda _: schema, clock, tills, post=post, seal=seal)
    answers = portal_answers(
        *(database, kept, lambda _: schema, ImageStore(folder), clock),
        beat=0.0, post=post, seal=seal, cashier=cashier,
    )  # fmt: skip

    async def ask(call: Call[Any, Any], params: Any) -> Any:
        found = answers.find(call.name)
        assert found is not None
        asked = Asked(call=call.name, reference="7F3K-22QX", remaining=call.limit, protocol=1)
        steps.asker = asyncio.ensure_future(found[1](asked, params))
        return await steps.asker

    lived = Lived(token=life.token)
    if not life.token:
        lived.token = (
            await ask(calls.SIGN_IN, calls.SignIn("Maria4011", "Tooth4Fairy", "198.51.100.7", "Firefox"))
        ).token
    steps.on = True
    try:
        await cashier.reconcile()
    except Failure as failure:
        lived.failures.append(failure.code)
    for form in life.forms:
        try:
            await _pay(ask, lived, form, told, asks=life.asks)
        except Failure as failure:
            lived.failures.append(failure.code)
        except asyncio.CancelledError:
            lived.failures.append("cancelled")
    lived.steps = steps.count
    return lived


async def _pay(ask: Any, lived: Lived, form: Form, told: Callable[[str, str], None], *, asks: bool) -> None:
    params = calls.Pay(
        lived.token, draft=form.draft, cents=form.cents, card=form.card, keep_card=form.keep, again=True, back=BACK
    )
    begun = await ask(calls.PAY, params)
    lived.numbers[form.draft] = begun.payment
    told(form.draft, begun.payment)
    if begun.url and form.does == "leave":
        await asyncio.to_thread(_browse, Gateway.leave, begun.url)
    elif begun.url:
        await asyncio.to_thread(_browse, Gateway.pay, begun.url, CARDS[form.does])
    if asks:
        await ask(calls.PAYMENT_STATE, calls.PaymentStateAsked(lived.token, begun.payment))


def _browse(way: Callable[..., str], *args: str) -> None:
    """Do what a browser does; where nobody answers it shows so."""
    try:
        way(Gateway, *args)
    except OSError:
        return


def _forked(life: Life, schema: Schema) -> Lived:
    """Let it live in a process of its own, and say what became of it."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)

        def told(draft: str, number: str) -> None:
            os.write(writing, json.dumps([draft, number]).encode() + b"\n")

        lived = asyncio.run(live(life, schema, told))
        os.write(writing, msgspec.json.encode(lived) + b"\n")
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        lines = said.read().splitlines()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return Lived(token=life.token, killed=True, numbers=dict(json.loads(line) for line in lines))
    if status:
        raise RuntimeError(f"a connector ended with {status}")
    return msgspec.json.decode(lines[-1], type=Lived)


def _inspected(url: str) -> Schema:
    """Read the schema in a process of its own: this one must have no thread when it forks."""
    reading, writing = os.pipe()
    if not os.fork():

        async def read() -> Schema:
            return await Database(url).run(inspect)

        with os.fdopen(writing, "wb") as out:
            out.write(msgspec.json.encode(asyncio.run(read())))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        return msgspec.json.decode(said.read(), type=Schema)


def _load() -> None:
    """Load what every connector needs once, for all of them."""
    for package in (state, anyio._backends, sqlalchemy.dialects.sqlite, sqlalchemy.dialects.mysql):
        for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            with contextlib.suppress(ImportError):
                importlib.import_module(module.name)
    exchange._usual()


def main() -> None:
    # The standard output is for what became of them.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    _load()
    schema = None
    for line in sys.stdin:
        life = msgspec.json.decode(line, type=Life)
        schema = schema or _inspected(life.database)
        sys.stdout.write(msgspec.json.encode(_forked(life, schema)).decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

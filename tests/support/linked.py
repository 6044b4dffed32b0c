"""The portal's pages over a real link in memory, with everything a connector keeps: what breaks, breaks in the middle.

HQ's end asks through the link's own line; the office's end notes failures and remembers answers as `office run` does.
Things are caused at the office: the link is cut while it answers or just after, it is of another version, it may read
no file.
"""

import asyncio
import ctypes
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount

from econnector.base.clock import SYSTEM
from econnector.base.errors import OfficeUnreachable
from econnector.eservices.portal.office import portal_answers
from econnector.eservices.portal.office.cashier import Cashier
from econnector.eservices.portal.web import routes
from econnector.link.asking import LineAsker
from econnector.link.identity import Install
from econnector.link.line import Line
from econnector.link.loopback import Pair, pair
from econnector.office.ledger import Ledger, StateMemory
from econnector.office.mail.postbox import Postbox
from econnector.opendental import writes
from econnector.opendental.imagestore import ImageStore
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state.base import open_state
from econnector.storage.state.sealing import Seal
from econnector.web.door import Door
from econnector.wire.call import Answers, Asked, Call, Streamed
from tests.support.bank import Bank, BankTills
from tests.support.realsite import RealSite
from tests.support.site import serve_app

__all__ = ["HERE", "Failed", "LinkedSite", "as_newer", "as_older", "serve_linked"]

HERE = Install("install", "FRONT-DESK", "0.0.1")
_NOBODY = 65534


@dataclass(frozen=True)
class Failed:
    """What the office finds under a reference."""

    code: str
    call: str
    facts: dict[str, str]


@dataclass
class LinkedSite(RealSite):
    """A running server, the practice behind it, and the link between them."""

    unknown: set[str] = field(default_factory=set)
    """Calls that the connector is too old for."""
    written: Callable[[Any], Any] | None = None
    """How the connector writes its answers: `as_older`, `as_newer`; None as this version does."""
    cut_in: str = ""
    """The link goes away, once, while this call is being answered."""
    cut_after: str = ""
    """The link goes away, once, when this call is done and its answer is not yet sent."""
    loop: asyncio.AbstractEventLoop | None = None
    """In which the office works, once somebody has asked it."""
    away: bool = False
    """Whether there is no link; one that was cut comes back with the next request."""
    seal: Seal = field(default_factory=Seal)
    """The office's key."""
    nobody: bool = False
    """Whether files are read without the rights of root, as another account of this computer would. To be said before
    the first page."""

    def failures(self, reference: str, many: int = 1) -> list[Failed]:
        """Return what `office failure REFERENCE` shows, once there are so many: they are written after the answer."""
        query = "SELECT code, call, facts FROM failure WHERE reference = ? ORDER BY id"
        ends = time.monotonic() + 60
        while len(found := self.state(query, reference)) < many:
            assert time.monotonic() < ends, f"nothing was noted under {reference}"
            time.sleep(0.01)
        return [Failed(code, call, msgspec.json.decode(facts)) for code, call, facts in found]

    def settled(self) -> None:
        """Return once the office has done what it does after its answers."""

        async def done() -> None:
            later = {task for task in asyncio.all_tasks() if task.get_name().startswith("portal, after an answer")}
            await asyncio.gather(*later, return_exceptions=True)

        if self.loop is not None:
            asyncio.run_coroutine_threadsafe(done(), self.loop).result(60)

    def readers(self) -> ThreadPoolExecutor:
        """Return new threads in which files are read."""
        return ThreadPoolExecutor(2, initializer=_become_nobody if self.nobody else None)


def _become_nobody() -> None:
    if sys.platform == "linux":
        # Of this thread alone; it also takes away root's right to pass by every file's own rights.
        libc = ctypes.CDLL(None, use_errno=True)
        libc.setfsuid(_NOBODY)
        libc.setfsgid(_NOBODY)


class _Memory(StateMemory):
    """What the connector remembers; the link may go away just after."""

    def __init__(self, office: "_Office") -> None:
        super().__init__(office.state, SYSTEM)
        self._office = office

    async def remember(self, key: str, call: str, answer: bytes) -> None:
        await super().remember(key, call, answer)
        if self._office.site.cut_after == call:
            self._office.site.cut_after = ""
            self._office.cut()


class _Office:
    """The office's end, and the link to it."""

    def __init__(self, site: LinkedSite, images: Path | None) -> None:
        self.site, self._images = site, images
        self._turn = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._pair: Pair | None = None

    async def open(self) -> None:
        site = self.site
        self._database, self.state = Database(site.url, guard=writes.guard), await open_state(site.folder / "state.db")
        images = ImageStore(self._images, "FRONT-DESK")
        post, tills = Postbox(self.state), BankTills(Bank(SYSTEM))
        cashier = Cashier(self._database, self.state, Schemas(), SYSTEM, tills, post=post, seal=site.seal)
        answers = portal_answers(
            self._database, self.state, Schemas(), images, beat=0.001, post=post, seal=site.seal, cashier=cashier
        )
        self.ledger = Ledger(self.state, SYSTEM)
        self._answers = answers

    async def asker(self) -> LineAsker:
        async with self._turn:
            if self._pair is None:
                await self.open()
                self.site.loop = asyncio.get_running_loop()
                self.site.loop.set_default_executor(self.site.readers())
            if self._pair is None or self._pair.hq.ended is not None or self._known != self.site.unknown:
                await self._dial()
        return LineAsker(self._line)

    async def _dial(self) -> None:
        await self._stack.aclose()
        self._known = set(self.site.unknown)
        known = Answers()
        for call, function in self._answers:
            if call.name not in self._known:
                register: Any = known.streaming if call.streams else known.to
                register(call)(self._answering(call, function))
        watched = self.ledger.watch(known, HERE)
        self._pair = await self._stack.enter_async_context(pair(watched, memory=_Memory(self)))

    def _line(self) -> Line:
        assert self._pair is not None
        if self.site.away:
            raise OfficeUnreachable(last_seen="2026-11-24T14:05")
        return self._pair.hq

    def cut(self) -> None:
        assert self._pair is not None
        self._pair.office_carrier.cut()

    def _answering(self, call: Call[Any, Any], function: Any) -> Any:
        site = self.site

        async def answer(asked: Asked, params: Any) -> Any:
            if site.cut_in == call.name:
                site.cut_in = ""
                self.cut()
                await asyncio.sleep(60)  # asleep: nothing more is done until the link's end stops it
            given = await function(asked, params)
            if site.written is None:
                return given
            if isinstance(given, Streamed):
                return Streamed(site.written(given.result), given.chunks)
            return site.written(given)

        return answer


def as_older(value: Any) -> Any:
    """Return an answer as a connector writes it that has no field of those which came later."""
    if isinstance(value, msgspec.Struct):
        fields = msgspec.structs.fields(value)
        return {one.encode_name: as_older(getattr(value, one.name)) for one in fields if one.required}
    return [as_older(one) for one in value] if isinstance(value, list) else value


def as_newer(value: Any) -> Any:
    """Return an answer as a connector writes it that knows more than these pages."""
    if isinstance(value, msgspec.Struct):
        fields = msgspec.structs.fields(value)
        known = {one.encode_name: as_newer(getattr(value, one.name)) for one in fields}
        return known | {"came_later": [{"deep": None}, 1.5, b"\xff"]}
    return [as_newer(one) for one in value] if isinstance(value, list) else value


@contextmanager
def serve_linked(folder: Path, url: str, *, setting: bool = True) -> Iterator[LinkedSite]:
    """Serve the portal of the practice at `url`, whose images are below `folder`.

    `setting`: whether the connector's settings name the images folder; if not, Open Dental's preferences do.
    """
    site = LinkedSite("", folder, url)
    office = _Office(site, site.images if setting else None)

    async def find(_: Request) -> Door:
        return Door("practice", "/o/practice/portal", "Bright Smile Dental", "5550100", await office.asker())

    with serve_app(Starlette(routes=[Mount("/o/practice/portal", routes=routes(find))])) as root:
        site.base = f"{root}/o/practice/portal"
        yield site

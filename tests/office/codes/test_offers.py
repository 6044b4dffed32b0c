"""What HQ offers gets to the connector's file, and nothing that an office cannot use."""

import asyncio
import datetime as dt
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from econnector.base.clock import ManualClock
from econnector.base.errors import Failure, HqAway
from econnector.hq.settings import CodeFile
from econnector.link.calls import CODE_OFFERS, CODE_SYSTEMS, CodeOffer, CodeOffers, CodeOffersWanted
from econnector.link.handshake import Limits
from econnector.link.loopback import DirectAsker
from econnector.office.app import Office, Tempo
from econnector.office.codes.offers import Offers
from econnector.opendental.codesystems import SYSTEMS
from econnector.storage.database import Database
from econnector.storage.state import code_offers
from econnector.storage.state.base import join_state, open_state
from econnector.wire.call import Answers, Asked
from tests.hq.running import running_hq
from tests.link.vendor import PATIENT
from tests.office.connector import Connector, sqlite_practice
from tests.support.fileserver import serving

SUM = "aB" * 32
URL = "https://files.example.com/cvx.zip"


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[Database]:
    made = await open_state(tmp_path / "state.db")
    yield made
    await made.close()


class Vendor:
    """An HQ that says what a test wants."""

    def __init__(self, *offers: CodeOffer) -> None:
        self.says: list[CodeOffer] | Failure = list(offers)
        self.asked = 0

    def answers(self) -> Answers:
        answers = Answers()

        @answers.to(CODE_OFFERS)
        async def offered(_: Asked, __: CodeOffersWanted) -> CodeOffers:
            self.asked += 1
            if isinstance(self.says, Failure):
                raise self.says
            return CodeOffers(self.says)

        return answers

    def told(self, state: Database, clock: ManualClock) -> Offers:
        online = asyncio.Event()
        online.set()
        return Offers(DirectAsker(self.answers()), state, online, clock)


async def test_what_hq_offers_reaches_whoever_imports_beside_a_running_connector(tmp_path: Path) -> None:
    content = b"9998\tan offered vaccine\n"
    office = Connector(tmp_path / "office")
    async with serving(content) as files:
        codes = {"CVX": CodeFile("2030-01", files.address, hashlib.sha256(content).hexdigest().upper())}
        async with running_hq(tmp_path / "hq", codes=codes) as hq:
            _, key = await hq.add()
            office.write(hq.link, await sqlite_practice(tmp_path / "practice.sqlite"))
            await office.enrol(key)
            stop = asyncio.Event()
            running = asyncio.create_task(
                Office(office.loaded(), tempo=Tempo(beat=0.3), limits=Limits(pace=PATIENT)).run(stop)
            )
            async with asyncio.timeout(60):
                while "HQ offers CVX 2030-01" not in (await office.invoke("codes", "check"))[1]:  # noqa: ASYNC110 - a command
                    await asyncio.sleep(0.2)
            beside = await join_state(office.loaded().value.state_file)
            before = await beside.run(code_offers.asked)
            await office.invoke("codes", "check")
            assert await beside.run(code_offers.asked) != before
            await beside.close()
            status, out, err = await office.invoke("codes", "import", "cvx")
            stop.set()
            await running
    assert (status, out) == (0, "CVX 2030-01 is imported: 1 new, 0 changed, 0 as before.\n"), err
    _, out, _ = await office.invoke("codes", "check")
    assert "offers nothing newer" in out


async def test_hq_is_asked_once_a_day_and_a_withdrawn_offer_is_gone(state: Database) -> None:
    clock, vendor = ManualClock(), Vendor(CodeOffer("CVX", "2030-01", URL, SUM))
    offers = vendor.told(state, clock)
    await offers.look()
    await offers.look()
    assert vendor.asked == 1
    assert await state.run(code_offers.asked) == clock.now().isoformat(timespec="milliseconds")
    vendor.says = []
    clock.advance(dt.timedelta(days=1).total_seconds())
    await offers.look()
    assert await state.run(code_offers.every) == {}
    await state.run(code_offers.ask)  # somebody looks for updates
    await offers.look()
    await offers.look()
    assert vendor.asked == 3


async def test_an_hq_that_fails_or_is_older_takes_no_offer_away(state: Database) -> None:
    clock, vendor = ManualClock(), Vendor(CodeOffer("CVX", "2030-01", URL, SUM))
    offers = vendor.told(state, clock)
    await offers.look()
    clock.advance(dt.timedelta(days=1).total_seconds())
    vendor.says = HqAway(url="wss://hq.example.com/link", reason="the link went down")
    with pytest.raises(HqAway):
        await offers.look()
    assert list(await state.run(code_offers.every)) == ["CVX"]
    vendor.says = []
    await offers.look()  # what failed is tried again before the day is over
    assert await state.run(code_offers.every) == {}
    online = asyncio.Event()
    online.set()
    await state.run(code_offers.ask)
    await Offers(DirectAsker(Answers()), state, online, clock).look()
    assert not await state.run(code_offers.wanted)


async def test_what_an_office_cannot_use_is_left_out(state: Database) -> None:
    good = CodeOffer("ICD10CM", "2030", "https://files.example.com/10.zip", SUM)
    bad = [
        CodeOffer("ICD99", "1", URL, SUM),
        CodeOffer("CDT", "1", URL, SUM),
        CodeOffer("CVX", "", URL, SUM),
        CodeOffer("CVX", "1", "http://files.example.com/cvx.zip", SUM),
        CodeOffer("CVX", "1", URL, "none"),
    ]
    await Vendor(*bad, good).told(state, ManualClock()).look()
    assert list(await state.run(code_offers.every)) == ["ICD10CM"]


def test_hq_may_offer_every_system_that_can_be_imported_but_the_bought_one() -> None:
    assert set(CODE_SYSTEMS) == {system.name for system in SYSTEMS if system.importable} - {"CPT"}

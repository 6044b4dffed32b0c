"""docs/protocol.md is the contract between versions: its tables say what the code does."""

import itertools
import re
from pathlib import Path

import pytest

from econnector.link import arrivals, dial
from econnector.link.accept import Gateway
from econnector.link.carrier import LARGEST_MESSAGE
from econnector.link.handshake import Limits
from econnector.link.switchboard import LocalSwitchboard
from econnector.wire import messages
from econnector.wire.liveness import Pace
from econnector.wire.messages import CEILING, NEWEST, OLDEST, Kind, Message
from econnector.wire.outbox import BULK_HELD, BULK_PER_TURN
from econnector.wire.rules import STREAM, StreamState

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
FLAT = " ".join(PAGE.split())
BODIES: dict[Kind, type[Message]] = {
    Kind.REFUSE: messages.Fault,
    Kind.FAIL: messages.Fault,
    Kind.PONG: messages.Ping,
}
UNITS = {"": 1, "B": 1, "KiB": 1024, "MiB": 1024 * 1024}


def _rows(title: str) -> list[list[str]]:
    lines = PAGE[PAGE.index(title) :].splitlines()[2:]
    table = itertools.takewhile(lambda line: line.startswith("|"), lines)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def _packets() -> dict[str, tuple[int, str, int]]:
    found = {}
    for names, numbers, body, longest, _ in _rows("| kind | no |"):
        size, _, unit = longest.partition(" ")
        for name, number in zip(names.split(", "), numbers.split(", "), strict=True):
            found[name] = (int(number), body, int(size) * UNITS[unit])
    return found


def test_every_kind_of_packet_has_its_number_and_ceiling_there() -> None:
    assert {name: (number, size) for name, (number, _, size) in _packets().items()} == {
        kind.name: (kind, CEILING[kind]) for kind in Kind
    }


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in {Kind.RESPONSE, Kind.DATA, Kind.CANCEL}])
def test_the_fields_of_a_body_stand_there_in_their_order(kind: Kind) -> None:
    body = BODIES.get(kind) or getattr(messages, kind.name.title())
    assert _packets()[kind.name][1].split(", ") == list(body.__struct_fields__)


def test_what_a_call_may_receive_stands_there() -> None:
    told = {
        (StreamState[state.split()[0]], Kind[name])
        for state, kinds in _rows("| stream state")
        for name in re.findall("[A-Z]{3,}", kinds.partition(":")[0])
    }
    assert told == set(STREAM)


def test_its_figures_are_those_of_the_code() -> None:
    pace, limits = Pace(), Limits()
    hq = Gateway(None, LocalSwitchboard(), lambda _: None)  # type: ignore[arg-type, return-value]
    for sentence in (
        f"binary messages of at most {LARGEST_MESSAGE // 1024} KiB",
        f"both ends say {limits.window // 1024} KiB",
        f"connectors say {limits.streams}, HQ {hq._limits.streams}",
        f"less than {BULK_HELD // 1024} KiB of bulk",
        f"about {BULK_PER_TURN // 1024} KiB per message",
        f"done in {pace.handshake:g} s",
        f"pings after {pace.idle:g} s of silence and gives up {pace.idle_answer:g} s later",
        f"has waited {pace.probe:g} s",
        f"gives up after {pace.probe_answer:g} s",
        f"HQ hears {hq._arrivals.most:,} arrivals at a time",
        f"{hq._arrivals.longest:,} more wait in line for {arrivals._PATIENCE:g} s",
        f"a random share of {dial._FIRST:g} s, then of twice as much each time, {dial._MOST:g} s at most",
    ):
        assert sentence in FLAT


def test_every_protocol_number_is_listed() -> None:
    assert [int(row[0]) for row in _rows("| number | since |")] == list(range(OLDEST, NEWEST + 1))

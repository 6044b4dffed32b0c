"""What the connector keeps in its own state file: itself, answered calls, failures, outages."""

import asyncio
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from econnector.base.clock import SYSTEM, ManualClock
from econnector.base.errors import ApiKeyRefused, DatabaseAway, Failure, FileMissing, StateLocked, UnknownCall
from econnector.link.identity import Install
from econnector.link.loopback import DirectAsker
from econnector.office.ledger import Ledger, StateMemory
from econnector.office.running import Running, decode
from econnector.storage.database import Database
from econnector.storage.state import answered, failures, meta
from econnector.storage.state.base import open_state
from econnector.storage.state.failures import Met, Outage
from econnector.wire.call import Answers, Asked, Call, Streamed


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_state(tmp_path / "office.sqlite")
    yield opened
    await opened.close()


async def test_the_installation_keeps_its_id_and_its_key(state: Database, tmp_path: Path) -> None:
    first = await state.run(meta.install_id)
    assert len(first) == 32
    assert await state.run(meta.install_id) == first
    assert await state.run(meta.identity_secret) is None
    await state.run(meta.keep_identity, b"s" * 32)
    await state.run(meta.write, "office", "smile")
    await state.close()
    again = await open_state(tmp_path / "office.sqlite")
    assert await again.run(meta.identity_secret) == b"s" * 32
    assert await again.run(meta.read, "office") == "smile"
    await again.run(meta.forget, "office")
    assert await again.run(meta.read, "office", "none") == "none"
    await again.close()


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


@pytest.mark.skipif(sys.platform == "win32", reason="the file's mode says nothing on Windows")
async def test_nobody_else_can_read_the_state_file(state: Database, tmp_path: Path) -> None:
    await state.run(meta.install_id)
    assert not [name for name, mode in modes(tmp_path).items() if mode & 0o077]


async def test_a_second_connector_on_the_same_state_file_is_refused(state: Database, tmp_path: Path) -> None:
    del state
    with pytest.raises(StateLocked, match="another process"):
        await open_state(tmp_path / "office.sqlite")


async def test_an_answer_is_remembered_for_a_day(state: Database) -> None:
    await state.run(answered.keep, "k", "portal.sign-in", b"first", 1000.0)
    await state.run(answered.keep, "k", "portal.sign-in", b"second", 1001.0)
    assert await state.run(answered.find, "k", 1000.0 + answered.KEPT_SECONDS - 1) == b"first"
    assert await state.run(answered.find, "k", 1000.0 + answered.KEPT_SECONDS) is None
    assert await state.run(answered.sweep, 1000.0 + answered.KEPT_SECONDS) == 1


async def test_failures_are_found_by_their_reference_and_the_oldest_go(
    state: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "MOST", 3)
    for number in range(5):
        met = Met(
            f"REF-{number}", "file-missing", "portal.home", {"path": "x"}, f"2026-01-0{number + 1}T00:00:00+00:00"
        )
        await state.run(failures.record, met)
    assert await state.run(failures.find, "REF-1") == []
    assert [met.facts for met in await state.run(failures.find, "REF-4")] == [{"path": "x"}]
    assert [met.reference for met in await state.run(failures.latest)] == ["REF-4", "REF-3", "REF-2"]
    assert await state.run(failures.sweep, "2026-01-05T00:00:00+00:00") == 2


async def test_an_outage_begins_once_and_is_told_once(state: Database) -> None:
    began = Outage(0, "database", "database-away", "R", {"server": "s"}, "2026-01-01T10:00:00+00:00", "")
    first = await state.run(failures.begin_outage, began)
    again = msgspec.structs.replace(began, began="2026-01-01T10:05:00+00:00")
    assert await state.run(failures.begin_outage, again) == first
    assert await state.run(failures.outages_to_tell) == []
    ended = await state.run(failures.close_outage, "database", "2026-01-01T10:10:00+00:00")
    assert ended is not None
    assert await state.run(failures.close_outage, "database", "2026-01-01T10:11:00+00:00") is None
    assert await state.run(failures.outages_to_tell) == [ended]
    await state.run(failures.mark_told, [ended.id])
    assert await state.run(failures.outages_to_tell) == []
    assert await state.run(failures.outages_to_write) == [ended]
    await state.run(failures.mark_written, [ended.id])
    assert await state.run(failures.outages_to_write) == []


class Text(msgspec.Struct):
    text: str = ""


READ = Call("test.read", Text, Text, limit=5)
CHANGE = Call("test.change", Text, Text, limit=5, changes=True)
FILE = Call("test.file", Text, Text, limit=5, streams=True)
SLOW = Call("test.slow", Text, Text, limit=0.05)


def watched(ledger: Ledger) -> Answers:
    answers = Answers()

    @answers.to(READ)
    async def read(_: Asked, params: Text) -> Text:
        if params.text == "away":
            raise DatabaseAway(server="db", reason="refused")
        raise ZeroDivisionError

    @answers.to(SLOW)
    async def slow(_: Asked, params: Text) -> Text:
        await asyncio.sleep(60)
        return params

    @answers.streaming(FILE)
    async def file(_: Asked, params: Text) -> Streamed[Text]:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"begin"
            raise FileMissing(path="A/b.pdf", account="service", reason="gone")

        return Streamed(params, chunks())

    return ledger.watch(answers, Install("0" * 32, "front-desk", "0.1.0"))


async def test_whatever_an_answer_raises_is_kept_under_the_askers_reference(state: Database) -> None:
    heard: list[Failure] = []
    ledger = Ledger(state, SYSTEM, heard.append)
    asker = DirectAsker(watched(ledger))
    for call, params, reference in (
        (READ, Text("away"), "AWAY-1"),
        (READ, Text(), "FAULT-1"),
        (SLOW, Text(), "SLOW-1"),
    ):
        with pytest.raises(Failure) as caught:
            await asker.ask(call, params, reference=reference)
        assert caught.value.reference == reference
    with pytest.raises(UnknownCall):
        await asker.ask(CHANGE, Text(), reference="NEW-1")
    download = await asker.download(FILE, Text(), reference="FILE-1")
    with pytest.raises(FileMissing):
        _ = [chunk async for chunk in download]
    await ledger.flush()
    kept = {}
    for reference in ("AWAY-1", "FAULT-1", "SLOW-1", "FILE-1", "NEW-1"):
        (met,) = await state.run(failures.find, reference)
        kept[reference] = (met.code, met.call, met.facts)
    assert kept == {
        "AWAY-1": ("database-away", "test.read", {"server": "db", "reason": "refused"}),
        "FAULT-1": ("unexpected", "test.read", {"kind": "ZeroDivisionError"}),
        "SLOW-1": ("office-too-slow", "test.slow", {"call": "test.slow", "limit": "0.05"}),
        "FILE-1": ("file-missing", "test.file", {"path": "A/b.pdf", "account": "service", "reason": "gone"}),
        "NEW-1": ("unknown-call", "test.change", {"call": "test.change", "version": "0.1.0", "machine": "front-desk"}),
    }
    assert [failure.code for failure in heard][:2] == ["database-away", "unexpected"]


async def test_a_stranger_who_fails_without_end_does_not_push_the_rest_out_of_the_list(state: Database) -> None:
    clock = ManualClock()
    ledger = Ledger(state, clock)
    ledger.note(DatabaseAway(server="db", reason="refused", reference="DB-1"), "portal.visits")
    for number in range(150):
        ledger.note(ApiKeyRefused(reference=f"KEY-{number}"), "api.status")
    ledger.note(DatabaseAway(server="db", reason="refused", reference="DB-2"), "portal.visits")
    await ledger.flush()
    kept = [met.reference for met in await state.run(failures.latest, 1000)]
    assert {"DB-1", "DB-2", "KEY-0", "KEY-99"} <= set(kept)
    assert len(kept) == 102
    clock.advance(60)
    ledger.note(ApiKeyRefused(reference="KEY-LATER"), "api.status")
    await ledger.flush()
    assert await state.run(failures.find, "KEY-LATER")


async def test_a_change_asked_again_after_a_restart_is_not_done_again(state: Database) -> None:
    clock, done = ManualClock(), []

    def started() -> DirectAsker:
        answers = Answers()

        @answers.to(CHANGE)
        async def change(_: Asked, params: Text) -> Text:
            done.append(params.text)
            return Text(f"{params.text} {len(done)}")

        return DirectAsker(answers, StateMemory(state, clock))

    first = await started().ask(CHANGE, Text("a"), key="k1")
    assert await started().ask(CHANGE, Text("a"), key="k1") == first
    assert done == ["a"]
    clock.advance(answered.KEPT_SECONDS)
    assert await started().ask(CHANGE, Text("a"), key="k1") == Text("a 2")


def test_what_another_version_left_about_itself_says_nothing() -> None:
    assert decode("not json") == Running()
    assert decode('{"pid": "text"}') == Running()
    assert decode("") == Running()

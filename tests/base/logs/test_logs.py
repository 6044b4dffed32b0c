"""The log tells what happened and never what somebody typed."""

import datetime as dt
import io
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from econnector.base import logs
from econnector.base.errors import LoginFailed
from econnector.base.logs.outlets import EventViewer


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    logs.configure(None)
    structlog.reset_defaults()
    root.handlers[:], root.level = before, level


def files(folder: Path) -> list[str]:
    return [str(file.relative_to(folder)) for file in logs.log_files(folder)]


def written(folder: Path) -> str:
    return "".join(file.read_text() for file in logs.log_files(folder))


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in written(folder).splitlines()]


def test_an_event_is_one_json_line_with_its_context_and_module_the_time_first(tmp_path: Path) -> None:
    logs.configure(tmp_path)
    with logs.bound(office="smile", reference="7F3K-22QX"):
        structlog.get_logger("econnector.some").info("heard", seconds=3)
    (line,) = lines(tmp_path)
    assert {**line, "timestamp": ""} == {
        "event": "heard",
        "level": "info",
        "logger": "econnector.some",
        "office": "smile",
        "reference": "7F3K-22QX",
        "seconds": 3,
        "timestamp": "",
    }
    assert written(tmp_path).startswith('{"timestamp":"20')
    assert dt.datetime.fromisoformat(str(line["timestamp"])).tzinfo is not None


@pytest.mark.parametrize(
    ("logger", "area"),
    [
        ("econnector.link.dial", "Link"),
        ("econnector.storage.mysql", "Database"),
        ("econnector.office.heartbeat", "Heartbeat"),
        ("econnector.office.mail.postbox", "Mail"),
        ("econnector.office.window.app", "Window"),
        ("econnector.eservices.portal.office.signing", "Portal"),
        ("econnector.office.logsweep", "CleanupLogger"),
        ("econnector.office.connector", "Connector"),
        ("somebody.else", "Other"),
    ],
)
def test_each_area_has_a_file_per_day_as_open_dental_lays_them_out(tmp_path: Path, logger: str, area: str) -> None:
    logs.configure(tmp_path)
    structlog.get_logger(logger).info("heard")
    day = f"{dt.datetime.now().astimezone():%y-%m-%d}"
    assert files(tmp_path) == [f"{area}/{day}/{day} (001).txt"]


def test_a_secret_passed_by_mistake_is_dropped(tmp_path: Path) -> None:
    logs.configure(tmp_path)
    log = structlog.get_logger("x")
    log.warning("oops", password="hunter2", Db_Password="hunter2", params={"a": "hunter2"}, ok=1)
    log.warning("deep", facts={"a": {"token": "hunter2", "b": [{"secret": "hunter2"}]}}, raw=b"hunter2")
    log.warning("an exception as a value", why=ValueError("hunter2"))
    assert "hunter2" not in written(tmp_path)
    assert lines(tmp_path)[0]["ok"] == 1


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("no connection to mysql://root:hunter2@server:3306/opendental", "hunter2"),
        ("sent Authorization: Bearer hunter2-hunter2", "hunter2"),
        ("key is ABCD-EFGH-JKLM-NPQR", "EFGH"),
        ("550 5.1.1 <elena.rivera@example.com>: user unknown", "elena"),
        ("GET /reset?token=hunter2 failed", "hunter2"),
        ('{"password": "hunter2"}', "hunter2"),
        ("session fJ3kd93kDKe_s93kDkwo2mdKE93kd-wO2mekDkw93mf", "fJ3kd93k"),
    ],
)
def test_a_secret_inside_a_text_is_cut_out(tmp_path: Path, text: str, secret: str) -> None:
    logs.configure(tmp_path)
    structlog.get_logger("x").warning(text, why=text, many=[text], deep={"a": text})
    assert secret not in written(tmp_path)
    assert logs.redact(text) != text


@pytest.mark.parametrize("text", ["7F3K-22QX", "/home/x/Photos/2026-11-21", "db.example.com:3306", "24.3.10.0"])
def test_what_is_no_secret_stays(text: str) -> None:
    assert logs.redact(text) == text


def test_an_exception_leaves_its_frames_and_not_its_text(tmp_path: Path) -> None:
    logs.configure(tmp_path)
    try:
        int("jdoe")
    except ValueError:
        structlog.get_logger("x").exception("it broke")
        logging.getLogger("somebody.else").exception("a library broke\nwith 'jdoe' on its second line")
    logging.getLogger("somebody.else").error("a library says %s", "jdoe")
    assert "jdoe" not in written(tmp_path)
    assert written(tmp_path).count("test_logs.py") == 2
    assert [line["event"] for line in lines(tmp_path)] == ["it broke", "a library broke", "a library says %s"]


def test_asyncio_does_not_repeat_the_arguments_of_a_callback(tmp_path: Path) -> None:
    logs.configure(tmp_path)
    logging.getLogger("asyncio").error("Exception in callback f('jdoe')\nhandle: <Handle f('jdoe')>")
    assert "jdoe" not in written(tmp_path)


def test_what_python_itself_would_print_goes_to_the_log_without_its_text(tmp_path: Path) -> None:
    program = f"""
import threading
from pathlib import Path
from econnector.base import logs
logs.configure(Path({str(tmp_path)!r}))
logs.catch_strays()
def fall(): raise ValueError("jdoe")
thread = threading.Thread(target=fall); thread.start(); thread.join()
class Bad:
    def __del__(self): raise ValueError("jdoe")
Bad()
fall()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "jdoe" not in done.stdout + done.stderr + written(tmp_path)
    assert len(lines(tmp_path)) == 3


def test_the_console_gets_lines_for_people_or_objects(tmp_path: Path) -> None:
    people, machines = io.StringIO(), io.StringIO()
    logs.configure(tmp_path, echo=people)
    structlog.get_logger("x").info("listening", port=8443)
    logs.configure(None, echo=machines, json=True)
    structlog.get_logger("x").info("listening", port=8443)
    assert "listening" in people.getvalue()
    assert "port=8443" in people.getvalue()
    assert json.loads(machines.getvalue())["port"] == 8443


def test_the_journal_gets_priorities_and_lines_that_cannot_be_forged(tmp_path: Path) -> None:
    journal = io.StringIO()
    logs.configure(tmp_path, journal=journal, journal_level="error")
    structlog.get_logger("x").info("listening")
    structlog.get_logger("x").error("it broke", why="a\n<3>forged", code="database-away")
    assert journal.getvalue() == "<3>it broke · why=a <3>forged · code=database-away\n"


def test_the_journal_is_known_by_the_stream_that_systemd_names(tmp_path: Path) -> None:
    with (tmp_path / "stream").open("w") as stream:
        found = os.fstat(stream.fileno())
        assert logs.under_journal(stream, {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"})
        assert not logs.under_journal(stream, {"JOURNAL_STREAM": "1:2"})
        assert not logs.under_journal(stream, {})
    assert not logs.under_journal(io.StringIO(), {"JOURNAL_STREAM": "1:2"})


def test_the_event_viewer_gets_errors_only_and_cannot_stop_anything() -> None:
    told: list[str] = []
    viewer = EventViewer(told.append)
    viewer(None, "", {"event": "fine", "level": "warning"})
    viewer(None, "", {"event": "it broke", "level": "error", "code": "database-away", "timestamp": "2026"})
    line = '{"timestamp":"2026","level":"error","event":"it broke","code":"database-away"}'
    assert told == [f"it broke · code=database-away\r\n\r\n{line}"]

    def refuse(_: str) -> None:
        raise OSError

    EventViewer(refuse)(None, "", {"event": "it broke", "level": "error"})


def test_quieter_levels_are_left_out_and_uvicorns_chatter_too(tmp_path: Path) -> None:
    logs.configure(tmp_path, "info")
    structlog.get_logger("x").debug("detail")
    logging.getLogger("uvicorn.error").info("Application startup complete.")
    structlog.get_logger("x").info("seen")
    assert [line["event"] for line in lines(tmp_path)] == ["seen"]


def test_the_level_changes_at_once_for_loggers_that_exist_already(tmp_path: Path) -> None:
    log = structlog.get_logger("x")
    logs.configure(tmp_path, "Information")
    log.debug("one")
    logs.set_level("Verbose")
    log.debug("two")
    logging.getLogger("sqlalchemy.engine").info("INSERT jdoe")
    logging.getLogger("websockets.client").debug("> Authorization: jdoe")
    logs.set_level("error")
    log.warning("three")
    log.error("four")
    assert [line["event"] for line in lines(tmp_path)] == ["two", "four"]
    assert logs.word_of(logs.current_level()) == "Error"


@pytest.mark.parametrize(
    ("word", "shown"),
    [("Error", "Error"), ("warning", "Information"), ("INFORMATION", "Information"), ("debug", "Verbose")],
)
def test_open_dentals_words_and_the_usual_ones_are_taken(word: str, shown: str) -> None:
    assert logs.word_of(logs.level_of(word)) == shown


def test_a_word_that_is_no_level_is_refused() -> None:
    with pytest.raises(ValueError, match="loud"):
        logs.level_of("loud")


@pytest.mark.parametrize(("keep", "left"), [(30, 2), (0, 3)])
def test_where_nobody_else_sweeps_old_days_go_when_a_new_one_begins(tmp_path: Path, keep: int, left: int) -> None:
    for ago in (31, 30):
        day = f"{dt.datetime.now().astimezone() - dt.timedelta(days=ago):%y-%m-%d}"
        (tmp_path / "HQ" / day).mkdir(parents=True)
        (tmp_path / "HQ" / day / f"{day} (001).txt").touch()
    logs.configure(tmp_path, keep_days=keep)
    structlog.get_logger("x").info("a new day")
    assert len(files(tmp_path)) == left


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    logs.configure(blocked / "log")
    structlog.get_logger("x").info("lost", why=LoginFailed.code)


def test_a_value_that_is_no_text_is_written_all_the_same(tmp_path: Path) -> None:
    logs.configure(tmp_path)
    structlog.get_logger("x").info("looked", path="caf\udce9")
    assert lines(tmp_path)[0]["path"] == "'caf\\udce9'"
    assert [line.fields["path"] for line in logs.read(tmp_path)] == ["'caf\\udce9'"]


def test_a_folder_that_cannot_be_written_stops_nobody_and_is_not_named_as_the_place_of_details(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    logs.configure(tmp_path / "file" / "log")
    structlog.get_logger("x").info("said")
    assert logs.keep_traceback("7F3K-22QX", ValueError()) == ""


def test_a_kept_traceback_is_found_by_its_reference(tmp_path: Path) -> None:
    logs.configure(tmp_path)
    try:
        int("jdoe")
    except ValueError as error:
        file = logs.keep_traceback("7F3K-22QX", error)
    assert Path(file).is_file()
    (line,) = logs.read(tmp_path, reference="7f3k22qx")
    assert line.area == "Commands"
    assert "jdoe" not in written(tmp_path)


def test_threads_write_whole_lines(tmp_path: Path) -> None:
    logs.configure(tmp_path)
    log = structlog.get_logger("x")
    threads = [threading.Thread(target=lambda: [log.info("said", n=n) for n in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lines(tmp_path)) == 800

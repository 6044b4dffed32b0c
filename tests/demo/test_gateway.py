"""The sandbox as people and the demo meet it: its pages in a real browser, its command, its end."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from econnector.demo.gateway import scripts
from econnector.demo.gateway.bank import Bank
from econnector.demo.gateway.books import BOOKS, Books
from tests.demo.commands import environment
from tests.support.chromium import chromium, faults
from tests.support.gateway import Gateway

COMMAND = [sys.executable, "-m", "econnector", "demo", "gateway"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.mark.browser
def test_its_pages_are_for_everybody_and_lead_back_to_the_portal(browser: Browser, tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    back = f"{gateway.url.replace('127.0.0.1', 'localhost')}/ledger"
    books = Books(tmp_path / BOOKS)
    paper = Bank(books, 600).page("4100000001", "edgeexpress", 12_345, back, keep=True)
    books.close()
    gateway.start()
    page = browser.new_context(bypass_csp=True).new_page()
    try:
        page.goto(f"{gateway.url}/")
        assert faults(page) == []
        page.goto(f"{gateway.url}/hostpay/{paper.token}")
        assert faults(page) == []
        page.get_by_label("Card number").fill("4111 1111 1111 1111")
        page.get_by_role("button", name="Pay $123.45").click()
        expect(page.get_by_role("alert")).to_contain_text("never a real one")
        assert faults(page) == []
        page.get_by_label("Card number").fill("4242 4242 4242 4242")
        page.get_by_label("Expires").fill("08/29")
        page.get_by_role("button", name="Pay $123.45").click()
        page.wait_for_url(back)
        page.goto(f"{gateway.url}/hostpay/{paper.token}")
        expect(page.get_by_role("heading", name="This page is over")).to_be_visible()
        assert faults(page) == []
        assert gateway.charged() == {"4100000001": 12_345}
    finally:
        gateway.stop()


@pytest.mark.browser
def test_without_scripts_the_strict_policy_lets_the_browser_go_back(browser: Browser, tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    gateway.start()
    books = Books(tmp_path / BOOKS)
    paper = Bank(books, 600).page("4100000002", "xweb", 500, f"{gateway.url}/ledger", keep=False)
    books.close()
    page = browser.new_context(java_script_enabled=False).new_page()
    try:
        page.goto(f"{gateway.url.replace('127.0.0.1', 'localhost')}/hpf/hpf.aspx?otk={paper.token}")
        page.get_by_role("button", name="Cancel").click()
        page.wait_for_url(f"{gateway.url}/ledger")
        assert gateway.ledger()["orders"]["4100000002"]["state"] == "left"
    finally:
        gateway.stop()


def test_it_ends_when_whoever_started_it_is_gone(tmp_path: Path) -> None:
    words = ["--listen", "127.0.0.1:0", "--folder", str(tmp_path), "--with-parent"]
    pipe = subprocess.PIPE
    with subprocess.Popen([*COMMAND, *words], stdin=pipe, stdout=pipe, text=True, env=environment()) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+\n", child.stdout.readline())
        child.stdin.close()
        assert child.wait(60) == 0


def test_it_is_for_this_machine_alone_and_says_whose_port_it_is(tmp_path: Path) -> None:
    def said(listen: str) -> str:
        command = [*COMMAND, "--listen", listen, "--folder", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment(), check=False)
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        return done.stderr

    assert "this machine alone" in said("0.0.0.0:0")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "port-taken" in said(f"127.0.0.1:{taken.getsockname()[1]}")


def test_what_it_knows_by_heart_has_the_right_form() -> None:
    assert re.fullmatch(r"\d{12}", scripts.XWEB_ID)
    assert re.fullmatch(r"[0-9A-Za-z]{32}", scripts.AUTH_KEY)
    assert re.fullmatch(r"\d{8}", scripts.TERMINAL_ID)
    assert all(len(number) == 16 for number in scripts.CARDS)

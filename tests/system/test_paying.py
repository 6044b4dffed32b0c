"""HQ dies while patients pay: every payment is begun once, charged once and in the books once."""

import random
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from econnector.demo.browser import Browser, Lost, Page
from tests.support.formpage import form_in
from tests.support.gateway import Gateway, gateway_process
from tests.support.whole import Whole, until

AMOUNTS = ("21.00", "22.50", "23.00", "24.75", "25.00")


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with gateway_process(tmp_path / "cards") as running:
        yield running


@pytest.fixture
def whole(tmp_path: Path, gateway: Gateway) -> Iterator[Whole]:
    whole = Whole(tmp_path / "whole", known=True)
    settings = whole.settings.read_text()
    whole.settings.write_text(re.sub(r'(?m)^gateway = ".*"$', f'gateway = "{gateway.url}"', settings))
    try:
        yield whole.up()
    finally:
        whole.close()


def begin_while_hq_dies(whole: Whole, browser: Browser, dollars: str, after: float) -> Page:
    """Press Continue, kill HQ meanwhile, press it once more when HQ is back; return the page that follows."""
    form = form_in(browser.open("pay").body.decode(), "/pay")
    fields = form.fields | {"amount": dollars, "card": "0"}

    def press() -> None:
        try:
            browser.open(form.action, fields)
        except Lost:
            return

    pressing = threading.Thread(target=press)
    pressing.start()
    time.sleep(after)
    whole.kill("hq")
    pressing.join()
    whole.start_hq()
    until(lambda: browser.open("pay").status == 200)
    return browser.open(form.action, fields)


def booked(whole: Whole) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(whole.folder / "practice.sqlite", timeout=60)) as practice:
        rows = practice.execute("SELECT ExternalId, PayAmt FROM payment WHERE ExternalId <> ''").fetchall()
    return sorted((number, round(100 * amount)) for number, amount in rows)


def test_hq_dies_at_any_moment_of_a_payment(whole: Whole, gateway: Gateway) -> None:
    dice = random.Random(6)
    browser, page = whole.sign_in("elena.rivera", "Maple-Street-42")
    assert page.status == 200
    for dollars in AMOUNTS:
        page = begin_while_hq_dies(whole, browser, dollars, dice.uniform(0.0, 0.2))
        assert page.status == 200
        found = re.search(rf'href="({gateway.url}/hostpay/[^"]+)"', page.body.decode())
        assert found
        gateway.pay(found[1])
    until(lambda: len(booked(whole)) == len(AMOUNTS), 180.0)
    assert booked(whole) == sorted(gateway.charged().items())
    assert {cents for _, cents in booked(whole)} == {round(100 * float(dollars)) for dollars in AMOUNTS}
    assert len(gateway.ledger()["orders"]) == len(AMOUNTS)

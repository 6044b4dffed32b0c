"""Stripe's notices: believed with a fresh and right signature only; sent by the sandbox until somebody takes them."""

import datetime as dt
import hashlib
import hmac
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econnector.demo.gateway.scripts import WEBHOOK_SECRET
from econnector.payments.notice import Notice, verify_notice
from tests.payments.conftest import Account, new_order
from tests.support.gateway import gateway_process
from tests.support.whole import until

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
SECRET = "whsec_0123456789abcdef"
BODY = json.dumps({"id": "evt_1", "data": {"object": {"client_reference_id": "4100000001"}}}).encode()


def signed(body: bytes = BODY, secret: str = SECRET, at: dt.datetime = NOW) -> str:
    seconds = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def test_a_right_one_names_its_order() -> None:
    assert verify_notice(BODY, signed(), SECRET, NOW) == Notice("evt_1", "4100000001")
    about = {"id": "evt_2", "data": {"object": {"metadata": {"order": "4100000002"}}}}
    body = json.dumps(about).encode()
    assert verify_notice(body, signed(body), SECRET, NOW) == Notice("evt_2", "4100000002")


def test_of_two_signatures_one_is_enough() -> None:
    time, _, right = signed().partition(",")
    assert verify_notice(BODY, f"{time},v0=a,v1={'0' * 64},{right}", SECRET, NOW) is not None


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "t=,v1=",
        signed(secret="whsec_another"),
        signed(BODY + b" "),
        signed(at=NOW - dt.timedelta(seconds=301)),
        signed(at=NOW + dt.timedelta(seconds=301)),
        signed().replace("v1", "v0"),
        signed() + ",t=1",
        signed().replace("t=", "t=0x"),
        "v1=\udcff,t=1",
    ],
)
def test_nobody_elses_is_believed(signature: str) -> None:
    assert verify_notice(BODY, signature, SECRET, NOW) is None


def test_without_a_secret_nothing_is_believed() -> None:
    assert verify_notice(BODY, signed(secret=""), "", NOW) is None


@pytest.mark.parametrize("body", [b"", b"{}", b"[" * 9000, b'{"id":"e","data":{"object":{}}}', b"\xff", b"x" * 70_000])
def test_what_is_signed_and_says_nothing(body: bytes) -> None:
    assert verify_notice(body, signed(body), SECRET, NOW) is None


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.text(max_size=200))
def test_whatever_comes_nothing_is_raised(body: bytes, signature: str) -> None:
    assert verify_notice(body, signature, SECRET, NOW) is None


@pytest.fixture
def taken() -> Iterator[tuple[str, list[tuple[bytes, str]]]]:
    """A server that refuses the first notice and takes all others: its address, and what came."""
    came: list[tuple[bytes, str]] = []

    class Taker(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            came.append((body, self.headers["stripe-signature"]))
            self.send_response(503 if len(came) == 1 else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Taker) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/notices", came
        server.shutdown()


async def test_the_sandboxs_notices_come_until_they_are_taken(
    tmp_path: Path, taken: tuple[str, list[tuple[bytes, str]]]
) -> None:
    url, came = taken
    with gateway_process(tmp_path, notify=url) as process:
        account, order = Account(process, "stripe"), new_order()
        begun = await account.gateway.begin(order)
        process.pay(begun.url, "4000000000000135")  # says it twice
        until(lambda: len(came) >= 3)
    now = dt.datetime.now(dt.UTC)
    notices = [verify_notice(body, signature, WEBHOOK_SECRET, now) for body, signature in came]
    assert {each.order for each in notices if each} == {order.number}
    assert len({each.event for each in notices if each}) == 2

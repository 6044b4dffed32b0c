"""What a server can do to a question, and what it is taken for: nothing is believed, nothing is sent twice."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from econnector.base.errors import PaymentGatewayRefused, PaymentGatewaySilent
from econnector.payments.opening import open_gateway
from econnector.payments.way import Way
from tests.payments.conftest import ACCOUNTS, new_order
from tests.support.certificates import Authority


@contextlib.asynccontextmanager
async def answering(reply: bytes, asked: list[bytes], **tls: object) -> AsyncIterator[int]:
    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(reply)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0, **tls)  # type: ignore[arg-type]
    async with server:
        yield server.sockets[0].getsockname()[1]


def said(status: str, body: bytes = b"", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{more}\r\n".encode() + body


SILENT = {
    "cut off": b"",
    "no HTTP": b"220 mail.example ESMTP\r\n",
    "half": b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n<a>",
    "endless": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 90_000,
    "broken": said("500 Internal Server Error"),
    "later": said("429 Too Many Requests"),
    "no body": said("200 OK"),
    "another language": said("200 OK", b"<html><body>Sign in to the guest network</body></html>"),
    "nested": said("200 OK", b"[" * 60_000),
}
REFUSED = {
    "moved": said("302 Found", more="location: https://elsewhere.example/\r\n"),
    "gone": said("410 Gone"),
}


@pytest.mark.parametrize("name", list(ACCOUNTS))
@pytest.mark.parametrize("reply", list(SILENT | REFUSED))
async def test_what_may_have_been_done_is_never_called_refused(name: str, reply: str) -> None:
    asked: list[bytes] = []
    failure = PaymentGatewaySilent if reply in SILENT else PaymentGatewayRefused
    if reply == "another language" and name != "stripe":
        failure = PaymentGatewayRefused  # of a page that was to be made; a charge is judged below
    async with answering((SILENT | REFUSED)[reply], asked) as port:
        gateway = open_gateway(ACCOUNTS[name], Way(gateway=f"http://127.0.0.1:{port}", seconds=60))
        with pytest.raises(failure) as met:
            await gateway.begin(new_order())
        assert "guest network" not in met.value.office_text()
        assert ("far too long" in met.value.office_text()) is (reply == "endless")
        with pytest.raises((PaymentGatewaySilent, PaymentGatewayRefused)) as met:
            await gateway.look(new_order(), "")
        assert isinstance(met.value, PaymentGatewaySilent) is (reply in SILENT)
    assert len(asked) == 2


async def test_a_certificate_that_nobody_trusts_gets_no_credentials(tmp_path: Path) -> None:
    authority, asked = Authority(tmp_path, "A stranger"), list[bytes]()
    async with answering(said("200 OK"), asked, ssl=authority.issue("localhost").context()) as port:
        way = Way(gateway=f"https://localhost:{port}", seconds=60, proxy=False)
        with pytest.raises(PaymentGatewaySilent, match="certificate is not trusted"):
            await open_gateway(ACCOUNTS["xweb"], way).check()
        assert not asked
        trusting = Way(gateway=way.gateway, seconds=60, proxy=False, ca=authority.file)
        with pytest.raises(PaymentGatewaySilent, match="cannot be understood"):
            await open_gateway(ACCOUNTS["xweb"], trusting).check()
        assert len(asked) == 1


async def test_a_proxy_is_gone_through() -> None:
    asked: list[bytes] = []
    async with answering(said("403 Forbidden"), asked) as port:
        way = Way(gateway="https://gateway.example", seconds=60, proxy=f"http://127.0.0.1:{port}")
        with pytest.raises(PaymentGatewaySilent, match="the proxy refuses"):
            await open_gateway(ACCOUNTS["edgeexpress"], way).check()
    assert asked[0].startswith(b"CONNECT gateway.example:443")

"""One request on a connection of its own, straight from the socket, so that not the asking is what is slow."""

import contextlib
import pathlib
import socket
import ssl
import sys
import time
from collections.abc import Iterator

import msgspec

__all__ = ["FILE_BYTES", "Address", "Answer", "ask", "listens", "opened"]

FILE_BYTES = 100_000_000
_BLOCK = 1 << 20


class Address(msgspec.Struct, frozen=True):
    """Where the small answer and the file are asked."""

    port: int
    host: str = "127.0.0.1"
    small: str = "/small"
    file: str = "/file"
    tls: bool = False
    headers: dict[str, str] = {}

    @property
    def url(self) -> str:
        """Return it without a path."""
        return f"http{'s' if self.tls else ''}://{self.host}:{self.port}"

    def request(self, path: str) -> bytes:
        """Return a request after which the connection ends."""
        fields = {"Host": f"{self.host}:{self.port}", "Connection": "close"} | self.headers
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        return "\r\n".join(lines).encode()


class Answer(msgspec.Struct, frozen=True):
    """What came back: `status` 0 stands for no answer, as the connection broke or the time was up before its end."""

    status: int
    size: int
    seconds: float

    @property
    def good(self) -> bool:
        """Whether it is what was asked for."""
        return self.status == 200


def listens(port: int) -> bool:
    """Return whether somebody accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def opened(address: Address, within: float) -> Iterator[socket.socket]:
    """Yield a connection whose every operation may take `within` seconds."""
    with socket.create_connection((address.host, address.port), timeout=within) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not address.tls:
            yield plain
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with context.wrap_socket(plain, server_hostname=address.host) as wrapped:
            yield wrapped


def ask(address: Address, path: str, within: float = 60.0) -> Answer:
    """Ask `path`, read the answer to its end and count it; a failure to answer is an answer too."""
    began = time.perf_counter()
    end = began + within
    buffer = memoryview(bytearray(_BLOCK))
    head = b""
    size = 0
    ended = False
    with contextlib.suppress(OSError), opened(address, within) as connection:
        connection.sendall(address.request(path))
        while (left := end - time.perf_counter()) > 0:
            connection.settimeout(left)
            got = connection.recv_into(buffer)
            if not got:
                ended = True
                break
            size += got
            if len(head) < 12:
                head += bytes(buffer[: min(got, 64)])
    status = int(head[9:12]) if ended and head[:5] == b"HTTP/" and head[9:12].isdigit() else 0
    return Answer(status, size, time.perf_counter() - began)


def main() -> None:
    """Ask for the file again and again, until killed: `python -m benchmarks.peers.asking ADDRESS.json`."""
    address = msgspec.json.decode(pathlib.Path(sys.argv[1]).read_bytes(), type=Address)
    while (answer := ask(address, address.file)).good and answer.size >= FILE_BYTES:
        pass
    sys.exit(f"the file came with {answer.status} and {answer.size} bytes")


if __name__ == "__main__":
    main()

"""Packets to bytes and back."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnector.wire.codec import HEADER_SIZE, Decoder, Packet, ProtocolError, pack
from econnector.wire.messages import CEILING, Kind

EVERYTHING = frozenset(int(kind) for kind in Kind)
SMALL = [kind for kind in Kind if CEILING[kind] >= 16]
packets = st.builds(
    lambda kind, stream, body: (int(kind), stream, body),
    st.sampled_from(SMALL),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=16),
)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    at = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in itertools.pairwise(at)]


@given(st.lists(packets, max_size=20), st.lists(st.integers(0, 10_000), max_size=40))
def test_any_split_of_the_bytes_gives_the_same_packets(wanted: list[tuple[int, int, bytes]], cuts: list[int]) -> None:
    data = b"".join(pack(kind, stream, body) for kind, stream, body in wanted)
    decoder = Decoder(EVERYTHING)
    got = [packet for piece in split(data, cuts) for packet in decoder.feed(piece)]
    assert got == [Packet(kind, 0, stream, body) for kind, stream, body in wanted]


def test_a_large_packet_that_comes_a_byte_at_a_time_arrives_whole() -> None:
    decoder = Decoder(EVERYTHING)
    data = pack(Kind.DATA, 1, b"d" * CEILING[Kind.DATA])
    got = [packet for at in range(len(data)) for packet in decoder.feed(data[at : at + 1])]
    assert [len(packet.body) for packet in got] == [CEILING[Kind.DATA]]


@pytest.mark.parametrize("kind", list(Kind))
def test_a_body_over_the_ceiling_is_refused_at_its_header(kind: Kind) -> None:
    header = (CEILING[kind] + 1).to_bytes(4, "big") + bytes([kind]) + bytes(HEADER_SIZE - 5)
    with pytest.raises(ProtocolError, match="longer than"):
        list(Decoder(EVERYTHING).feed(header))


@given(st.lists(st.binary(max_size=200), max_size=30))
def test_no_bytes_raise_anything_but_a_protocol_error_or_are_held_beyond_the_bound(pieces: list[bytes]) -> None:
    decoder = Decoder(EVERYTHING)
    for piece in pieces:
        try:
            list(decoder.feed(piece))
        except ProtocolError:
            return
        held = len(decoder._held or b"")
        assert held <= HEADER_SIZE + max(CEILING.values()) + len(piece)


def test_a_kind_that_is_not_allowed_now_is_refused_before_its_body_is_waited_for() -> None:
    decoder = Decoder(frozenset({int(Kind.HELLO)}))
    with pytest.raises(ProtocolError, match="REQUEST is not allowed now"):
        list(decoder.feed(pack(Kind.REQUEST, 1, b"x" * 500)[:HEADER_SIZE]))

"""Which codes a file has named so far, in eight megabytes: never a wrong "not yet", seldom a wrong "perhaps".

A Bloom filter of two bits a code, both in one byte. With SNOMED's 2.7 million codes about one in a hundred new ones is
taken for a known one, and is then looked up in the database.
"""

from collections.abc import Hashable, Iterable

__all__ = ["Seen"]

_BITS = 23
_MASK = (1 << _BITS) - 1
_PAIRS = tuple(1 << one | 1 << two for one in range(8) for two in range(one))


class Seen:
    """A set that may only be asked "surely not?"."""

    def __init__(self) -> None:
        """Hold nothing."""
        self._bytes = bytearray(1 << _BITS)

    def are_new(self, keys: Iterable[Hashable]) -> list[bool]:
        """Add keys in their order; return of each whether it surely was not there before."""
        # One loop over many keys, and nothing called in it: it is run 2.7 million times.
        seen, mask, bits, pairs, many = self._bytes, _MASK, _BITS, _PAIRS, len(_PAIRS)
        new = []
        for number in map(hash, keys):
            place = number & mask
            pair, before = pairs[(number >> bits) % many], seen[place]
            new.append(before & pair != pair)
            seen[place] = before | pair
        return new

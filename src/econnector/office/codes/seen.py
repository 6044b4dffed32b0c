"""Which codes a file has named so far, in four megabytes: never a wrong "not yet", seldom a wrong "perhaps".

A Bloom filter of two bits a code. With SNOMED's 2.7 million codes about one in a hundred new ones is taken for a known
one, and is then looked up in the database.
"""

from collections.abc import Hashable

__all__ = ["Seen"]

_BITS = 25
_MASK = (1 << _BITS) - 1


class Seen:
    """A set that may only be asked "surely not?"."""

    def __init__(self) -> None:
        """Hold nothing."""
        self._bits = bytearray(1 << _BITS - 3)

    def is_new(self, key: Hashable) -> bool:
        """Add a key; return whether it surely was not there before."""
        bits, number = self._bits, hash(key)
        one, two = number & _MASK, number >> _BITS & _MASK
        known = bits[one >> 3] >> (one & 7) & bits[two >> 3] >> (two & 7) & 1
        bits[one >> 3] |= 1 << (one & 7)
        bits[two >> 3] |= 1 << (two & 7)
        return not known

"""Who a connector is: a key pair that it makes and keeps; the registration key enrols it once.

HQ stores public keys only. At every connect HQ sends a nonce and the connector signs a transcript that names what
both have just said, so that neither a replayed signature nor one made for another HQ opens a link.
"""

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from econnector.base.errors import UnsealFailed

__all__ = ["Claim", "Identity", "Install"]

_DOMAIN = b"eConnector link v1"
"""Keeps a signature made for a link from being taken for anything else that the key may ever sign."""


@dataclass(frozen=True, slots=True)
class Install:
    """One installation of the connector, as it presents itself."""

    install_id: str
    """32 hexadecimal characters, made once per installation."""
    machine: str
    """What people call the computer; shown when two machines claim one office."""
    version: str
    """Of eConnector."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a connector signs: HQ's nonce, and everything the two sides said to each other until then."""

    hq: str
    """Host (and port, unless it is the usual one) that the connector dialled: `hq.example.com`."""
    nonce: bytes
    install_id: str
    machine: str
    version: str
    low: int
    high: int
    public_key: bytes

    def transcript(self) -> bytes:
        """Return the bytes that are signed: every part with its length before it, so that none can run into another."""
        texts = (self.hq.lower(), self.install_id, self.machine, self.version, f"{self.low}-{self.high}")
        parts = (_DOMAIN, self.nonce, self.public_key, *(text.encode() for text in texts))
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)

    def signed_by(self, signature: bytes) -> bool:
        """Return whether `signature` was made over this claim by the holder of its public key."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, self.transcript())
        except (InvalidSignature, ValueError):
            return False
        return True


class Identity:
    """An Ed25519 key pair."""

    __slots__ = ("_key", "public_key")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """Use `make` or `load`."""
        self._key = key
        self.public_key = key.public_key().public_bytes_raw()
        """32 bytes."""

    @classmethod
    def make(cls) -> "Identity":
        """Return a new identity; it is lost unless its `secret` is kept."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, secret: bytes) -> "Identity":
        """Return the identity whose `secret` was kept. Raises `UnsealFailed` if these are not its 32 bytes."""
        try:
            return cls(Ed25519PrivateKey.from_private_bytes(secret))
        except ValueError:
            raise UnsealFailed(name="identity key") from None

    def secret(self) -> bytes:
        """Return the 32 private bytes, to be kept sealed."""
        return self._key.private_bytes_raw()

    def sign(self, claim: Claim) -> bytes:
        """Return the 64-byte signature over `claim`."""
        return self._key.sign(claim.transcript())

    def __repr__(self) -> str:
        return f"Identity({self.public_key.hex()[:8]}…)"

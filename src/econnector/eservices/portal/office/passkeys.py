"""Passkeys (WebAuthn): challenges are made and answers are verified here, in the office.

A passkey belongs to the host name that it was made for; the browser lets no other site use it, and signs the site's
address along with the challenge. A challenge counts once and for ten minutes.
"""

import asyncio
import re
import secrets
from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

from econnector.base.errors import PasskeyRejected
from econnector.base.ids import new_id
from econnector.eservices.portal.office.desk import Desk
from econnector.storage.state import half_sign_ins, second_steps
from econnector.storage.state.half_sign_ins import holder_of
from econnector.storage.state.second_steps import Passkey

__all__ = ["MOST", "Holder", "add", "is_host", "options_to_create", "options_to_get", "verify"]

MOST = 10
"""Passkeys of one sign-in."""
_CHALLENGE_BYTES = 32
_MOST_ANSWER = 16_384
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*")
_ONLY_DIGITS = re.compile(r"[0-9.]+")


class Holder(msgspec.Struct, frozen=True):
    """For whom a passkey is made."""

    login: int
    user_name: str
    name: str
    practice: str


def is_host(host: str) -> bool:
    """Return whether passkeys can exist for this host: a name, not a number (browsers refuse those)."""
    return bool(_HOST.fullmatch(host)) and not _ONLY_DIGITS.fullmatch(host)


async def options_to_create(desk: Desk, token: str, host: str, holder: Holder, have: Sequence[Passkey]) -> str:
    """Return what the browser needs to make a passkey; the challenge is kept for who holds `token`."""
    challenge = await _challenge(desk, token, host)
    handle = await asyncio.to_thread(desk.seal.digest, "passkey-user", str(holder.login))
    from econnector.eservices.portal.office import ceremony  # noqa: PLC0415 - see there

    names = holder.user_name, holder.name
    return ceremony.create(host, holder.practice, names, bytes.fromhex(handle), challenge, _credentials(have, host))


async def options_to_get(desk: Desk, ticket: str, host: str, have: Sequence[Passkey]) -> str:
    """Return what the browser needs to use a passkey; empty where none of these works at `host`."""
    usable = _credentials(have, host)
    if not usable or not is_host(host):
        return ""
    challenge = await _challenge(desk, ticket, host)
    from econnector.eservices.portal.office import ceremony  # noqa: PLC0415 - see there

    return ceremony.get(host, challenge, usable)


async def add(desk: Desk, token: str, login: int, answer: str, host: str, origin: str, name: str) -> None:  # noqa: PLR0913, PLR0917
    """Keep a passkey that the browser has made. Raises `PasskeyRejected`."""
    challenge = await _taken(desk, token, answer, host, origin)

    from econnector.eservices.portal.office import ceremony  # noqa: PLC0415 - see there

    credential, public_key, count = await asyncio.to_thread(ceremony.made, answer, challenge, host, origin)
    passkey = Passkey(
        number=new_id(),
        credential=credential,
        name=name,
        host=host,
        public_key=public_key,
        count=count,
        added=desk.clock.now(),
        used=None,
    )
    if not await desk.state.run(second_steps.add_passkey, login, passkey):
        raise PasskeyRejected(reason="it is known already")


async def verify(desk: Desk, ticket: str, answer: str, host: str, origin: str, have: Sequence[Passkey]) -> None:  # noqa: PLR0913, PLR0917
    """Check a passkey's answer to the challenge of `ticket`. Raises `PasskeyRejected`."""
    challenge = await _taken(desk, ticket, answer, host, origin)
    passkey = next((one for one in have if one.host == host and one.credential == _credential(answer)), None)
    if passkey is None:
        raise PasskeyRejected(reason="it is none of this sign-in's for this host")

    from econnector.eservices.portal.office import ceremony  # noqa: PLC0415 - see there

    count = await asyncio.to_thread(ceremony.answered, answer, challenge, origin, passkey)
    await desk.state.run(second_steps.use_passkey, passkey.number, count, desk.clock.now())


async def _challenge(desk: Desk, holder: str, host: str) -> bytes:
    made = secrets.token_bytes(_CHALLENGE_BYTES)
    await desk.state.run(half_sign_ins.challenge, holder_of(holder), made, host, desk.clock.now())
    return made


async def _taken(desk: Desk, holder: str, answer: str, host: str, origin: str) -> bytes:
    """Return the challenge of `holder`, which counts once."""
    challenge = await desk.state.run(half_sign_ins.take_challenge, holder_of(holder), host, desk.clock.now())
    if not challenge:
        raise PasskeyRejected(reason="there is no challenge for it, or it took too long")
    if len(answer) > _MOST_ANSWER or not is_host(host) or not _is_origin_of(origin, host):
        raise PasskeyRejected(reason="it came from another address")
    return challenge


def _is_origin_of(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    loopback = host == "localhost" or host.endswith(".localhost")
    return parts.hostname == host and (parts.scheme == "https" or (parts.scheme == "http" and loopback))


class _Named(msgspec.Struct):
    id: str


def _credential(answer: str) -> str:
    try:
        return msgspec.json.decode(answer, type=_Named).id
    except msgspec.MsgspecError:
        return ""


def _credentials(have: Sequence[Passkey], host: str) -> list[str]:
    return [one.credential for one in have if one.host == host]

"""The codes of two-step sign-in: an app's, that change every 30 seconds, and recovery codes, that work once."""

import asyncio
import hmac
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pyotp

from econnector.base.ids import new_code, tidy_code
from econnector.eservices.portal.office.desk import Desk
from econnector.storage.state import second_steps
from econnector.storage.state.sealing import Unsealable
from econnector.storage.state.second_steps import SecondStep

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["RECOVERY_CODES", "confirm", "is_right", "make_recovery", "new_secret", "opened", "prepare", "uri_of"]

RECOVERY_CODES = 10
_SECONDS = 30
_WINDOW = 1
"""Steps that a code may be early or late: it takes a while to type one."""
_DRIFT = 20
"""Steps by which a phone's clock may differ from ours, found out at the first code and followed from then on."""
_SIX_DIGITS = re.compile(r"[0-9]{6}")


def new_secret() -> str:
    """Return a new secret in Base32 (160 bits, as RFC 4226 wants)."""
    return pyotp.random_base32(32)


def uri_of(secret: str, practice: str, user_name: str) -> str:
    """Return what an app scans."""
    issuer = practice.replace(":", " ").strip() or "eConnector"
    label = quote(f"{issuer}:{user_name}", safe="")
    return f"otpauth://totp/{label}?secret={secret}&issuer={quote(issuer, safe='')}"


def prepare(state: "Connection", desk: Desk, login: int, secret: str) -> None:
    """Keep a new secret, sealed, until its first code."""
    second_steps.prepare_app(state, login, desk.seal.seal(f"app:{login}", secret.encode()), desk.clock.now())


async def opened(desk: Desk, login: int, sealed: bytes) -> str:
    """Return an app's secret, or an empty text where it cannot be read: sealed on another machine, or damaged."""
    try:
        return (await asyncio.to_thread(desk.seal.open, f"app:{login}", sealed)).decode()
    except Unsealable:
        return ""


async def confirm(desk: Desk, login: int, have: SecondStep, typed: str) -> bool:
    """Take the waiting app into use if this is its code; return whether it is."""
    secret = await opened(desk, login, have.pending) if have.pending else ""
    offset = _offset(desk, secret, typed, range(-_DRIFT, _DRIFT + 1)) if secret else None
    if offset is None:
        return False
    step = _step(desk) + offset
    return await desk.state.run(second_steps.confirm_app, login, have.pending, step, offset, desk.clock.now())


async def is_right(desk: Desk, login: int, have: SecondStep, typed: str) -> tuple[bool, str]:
    """Return whether a code counts, and its kind: app or recovery. A code that counted never counts again."""
    digits = re.sub(r"[\s-]", "", typed)
    if _SIX_DIGITS.fullmatch(digits):
        return await _is_app_code(desk, login, have, digits), "app"
    digest = await asyncio.to_thread(desk.seal.digest, f"recovery:{login}", tidy_code(typed))
    return await desk.state.run(second_steps.use_code, login, digest, desk.clock.now()), "recovery"


async def _is_app_code(desk: Desk, login: int, have: SecondStep, typed: str) -> bool:
    secret = await opened(desk, login, have.secret) if have.secret else ""
    near = {base + late for base in (0, have.drift) for late in range(-_WINDOW, _WINDOW + 1)}
    offset = _offset(desk, secret, typed, sorted(near, key=abs)) if secret else None
    if offset is None:
        return False
    return await desk.state.run(second_steps.spend_step, login, _step(desk) + offset, offset)


def make_recovery(state: "Connection", desk: Desk, login: int) -> list[str]:
    """Make recovery codes instead of all before; return them, the only time that they are seen."""
    made = [new_code() for _ in range(RECOVERY_CODES)]
    second_steps.keep_codes(state, login, [desk.seal.digest(f"recovery:{login}", tidy_code(code)) for code in made])
    return made


def _step(desk: Desk) -> int:
    return int(desk.clock.now().timestamp()) // _SECONDS


def _offset(desk: Desk, secret: str, typed: str, offsets: "range | list[int]") -> int | None:
    """Return by how many steps the code is ahead of our clock, or None if it is no code of these steps."""
    typed = re.sub(r"[\s-]", "", typed)
    made = pyotp.TOTP(secret)
    here = _step(desk)
    right = [
        offset
        for offset in offsets
        if hmac.compare_digest(made.at((here + offset) * _SECONDS).encode(), typed.encode("utf-8", "replace"))
    ]
    return min(right, key=abs) if right else None

"""What a line may hold: no secret and nothing that a patient typed, whatever the caller gave."""

import os
import re
import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import msgspec

__all__ = ["describe", "drop_secrets", "frames", "redact", "redact_values", "to_line"]

_ABOUT_CODE = (AttributeError, TypeError, NameError, ImportError, NotImplementedError)
_SECRETS = frozenset(
    {"authorization", "body", "cookie", "cookies", "credentials", "headers", "key", "parameters", "params", "passwd"}
    | {"password", "payload", "pwd", "secret", "statement", "token", "values"}
)
_SECRET_ENDS = ("_password", "_secret", "_token", "_key")
_GONE = "(removed)"
# Each is what the software hands out or takes as a secret, or a person's address, as it looks inside another text.
_PATTERNS = (
    (re.compile(r"(?<=://)[^/\s@]*@"), f"{_GONE}@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), rf"\1 {_GONE}"),
    (re.compile(r"(?i)\b(password|passwd|pwd|secret|token)(\"?\s*[=:]\s*\"?)[^\s,;&\"']+"), rf"\1\2{_GONE}"),
    (re.compile(r"\b(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}\b"), _GONE),
    (re.compile(r"(?<![\w/.-])(?=[\w-]*\d)(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[\w-]{32,}(?![\w-])"), _GONE),
    (re.compile(r"[\w.+'-]+@(?=[\w-]+\.\w)"), f"{_GONE}@"),
)
_DEEPEST = 6
_FIRST = ("timestamp", "level", "event")
"""What a person reads a line for."""


def redact(text: str) -> str:
    """Return `text` without what looks like a secret: credentials in URLs, keys, tokens, names in mail addresses."""
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def drop_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Remove what must never stand in a log, recognised by its name."""
    for name in [name for name in event if _secret(name)]:
        del event[name]
    return event


def _secret(name: str) -> bool:
    return name.lower() in _SECRETS or name.lower().endswith(_SECRET_ENDS)


def redact_values(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Remove what looks like a secret inside of texts."""
    for name, value in event.items():
        if name not in {"timestamp", "level", "logger", "trace"}:
            event[name] = _clean(value, _DEEPEST)
    return event


def _clean(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact(value)
    if not depth:
        return _GONE
    if isinstance(value, Mapping):
        return {str(name): _clean(each, depth - 1) for name, each in value.items() if not _secret(str(name))}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(each, depth - 1) for each in value]
    if isinstance(value, BaseException):  # its text may quote what somebody typed
        return f"{type(value).__module__}.{type(value).__qualname__}"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"{len(value)} bytes"
    return redact(str(value))


def to_line(event: Mapping[str, Any]) -> str:
    """Return an event as one JSON object: date and time, how grave, what happened, then the rest."""
    ordered = {name: event[name] for name in _FIRST if name in event} | dict(event)
    try:
        return msgspec.json.encode(ordered, enc_hook=repr).decode()
    except (ValueError, TypeError, OverflowError):  # a file's name need not be Unicode, for one
        return msgspec.json.encode({name: ascii(value) for name, value in ordered.items()}).decode()


def frames(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace `exc_info` by frames without anything that may quote data."""
    info = event.pop("exc_info", None)
    error = sys.exception() if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["trace"] = list(describe(error))
    return event


def describe(error: BaseException) -> Iterator[str]:
    """Yield an exception's type and frames, and its causes'; its text only where that speaks of code."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield f"{type(current).__module__}.{type(current).__qualname__}{_said(current)}"
        for frame in traceback.extract_tb(current.__traceback__):
            yield f"  {frame.filename}:{frame.lineno} in {frame.name}"
        if isinstance(current, BaseExceptionGroup):
            for each in current.exceptions:
                yield from describe(each)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _said(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno is not None and error.strerror == os.strerror(error.errno):
        return f": {error.strerror}"  # without the file's name, which may be a patient's
    return f": {redact(str(error))}" if isinstance(error, _ABOUT_CODE) else ""

"""Settings: declared once as Structs, read from flags, environment, a TOML file and defaults, in that order.

A settings Struct may hold other Structs; each of those is a table in the file. A field is a *setting* and has a dotted
name; `load(Office, file=…, prefix="ECONNECTOR_OFFICE")` finds `hq.url` as the flag `hq.url`, as the environment
variable `ECONNECTOR_OFFICE_HQ_URL`, and as `url` in the file's table `[hq]`::

    class Hq(msgspec.Struct):
        url: Annotated[str, described("Where HQ is.")]          # no default: SettingMissing where it is nowhere
        ca: Annotated[Path | None, described("Its private CA.")] = None

A relative path counts from the file's folder when it stands in the file, else from the working folder; once loaded it
is absolute.
"""

import difflib
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args, get_origin

import msgspec

from econnector.base.errors import SettingInvalid, SettingMissing

__all__ = ["Loaded", "Setting", "described", "faults", "load", "settings_of"]

S = TypeVar("S", bound=msgspec.Struct)
NONE: Mapping[str, object] = {}


def described(text: str, *, secret: bool = False, **limits: Any) -> msgspec.Meta:
    """Return what stands behind a setting's type: its sentence for docs/settings.md, and msgspec's own limits."""
    return msgspec.Meta(description=text, extra={"secret": secret}, **limits)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as declared."""

    name: str
    """Dotted, as in the file: `hq.url`."""
    variable: str
    """The environment variable that also sets it."""
    kind: Any
    required: bool
    default: Any
    text: str
    secret: bool


@dataclass(frozen=True, slots=True)
class Loaded(Generic[S]):
    """Settings, and where each one came from."""

    value: S
    file: Path | None
    places: dict[str, str] = field(default_factory=dict)
    """From dotted name to `flag`, `environment variable X`, `FILE` or `default`."""


def settings_of(kind: type[msgspec.Struct], prefix: str, path: str = "") -> Iterator[Setting]:
    """Yield every setting that `kind` declares, in its order; shapes as in `Setting`."""
    for each in msgspec.structs.fields(kind):
        name = path + each.encode_name
        if isinstance(each.type, type) and issubclass(each.type, msgspec.Struct):
            yield from settings_of(each.type, prefix, name + ".")
            continue
        default = each.default if each.default_factory is msgspec.NODEFAULT else each.default_factory()
        meta = next((m for m in getattr(each.type, "__metadata__", ()) if isinstance(m, msgspec.Meta)), msgspec.Meta())
        yield Setting(
            name,
            f"{prefix}_{name}".replace(".", "_").upper(),
            each.type,
            each.required,
            default,
            meta.description or "",
            bool((meta.extra or {}).get("secret")),
        )


def load(
    kind: type[S],
    *,
    file: Path | None,
    prefix: str,
    flags: Mapping[str, object] = NONE,
    environment: Mapping[str, str] | None = None,
) -> Loaded[S]:
    """Return the settings that `kind` declares.

    `flags` maps dotted names to what was typed; None means not typed. An empty environment variable counts as not set.

    Raises:
        SettingMissing: a setting without default is nowhere.
        SettingInvalid: a value cannot be used, the file cannot be read, or it holds a name that is no setting.
    """
    variables = os.environ if environment is None else environment
    file = file.absolute() if file else None
    declared = list(settings_of(kind, prefix))
    written = _read(file, {setting.name for setting in declared}) if file else {}
    found: dict[str, Any] = {}
    places: dict[str, str] = {}
    for setting in declared:
        typed, variable = flags.get(setting.name), variables.get(setting.variable)
        if typed is not None:
            raw, place = typed, "flag"
        elif variable:
            raw, place = variable, f"environment variable {setting.variable}"
        elif setting.name in written:
            raw, place = written[setting.name], str(file)
        elif setting.required:
            raise SettingMissing(name=setting.name, places=_places(setting, file), variable=setting.variable)
        else:
            found[setting.name], places[setting.name] = setting.default, "default"
            continue
        base = file.parent if file and place == str(file) else Path()
        found[setting.name], places[setting.name] = _convert(setting, raw, place, base), place
    return Loaded(_build(kind, found, places), file, places)


def _places(setting: Setting, file: Path | None) -> str:
    return f"{file or 'the settings file (there is none)'} and the environment variable {setting.variable}"


def faults(kind: type[msgspec.Struct], file: Path, prefix: str) -> list[SettingInvalid]:
    """Return everything in `file` that `load` would refuse, where `load` stops at the first."""
    declared = {setting.name: setting for setting in settings_of(kind, prefix)}
    found: list[SettingInvalid] = []
    try:
        written = dict(_flatten(_tables(file), set(declared), file, "", found.append))
    except SettingInvalid as unreadable:
        return [unreadable]
    for name, raw in written.items():
        try:
            _convert(declared[name], raw, str(file), file.parent)
        except SettingInvalid as fault:
            found.append(fault)
    return found


def _read(file: Path, known: set[str]) -> dict[str, Any]:
    return dict(_flatten(_tables(file), known, file, "", _refuse))


def _refuse(fault: SettingInvalid) -> None:
    raise fault


def _tables(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8-sig"))
    except OSError as error:
        why = error.strerror or type(error).__name__
    except UnicodeDecodeError:
        why = "it is not a UTF-8 text"
    except tomllib.TOMLDecodeError as error:
        why = f"it is not TOML: {error}"
    raise SettingInvalid(name="file", place=file, why=why)


def _flatten(
    table: dict[str, Any], known: set[str], file: Path, path: str, refuse: Callable[[SettingInvalid], None]
) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        name = path + key
        if name in known:
            yield name, value
        elif isinstance(value, dict) and any(each.startswith(name + ".") for each in known):
            yield from _flatten(value, known, file, name + ".", refuse)
        else:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]}?" if near else ""
            refuse(SettingInvalid(name=name, place=file, why=f"there is no such setting{hint}"))


def _convert(setting: Setting, raw: object, place: str, base: Path) -> Any:
    """Return `raw` as the setting's type; texts from flags and environment become numbers, truths and lists."""
    loose = isinstance(raw, str) and (place == "flag" or place.startswith("environment"))
    if loose and _is_list(setting.kind):
        raw = [part.strip() for part in str(raw).split(",") if part.strip()]
    try:
        return msgspec.convert(raw, setting.kind, strict=not loose, dec_hook=lambda _, text: _path(base, text))
    except (msgspec.ValidationError, ValueError) as error:
        why = str(error).replace("`", "")
        allowed = _allowed(setting.kind)
        if allowed:
            why = "it must be one of " + ", ".join(allowed)
        raise SettingInvalid(name=setting.name, place=place, why=why[:1].lower() + why[1:]) from None


def _path(base: Path, text: object) -> Path:
    if not isinstance(text, str) or not text or "\0" in text:
        raise ValueError("expected the path of a file or folder")
    try:
        return (base / Path(text).expanduser()).absolute()
    except RuntimeError:
        raise ValueError("nobody knows the home folder that ~ stands for") from None


def _bare(kind: Any) -> Any:
    return _bare(get_args(kind)[0]) if get_origin(kind) is Annotated else kind


def _is_list(kind: Any) -> bool:
    return get_origin(_bare(kind)) in {list, tuple}


def _allowed(kind: Any) -> list[str]:
    bare = _bare(kind)
    if get_origin(bare) is Literal:
        return [str(each) for each in get_args(bare)]
    if isinstance(bare, type) and issubclass(bare, Enum):
        return [str(each.value) for each in bare]
    return []


def _build(kind: type[S], found: dict[str, Any], places: dict[str, str], path: str = "") -> S:
    values: dict[str, Any] = {}
    for each in msgspec.structs.fields(kind):
        name = path + each.encode_name
        inner = each.type
        nested = isinstance(inner, type) and issubclass(inner, msgspec.Struct)
        values[each.name] = _build(inner, found, places, name + ".") if nested else found[name]
    try:
        return kind(**values)
    except ValueError as error:
        name = path.rstrip(".") or "settings"
        place = next((p for n, p in places.items() if n.startswith(path) and p != "default"), "default")
        raise SettingInvalid(name=name, place=place, why=str(error)) from None

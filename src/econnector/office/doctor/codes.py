"""Check of the code systems that care summaries look words up in."""

from typing import Any

from econnector.base.errors import Failure
from econnector.office.codes.importer import FOR_SUMMARIES
from econnector.office.doctor.check import Check, Finding, attention, ok
from econnector.office.doctor.scene import NotNowError, Scene
from econnector.opendental import codesystems, preflight
from econnector.opendental.codesystems import Standing
from econnector.opendental.schema import Schemas
from econnector.storage.state import code_imports
from econnector.storage.state.code_imports import FAILED, IMPORTING

__all__ = ["CHECKS"]

_IMPORT = "Import it: `econnector codes import {name}`, or the window's page Codes."


async def _codes(scene: Scene) -> Finding:
    schemas = Schemas()

    def look(connection: Any) -> tuple[list[Standing], int]:
        return codesystems.standings(connection, schemas(connection)), preflight.portal_people(connection).access

    every, people = await scene.ask(look)
    found = [one for one in every if one.importable]
    lines = [f"{one.name} {one.current or '(version unknown)'}: {one.rows:,} rows" for one in found if one.rows]
    empty = [one.name for one in found if not one.rows]
    lines += [f"empty: {', '.join(empty)}"] if empty else []
    if broken := await _broken_off(scene):
        text = f"an import of codes was broken off: {', '.join(broken)}"
        return attention(text, [f"Go on with it: `econnector codes import {name}`." for name in broken], *lines)
    if not people:
        return ok("nobody has access to the portal yet, so no code is needed", *lines)
    if needed := [name for name in FOR_SUMMARIES if name in empty]:
        text = (
            f"no care summary can be made before {' and '.join(needed)} {'is' if len(needed) == 1 else 'are'} imported"
        )
        return attention(text, [_IMPORT.format(name=name) for name in needed], *lines)
    return ok(f"{len(found) - len(empty)} code systems are imported, among them all that care summaries need", *lines)


async def _broken_off(scene: Scene) -> list[str]:
    """Return the systems whose import neither ended nor goes on."""
    running = await scene.running()
    if running.alive(scene.clock.now()):
        return []  # it may go on at this moment
    try:
        progress = await scene.state().run(code_imports.every)
    except (NotNowError, Failure):
        return []
    return [name for name, one in progress.items() if one.status in {IMPORTING, FAILED}]


CHECKS = (Check("codes", "codes", "The code systems that care summaries need are imported.", 12, _codes),)

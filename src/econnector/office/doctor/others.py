"""Check of other eConnectors of this practice, by what each leaves in Open Dental's database."""

import datetime as dt
from typing import Any

from econnector.office.doctor.check import Check, Finding, attention, ok
from econnector.office.doctor.scene import Scene
from econnector.opendental import statistics, times
from econnector.opendental.statistics import MULTIPLE_WITHIN, Entry

__all__ = ["CHECKS"]


async def _others(scene: Scene) -> Finding:
    entries, now = await scene.ask(_look)
    if entries is None:
        # It stays there for ever after this one has replaced it, so it is no reason to worry anybody.
        return ok(
            "Open Dental's own eConnector has been at work in this practice, in words that only it can read",
            "if it still runs on some computer: stop and uninstall it there (Tools, Misc Tools, Service Manager)",
        )
    mine = scene.loaded.value.machine_name.casefold()
    lately = [
        f"{each.machine} at {each.at:%Y-%m-%d %H:%M}"
        for each in entries
        if each.machine.casefold() != mine and each.at is not None and now - each.at < MULTIPLE_WITHIN
    ]
    if lately:
        return attention(
            f"another eConnector works for this practice: {', '.join(lately)}",
            ["Uninstall eConnector on the machine that shall not have it.", "Or ask HQ to move the office to it."],
        )
    return ok("no other eConnector has worked for this practice in the last hours")


def _look(connection: Any) -> tuple[list[Entry] | None, dt.datetime]:
    return statistics.read(connection), times.now(connection)


CHECKS = (Check("others", "link", "No other eConnector works for this practice.", 9, _others),)

"""Checks of the way to HQ, one step after the other."""

from econnector.base.errors import HqAway, HqUntrusted
from econnector.link.probe import Step
from econnector.office.doctor.check import Check, Finding, from_failure, ok
from econnector.office.doctor.scene import Scene

__all__ = ["CHECKS"]

_STEPS = {
    "dns": "finding the address (DNS)",
    "tcp": "connecting (TCP)",
    "proxy": "passing the proxy",
    "tls": "encrypting (TLS)",
    "upgrade": "opening the WebSocket",
}


async def _hq(scene: Scene) -> Finding:
    way = await scene.way()
    lines = [_line(step) for step in way.steps]
    failed = way.failed
    if failed is None:
        return ok(f"{way.url} can be reached", *lines)
    kind = HqUntrusted if failed.untrusted else HqAway
    return from_failure(kind(url=way.url, reason=f"{_STEPS[failed.name]} failed: {failed.text}"), *lines)


def _line(step: Step) -> str:
    return f"{'ok' if step.ok else 'FAILED'}: {_STEPS[step.name]}: {step.text} ({step.seconds * 1000:.0f} ms)"


CHECKS = (Check("hq", "hq", "HQ can be reached from here: name, connection, proxy, certificate, WebSocket.", 14, _hq),)

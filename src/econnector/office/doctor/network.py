"""Checks of the way to HQ, one step after the other, and of who stands in between."""

from econnector.base.errors import HqAway, HqUntrusted
from econnector.link.probe import Step, Way, probe
from econnector.office.doctor.check import Check, Finding, attention, from_failure, ok, problem
from econnector.office.doctor.scene import NotNowError, Scene

__all__ = ["CHECKS"]

_STEPS = {
    "dns": "finding the address (DNS)",
    "tcp": "connecting (TCP)",
    "proxy": "passing the proxy",
    "tls": "encrypting (TLS)",
    "upgrade": "opening the WebSocket",
}
_UNKNOWN_ISSUER = {2, 18, 19, 20, 21}
"""OpenSSL's numbers for a certificate that no authority known here has issued."""
_INSPECTORS = (
    *("avast", "avg", "barracuda", "bitdefender", "blue coat", "bluecoat", "check point", "checkpoint", "cisco"),
    *("contentwatch", "cyberoam", "drweb", "dr.web", "eset", "f-secure", "forcepoint", "fortigate", "fortinet"),
    *(
        "g data",
        "kaspersky",
        "lightspeed",
        "mcafee",
        "menlo",
        "mitmproxy",
        "netskope",
        "norton",
        "palo alto",
        "sonicwall",
    ),
    *("sophos", "squid", "symantec web", "trend micro", "umbrella", "untangle", "watchguard", "webroot", "zscaler"),
)
"""What names itself as issuer opens connections to read them: firewalls, antivirus programs, debugging proxies."""
_EXEMPT = [
    "Ask whoever keeps the firewall or antivirus of this network to exempt HQ's address from TLS (HTTPS) inspection.",
    "Run `econnector doctor --only hq` afterwards.",
]


async def _hq(scene: Scene) -> Finding:
    way = await scene.way()
    lines = [_line(step) for step in way.steps]
    failed = way.failed
    if failed is None:
        return ok(f"{way.url} can be reached{f' through the proxy {way.through}' if way.through else ''}", *lines)
    kind = HqUntrusted if failed.untrusted else HqAway
    return from_failure(kind(url=way.url, reason=f"{_named(way, failed)} failed: {failed.text}"), *lines)


def _named(way: Way, failed: Step) -> str:
    """Return the step's name; before a proxy lets us through, it is the proxy that is not reached."""
    to = f" to the proxy {way.through}" if way.through and failed.name in {"dns", "tcp"} else ""
    return _STEPS[failed.name] + to


def _line(step: Step) -> str:
    return f"{'ok' if step.ok else 'FAILED'}: {_STEPS[step.name]}: {step.text} ({step.seconds * 1000:.0f} ms)"


async def _certificate(scene: Scene) -> Finding:
    way = await scene.way()
    if way.url.startswith("ws://"):
        return ok("HQ is on this machine itself: nothing is encrypted, and nobody is in between")
    if way.verify_code in _UNKNOWN_ISSUER:
        return problem(
            f"the connection to HQ is opened on its way: the certificate that arrives here was issued by "
            f"{_issuer(way)}, which nobody here trusts; usually that is a firewall or antivirus{_product(way)}",
            [*_EXEMPT, "If the vendor's HQ has an authority of its own: set `hq.ca` to its PEM file."],
        )
    if not any(step.name == "tls" and step.ok for step in way.steps):
        raise NotNowError("HQ's certificate was not seen, or something else is wrong with it (see hq)")
    if product := _product(way):
        text = f"the connection to HQ is opened on its way: its certificate was issued by {_issuer(way)}{product}"
        return attention(text, _EXEMPT, "this machine trusts it, so everything works; the other can read it all")
    return await _own(scene, way)


async def _own(scene: Scene, way: Way) -> Finding:
    """Where HQ has an authority of its own, see that it is the one that issued the certificate."""
    settings = scene.loaded.value.hq
    if settings.ca is None:
        return ok(f"HQ's certificate was issued by {_issuer(way)}")
    alone = await probe(way.url, ca=settings.ca, proxy=settings.proxy, alone=True)
    if alone.verify_code:
        text = f"the certificate that arrives here was not issued by HQ's own authority, but by {_issuer(way)}"
        return attention(text, _EXEMPT, "this machine trusts it, so everything works; the other can read it all")
    return ok(f"HQ's certificate was issued by its own authority, {_issuer(way)}")


def _issuer(way: Way) -> str:
    return way.issuer or "somebody unknown"


def _product(way: Way) -> str:
    found = next((name for name in _INSPECTORS if name in way.issuer.casefold()), "")
    return f" ({found.title()})" if found else ""


CHECKS = (
    Check("hq", "hq", "HQ can be reached from here: name, connection, proxy, certificate, WebSocket.", 14, _hq),
    Check("certificate", "hq", "Nobody opens the encrypted connection to HQ on its way.", 14, _certificate),
)

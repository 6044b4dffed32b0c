"""Checks of what the portal stands on in Open Dental: its address, and the people who have access."""

from econnector.office.doctor.check import Check, Finding, attention, ok
from econnector.office.doctor.scene import Scene
from econnector.opendental import portalaccess, preflight
from econnector.opendental.preflight import PortalPeople

__all__ = ["CHECKS"]

_ADDRESS = "In Open Dental open eServices Setup, Patient Portal, and enter the portal's address as Patient Facing URL."


async def _portal(scene: Scene) -> Finding:
    url = (await scene.ask(portalaccess.settings)).url.strip()
    if not url:
        return ok(
            "the portal is not in use: it has no address yet, and until then no patient is given access", _ADDRESS
        )
    if not url.lower().startswith("https://"):
        return attention(f"the portal's address {url} does not begin with https", [_ADDRESS])
    return ok(f"the portal's address is {url}")


async def _people(scene: Scene) -> Finding:
    return _judge(await scene.ask(preflight.portal_people))


def _judge(found: PortalPeople) -> Finding:
    """Say how many, and not who: findings go to support. The window's page names them."""
    lines = [f"{found.access:,} have access to the portal"]
    lines += [f"{count:,} {words}" for count, words in _in_the_way(found) if count]
    if len(lines) == 1:
        return ok("everybody who has access can sign in and be written to", *lines)
    said = "; ".join(lines[1:])
    remedy = [words for count, words in _remedies(found) if count]
    return attention(f"of {found.access:,} who have access to the portal, {said}", remedy, *lines)


def _in_the_way(found: PortalPeople) -> list[tuple[int, str]]:
    return [
        (
            found.old_password,
            "have a password from Open Dental 13.1 or earlier, or none that can be read: Login Failed",
        ),
        (found.gone, "are archived, deceased or merged into another chart: Login Failed"),
        (found.no_mail, "have no e-mail address in their chart: no notice and no help with a forgotten password"),
    ]


def _remedies(found: PortalPeople) -> list[tuple[int, str]]:
    return [
        (
            found.old_password,
            "Give those with an old password a new one, on the window's page Portal.",
        ),
        (
            found.gone,
            "Remove the access of charts that are not in use (page Portal), and give it to the chart that is.",
        ),
        (found.no_mail, "Enter their e-mail address (Family, Patient Information)."),
    ]


CHECKS = (
    Check("portal", "portal", "The patient portal has an address.", 9, _portal),
    Check("portal-people", "portal", "Everybody who has access to the portal can use it.", 12, _people),
)

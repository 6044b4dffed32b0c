"""Check of what the portal stands on in Open Dental: its address."""

from econnector.base.errors import DatabaseAway, DatabaseRefused
from econnector.office.doctor.check import Check, Finding, attention, ok
from econnector.office.doctor.scene import NotNowError, Scene
from econnector.opendental import portalaccess

__all__ = ["CHECKS"]

_ADDRESS = "In Open Dental open eServices Setup, Patient Portal, and enter the portal's address as Patient Facing URL."


async def _portal(scene: Scene) -> Finding:
    try:
        url = (await scene.database().run(portalaccess.settings)).url.strip()
    except (DatabaseAway, DatabaseRefused):
        raise NotNowError("the database cannot be reached, and the address stands there (see database)") from None
    if not url:
        return ok(
            "the portal is not in use: it has no address yet, and until then no patient is given access", _ADDRESS
        )
    if not url.lower().startswith("https://"):
        return attention(f"the portal's address {url} does not begin with https", [_ADDRESS])
    return ok(f"the portal's address is {url}")


CHECKS = (Check("portal", "portal", "The patient portal has an address.", 9, _portal),)

"""A running portal with a small office behind it, as it was built at the start of every test."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.support.site import PortalSite, SmallOffice, client, serve_portal, signed_in

TITLES = {"smile-dental": "Smile Dental", "oak-street": "Oak Street Dental"}


@pytest.fixture(scope="session")
def served() -> Iterator[PortalSite]:
    with serve_portal(smile_dental=SmallOffice(), oak_street=SmallOffice()) as site:
        yield site


@pytest.fixture
def site(served: PortalSite) -> PortalSite:
    """Return the site; both offices are as they were built."""
    for name, office in served.offices.items():
        vars(office).update(vars(SmallOffice(title=TITLES[name])))
    return served


@pytest.fixture
def office(site: PortalSite) -> SmallOffice:
    """Return the office whose patient Ann is."""
    return site.offices["smile-dental"]


@pytest.fixture
def stranger(site: PortalSite) -> Iterator[httpx2.Client]:
    """Yield a browser in which nobody is signed in."""
    with client(site.portal()) as found:
        yield found


@pytest.fixture
def ann(site: PortalSite) -> Iterator[httpx2.Client]:
    """Yield a browser in which Ann is signed in."""
    with signed_in(site) as found:
        yield found

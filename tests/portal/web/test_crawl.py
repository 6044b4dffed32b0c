"""Every page that can be reached from the first one: no dead link, no loose end, and light."""

import re
from collections.abc import Iterator

import pytest

from econnector.eservices.portal.web import SUBJECTS
from tests.support.bank import has_paid
from tests.support.crawling import Crawled, crawl
from tests.support.realsite import RealSite, serve_practice
from tests.support.site import client

LIGHT = 30_000
"""Bytes of a page as it travels to who comes for the first time: with stylesheet and scripts, before images."""
RECORD = 15_000
"""Bytes that Maria's record may weigh besides, on a page that shows all of it."""
ELSEWHERE = {
    "/reset", "/second-step", "/security/codes", "/security/drop-passkey", "/security/off", "/security/passkey",
    "/invite", "/shared", "/offline", "/unreachable", "/service-worker.js",
}  # fmt: skip
"""Pages that no link leads to as Maria's access is: after a code or a second step, from a letter, for a worker."""


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSite]:
    with serve_practice(tmp_path_factory.mktemp("crawled")) as site:
        with site.signed_in():
            site.front_desk(has_paid)
        yield site


def heavy(found: Crawled) -> dict[str, int]:
    """Return the pages that are heavier than they may be."""
    most = {path: LIGHT + RECORD * (path == "/health/summary") for path in found.weight}
    return {path: weight for path, weight in found.weight.items() if weight > most[path]}


def unseen(found: Crawled) -> set[str]:
    """Return the portal's pages that the crawl did not come to."""
    paths = {path.partition("?")[0] for path in found.addresses}
    pages = {path for subject in SUBJECTS for path, _, method in subject.PAGES if method == "GET"}
    return {page for page in pages if not any(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", page), path) for path in paths)}


@pytest.mark.parametrize("language", ["en-US", "es-MX"])
def test_a_stranger_finds_no_dead_end(practice: RealSite, language: str) -> None:
    with client(practice.base) as browser:
        found = crawl(browser, language)
        assert found.wrong == {}
        assert heavy(found) == {}
        assert found.weight
        assert {"/sign-in?next=%2F", "/forgot", "/help"} <= {*found.addresses}
        assert {path: code for path in found.posts if (code := browser.post(path).status_code) in {404, 405}} == {}


@pytest.mark.parametrize("language", ["en-US", "es-MX"])
def test_a_patient_finds_no_dead_end(practice: RealSite, language: str) -> None:
    with practice.signed_in() as browser:
        found = crawl(browser, language)
        assert found.wrong == {}
        assert heavy(found) == {}
        assert unseen(found) <= ELSEWHERE
        assert {one for one in found.away if not one.startswith("tel:")} == {"https://book.example/r?a=1&b=2"}
        # Without the form's token nothing is done; without the address nothing would be there.
        assert {path: code for path in found.posts if (code := browser.post(path).status_code) in {404, 405}} == {}

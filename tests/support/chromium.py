"""A real Chromium, driven by Playwright, and axe-core for what it finds wrong on a page."""

import functools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

__all__ = [
    "axe_findings",
    "chromium",
    "cut_off",
    "faults",
    "find_chromium",
    "overflows",
    "with_authenticator",
    "with_viewer",
]

_QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
_LOOKS: tuple[tuple[int, Literal["light", "dark"]], ...] = ((320, "light"), (1280, "dark"))
_OPTIONS = {"resultTypes": ["violations"], "elementRef": False, "iframes": False}
_PATIENCE = 60_000
"""Milliseconds that a page may take to show what is expected; Playwright's five seconds are few on a busy machine."""


_SHELL = "chromium-headless-shell"
_WHOLE = ("chromium", "chromium-browser", "google-chrome")


def find_chromium(*, whole: bool = False) -> str:
    """Return Chromium's path; without one, skip the test (in CI: fail).

    The shell is preferred unless it must be the `whole` browser: it draws the same pages for half the work.
    """
    for name in _WHOLE if whole else (_SHELL, *_WHOLE):
        if found := shutil.which(name):
            return found
    reason = f"no Chromium here: install Debian's `chromium`{'' if whole else f' or `{_SHELL}`'}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a headless Chromium that talks to nobody but us."""
    path = find_chromium()
    expect.set_options(timeout=_PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_QUIET, timeout=_PATIENCE)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def with_viewer(beside: Browser) -> Iterator[Browser]:
    """Run the whole browser, which shows PDFs; the shell only downloads them."""
    path = find_chromium(whole=True)
    browser = beside.browser_type.launch(executable_path=path, args=_QUIET, timeout=_PATIENCE)
    try:
        yield browser
    finally:
        browser.close()


@functools.cache
def _axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def axe_findings(page: Page) -> list[str]:
    """Return what axe-core (WCAG 2.0 to 2.2 A and AA, and best practice) finds on the page as it is once loaded."""
    page.wait_for_load_state()
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_axe())
    found: list[dict[str, Any]] = page.evaluate(
        "async options => (await axe.run(document, options)).violations", _OPTIONS
    )
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]


def faults(page: Page) -> list[str]:
    """Return what axe-core finds, and where the page must be scrolled sideways.

    Looks at a small phone in light colours and at a wide screen in dark ones; leaves the page at the latter. The
    page's context bypasses its policy, which forbids scripts such as axe.
    """
    found = []
    for width, scheme in _LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [f"{width} px, {scheme}: {one}" for one in axe_findings(page)]
        found += [f"{width} px: must be scrolled sideways"] if overflows(page) else []
    return found


def cut_off(page: Page) -> list[int]:
    """Return at which of the widths of `faults` the page must be scrolled sideways: all that longer words can do."""
    found = []
    for width, _ in _LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        found += [width] if overflows(page) else []
    return found


def overflows(page: Page) -> bool:
    """Return whether the page must be scrolled sideways."""
    page.wait_for_load_state()
    return bool(page.evaluate("() => document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def with_authenticator(page: Page) -> Callable[[], list[Any]]:
    """Give the browser an authenticator; return what lists its passkeys."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    here = {"authenticatorId": made["authenticatorId"]}
    return lambda: list(devtools.send("WebAuthn.getCredentials", here)["credentials"])

"""Pictures of pages for the documents: taken by tests, from pages that they have just found right.

`DOCS_PICTURES=1 pytest …` writes them into `docs/pictures`; without it nothing is written.
"""

import base64
import os
from pathlib import Path

from playwright.sync_api import Page

__all__ = ["FOLDER", "LARGEST", "take_picture"]

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
LARGEST = 60_000
"""Bytes of one picture."""
_QUALITIES = (85, 70, 55, 40)


def take_picture(page: Page, name: str, height: int = 0) -> None:
    """Take what the window shows, `height` pixels of it from the top, as `name` (`portal-home.webp`)."""
    if os.environ.get("DOCS_PICTURES") != "1":
        return
    shown = page.viewport_size or {"width": 1280, "height": 900}
    page.evaluate("() => scrollTo(0, 0)")
    clip = {"x": 0, "y": 0, "width": shown["width"], "height": height or shown["height"], "scale": 1}
    devtools = page.context.new_cdp_session(page)
    for quality in _QUALITIES:
        how = {"format": "webp", "quality": quality, "clip": clip, "captureBeyondViewport": True}
        picture = base64.b64decode(devtools.send("Page.captureScreenshot", how)["data"])
        if len(picture) <= LARGEST:
            break
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / name).write_bytes(picture)

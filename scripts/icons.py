"""Draw the icons that phones and tablets put on their home screens from `icon.svg`: `python scripts/icons.py`.

Needs Chromium. The files it writes are kept with the source; run it again when the mark changes.
"""

import pathlib
import shutil

from playwright.sync_api import Browser, sync_playwright

STATIC = pathlib.Path(__file__).resolve().parent.parent / "src" / "econnector" / "web" / "static"
SIZES = {"icon-192.png": 192, "icon-512.png": 512, "icon-maskable.png": 512, "apple-touch-icon.png": 180}
FULL = ("icon-maskable.png", "apple-touch-icon.png")
"""Without corners of their own: the system cuts them to its shape. The mark keeps to the middle 80 % that it leaves."""


def draw(browser: Browser, mark: str, size: int) -> bytes:
    """Return the mark as a PNG of `size` × `size` pixels, see-through where nothing is drawn."""
    page = browser.new_page(viewport={"width": size, "height": size})
    page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block; inline-size: {size}px }}</style>{mark}")
    picture = page.screenshot(omit_background=True)
    page.close()
    return picture


def main() -> None:
    """Write every size."""
    mark = (STATIC / "icon.svg").read_text(encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, size in SIZES.items():
            shape = mark.replace(' rx="8"', "") if name in FULL else mark
            (STATIC / name).write_bytes(draw(browser, shape, size))
        browser.close()


if __name__ == "__main__":
    main()

"""A reference as a picture: the office holds its scanner to the patient's telephone instead of spelling it out."""

import functools

import segno
from markupsafe import Markup

__all__ = ["mark"]


@functools.lru_cache(maxsize=64)
def mark(reference: str) -> Markup:
    """Return a QR code of the reference alone, as inline SVG of some 900 characters."""
    drawn = segno.make(reference, error="m", micro=False)
    return Markup(drawn.svg_inline(scale=4, border=4, light="#fff", svgclass=None, lineclass=None))  # noqa: S704 - drawn by us from a text that it does not hold

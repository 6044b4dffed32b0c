"""What every answer says to the browser about safety, whatever page it is."""

from starlette.datastructures import MutableHeaders

__all__ = ["FILE_POLICY", "PDF_POLICY", "protect"]

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PDF_POLICY = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'none'"
"""For a PDF. Without `sandbox`: under it Safari shows some PDFs as an empty window. Nothing is lost, because a PDF is
never run as a page (`nosniff`), and a browser's viewer has an origin of its own."""
FILE_POLICY = f"{PDF_POLICY}; sandbox"
"""For a patient's other files: whatever is in them, it runs nothing and belongs to no origin."""

_PERMISSIONS = ", ".join(
    f"{name}=()" for name in ("camera", "geolocation", "microphone", "payment", "usb", "browsing-topics")
)
_ALWAYS = {
    "content-security-policy": _POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": _PERMISSIONS,
    "cache-control": "no-store",
}
_TWO_YEARS = "max-age=63072000"


def protect(headers: MutableHeaders, *, https: bool) -> None:
    """Add the safety headers that the answer does not set itself: pages are never stored unless they say so."""
    for name, value in _ALWAYS.items():
        headers.setdefault(name, value)
    if https:
        headers.setdefault("strict-transport-security", _TWO_YEARS)

"""Which eConnector this is."""

import functools
import importlib.metadata

__all__ = ["version"]


@functools.cache
def version() -> str:
    """Return the installed package's version, such as `0.1.0`."""
    try:
        return importlib.metadata.version("econnector")
    except importlib.metadata.PackageNotFoundError:
        return "0"

"""Where to go after signing in."""

__all__ = ["safe_next"]

_UNSAFE = frozenset("\\\r\n\t ?#:")


def safe_next(path: str) -> str:
    """Return the path if it is one of the window's own pages, else that of the first page."""
    plain = path.isascii() and path.startswith("/") and not path.startswith(("//", "/sign"))
    return path if plain and not _UNSAFE & set(path) else "/"
